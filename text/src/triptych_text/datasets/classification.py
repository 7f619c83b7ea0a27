"""Texts with one label each: news, reviews, topics and feelings."""

from __future__ import annotations

from functools import partial
from typing import Any

from triptych_datasets import drive_source

from .published import AtEnd, Description, File, Inside, loader
from .records import document, table
from .rows import Picked, labelled_cells

__all__ = ["AG_NEWS", "AmazonReviewFull", "AmazonReviewPolarity", "DBpedia", "IMDB", "SST2",
           "SogouNews", "YahooAnswers", "YelpReviewFull", "YelpReviewPolarity"]  # fmt: skip

CSV = partial(table)
TSV = partial(table, delimiter="\t", skip=1)
TORCHTEXT = "addresses, hashes and rows as torchtext 0.18's"
NEWS = "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/master/data/ag_news_csv/"

AG_NEWS = loader(
    Description(
        "AG_NEWS",
        {
            "train": Inside(File(NEWS + "train.csv", "b1a00f826fdfbd249f79597b59e1dc12"), CSV,
                            labelled_cells, num_rows=120_000),
            "test": Inside(File(NEWS + "test.csv", "d52ea96a97a2d943681189a97654912d"), CSV,
                           labelled_cells, num_rows=7_600),
        },
        "News: rows (label, text), 1 world, 2 sports, 3 business, 4 science and technology.",
        TORCHTEXT,
    )
)  # fmt: skip


def _zhang(name: str, about: str, drive: str, md5: str, folder: str, train: int, test: int) -> Any:
    """One of the sets of Zhang, Zhao and LeCun 2015: two tables in a folder of an archive."""
    file = File(drive_source(drive), md5, f"{folder}.tar.gz")
    splits = {
        split: Inside(file, CSV, labelled_cells, f"{folder}/{split}.csv", size)
        for split, size in (("train", train), ("test", test))
    }
    return loader(Description(name, splits, about, f"Zhang et al. 2015; {TORCHTEXT}"))


AmazonReviewFull = _zhang(
    "AmazonReviewFull", "Reviews of products: rows (label 1 to 5 stars, title and text).",
    "0Bz8a_Dbh9QhbZVhsUnRWRDhETzA", "57d28bd5d930e772930baddf36641c7c",
    "amazon_review_full_csv", 3_000_000, 650_000,
)  # fmt: skip
AmazonReviewPolarity = _zhang(
    "AmazonReviewPolarity", "Reviews of products: rows (label, text), 1 negative, 2 positive.",
    "0Bz8a_Dbh9QhbaW12WVVZS2drcnM", "fe39f8b653cada45afd5792e0f0e8f9b",
    "amazon_review_polarity_csv", 3_600_000, 400_000,
)  # fmt: skip
DBpedia = _zhang(
    "DBpedia", "Articles of Wikipedia: rows (label 1 to 14, title and abstract).",
    "0Bz8a_Dbh9QhbQ2Vic1kxMmZZQ1k", "dca7b1ae12b1091090db52aa7ec5ca64",
    "dbpedia_csv", 560_000, 70_000,
)  # fmt: skip
SogouNews = _zhang(
    "SogouNews", "Chinese news in pinyin: rows (label 1 to 5, title and text).",
    "0Bz8a_Dbh9QhbUkVqNEszd0pHaFE", "0c1700ba70b73f964dd8de569d3fd03e",
    "sogou_news_csv", 450_000, 60_000,
)  # fmt: skip
YahooAnswers = _zhang(
    "YahooAnswers", "Questions and best answers: rows (label 1 to 10, text).",
    "0Bz8a_Dbh9Qhbd2JNdDBsQUdocVU", "f3f9899b997a42beb24157e62e3eea8d",
    "yahoo_answers_csv", 1_400_000, 60_000,
)  # fmt: skip
YelpReviewFull = _zhang(
    "YelpReviewFull", "Reviews of places: rows (label 1 to 5 stars, text).",
    "0Bz8a_Dbh9QhbZlU4dXhHTFhZQU0", "f7ddfafed1033f68ec72b9267863af6c",
    "yelp_review_full_csv", 650_000, 50_000,
)  # fmt: skip
YelpReviewPolarity = _zhang(
    "YelpReviewPolarity", "Reviews of places: rows (label, text), 1 negative, 2 positive.",
    "0Bz8a_Dbh9QhbNUpYQ2N3SGlFaDg", "620c8ae4bd5a150b730f1ba9a7c6a4d3",
    "yelp_review_polarity_csv", 560_000, 38_000,
)  # fmt: skip

IMDB_LABELS = {"neg": 1, "pos": 2}


class _OfSplit:
    """Whether a name is that of a labelled review of a split."""

    def __init__(self, split: str) -> None:
        self.split = split

    def __call__(self, name: str) -> bool:
        parts = name.split("/")
        return len(parts) > 2 and parts[-3] == self.split and parts[-2] in IMDB_LABELS


def _review(named: tuple[str, str]) -> tuple[int, str]:
    name, text = named
    return IMDB_LABELS[name.split("/")[-2]], text.rstrip("\n")


_IMDB = File("http://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
             "7c2ac02c03563afcf9b574c7e56c153a")  # fmt: skip
IMDB = loader(
    Description(
        "IMDB",
        {s: Inside(_IMDB, document, _review, _OfSplit(s), 25_000) for s in ("train", "test")},
        "Reviews of films: rows (label, text), 1 negative, 2 positive.",
        f"Maas et al. 2011; {TORCHTEXT}",
    )
)


def _stripped(text: str) -> str:
    return text.strip()


_SST2 = File("https://dl.fbaipublicfiles.com/glue/data/SST-2.zip",
             "9f81648d4199384278b86e315dac217c")  # fmt: skip
_LABELLED = Picked(((0, _stripped), (1, int)), count=2)
_BARE = Picked(((1, _stripped),), count=2)
SST2 = loader(
    Description(
        "SST2",
        {
            "train": Inside(_SST2, TSV, _LABELLED, AtEnd("SST-2/train.tsv"), 67_349),
            "dev": Inside(_SST2, TSV, _LABELLED, AtEnd("SST-2/dev.tsv"), 872),
            "test": Inside(_SST2, TSV, _BARE, AtEnd("SST-2/test.tsv"), 1_821),
        },
        "Phrases of film reviews: rows (text, label), 0 negative, 1 positive; test: (text,).",
        f"Socher et al. 2013, GLUE; {TORCHTEXT}",
    )
)

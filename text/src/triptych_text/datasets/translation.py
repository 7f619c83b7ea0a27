"""Sentences and their translations: rows (source, target)."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from triptych.errors import DomainError, FileFormatError
from triptych_datasets import drive_source

from .combining import concatenate_datasets
from .iterable import IterableDataset
from .published import (
    AtEnd,
    File,
    PathLike,
    SideBySide,
    dataset_of,
    folder_of,
    record_source,
    split_or_splits,
)
from .records import Place, Record, lines
from .streams import members, reading

__all__ = ["IWSLT2016", "IWSLT2017", "Multi30k", "WMT14"]

SPLITS = ("train", "valid", "test")


def _texts(pair: tuple[str, ...]) -> tuple[str, ...]:
    return pair


def _check_pair(name: str, pair: Sequence[str], valid: Mapping[str, Sequence[str]]) -> None:
    if isinstance(pair, str) or len(pair) != 2 or pair[1] not in valid.get(pair[0], ()):
        told = "; ".join(f"{source} to {', '.join(targets)}" for source, targets in valid.items())
        raise DomainError(f"{name}: wanted a language_pair among {told}; got {pair!r}")


_MULTI30K = "https://raw.githubusercontent.com/neychev/small_DL_repo/master/datasets/Multi30k/"
MULTI30K = {
    "train": (File(_MULTI30K + "training.tar.gz",
                   "20140d013d05dd9a72dfde46478663ba05737ce983f478f960c1123c6671be5e"), "train",
              29_000),
    "valid": (File(_MULTI30K + "validation.tar.gz",
                   "a7aa20e9ebd5ba5adce7909498b94410996040857154dab029851af3a866da8c"), "val",
              1_014),
    "test": (File(_MULTI30K + "mmt16_task1_test.tar.gz",
                  "6d1ca1dba99e2c5dd54cae1226ff11c2551e6ce63527ebb072a1f70f72a5cd36"), "test",
             1_000),
}  # fmt: skip


def Multi30k(
    root: PathLike | None = None,
    split: str | tuple[str, ...] = SPLITS,
    language_pair: Sequence[str] = ("de", "en"),
) -> Any:
    """Captions of pictures in German and English: rows (source, target).

    Args:
        root: the files lie in `root/datasets/Multi30k/`, and are put there when they lack; by
            default they are fetched to the cache.
        split: one of train (29,000 rows), valid (1,014), test (1,000); or a tuple of several.
        language_pair: ("de", "en") or ("en", "de").

    Returns:
        An `IterableDataset`, or a tuple of them.

    Raises:
        UnknownSplitError: there is no such split; DomainError: no such pair.
        FetchError: a file cannot be had.

    Source: Elliott et al. 2016; addresses, hashes and rows as torchtext 0.18's.
    """
    _check_pair("Multi30k", language_pair, {"de": ["en"], "en": ["de"]})

    def make(one: str) -> IterableDataset:
        file, prefix, size = MULTI30K[one]
        path = file.get(folder_of(root, "Multi30k"), root is not None)
        sides = tuple(
            record_source("Multi30k", path, lines, f"{prefix}.{language}")
            for language in language_pair
        )
        return dataset_of("Multi30k", SideBySide("Multi30k", sides), _texts, size)

    return split_or_splits("Multi30k", split, SPLITS, make)


# Lines of the training files that are about a talk, and not of it. Source: torchtext.
TALK_TAGS = ("<url", "<keywords", "<talkid", "<description", "<reviewer", "<translator", "<title",
             "<speaker", "<doc", "</doc")  # fmt: skip
SEGMENT = re.compile(r"<seg[^>]*>(.*?)</seg>", re.IGNORECASE | re.DOTALL)
SEGMENT_OPEN = re.compile(r"<seg\b", re.IGNORECASE)


def _talk_lines(stream: IO[bytes], name: str) -> Iterator[Record]:
    for place, line in lines(stream, name):
        if not any(tag in line for tag in TALK_TAGS):
            yield place, line.strip() + "\n"


def segments(stream: IO[bytes], name: str, end: str = "\n") -> Iterator[Record]:
    """Texts of the segments of a file in SGML or XML; no entity of its own is expanded.

    Raises:
        FileFormatError: a segment has no end.
    """
    waiting, place = "", Place(name, 1)
    for place, line in lines(stream, name):
        waiting += line + "\n"
        last = 0
        for found in SEGMENT.finditer(waiting):
            yield place, html.unescape(found[1]).strip() + end
            last = found.end()
        opened = SEGMENT_OPEN.search(waiting, last)
        waiting = waiting[opened.start() :] if opened else ""
    if waiting:
        raise FileFormatError(f"{place}: a segment without an end")


@dataclass(frozen=True)
class _InnerArchive:
    """Records of a file in an archive that lies in another."""

    dataset: str
    path: Path
    inner: Callable[[str], bool]
    member: str

    def __call__(self) -> Iterator[Record]:
        read = segments if self.member.endswith(".xml") else _talk_lines
        with reading(self.path):
            for outer, content in members(self.path, self.inner):
                for name, stream in members(content, AtEnd(f"/{self.member}")):
                    yield from read(stream, f"{self.path.name}: {outer}: {name}")
                    return
        raise FileFormatError(f"{self.dataset}: {self.path} holds no {self.member}")


def _iwslt(
    name: str, path: Path, inner: str, pair: Sequence[str], split: str, held_out: Mapping[str, str]
) -> IterableDataset:
    direction = "-".join(pair)
    stem = f"{name.replace('20', '')}.TED.{held_out.get(split)}.{direction}"
    members = [
        f"train.tags.{direction}.{language}" if split == "train" else f"{stem}.{language}.xml"
        for language in pair
    ]
    sides = tuple(_InnerArchive(name, path, AtEnd(inner), member) for member in members)
    return dataset_of(name, SideBySide(name, sides), _texts)


IWSLT2016_FILE = File(
    drive_source("1l5y6Giag9aRPwGtuZHswh3w5v3qEz8D8"),
    "c393ed3fc2a1b0f004b3331043f615ae",
    "2016-01.tgz",
)
IWSLT2016_PAIRS = {"en": ["ar", "de", "fr", "cs"], "ar": ["en"], "fr": ["en"], "de": ["en"],
                   "cs": ["en"]}  # fmt: skip
IWSLT2016_SETS = ("dev2010", "tst2010", "tst2011", "tst2012", "tst2013", "tst2014")


def IWSLT2016(
    root: PathLike | None = None,
    split: str | tuple[str, ...] = SPLITS,
    language_pair: Sequence[str] = ("de", "en"),
    valid_set: str = "tst2013",
    test_set: str = "tst2014",
) -> Any:
    """Talks of TED and their translations: rows (source, target), lines with their newlines.

    Args:
        root: the file lies in `root/datasets/IWSLT2016/`, and is put there when it lacks; by
            default it is fetched to the cache.
        split: one of train, valid, test; or a tuple of several.
        language_pair: English and one of ar, cs, de, fr, in either order.
        valid_set: one of dev2010, tst2010 to tst2014; cs has no tst2014.
        test_set: another.

    Returns:
        An `IterableDataset`, or a tuple of them.

    Raises:
        UnknownSplitError: there is no such split; DomainError: no such pair or set.
        FetchError: the file cannot be had.

    Source: Cettolo et al. 2016; address, hash and rows as torchtext 0.18's.
    """
    _check_pair("IWSLT2016", language_pair, IWSLT2016_PAIRS)
    lacking = ("tst2014",) if "cs" in language_pair else ()
    valid = [one for one in IWSLT2016_SETS if one not in lacking]
    for argument, value in (("valid_set", valid_set), ("test_set", test_set)):
        if value not in valid:
            raise DomainError(
                f"IWSLT2016: {argument} for {'-'.join(language_pair)} is one of "
                f"{', '.join(valid)}, got {value!r}"
            )
    source, target = language_pair
    inner = f"texts/{source}/{target}/{source}-{target}.tgz"
    return split_or_splits(
        "IWSLT2016", split, SPLITS,
        lambda one: _iwslt(
            "IWSLT2016", IWSLT2016_FILE.get(folder_of(root, "IWSLT2016"), root is not None), inner,
            language_pair, one, {"valid": valid_set, "test": test_set},
        ),
    )  # fmt: skip


IWSLT2017_FILE = File(
    "https://fbk.sharepoint.com/sites/MTUnit/_layouts/15/download.aspx?SourceUrl=%2Fsites%2FMTUnit"
    "%2FShared%20Documents%2Fwebsites%2FWIT3%2Dlibrary%2F2017%2D01%2Dtrnmted%2Etgz",
    "aca701032b1c4411afc4d9fa367796ba",
    "2017-01-trnmted.tgz",
)
_2017 = ("de", "en", "it", "nl", "ro")
IWSLT2017_PAIRS = {one: [other for other in _2017 if other != one] for one in _2017}


def IWSLT2017(
    root: PathLike | None = None,
    split: str | tuple[str, ...] = SPLITS,
    language_pair: Sequence[str] = ("de", "en"),
) -> Any:
    """Talks of TED among five languages: rows (source, target), lines with their newlines.

    Args:
        root: the file lies in `root/datasets/IWSLT2017/`, and is put there when it lacks; by
            default it is fetched to the cache.
        split: one of train, valid (dev2010), test (tst2010); or a tuple of several.
        language_pair: two of de, en, it, nl, ro.

    Returns:
        An `IterableDataset`, or a tuple of them.

    Raises:
        UnknownSplitError: there is no such split; DomainError: no such pair.
        FetchError: the file cannot be had.

    Source: Cettolo et al. 2017; address, hash and rows as torchtext 0.18's.
    """
    _check_pair("IWSLT2017", language_pair, IWSLT2017_PAIRS)
    return split_or_splits(
        "IWSLT2017", split, SPLITS,
        lambda one: _iwslt(
            "IWSLT2017", IWSLT2017_FILE.get(folder_of(root, "IWSLT2017"), root is not None),
            "DeEnItNlRo-DeEnItNlRo.tgz", language_pair, one,
            {"valid": "dev2010", "test": "tst2010"},
        ),
    )  # fmt: skip


_DEV = File("http://data.statmt.org/wmt19/translation-task/dev.tgz",
            "7a7deccf82ebb05ba508dba5eb21356492224e8f630ec4f992132b029b4b25e7")  # fmt: skip
# Files of each split, and what their names in them begin with and end in.
WMT14_PARTS = {
    "train": (
        (File("http://www.statmt.org/wmt13/training-parallel-europarl-v7.tgz",
              "0224c7c710c8a063dfd893b0cc0830202d61f4c75c17eb8e31836103d27d96e7"),
         "training/europarl-v7.de-en.{}"),
        (File("http://www.statmt.org/wmt13/training-parallel-commoncrawl.tgz",
              "c7a74e2ea01ac6c920123108627e35278d4ccb5701e15428ffa34de86fa3a9e5"),
         "commoncrawl.de-en.{}"),
        (File("http://www.statmt.org/wmt14/training-parallel-nc-v9.tgz",
              "cb8953f292298e6877ae433c98912b927cb0766b303f4540512ddd286c748485"),
         "training/news-commentary-v9.de-en.{}"),
    ),
    "valid": ((_DEV, "dev/newstest2013.{}"),),
    "test": ((_DEV, "dev/newstest2014-deen-{}"),),
}  # fmt: skip
ALIGNED = partial(lines, newline="\n")  # lines of web pages hold carriage returns
WMT14_TEST = {"de": "src.de.sgm", "en": "ref.en.sgm"}


def WMT14(
    root: PathLike | None = None,
    split: str | tuple[str, ...] = SPLITS,
    language_pair: Sequence[str] = ("de", "en"),
) -> Any:
    """German and English of the translation task of 2014: rows (source, target).

    Args:
        root: the files lie in `root/datasets/WMT14/`, and are put there when they lack; by default
            they are fetched to the cache, 1.7 GB.
        split: train (Europarl 7, Common Crawl, News Commentary 9), valid (newstest2013), test
            (newstest2014, from German); or a tuple of several.
        language_pair: ("de", "en") or ("en", "de").

    Returns:
        An `IterableDataset`, or a tuple of them.

    Raises:
        UnknownSplitError: there is no such split; DomainError: no such pair.
        FetchError: a file cannot be had.

    Source: Bojar et al. 2014; addresses and hashes as in TensorFlow Datasets.
    """
    _check_pair("WMT14", language_pair, {"de": ["en"], "en": ["de"]})
    folder = folder_of(root, "WMT14")

    def make(one: str) -> IterableDataset:
        parts = []
        for file, member in WMT14_PARTS[one]:
            path = file.get(folder, root is not None)
            read = partial(segments, end="") if one == "test" else ALIGNED
            names = [WMT14_TEST[side] if one == "test" else side for side in language_pair]
            sides = tuple(record_source("WMT14", path, read, member.format(name)) for name in names)
            parts.append(dataset_of("WMT14", SideBySide("WMT14", sides), _texts))
        rows: IterableDataset = concatenate_datasets(parts)
        return rows

    return split_or_splits("WMT14", split, SPLITS, make)

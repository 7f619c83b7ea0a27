"""Questions on a text, summaries of one, instructions, and the tasks of SuperGLUE."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from triptych.errors import FileFormatError, UnknownNameError
from triptych_datasets import drive_source

from .classification import TORCHTEXT
from .combining import concatenate_datasets
from .iterable import IterableDataset
from .published import (
    AtEnd,
    Description,
    File,
    Inside,
    PathLike,
    dataset_of,
    folder_of,
    loader,
    record_source,
    split_or_splits,
)
from .records import Record, document, json_lines, list_of
from .rows import Picked, story, summary
from .streams import open_packed, reading, text_of

__all__ = ["Alpaca", "CNNDM", "SQuAD1", "SQuAD2", "SuperGLUE", "XSum"]


def whole_json(stream: IO[bytes], name: str) -> Any:
    """The value of a file in JSON.

    Raises:
        FileFormatError: it is none.
    """
    try:
        with text_of(stream) as text:
            return json.load(text)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{name}: no JSON ({error})") from error


def _paragraphs(stream: IO[bytes], name: str) -> Iterator[Record]:
    content = whole_json(stream, name)
    try:
        paragraphs = [p for article in content["data"] for p in article["paragraphs"]]
        pairs = [(p["context"], question) for p in paragraphs for question in p["qas"]]
    except (KeyError, TypeError) as error:
        raise FileFormatError(f"{name}: wanted articles with paragraphs ({error!r})") from error
    return list_of(pairs, name, "question")


def _question(asked: tuple[str, dict[str, Any]]) -> tuple[str, str, list[str], list[int]]:
    context, question = asked
    answers = question["answers"]
    texts = [answer["text"] for answer in answers] or [""]
    return context, question["question"], texts, [a["answer_start"] for a in answers] or [-1]


def _squad(version: int, name: str, hashes: tuple[str, str], sizes: tuple[int, int]) -> Any:
    base = "https://rajpurkar.github.io/SQuAD-explorer/dataset/"
    splits = {
        split: Inside(File(f"{base}{split}-{name}.json", md5), _paragraphs, _question, "", size)
        for split, md5, size in zip(("train", "dev"), hashes, sizes, strict=True)
    }
    about = (
        "Questions on paragraphs of Wikipedia: rows (context, question, answers, where they begin "
        "in the context)" + ("." if version == 1 else '; [""] and [-1] where there is none.')
    )
    return loader(
        Description(f"SQuAD{version}", splits, about, f"Rajpurkar et al. 2016, 2018; {TORCHTEXT}")
    )


SQuAD1 = _squad(
    1, "v1.1", ("981b29407e0affa3b1b156f72073b945", "3e85deb501d4e538b6bc56f786231552"),
    (87_599, 10_570),
)  # fmt: skip
SQuAD2 = _squad(
    2, "v2.0", ("62108c273c268d70893182d5cf8df740", "246adae8b7002f8679c027697b0b7cf8"),
    (130_319, 11_873),
)  # fmt: skip

STORIES = {
    "cnn": File(drive_source("0BwmD_VLjROrfTHk4NFg2SndKcjQ"),
                "85ac23a1926a831e8f46a6b8eaf57263", "cnn_stories.tgz"),
    "dailymail": File(drive_source("0BwmD_VLjROrfM1BxdkxVaTY2bWs"),
                      "f9c5f565e8abe86c38bfa4ae8f96fd72", "dailymail_stories.tgz"),
}  # fmt: skip
STORY_LISTS = "https://raw.githubusercontent.com/abisee/cnn-dailymail/master/url_lists/"
LIST_NAMES = {"train": "training", "val": "validation", "test": "test"}


class _Listed:
    """Whether a file's name is among some."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names

    def __call__(self, name: str) -> bool:
        return name.rpartition("/")[2] in self.names


def _story_names(path: Path) -> frozenset[str]:
    """Files of the stories at the addresses in a list: named by the hash of an address."""
    with reading(path), open_packed(path) as file:
        urls = [line.strip() for line in file if line.strip()]
    digests = (hashlib.sha1(url, usedforsecurity=False).hexdigest() for url in urls)
    return frozenset(f"{digest}.story" for digest in digests)


def CNNDM(
    root: PathLike | None = None, split: str | tuple[str, ...] = ("train", "val", "test")
) -> Any:
    """News of CNN and the Daily Mail: rows (article, abstract).

    Args:
        root: the files lie in `root/datasets/CNNDM/`, and are put there when they lack; by default
            they are fetched to the cache.
        split: one of train (287,227 rows), val (13,368), test (11,490); or a tuple of several.

    Returns:
        An `IterableDataset`, or a tuple of them.

    Raises:
        UnknownSplitError: there is no such split.
        FetchError: a file cannot be had.

    Source: See et al. 2017; addresses, hashes and rows as torchtext 0.18's. The lists of what
    belongs to a split have no hash.
    """
    folder, chosen = folder_of(root, "CNNDM"), root is not None

    def make(one: str) -> IterableDataset:
        parts = []
        for paper, file in STORIES.items():
            listed = File(f"{STORY_LISTS}{paper}_wayback_{LIST_NAMES[one]}_urls.txt")
            wanted = _Listed(_story_names(listed.get(folder, chosen)))
            records = record_source("CNNDM", file.get(folder, chosen), document, wanted)
            parts.append(dataset_of("CNNDM", records, story))
        joined: IterableDataset = concatenate_datasets(parts)
        joined.num_rows = {"train": 287_227, "val": 13_368, "test": 11_490}[one]
        return joined

    return split_or_splits("CNNDM", split, tuple(LIST_NAMES), make)


XSUM = File("http://bollin.inf.ed.ac.uk/public/direct/XSUM-EMNLP18-Summary-Data-Original.tar.gz")
XSUM_SPLITS = File("https://raw.githubusercontent.com/EdinburghNLP/XSum/master/XSum-Dataset/"
                   "XSum-TRAINING-DEV-TEST-SPLIT-90-5-5.json")  # fmt: skip


def XSum(
    root: PathLike | None = None, split: str | tuple[str, ...] = ("train", "validation", "test")
) -> Any:
    """News of the BBC with a summary of one sentence: rows (document, summary).

    Args:
        root: the files lie in `root/datasets/XSum/`, and are put there when they lack; by default
            they are fetched to the cache.
        split: one of train, validation, test; or a tuple of several.

    Returns:
        An `IterableDataset`, or a tuple of them.

    Raises:
        UnknownSplitError: there is no such split.
        FetchError: a file cannot be had.
        FileFormatError: the list of splits is damaged.

    Source: Narayan et al. 2018, EdinburghNLP/XSum. No hashes are published.
    """
    folder, chosen = folder_of(root, "XSum"), root is not None

    def make(one: str) -> IterableDataset:
        listed = XSUM_SPLITS.get(folder, chosen)
        with reading(listed), open_packed(listed) as stream:
            numbers = whole_json(stream, str(listed))
        if not isinstance(numbers, dict) or one not in numbers:
            raise FileFormatError(f"XSum: {listed}: wanted an object with {one!r}")
        wanted = _Listed(frozenset(f"{number}.summary" for number in numbers[one]))
        records = record_source("XSum", XSUM.get(folder, chosen), document, wanted)
        return dataset_of("XSum", records, summary, len(numbers[one]))

    return split_or_splits("XSum", split, ("train", "validation", "test"), make)


def _objects(stream: IO[bytes], name: str) -> Iterator[Record]:
    content = whole_json(stream, name)
    if not isinstance(content, list):
        raise FileFormatError(f"{name}: wanted a list of objects")
    return list_of(content, name)


Alpaca = loader(
    Description(
        "Alpaca",
        {
            "train": Inside(
                File("https://raw.githubusercontent.com/tatsu-lab/stanford_alpaca/main/"
                     "alpaca_data.json"),
                _objects,
                Picked((("instruction", None), ("input", None), ("output", None)), count=3),
                num_rows=52_002,
            )
        },
        "Instructions and what a model wrote: rows (instruction, input, output); many inputs are "
        "empty.",
        "Taori et al. 2023, tatsu-lab/stanford_alpaca; no hash is published",
        "train",
    )
)  # fmt: skip

_SUPER = "https://dl.fbaipublicfiles.com/glue/superglue/data/"
# Archive of each task, and its sha256. Source: TensorFlow Datasets; for BoolQ and ReCoRD,
# which it lacks, programs that pin them (for ReCoRD allenai/rainbow).
SUPERGLUE = {
    "boolq": (File(_SUPER + "v2/BoolQ.zip",
                   "853fbe7922f70c59629f06a39e8d9ca440c3d740e760fd3b87a5ddf3dcba2436"), "BoolQ"),
    "cb": (File(_SUPER + "CB.zip",
                "640549b0884365c1c2a7a3b0aba8cf978c28017f78c072f412a5ca98cdac7202"), "CB"),
    "copa": (File(_SUPER + "COPA.zip",
                  "68f76f50e69a5ff28891e70c73554483de6d066f3d4dacf3e4e9ee61d2a03790"), "COPA"),
    "multirc": (File(_SUPER + "MultiRC.zip",
                     "f1ee6f706acce2c4d536657043285074ce84b444c08bebd5e53b2c27a1d52fc9"),
                "MultiRC"),
    "record": (File(_SUPER + "v2/ReCoRD.zip",
                    "30c7b651ab21b8bf8fab986495cd1084333010e040548f861b839eec0044ac18"), "ReCoRD"),
    "rte": (File(_SUPER + "RTE.zip",
                 "3846141c898099944685766790201381369c7a9de33759a56311af63c1ff6c2e"), "RTE"),
    "wic": (File(_SUPER + "WiC.zip",
                 "e87b14d34bc5876dfec24fd26b5332becbabb03263f74a56b7a8192ab09383af"), "WiC"),
    "wsc": (File(_SUPER + "WSC.zip",
                 "b356c56e057fd4d7c247aebc55896aa246299a26f45a31b55eafd64050fe85b3"), "WSC"),
}  # fmt: skip
SUPERGLUE_SPLITS = ("train", "val", "test")


def SuperGLUE(
    task: str, root: PathLike | None = None, split: str | tuple[str, ...] = SUPERGLUE_SPLITS
) -> Any:
    """A task of SuperGLUE: rows are the dicts of its files, with "label" except in test splits.

    Args:
        task: "boolq", "cb", "copa", "multirc", "record", "rte", "wic" or "wsc".
        root: the files lie in `root/datasets/SuperGLUE/`, and are put there when they lack; by
            default they are fetched to the cache.
        split: one of train, val, test; or a tuple of several.

    Returns:
        An `IterableDataset`, or a tuple of them.

    Raises:
        UnknownNameError: no such task; UnknownSplitError: no such split.
        FetchError: a file cannot be had.

    Source: Wang et al. 2019; hashes as recorded by TensorFlow Datasets and other programs.
    """
    if task not in SUPERGLUE:
        raise UnknownNameError(f"SuperGLUE: no task {task!r}; there are {', '.join(SUPERGLUE)}")
    file, name = SUPERGLUE[task]

    def make(one: str) -> IterableDataset:
        path = file.get(folder_of(root, "SuperGLUE"), root is not None)
        wanted = AtEnd((f"/{one}.jsonl", f"{name}/{one}.jsonl"))
        return dataset_of(f"SuperGLUE {task}", record_source("SuperGLUE", path, json_lines, wanted),
                          _object)  # fmt: skip

    return split_or_splits(f"SuperGLUE {task}", split, SUPERGLUE_SPLITS, make)


def _object(row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise TypeError("wanted an object")
    return row

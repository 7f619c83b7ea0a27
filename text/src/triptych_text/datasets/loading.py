"""`load_dataset`: tables of a folder, laid out as on the Hugging Face hub."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from triptych.errors import DomainError, UnknownNameError
from triptych_datasets import MissingDataError

from .combining import concatenate_datasets
from .files import FORMATS, PathLike, Paths
from .published import UnknownSplitError
from .splits import bounds, parse_split

__all__ = ["load_dataset"]

PACKED = (".gz", ".bz2", ".xz")
# Words in names of files and folders that say what a file is for. Source: the hub's documentation,
# "Structure your repository".
KEYWORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
SPLIT_OF = {word: split for split, words in KEYWORDS.items() for word in words}
BUILDERS = {"csv": ".csv", "json": ".json", "parquet": ".parquet", "text": ".txt"}


def load_dataset(
    path: PathLike,
    *,
    data_files: Paths | Mapping[str, Paths] | None = None,
    split: str | None = None,
    streaming: bool = False,
    **options: Any,
) -> Any:
    """Tables of a folder of files, or of files of one kind.

    In a folder, files belong to the split whose word is in their name or in that of a folder above,
    as in train-00000-of-00002.parquet, data/test.csv.gz or dev/part1.jsonl; without any such word
    all are for training. Only files of data are read: no script, no card, nothing is executed.

    Args:
        path: a folder, or "csv", "json", "parquet" or "text" with data_files.
        data_files: paths, or the paths of each split; below the folder, if path is one.
        split: such as "train", "train[:10%]" or "train+test[5:]"; default all, in a dict.
        streaming: read while rows are used.
        options: for what reads the files: `from_csv`, `from_json`, `from_parquet`, `from_text`.

    Returns:
        A `Dataset`, or an `IterableDataset` when streaming; without split, a dict of them.

    Raises:
        MissingDataError: no such folder, or it holds no data.
        UnknownSplitError: there is no such split; the text lists those there are.
        DomainError: a slice of a stream that needs its length.
    """
    groups, suffix = _given(path, data_files)
    read = FORMATS[suffix]

    def table(name: str) -> Any:
        return read(groups[name], streaming=streaming, **options)

    if split is None:
        return {name: table(name) for name in groups}
    parts = []
    for name, first, last in parse_split(split):
        if name not in groups:
            raise UnknownSplitError(
                f"load_dataset: {path}: no split {name!r}; there are {', '.join(map(repr, groups))}"
            )
        parts.append(_sliced(table(name), first, last))
    return parts[0] if len(parts) == 1 else concatenate_datasets(parts)


def _sliced(table: Any, first: str | None, last: str | None) -> Any:
    if first is None and last is None:
        return table
    if hasattr(table, "num_rows") and table.num_rows is not None:
        start, stop = bounds(first, last, table.num_rows)
        return table.select(range(start, stop))
    if any(text is not None and (text.endswith("%") or text[0] == "-") for text in (first, last)):
        raise DomainError(
            f"load_dataset: the slice [{first or ''}:{last or ''}] needs the number of rows, which "
            "a stream does not know; count from the front, or give streaming=False"
        )
    rows = table if last is None else table.take(int(last))
    return rows if first is None else rows.skip(int(first))


def _given(
    path: PathLike, data_files: Paths | Mapping[str, Paths] | None
) -> tuple[dict[str, list[Path]], str]:
    """The files of each split, and the suffix that says how to read them."""
    folder = Path(path).expanduser()
    if data_files is None:
        return _in_folder(folder)
    named = data_files if isinstance(data_files, Mapping) else {"train": data_files}
    base = Path() if path in BUILDERS else folder
    groups = {name: [base / file for file in _listed(files)] for name, files in named.items()}
    if path in BUILDERS:
        return groups, BUILDERS[str(path)]
    if not folder.is_dir():
        raise MissingDataError(
            f"load_dataset: wanted a folder, or one of {', '.join(BUILDERS)}, got {path}"
        )
    return groups, _one_suffix(folder, [file for files in groups.values() for file in files])


def _listed(files: Paths) -> Sequence[PathLike]:
    return files if isinstance(files, list | tuple) else [files]  # type: ignore[list-item]


def _suffix(file: Path) -> str:
    name = file.name.lower()
    for packed in PACKED:
        name = name.removesuffix(packed)
    return Path(name).suffix


def _one_suffix(folder: Path, files: Sequence[Path]) -> str:
    kinds = sorted({_suffix(file) for file in files})
    if len({FORMATS.get(kind) for kind in kinds}) != 1 or kinds[0] not in FORMATS:
        raise UnknownNameError(
            f"load_dataset: {folder}: wanted files of one kind among {', '.join(FORMATS)}, got "
            f"{', '.join(kinds)}; choose some by data_files="
        )
    return kinds[0]


def _in_folder(folder: Path) -> tuple[dict[str, list[Path]], str]:
    if not folder.is_dir():
        raise MissingDataError(
            f"load_dataset: {folder} is no folder; fetch the data set first, or use its loader in "
            "triptych_text.datasets.DATASETS"
        )
    files = sorted(
        file
        for file in folder.rglob("*")
        if file.is_file() and _suffix(file) in FORMATS and not _is_hidden(file, folder)
    )
    if not files:
        raise MissingDataError(f"load_dataset: {folder} holds no {', '.join(FORMATS)} file")
    kinds = sorted({_suffix(file) for file in files})
    if len(kinds) > 1:  # notes in .txt and tables of settings in .json lie beside data
        files = [file for file in files if _suffix(file) not in (".txt", ".json")] or files
    groups: dict[str, list[Path]] = {}
    for file in files:
        groups.setdefault(_split_of(file.relative_to(folder)) or "train", []).append(file)
    ordered = {name: groups[name] for name in KEYWORDS if name in groups}
    return ordered, _one_suffix(folder, files)


def _is_hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)


def _split_of(file: Path) -> str | None:
    for part in reversed(file.parts):
        for word in re.split(r"[^a-z]+", part.lower()):
            if word in SPLIT_OF:
                return SPLIT_OF[word]
    return None

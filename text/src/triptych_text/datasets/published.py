"""How a published data set is described, and how a description becomes a function.

Files are looked for in `root/datasets/<NAME>/`, where torchtext keeps them, and checked by their
hash; what lacks is fetched. Archives stay as they are: rows are read out of them.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

from triptych.errors import FileFormatError, UnknownNameError
from triptych_datasets import home
from triptych_datasets.placing import bring, name_in, place

from .iterable import IterableDataset
from .passes import Source
from .records import Decode, Record, decoded
from .streams import members, open_packed, reading

__all__ = ["Description", "File", "Inside", "Loader", "PathLike", "Read", "UnknownSplitError",
           "AtEnd", "dataset_of", "folder_of", "loader", "record_source", "SideBySide",
           "split_or_splits"]  # fmt: skip

PathLike = str | os.PathLike[str]
Read = Callable[[IO[bytes], str], Iterator[Record]]


class UnknownSplitError(UnknownNameError, TypeError, ValueError):
    """A split that the data set does not have; a TypeError as torchtext's."""


@dataclass(frozen=True)
class File:
    """A file of a publisher.

    Args:
        url: its address, or several, tried in order.
        digest: its md5 or sha256; None where the publisher gives none.
        name: on disk; default the end of the address.
    """

    url: str | tuple[str, ...]
    digest: str | None = None
    name: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        """The addresses."""
        return (self.url,) if isinstance(self.url, str) else self.url

    @property
    def filename(self) -> str:
        """Its name on disk."""
        return self.name or name_in(self.sources[0])

    def get(self, folder: Path, chosen: bool) -> Path:
        """Its path, fetched first if need be.

        Args:
            folder: of the data set.
            chosen: whether the user chose the folder. Then the file is put there; else it is read
                in the cache.
        """
        return (place if chosen else bring)(self.sources, folder, self.filename, self.digest)


@dataclass(frozen=True)
class Inside:
    """Where a split lies, and how it is read.

    Args:
        file: the publisher's file.
        read: makes records of a stream.
        decode: makes a row of a record.
        member: which files in an archive: the end of a name, or a function that says whether to
            take a name; "" for a file that is no archive.
        num_rows: as the publisher says.
    """

    file: File
    read: Read
    decode: Decode
    member: str | Callable[[str], bool] = ""
    num_rows: int | None = None


@dataclass(frozen=True)
class Description:
    """A data set: its name, splits, and what there is to say about it."""

    name: str
    splits: Mapping[str, Inside]
    about: str
    source: str
    default: str | tuple[str, ...] = field(default=())


class Loader(Protocol):
    """A function that opens a published data set."""

    __name__: str

    def __call__(
        self, root: PathLike | None = None, split: str | tuple[str, ...] = ...
    ) -> Any: ...  # fmt: skip


@dataclass(frozen=True)
class AtEnd:
    """Whether a name ends in a text, or in one of several."""

    end: str | tuple[str, ...]

    def __call__(self, name: str) -> bool:
        return name.endswith(self.end)


@dataclass(frozen=True)
class _Records:
    """The records of a file; of an archive, those of the files that are wanted."""

    dataset: str
    path: Path
    read: Read
    member: str | Callable[[str], bool]

    def __call__(self) -> Iterator[Record]:
        with reading(self.path), ExitStack() as open_files:
            if not self.member:
                stream = open_files.enter_context(open_packed(self.path))
                yield from self.read(stream, str(self.path))
                return
            wanted = AtEnd(self.member) if isinstance(self.member, str) else self.member
            found = False
            for name, stream in members(self.path, wanted):
                found = True
                yield from self.read(stream, f"{self.path.name}: {name}")
            if not found:
                told = self.member if isinstance(self.member, str) else "file of this split"
                raise FileFormatError(f"{self.dataset}: {self.path} holds no {told}")


@dataclass(frozen=True)
class _Decoding:
    dataset: str
    decode: Decode

    def __call__(self, record: Record) -> Any:
        return decoded(self.dataset, self.decode, record)


@dataclass(frozen=True)
class SideBySide:
    """Records of several sources side by side, as tuples.

    Raises:
        FileFormatError: one has more than another.
    """

    dataset: str
    sources: tuple[Callable[[], Iterator[Record]], ...]

    def __call__(self) -> Iterator[Record]:
        streams = [source() for source in self.sources]
        place = None
        try:
            for records in zip(*streams, strict=True):
                place = records[0][0]
                yield place, tuple(content for _, content in records)
        except ValueError as error:
            if isinstance(error, FileFormatError):
                raise
            raise FileFormatError(
                f"{self.dataset}: files that belong together differ in length, after {place}"
            ) from error


def record_source(
    dataset: str, path: Path, read: Read, member: str | Callable[[str], bool] = ""
) -> Callable[[], Iterator[Record]]:
    """What reads the records of a file again and again; see `Inside`."""
    return _Records(dataset, path, read, member)


def dataset_of(
    dataset: str,
    records: Callable[[], Iterator[Record]],
    decode: Decode,
    num_rows: int | None = None,
) -> IterableDataset:
    """A stream of rows from records."""
    return IterableDataset(Source(records, _Decoding(dataset, decode)), num_rows=num_rows)


def folder_of(root: PathLike | None, name: str) -> Path:
    """The folder of a data set: `root/datasets/<NAME>`; root is the cache by default."""
    base = home() / "text" if root is None else Path(root).expanduser()
    return base / "datasets" / name


def split_or_splits(
    name: str,
    split: str | tuple[str, ...],
    valid: Mapping[str, Any] | tuple[str, ...],
    make: Callable[[str], Any],
) -> Any:
    """What a split is, or a tuple of what several are.

    Raises:
        UnknownSplitError: there is no such split; the text lists those there are.
    """
    if not isinstance(split, str | tuple | list):
        raise UnknownSplitError(f"{name}: wanted a split's name or a tuple of some, got {split!r}")
    wanted = (split,) if isinstance(split, str) else tuple(split)
    for one in wanted:
        if one not in valid:
            raise UnknownSplitError(
                f"{name}: no split {one!r}; there are {', '.join(map(repr, valid))}"
            )
    made = tuple(make(one) for one in wanted)
    return made[0] if isinstance(split, str) else made


def loader(description: Description) -> Loader:
    """The function that opens a published data set."""
    name, splits = description.name, description.splits
    default = description.default or tuple(splits)

    def load(root: PathLike | None = None, split: str | tuple[str, ...] = default) -> Any:
        folder = folder_of(root, name)

        def make(one: str) -> IterableDataset:
            inside = splits[one]
            path = inside.file.get(folder, root is not None)
            records = record_source(name, path, inside.read, inside.member)
            return dataset_of(name, records, inside.decode, inside.num_rows)

        return split_or_splits(name, split, splits, make)

    load.__name__ = load.__qualname__ = name
    load.__module__ = __name__.rpartition(".")[0]
    load.__doc__ = _documentation(description, default)
    load.description = description  # type: ignore[attr-defined]
    parameters = inspect.signature(load).parameters.values()
    load.__signature__ = inspect.Signature(list(parameters))  # type: ignore[attr-defined]
    return load


def _documentation(description: Description, default: str | tuple[str, ...]) -> str:
    sizes = [
        f"{split} {'' if i.num_rows is None else f'({i.num_rows:,} rows)'}".rstrip()
        for split, i in description.splits.items()
    ]
    return f"""{description.about}

    Args:
        root: the files lie in `root/datasets/{description.name}/`, and are put there when they
            lack; by default they are fetched to the cache.
        split: one of {", ".join(sizes)}; or a tuple of several. Default {default!r}.

    Returns:
        An `IterableDataset`, or a tuple of them.

    Raises:
        UnknownSplitError: there is no such split.
        FetchError: a file cannot be had.

    Source: {description.source}.
    """

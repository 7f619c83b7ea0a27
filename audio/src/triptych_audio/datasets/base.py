"""What data sets of sound share: where the files lie, and how a sample is read."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from triptych import Tensor
from triptych.errors import FileFormatError
from triptych.utils.data import Dataset
from triptych_audio.io import info, load
from triptych_datasets import MissingDataError

__all__ = [
    "AudioDataset",
    "Loader",
    "PathLike",
    "Transform",
    "first_there",
    "listed",
    "read_lines",
    "read_table",
]

PathLike = str | os.PathLike[str]
Transform = Callable[[Any], Any]
Loader = Callable[..., tuple[Tensor, int]]


class AudioDataset(Dataset[tuple[Any, ...]]):
    """Base of the data sets: samples (waveform, sample_rate, *labels).

    A subclass says in `entry` which files and labels a sample has, and in `__len__` how many
    samples there are.

    Args:
        root: folder of the files.
        transform: called with the waveform, (channels, time); of several, with each.
        loader: called with a path, gives a waveform and its rate in Hz; `ChunkLoader` reads a
            random piece of each file and no more.

    Attributes:
        folder: paths in `get_metadata` are below it.
        sample_rate: of all files in Hz, where it is known; another one is an error.
    """

    sample_rate: int | None = None

    def __init__(
        self, root: PathLike, *, transform: Transform | None = None, loader: Loader = load
    ) -> None:
        self.root = Path(root).expanduser()
        self.folder = self.root
        self.transform, self.loader = transform, loader

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The files of sample n, and its labels."""
        raise NotImplementedError(f"{type(self).__name__} does not define entry")

    def __len__(self) -> int:
        """Number of samples."""
        raise NotImplementedError(f"{type(self).__name__} does not define __len__")

    def get_metadata(self, n: int) -> tuple[Any, ...]:
        """Sample n without its sound.

        Args:
            n: number of the sample.

        Returns:
            As `dataset[n]`, but paths below `folder` in place of the waveforms.
        """
        paths, labels = self.entry(n)
        rate = info(paths[0]).sample_rate if self.sample_rate is None else self.sample_rate
        return *self.relative(paths), rate, *labels

    def __getitem__(self, n: int) -> tuple[Any, ...]:
        """(waveform, sample_rate, *labels) of sample n; several files give several waveforms."""
        paths, labels = self.entry(n)
        waveforms, rate = self.read(paths)
        return *waveforms, rate, *labels

    def relative(self, paths: Iterable[Path]) -> tuple[str, ...]:
        """Paths below `folder`."""
        return tuple(os.path.relpath(path, self.folder) for path in paths)

    def read(self, paths: Sequence[Path]) -> tuple[list[Any], int]:
        """Waveforms that belong together, after the transform, and their rate.

        Args:
            paths: of files of the same rate. A loader that has `together` gets all at once, to
                read the same piece of each.

        Raises:
            FileFormatError: a file is damaged, or of another rate than it should be.
        """
        together = getattr(self.loader, "together", None)
        loaded = together(paths) if together else [self.loader(path) for path in paths]
        rate = self.checked(paths, [rate for _, rate in loaded])
        return self.changed([waveform for waveform, _ in loaded]), rate

    def changed(self, waveforms: list[Any]) -> list[Any]:
        """Waveforms after the transform."""
        if self.transform is None:
            return waveforms
        return [self.transform(waveform) for waveform in waveforms]

    def checked(self, paths: Sequence[Path], rates: Sequence[int]) -> int:
        """The one rate of files that belong together.

        Raises:
            FileFormatError: there are several, or it is not the data set's.
        """
        if len({*rates, self.sample_rate or rates[0]}) > 1:
            raise FileFormatError(
                f"{type(self).__name__}: {', '.join(map(str, paths))}: wanted "
                f"{self.sample_rate or 'one rate for all'} Hz, found {sorted(set(rates))}"
            )
        return rates[0]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} samples in {self.root})"


def read_lines(path: Path) -> list[str]:
    """The lines of a text file without their ends, empty ones left out.

    Raises:
        MissingDataError: no such file.
        FileFormatError: no text in UTF-8.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # splitlines() cuts at more
    except FileNotFoundError:
        raise MissingDataError(f"{path} not found: a list that belongs to the data set") from None
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{path}: no text in UTF-8 ({error})") from error
    return [line.rstrip("\r") for line in lines if line.strip()]


def read_table(
    path: Path, columns: Sequence[str], delimiter: str = ",", quoted: bool = True
) -> list[dict[str, str]]:
    """The rows of a table whose first line names its columns.

    Args:
        path: of the file.
        columns: that must be there.
        delimiter: between cells.
        quoted: whether '"' may enclose a cell.

    Raises:
        MissingDataError: no such file.
        FileFormatError: a column is missing, or a row has other cells than the first line says.
    """
    options: dict[str, Any] = {"quoting": csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE}
    rows = list(csv.DictReader(read_lines(path), delimiter=delimiter, **options))
    lacking = set(columns) - set(rows[0] if rows else columns)
    if lacking:
        raise FileFormatError(f"{path}: the column {', '.join(sorted(lacking))} is missing")
    for number, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise FileFormatError(f"{path}: row {number} has more or fewer cells than the first")
    return rows


def listed(folder: Path, pattern: str) -> list[Path]:
    """Files below a folder whose path below it fits, sorted; hidden ones are left out."""
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))


def first_there(dataset: str, root: Path, names: Sequence[str], by_hand: str) -> Path:
    """The first of some folders that exists.

    Args:
        dataset: for the error.
        root: where to look.
        names: of the folders.
        by_hand: where to get the data.

    Raises:
        MissingDataError: none is there.
    """
    for name in names:
        if (root / name).is_dir():
            return root / name
    raise MissingDataError(f"{dataset}: in {root}, {' or '.join(names)} not found; {by_hand}")

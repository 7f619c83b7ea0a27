"""Everyday sounds with one label each: ESC-50 and UrbanSound8K."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych.errors import DomainError
from triptych_audio.io import load

from .base import AudioDataset, Loader, PathLike, Transform, first_there, read_table

__all__ = ["ESC50", "UrbanSound8K"]


class ESC50(AudioDataset):
    """2,000 everyday sounds of five seconds at 44.1 kHz, 50 classes in 5 folds.

    Samples are (waveform, sample_rate, index of the class, name of the class, fold).

    Args:
        root: the files lie in `root/ESC-50-master/{audio,meta}/`.
        folds: numbers from 1 to 5; clips of one recording are in one fold.
        esc10: only the ten classes of ESC-10.
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Attributes:
        classes: names by index.

    Raises:
        DomainError: a fold that there is not.
        MissingDataError: the folder is missing.

    Source: K. Piczak 2015, https://github.com/karolpiczak/ESC-50.
    """

    sample_rate = 44100

    def __init__(
        self,
        root: PathLike,
        folds: Sequence[int] = (1, 2, 3, 4, 5),
        esc10: bool = False,
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        _check_folds("ESC50", folds, 5)
        cure = "unpack the archive of https://github.com/karolpiczak/ESC-50"
        self.folder = first_there("ESC50", self.root, ("ESC-50-master", "ESC-50"), cure)
        columns = ("filename", "fold", "target", "category", "esc10")
        rows = read_table(self.folder / "meta" / "esc50.csv", columns)
        self.classes = _names(rows, "target", "category")
        self.rows = [
            row
            for row in rows
            if int(row["fold"]) in folds and (not esc10 or row["esc10"] == "True")
        ]

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its labels."""
        row = self.rows[n]
        labels = int(row["target"]), row["category"], int(row["fold"])
        return [self.folder / "audio" / row["filename"]], labels

    def __len__(self) -> int:
        """Number of sounds."""
        return len(self.rows)


class UrbanSound8K(AudioDataset):
    """8,732 sounds of cities up to four seconds long, 10 classes in 10 folds.

    Samples are (waveform, sample_rate, index of the class, name of the class, fold). Rates and
    channels differ from file to file.

    Args:
        root: the files lie in `root/UrbanSound8K/{audio,metadata}/`.
        folds: numbers from 1 to 10; results are comparable with these folds only.
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Attributes:
        classes: names by index.

    Raises:
        DomainError: a fold that there is not.
        MissingDataError: the folder is missing.

    Source: J. Salamon et al. 2014, https://urbansounddataset.weebly.com/urbansound8k.html.
    """

    def __init__(
        self,
        root: PathLike,
        folds: Sequence[int] = tuple(range(1, 11)),
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        _check_folds("UrbanSound8K", folds, 10)
        cure = "get it at https://urbansounddataset.weebly.com/urbansound8k.html"
        self.folder = first_there("UrbanSound8K", self.root, ("UrbanSound8K",), cure)
        columns = ("slice_file_name", "fold", "classID", "class")
        rows = read_table(self.folder / "metadata" / "UrbanSound8K.csv", columns)
        self.classes = _names(rows, "classID", "class")
        self.rows = [row for row in rows if int(row["fold"]) in folds]

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its labels."""
        row = self.rows[n]
        path = self.folder / "audio" / f"fold{row['fold']}" / row["slice_file_name"]
        return [path], (int(row["classID"]), row["class"], int(row["fold"]))

    def __len__(self) -> int:
        """Number of sounds."""
        return len(self.rows)


def _check_folds(dataset: str, folds: Sequence[int], count: int) -> None:
    if not folds or not set(folds) <= set(range(1, count + 1)):
        raise DomainError(f"{dataset}: folds are numbers from 1 to {count}, got {tuple(folds)}")


def _names(rows: Sequence[dict[str, str]], index: str, name: str) -> list[str]:
    """Names of the classes in the order of their indices."""
    return [name for _, name in sorted({(int(row[index]), row[name]) for row in rows})]

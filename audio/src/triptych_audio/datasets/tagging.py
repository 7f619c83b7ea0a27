"""Sounds with several labels each, of the AudioSet ontology: FSD50K and AudioSet."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych.errors import FileFormatError
from triptych_audio.io import load
from triptych_datasets import prepare
from triptych_datasets.choices import verify_str_arg

from .base import AudioDataset, Loader, PathLike, Transform, read_lines, read_table

__all__ = ["AudioSet", "FSD50K"]


class FSD50K(AudioDataset):
    """51,197 clips of everyday sounds at 44.1 kHz with labels of 200 classes.

    Samples are (waveform, sample_rate, list of labels, clip id).

    Args:
        root: the files lie in `root/FSD50K.dev_audio/`, `FSD50K.eval_audio/` and
            `FSD50K.ground_truth/`.
        split: "train" and "val" are parts of "dev"; "eval" is to test with.
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Attributes:
        classes: names of the labels, by index.
        class_to_idx: index of each.

    Raises:
        ValueError: another split.
        MissingDataError: files are missing.

    Source: E. Fonseca et al. 2022, https://zenodo.org/records/4060432.
    """

    sample_rate = 44100

    def __init__(
        self,
        root: PathLike,
        split: str = "dev",
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        verify_str_arg(split, "split", ("dev", "train", "val", "eval"))
        part = "eval" if split == "eval" else "dev"
        audio, truth = f"FSD50K.{part}_audio", "FSD50K.ground_truth"
        cure = "get it at https://zenodo.org/records/4060432"
        prepare(type(self).__name__, self.root, {audio: None, truth: None}, by_hand=cure)
        self.folder = self.root / audio
        columns = ("fname", "labels", "split") if part == "dev" else ("fname", "labels")
        rows = read_table(self.root / truth / f"{part}.csv", columns)
        self.rows = [row for row in rows if split in (part, row.get("split"))]
        vocabulary = [line.split(",") for line in read_lines(self.root / truth / "vocabulary.csv")]
        self.classes = [name for _, name, *_ in vocabulary]
        self.class_to_idx = {name: index for index, name in enumerate(self.classes)}

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its labels."""
        row = self.rows[n]
        return [self.folder / f"{row['fname']}.wav"], (row["labels"].split(","), row["fname"])

    def __len__(self) -> int:
        """Number of clips."""
        return len(self.rows)


class AudioSet(AudioDataset):
    """Ten-second clips of films on the net with labels of 527 classes, by the official tables.

    Samples are (waveform, sample_rate, list of label ids, film id, start in seconds). The sound is
    not published: bring files of your own, called by the film's id. Many films are gone; rows
    without a file are left out.

    Args:
        root: the folder of the sound files.
        table: `balanced_train_segments.csv`, `unbalanced_train_segments.csv` or
            `eval_segments.csv`, below root or anywhere.
        names: how files may be called, tried in order; `{id}` is the film's, `{start}` and
            `{end}` its seconds, `{ms}` the start in milliseconds.
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Attributes:
        num_missing: rows without a file.

    Raises:
        MissingDataError: the table is missing.
        FileFormatError: a row is no row of these tables.

    Source: J. Gemmeke et al. 2017, https://research.google.com/audioset/.
    """

    NAMES = tuple(
        f"{stem}{extension}"
        for stem in ("{id}", "Y{id}", "{id}_{start}_{end}", "{id}_{ms}")
        for extension in (".wav", ".flac", ".mp3", ".m4a", ".ogg", ".opus")
    )

    def __init__(
        self,
        root: PathLike,
        table: PathLike = "balanced_train_segments.csv",
        names: Sequence[str] = NAMES,
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        lines = [line for line in read_lines(self.root / table) if not line.startswith("#")]
        there = {path.name for path in self.root.iterdir()}
        self.samples: list[tuple[Path, tuple[Any, ...]]] = []
        self.num_missing = 0
        for row in csv.reader(lines, skipinitialspace=True):
            film, start, end, labels = _segment(row, self.root / table)
            values = {
                "id": film,
                "start": f"{start:g}",
                "end": f"{end:g}",
                "ms": f"{start * 1e3:g}",
            }
            found = next((n for n in (name.format(**values) for name in names) if n in there), None)
            if found is None:
                self.num_missing += 1
            else:
                self.samples.append((self.root / found, (labels, film, start)))

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its labels."""
        path, labels = self.samples[n]
        return [path], labels

    def __len__(self) -> int:
        """Number of clips that have a file."""
        return len(self.samples)


def _segment(row: Sequence[str], table: Path) -> tuple[str, float, float, list[str]]:
    """Film, start, end and labels: `ID, 30.000, 40.000, "/m/09x0r,/t/dd00088"`."""
    try:
        film, start, end, labels = row
        return film, float(start), float(end), labels.split(",")
    except ValueError as error:
        raise FileFormatError(f"{table}: wanted ID, START, END, LABELS, found {row}") from error

"""NSynth: single notes of a thousand instruments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych.errors import FileFormatError
from triptych_audio.io import load
from triptych_datasets import prepare
from triptych_datasets.choices import verify_str_arg

from .base import AudioDataset, Loader, PathLike, Transform

__all__ = ["NSynth"]

LABELS = ("pitch", "velocity", "instrument_family_str", "instrument_source_str")


class NSynth(AudioDataset):
    """305,979 notes of four seconds at 16 kHz.

    Samples are (waveform, sample_rate, MIDI pitch, velocity, family, source, name of the note):
    families are "bass", "brass", "flute", ..., sources "acoustic", "electronic" and "synthetic".

    Args:
        root: the files lie in `root/nsynth-train/{audio/,examples.json}`.
        split: "train", "valid" or "test".
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Attributes:
        notes: everything that is known of each note, by name.

    Raises:
        ValueError: another split.
        MissingDataError: files are missing.

    Source: J. Engel et al. 2017, https://magenta.tensorflow.org/datasets/nsynth.
    """

    sample_rate = 16000

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        verify_str_arg(split, "split", ("train", "valid", "test"))
        table = f"nsynth-{split}/examples.json"
        cure = "get it at https://magenta.tensorflow.org/datasets/nsynth"
        prepare(type(self).__name__, self.root, {table: None}, by_hand=cure)
        self.folder = self.root / f"nsynth-{split}"
        try:
            self.notes: dict[str, dict[str, Any]] = json.loads((self.root / table).read_bytes())
        except ValueError as error:
            raise FileFormatError(f"{self.root / table}: {error}") from error
        if not all(set(LABELS) <= set(note) for note in self.notes.values()):
            raise FileFormatError(f"{self.root / table}: a note lacks one of {', '.join(LABELS)}")
        self.names = sorted(self.notes)

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its labels."""
        name = self.names[n]
        labels = (self.notes[name][label] for label in LABELS)
        return [self.folder / "audio" / f"{name}.wav"], (*labels, name)

    def __len__(self) -> int:
        """Number of notes."""
        return len(self.names)

"""MAESTRO: piano with the keys that were pressed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych_audio.io import load
from triptych_datasets.choices import verify_str_arg

from .base import AudioDataset, Loader, PathLike, Transform, first_there, read_table

__all__ = ["MAESTRO"]

VERSIONS = ("maestro-v3.0.0", "maestro-v2.0.0", "maestro-v1.0.0")
COLUMNS = ("canonical_composer", "canonical_title", "split", "midi_filename", "audio_filename")


class MAESTRO(AudioDataset):
    """200 hours of piano, recorded together with MIDI.

    Samples are (waveform, sample_rate, path of the MIDI file, composer, title). Pieces are long:
    read parts of them with `ChunkLoader`.

    Args:
        root: the files lie in `root/maestro-v3.0.0/`, or another version.
        split: "train", "validation" or "test".
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Raises:
        ValueError: another split.
        MissingDataError: the folder is missing.

    Source: C. Hawthorne et al. 2019, https://magenta.tensorflow.org/datasets/maestro.
    """

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        verify_str_arg(split, "split", ("train", "validation", "test"))
        cure = "get it at https://magenta.tensorflow.org/datasets/maestro"
        self.folder = first_there("MAESTRO", self.root, VERSIONS, cure)
        rows = read_table(self.folder / f"{self.folder.name}.csv", COLUMNS)
        self.rows = [row for row in rows if row["split"] == split]

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of piece n, and its labels."""
        composer, title, _, midi, audio = (self.rows[n][column] for column in COLUMNS)
        return [self.folder / audio], (str(self.folder / midi), composer, title)

    def __len__(self) -> int:
        """Number of pieces."""
        return len(self.rows)

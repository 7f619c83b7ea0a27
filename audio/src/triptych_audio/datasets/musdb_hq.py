"""MUSDB18-HQ: songs with their stems."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import triptych as tp
from triptych.errors import FileFormatError
from triptych_audio.io import load
from triptych_datasets import Remote, prepare
from triptych_datasets.choices import verify_str_arg

from .base import AudioDataset, Loader, PathLike, Transform

__all__ = ["MUSDB_HQ"]

REMOTE = Remote(
    "https://zenodo.org/record/3338373/files/musdb18hq.zip",
    "baac80d0483c61d74b2e5f3be75fa557eec52898339e6aa45c1fa48833c5d21d",
    into="musdb18hq",
)
SOURCES = ("bass", "drums", "other", "vocals")
# The songs of the training part that are kept for validation.
# Source: github.com/sigsep/sigsep-mus-db, as in torchaudio 2.8.
VALIDATION = (
    "Actions - One Minute Smile",
    "Clara Berry And Wooldog - Waltz For My Victims",
    "Johnny Lokke - Promises & Lies",
    "Patrick Talbot - A Reason To Leave",
    "Triviul - Angelsaint",
    "Alexander Ross - Goodbye Bolero",
    "Fergessen - Nos Palpitants",
    "Leaf - Summerghost",
    "Skelpolu - Human Mistakes",
    "Young Griffo - Pennies",
    "ANiMAL - Rockshow",
    "James May - On The Line",
    "Meaxic - Take A Step",
    "Traffic Experiment - Sirens",
)


class MUSDB_HQ(AudioDataset):  # noqa: N801, torchaudio's name
    """150 songs at 44.1 kHz in stereo: bass, drums, vocals and the rest, each for itself.

    Samples are (waveforms (sources, channels, time), sample_rate, num_frames, name of the song).

    Args:
        root: the files lie in `root/musdb18hq/{train,test}/SONG/bass.wav`.
        subset: "train" or "test".
        sources: of "bass", "drums", "other", "vocals", "mixture"; default all but the mixture.
        split: "train" or "validation", of the training part; None for all of it.
        download: fetch the files when they are missing, 22 GB.
        transform: called with the waveform of each source.
        loader: called with a path, gives a waveform and its rate.

    Raises:
        ValueError: another subset, split or source.
        MissingDataError: files are missing and download is False.

    Source: Z. Rafii et al. 2019, https://sigsep.github.io/datasets/musdb.html.
    """

    sample_rate = 44100

    def __init__(
        self,
        root: PathLike,
        subset: str,
        sources: Sequence[str] | None = None,
        split: str | None = None,
        download: bool = False,
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        verify_str_arg(subset, "subset", ("train", "test"))
        if split is not None:
            verify_str_arg(split, "split", ("train", "validation"))
        self.sources = [
            verify_str_arg(source, "sources", (*SOURCES, "mixture"))
            for source in sources or SOURCES
        ]
        self.split = split
        part = f"musdb18hq/{subset}"
        prepare(type(self).__name__, self.root, {part: None}, [REMOTE], download=download)
        self.folder = self.root / part
        self.names = self._songs()

    def _songs(self) -> list[str]:
        if self.split == "validation":
            return list(VALIDATION)
        found = [
            os.path.relpath(parent, self.folder)
            for parent, folders, _ in os.walk(self.folder, followlinks=True)
            if not folders and Path(parent) != self.folder and not Path(parent).name.startswith(".")
        ]
        kept = VALIDATION if self.split == "train" else ()
        return sorted(name for name in found if name not in kept)

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The files of song n, and its name."""
        name = self.names[n]
        return [self.folder / name / f"{source}.wav" for source in self.sources], (name,)

    def __getitem__(self, n: int) -> tuple[Any, int, int, str]:
        """(waveforms, sample_rate, num_frames, name) of song n.

        Raises:
            FileFormatError: stems differ in length.
        """
        paths, (name,) = self.entry(n)
        waveforms, rate = self.read(paths)
        shapes = {tuple(waveform.shape) for waveform in waveforms}
        if len(shapes) > 1:
            raise FileFormatError(f"MUSDB_HQ: {name}: stems of different shapes: {shapes}")
        stacked = tp.stack(waveforms)
        return stacked, rate, stacked.shape[-1], name

    def __len__(self) -> int:
        """Number of songs."""
        return len(self.names)

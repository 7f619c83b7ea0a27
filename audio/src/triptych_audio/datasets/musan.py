"""MUSAN: music, speech and noise, to mix with other sound."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych_audio.io import load
from triptych_datasets import prepare
from triptych_datasets.choices import verify_str_arg

from .base import AudioDataset, Loader, PathLike, Transform, listed

__all__ = ["Musan"]

BY_HAND = "download https://www.openslr.org/resources/17/musan.tar.gz and unpack it"


class Musan(AudioDataset):
    """109 hours of music, speech and noise at 16 kHz.

    Samples are (waveform, sample_rate, file name).

    Args:
        root: the folder with the folders `music`, `noise` and `speech`.
        subset: one of them.
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Raises:
        ValueError: another subset.
        MissingDataError: the folder is missing.

    Source: D. Snyder et al. 2015, https://www.openslr.org/17.
    """

    sample_rate = 16000

    def __init__(
        self,
        root: PathLike,
        subset: str,
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        verify_str_arg(subset, "subset", ("music", "noise", "speech"))
        prepare(type(self).__name__, self.root, {subset: None}, by_hand=BY_HAND)
        self.paths = listed(self.root / subset, "*/*.wav")

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its name."""
        path = self.paths[n]
        return [path], (path.name,)

    def __len__(self) -> int:
        """Number of files."""
        return len(self.paths)

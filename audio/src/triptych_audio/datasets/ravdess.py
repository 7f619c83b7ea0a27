"""RAVDESS: actors speak and sing with eight emotions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych_audio.io import load
from triptych_datasets import MissingDataError
from triptych_datasets.choices import verify_str_arg

from .base import AudioDataset, Loader, PathLike, Transform, listed

__all__ = ["RAVDESS"]

EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
CHANNELS = {"speech": "01", "song": "02"}
# modality, channel, emotion, intensity, statement, repetition, actor
NAME = re.compile(r"(\d\d)-(\d\d)-(0[1-8])-(\d\d)-(\d\d)-(\d\d)-(\d\d)\.wav")


class RAVDESS(AudioDataset):
    """Two sentences, spoken and sung by 24 actors with eight emotions, at 48 kHz.

    Samples are (waveform, sample_rate, emotion, intensity, statement, repetition, actor):
    intensity 1 is normal and 2 strong, actors with even numbers are women.

    Args:
        root: the files lie in `root/Actor_01/03-01-01-01-01-01-01.wav`.
        channel: "speech" or "song"; None for both.
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Attributes:
        classes: the emotions.

    Raises:
        ValueError: another channel.
        MissingDataError: no such file below root.

    Source: S. Livingstone and F. Russo 2018, https://zenodo.org/records/1188976.
    """

    classes = EMOTIONS

    def __init__(
        self,
        root: PathLike,
        channel: str | None = "speech",
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        if channel is not None:
            verify_str_arg(channel, "channel", tuple(CHANNELS))
        found = [(path, NAME.fullmatch(path.name)) for path in listed(self.root, "Actor_*/*.wav")]
        if not any(match for _, match in found):
            raise MissingDataError(
                f"RAVDESS: in {self.root}, Actor_01/03-01-01-01-01-01-01.wav and the like not "
                "found; get them at https://zenodo.org/records/1188976"
            )
        self.samples = [
            (path, match.groups())
            for path, match in found
            if match is not None and (channel is None or match[2] == CHANNELS[channel])
        ]

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its labels."""
        path, (_, _, emotion, *numbers) = self.samples[n]
        return [path], (EMOTIONS[int(emotion) - 1], *map(int, numbers))

    def __len__(self) -> int:
        """Number of recordings."""
        return len(self.samples)

"""Fluent Speech Commands: what people say to a smart home, and what they want."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych_audio.io import load
from triptych_datasets import prepare
from triptych_datasets.choices import verify_str_arg

from .base import AudioDataset, Loader, PathLike, Transform, read_table

__all__ = ["FluentSpeechCommands"]

LABELS = ("speakerId", "transcription", "action", "object", "location")
BY_HAND = "ask for it at https://fluent.ai"


class FluentSpeechCommands(AudioDataset):
    """30,043 commands to a smart home by 97 speakers at 16 kHz.

    Samples are (waveform, sample_rate, file name, speaker id, transcription, action, object,
    location).

    Args:
        root: the files lie in `root/fluent_speech_commands_dataset/`.
        subset: "train", "valid" or "test".
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Raises:
        ValueError: another subset.
        MissingDataError: files are missing.

    Source: L. Lugosch et al. 2019, arXiv 1904.03670.
    """

    sample_rate = 16000

    def __init__(
        self,
        root: PathLike,
        subset: str = "train",
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        verify_str_arg(subset, "subset", ("train", "valid", "test"))
        table = f"fluent_speech_commands_dataset/data/{subset}_data.csv"
        prepare(type(self).__name__, self.root, {table: None}, by_hand=BY_HAND)
        self.folder = self.root / "fluent_speech_commands_dataset"
        self.rows = read_table(self.root / table, ("path", *LABELS))

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its labels."""
        row = self.rows[n]
        name = row["path"].rpartition("/")[2].partition(".")[0]
        path = self.folder / "wavs" / "speakers" / row["speakerId"] / f"{name}.wav"
        return [path], (name, *(row[label] for label in LABELS))

    def __len__(self) -> int:
        """Number of commands."""
        return len(self.rows)

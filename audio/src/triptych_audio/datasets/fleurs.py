"""FLEURS: the same sentences in 102 languages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych.errors import FileFormatError
from triptych_audio.io import load
from triptych_datasets import prepare
from triptych_datasets.choices import verify_str_arg

from .base import AudioDataset, Loader, PathLike, Transform, read_lines

__all__ = ["FLEURS"]


class FLEURS(AudioDataset):
    """Two thousand sentences in 102 languages, about ten hours of each at 16 kHz.

    Samples are (waveform, sample_rate, transcript, transcript as it was written, sentence id,
    gender).

    Args:
        root: the files lie in `root/en_us/train.tsv` and `root/en_us/audio/train/*.wav`.
        language: its folder, "en_us", "sw_ke", "cmn_hans_cn", ...
        split: "train", "dev" or "test".
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Raises:
        ValueError: another split.
        MissingDataError: files are missing.

    Source: A. Conneau et al. 2022, arXiv 2205.12446.
    """

    sample_rate = 16000

    def __init__(
        self,
        root: PathLike,
        language: str = "en_us",
        split: str = "train",
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        verify_str_arg(split, "split", ("train", "dev", "test"))
        table, audio = f"{language}/{split}.tsv", f"{language}/audio/{split}"
        cure = "get the language at https://huggingface.co/datasets/google/fleurs, and unpack audio"
        prepare(type(self).__name__, self.root, {table: None, audio: None}, by_hand=cure)
        self.folder = self.root / audio
        self.rows = [line.split("\t") for line in read_lines(self.root / table)]
        if any(len(row) != 7 for row in self.rows):
            raise FileFormatError(
                f"{self.root / table}: wanted ID, FILE, RAW TRANSCRIPT, TRANSCRIPT, LETTERS, "
                "SAMPLES and GENDER in every line"
            )

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its labels."""
        number, name, raw, transcript, _, _, gender = self.rows[n]
        return [self.folder / name], (transcript, raw, int(number), gender.strip().lower())

    def __len__(self) -> int:
        """Number of recordings."""
        return len(self.rows)

"""VoiceBank-DEMAND: clean speech and the same with noise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych_audio.io import load
from triptych_datasets import MissingDataError, prepare
from triptych_datasets.choices import verify_str_arg

from .base import AudioDataset, Loader, PathLike, Transform, listed

__all__ = ["VoiceBankDEMAND"]

PARTS = {"train": "trainset_28spk", "train_56": "trainset_56spk", "test": "testset"}


class VoiceBankDEMAND(AudioDataset):
    """12,396 sentences at 48 kHz, clean and with noise, to learn to take noise away.

    Samples are (noisy waveform, clean waveform, sample_rate, speaker id, utterance id).

    Args:
        root: the files lie in `root/noisy_trainset_28spk_wav/`, `clean_trainset_28spk_wav/` and
            so on.
        split: "train" with 28 speakers, "train_56" with 56 others, or "test".
        transform: called with each waveform.
        loader: called with a path, gives a waveform and its rate.

    Raises:
        ValueError: another split.
        MissingDataError: files are missing, or a noisy one has no clean twin.

    Source: C. Valentini-Botinhao 2017, https://datashare.ed.ac.uk/handle/10283/2791.
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
        verify_str_arg(split, "split", tuple(PARTS))
        noisy, clean = (f"{kind}_{PARTS[split]}_wav" for kind in ("noisy", "clean"))
        cure = "get it at https://datashare.ed.ac.uk/handle/10283/2791"
        prepare(type(self).__name__, self.root, {noisy: None, clean: None}, by_hand=cure)
        self.pairs = [(p, self.root / clean / p.name) for p in listed(self.root / noisy, "*.wav")]
        lonely = [twin.name for _, twin in self.pairs if not twin.is_file()]
        if lonely:
            raise MissingDataError(f"VoiceBankDEMAND: {clean} lacks {', '.join(lonely[:5])}")

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The noisy and the clean file of sample n, and its labels."""
        noisy, clean = self.pairs[n]
        speaker, _, utterance = noisy.stem.partition("_")
        return [noisy, clean], (speaker, utterance)

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.pairs)

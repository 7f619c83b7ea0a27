"""LibriMix: two or three voices at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych.errors import FileFormatError
from triptych_audio.io import load
from triptych_datasets.choices import verify_str_arg

from .base import AudioDataset, Loader, PathLike, Transform, first_there, listed

__all__ = ["LibriMix"]

MIXTURES = {
    "enh_both": "mix_both",
    "enh_single": "mix_single",
    "sep_clean": "mix_clean",
    "sep_noisy": "mix_both",
}
SUBSETS = ("train-360", "train-100", "dev", "test")
RATES = {8000: "wav8k", 16000: "wav16k"}
BY_HAND = "make the data with the scripts of https://github.com/JorisCos/LibriMix"


class LibriMix(AudioDataset):
    """Mixtures of LibriSpeech's voices, and what they were mixed from.

    Samples are (sample_rate, mixture, list of sources), all waveforms of the same length.

    Args:
        root: where the folder `Libri2Mix` or `Libri3Mix` lies, which scripts make.
        subset: "train-360", "train-100", "dev" or "test".
        num_speakers: 2 or 3.
        sample_rate: 8000 or 16000 Hz.
        task: "sep_clean", "sep_noisy": separate voices; "enh_single", "enh_both": take noise away.
        mode: "min" cuts to the shortest voice, "max" fills up to the longest.
        transform: called with each waveform.
        loader: called with a path, gives a waveform and its rate.

    Raises:
        ValueError: an argument is none of these.
        MissingDataError: the folder is missing.

    Source: J. Cosentino et al. 2020, LibriMix.
    """

    def __init__(
        self,
        root: PathLike,
        subset: str = "train-360",
        num_speakers: int = 2,
        sample_rate: int = 8000,
        task: str = "sep_clean",
        mode: str = "min",
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        verify_str_arg(subset, "subset", SUBSETS)
        verify_str_arg(task, "task", tuple(MIXTURES))
        verify_str_arg(mode, "mode", ("max", "min"))
        if sample_rate not in RATES:
            raise ValueError(f"LibriMix: wanted sample_rate 8000 or 16000, got {sample_rate}")
        self.sample_rate, self.task = sample_rate, task
        self.folder = first_there("LibriMix", self.root, (f"Libri{num_speakers}Mix",), BY_HAND)
        base = self.folder / RATES[sample_rate] / mode / subset
        voices = [f"s{i + 1}" for i in range(num_speakers)]
        names = ["mix_clean"] if task == "enh_both" else voices
        self.sources = [base / name for name in names]
        self.paths = listed(base / MIXTURES[task], "*.wav")

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The mixture and its sources."""
        mixture = self.paths[n]
        return [mixture, *(folder / mixture.name for folder in self.sources)], ()

    def get_metadata(self, n: int) -> tuple[int | None, str, list[str]]:
        """(sample_rate, path of the mixture, paths of the sources) of sample n."""
        mixture, *sources = self.relative(self.entry(n)[0])
        return self.sample_rate, mixture, sources

    def __getitem__(self, n: int) -> tuple[int, Any, list[Any]]:
        """(sample_rate, mixture, sources) of sample n.

        Raises:
            FileFormatError: a source is not as long as the mixture.
        """
        paths, _ = self.entry(n)
        (mixture, *sources), rate = self.read(paths)
        shapes = {tuple(waveform.shape) for waveform in (mixture, *sources)}
        if len(shapes) > 1:
            raise FileFormatError(f"LibriMix: {paths[0]}: sources of other shapes: {shapes}")
        return rate, mixture, sources

    def __len__(self) -> int:
        """Number of mixtures."""
        return len(self.paths)

"""Snips: commands to an assistant, spoken by machines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych.errors import FileFormatError
from triptych_audio.io import load
from triptych_datasets import MissingDataError, prepare
from triptych_datasets.choices import verify_str_arg

from .base import AudioDataset, Loader, PathLike, Transform, listed, read_lines

__all__ = ["Snips"]

SPEAKERS = (
    "Aditi", "Amy", "Brian", "Emma", "Geraint", "Ivy", "Joanna", "Joey", "Justin", "Kendra",
    "Kimberly", "Matthew", "Nicole", "Raveena", "Russell", "Salli",
)  # fmt: skip
LIST = "SNIPS/all.iob.snips.txt"
BY_HAND = "see https://github.com/aws-samples/aws-lex-noisy-spoken-language-understanding"


class Snips(AudioDataset):
    """Commands to an assistant in 16 synthetic voices at 16 kHz, with slots and intents.

    Samples are (waveform, sample_rate, file name, transcript, IOB labels, intent).

    Args:
        root: the files lie in `root/SNIPS/{train,valid,test}/`.
        subset: "train", "valid" or "test".
        speakers: names of the voices; default all.
        audio_format: "mp3" or "wav".
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Raises:
        ValueError: another subset or format.
        MissingDataError: files are missing, or the list says nothing of one.

    Source: A. Coucke et al. 2018, arXiv 1805.10190; C. Lai et al. 2021, arXiv 2010.13826.
    """

    sample_rate = 16000

    def __init__(
        self,
        root: PathLike,
        subset: str,
        speakers: Sequence[str] | None = None,
        audio_format: str = "mp3",
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        verify_str_arg(subset, "subset", ("train", "valid", "test"))
        verify_str_arg(audio_format, "audio_format", ("mp3", "wav"))
        files = {f"SNIPS/{subset}": None, LIST: None}
        prepare(type(self).__name__, self.root, files, by_hand=BY_HAND)
        self.folder = self.root / "SNIPS"
        wanted = SPEAKERS if speakers is None else tuple(speakers)
        self.paths = [
            path
            for path in listed(self.folder / subset, f"*.{audio_format}")
            if path.name.partition("-")[0] in wanted
        ]
        table = self.root / LIST
        self.labels = dict(_labels(table, line) for line in read_lines(table))

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its labels."""
        path = self.paths[n]
        if path.stem not in self.labels:
            raise MissingDataError(f"Snips: {self.root / LIST} says nothing of {path.stem}")
        return [path], (path.stem, *self.labels[path.stem])

    def __len__(self) -> int:
        """Number of commands."""
        return len(self.paths)


def _labels(table: Path, line: str) -> tuple[str, tuple[str, str, str]]:
    """Name, then transcript, IOB labels and intent: `NAME BOS words EOS<tab>O labels O intent`."""
    words, tab, tags = line.strip().partition("\t")
    name, *spoken = words.split(" ")
    marks = tags.split(" ")
    if not tab or len(spoken) < 2 or len(marks) < 2:
        raise FileFormatError(f"{table}: wanted NAME BOS words EOS, a tab, and labels: {line!r}")
    return name, (" ".join(spoken[1:-1]), " ".join(marks[1:-1]), marks[-1])

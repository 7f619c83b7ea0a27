"""IEMOCAP: actors in dialogues, with their emotions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych_audio.io import load
from triptych_datasets import prepare
from triptych_datasets.choices import verify_str_arg

from .base import AudioDataset, Loader, PathLike, Transform, listed, read_lines

__all__ = ["IEMOCAP"]

EMOTIONS = ("neu", "hap", "ang", "sad", "exc", "fru")
PATTERNS = {"scripted": "*script*.txt", "improvised": "*impro*.txt", None: "*.txt"}
BY_HAND = "ask for it at https://sail.usc.edu/iemocap/"


class IEMOCAP(AudioDataset):
    """Ten actors in five sessions, scripted and improvised, at 16 kHz.

    Samples are (waveform, sample_rate, file name, emotion, speaker). Emotions are "neu", "hap",
    "ang", "sad", "exc" and "fru"; utterances with others are left out.

    Args:
        root: the files lie in `root/IEMOCAP/Session1/...`.
        sessions: numbers from 1 to 5.
        utterance_type: "scripted", "improvised", or None for both.
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Raises:
        ValueError: another type.
        MissingDataError: files are missing.

    Source: C. Busso et al. 2008, https://sail.usc.edu/iemocap/.
    """

    sample_rate = 16000

    def __init__(
        self,
        root: PathLike,
        sessions: Sequence[int] = (1, 2, 3, 4, 5),
        utterance_type: str | None = None,
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        if utterance_type is not None:
            verify_str_arg(utterance_type, "utterance_type", ("scripted", "improvised"))
        names = [f"IEMOCAP/Session{number}" for number in sessions]
        files: dict[str, str | None] = dict.fromkeys(names)
        prepare(type(self).__name__, self.root, files, by_hand=BY_HAND)
        self.folder = self.root / "IEMOCAP"
        self.samples: list[tuple[Path, str]] = []
        for name in names:
            session = self.root / name
            emotions = _emotions(session / "dialog" / "EmoEvaluation", PATTERNS[utterance_type])
            for path in listed(session / "sentences" / "wav", "*/*.wav"):
                if path.stem in emotions:
                    self.samples.append((path, emotions[path.stem]))

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its labels."""
        path, emotion = self.samples[n]
        return [path], (path.stem, emotion, path.stem.partition("_")[0])

    def __len__(self) -> int:
        """Number of utterances."""
        return len(self.samples)


def _emotions(folder: Path, pattern: str) -> dict[str, str]:
    """Emotion by name of the utterance, from lines `[start - end]\\tNAME\\tEMOTION\\t[...]`."""
    found = {}
    for table in listed(folder, pattern):
        for line in read_lines(table):
            cells = line.split("\t")
            if line.startswith("[") and len(cells) > 2 and cells[2] in EMOTIONS:
                found[cells[1]] = cells[2]
    return found

"""QUESST 2014: find spoken words in recordings of six languages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych.errors import FileFormatError
from triptych_audio.io import load
from triptych_datasets import Remote, prepare
from triptych_datasets.choices import verify_str_arg

from .base import AudioDataset, Loader, PathLike, Transform, read_lines

__all__ = ["QUESST14"]

REMOTE = Remote(
    "https://speech.fit.vutbr.cz/files/quesst14Database.tgz",
    "4f869e06bc066bbe9c5dde31dbd3909a0870d70291110ebbb38878dcbc2fc5e4",
)
LANGUAGES = ("albanian", "basque", "czech", "nnenglish", "romanian", "slovak")
LISTS = {
    "docs": "language_key_utterances.lst",
    "dev": "language_key_dev.lst",
    "eval": "language_key_eval.lst",
}


class QUESST14(AudioDataset):
    """Queries and documents in six languages at 8 kHz.

    Samples are (waveform, sample_rate, file name).

    Args:
        root: the files lie in `root/quesst14Database/`.
        subset: "docs" to search in, "dev" or "eval" queries.
        language: "albanian", "basque", "czech", "nnenglish", "romanian", "slovak"; None for all.
        download: fetch the files when they are missing.
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Raises:
        ValueError: another subset or language.
        MissingDataError: files are missing and download is False.

    Source: X. Anguera et al. 2015, QUESST2014.
    """

    sample_rate = 8000

    def __init__(
        self,
        root: PathLike,
        subset: str,
        language: str | None = "nnenglish",
        download: bool = False,
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        verify_str_arg(subset, "subset", tuple(LISTS))
        if language is not None:
            verify_str_arg(language, "language", LANGUAGES)
        name = "quesst14Database"
        prepare(type(self).__name__, self.root, {name: None}, [REMOTE], download=download)
        self.folder = self.root / name
        table = self.folder / "scoring" / LISTS[subset]
        rows = [line.split() for line in read_lines(table)]
        if any(len(row) != 2 for row in rows):
            raise FileFormatError(f"{table}: wanted PATH and LANGUAGE in every line")
        # Paths in the list begin with a folder that is not there.
        self.paths = [
            self.folder / path.partition("/")[2]
            for path, spoken in rows
            if language in (None, spoken)
        ]

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its name."""
        path = self.paths[n]
        return [path], (path.stem,)

    def __len__(self) -> int:
        """Number of recordings."""
        return len(self.paths)

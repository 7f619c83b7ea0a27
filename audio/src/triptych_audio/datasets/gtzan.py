"""GTZAN: a thousand clips of music in ten genres."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych_audio.io import load
from triptych_datasets import Remote, prepare
from triptych_datasets.choices import verify_str_arg

from .base import AudioDataset, Loader, PathLike, Transform, listed

__all__ = ["GTZAN"]

URL = "http://opihi.cs.uvic.ca/sound/genres.tar.gz"
CHECKSUM = "24347e0223d2ba798e0a558c4c172d9d4a19c00bb7963fe055d183dadb4ef2c6"
# Numbers of the clips by genre. This split leaves out repeated and damaged clips, and keeps
# artists apart. Source: github.com/jordipons/sklearn-audio-transfer-learning, as in torchaudio 2.8.
SPLITS: dict[str, dict[str, str]] = {
    "training": {
        "blues": "29-49 73-97",
        "classical": "30-33 43-48 50-67 80-99",
        "country": "19-26 28-29 65-99",
        "disco": "5 15-20 22-37 39-45 47 49 53-54 56-57 59 61 70 73-74 89",
        "hiphop": "2-25 28-29 31-38 41-42 55-61 77-80",
        "jazz": "0-1 11-24 41 47-72",
        "metal": "2-3 5 21 24 35 46-57 59-66 69 71-72 79-80 84 86 89-99",
        "pop": "2-9 11-12 16-20 23-29 31-36 38-42 44 46 49-50 80 97-99",
        "reggae": "0-2 4 6 9 11-12 14-32 42-45 49-51 54-60 63 69",
        "rock": "0-9 16-26 57-70 91-99",
    },
    "validation": {
        "blues": "0-11 50-60",
        "classical": "0-10 68-76",
        "country": "0-7 9-18 27 41-42 45 49",
        "disco": "0 2-4 6-14 46 48 52 67-68 72 75 90 95",
        "hiphop": "81-98",
        "jazz": "2-10 25-32",
        "metal": "0-1 6-11 16-20 36-37 68 76-77 81-82",
        "pop": "10 53 55 58-62 81 83-86",
        "reggae": "61-62 70 72 74 76-78 85 92-99",
        "rock": "38 49-56 71-85",
    },
    "testing": {
        "blues": "12-28 61-72 98-99",
        "classical": "11-29 34-41 49 77-79",
        "country": "30-40 43-44 46-48 50-51 53-64",
        "disco": "1 21 58 62-66 69 76-88 91-94 96-97 99",
        "hiphop": "0 26-27 30 40 43-45 51-54 62-75 99",
        "jazz": "73-99",
        "metal": "12-15 22-23 25-33 38-39 67 70 73-75 78 83 85 87-88",
        "pop": "0-1 13-14 43 63-66 69-79 82 88-96",
        "reggae": "34-40 46-48 52-53 64-68 71 79 82-84 87-90",
        "rock": "10-15 27-37 39-48 86-90",
    },
}
GENRES = tuple(SPLITS["training"])


def split_names(subset: str) -> list[str]:
    """Names of the clips of a part, in order.

    Example:
        >>> len(split_names("training")), split_names("testing")[0]
        (443, 'blues.00012')
    """
    names = []
    for genre, ranges in SPLITS[subset].items():
        for span in ranges.split():
            first, _, last = span.partition("-")
            names += [f"{genre}.{i:05d}" for i in range(int(first), int(last or first) + 1)]
    return names


class GTZAN(AudioDataset):
    """Clips of music in ten genres, a hundred each, 30 seconds at 22.05 kHz.

    Samples are (waveform, sample_rate, genre). The publisher's address has not answered for
    years: get the archive elsewhere and unpack it, or give its address.

    Args:
        root: the files lie in `root/genres/blues/blues.00000.wav`.
        url: of the archive.
        folder_in_archive: the folder below root.
        download: fetch the files when they are missing.
        subset: "training", "validation", "testing", the filtered split; None for all clips.
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Raises:
        ValueError: another subset.
        MissingDataError: files are missing and download is False.

    Source: G. Tzanetakis and P. Cook 2002, musical genre classification of audio signals.
    """

    def __init__(
        self,
        root: PathLike,
        url: str = URL,
        folder_in_archive: str = "genres",
        download: bool = False,
        subset: str | None = None,
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        if subset is not None:
            verify_str_arg(subset, "subset", tuple(SPLITS))
        remote = Remote(url, CHECKSUM if url == URL else None)
        files = {folder_in_archive: None}
        prepare(type(self).__name__, self.root, files, [remote], download=download)
        self.folder = self.root / folder_in_archive
        self.subset = subset
        self.paths = self._all() if subset is None else [self._path(n) for n in split_names(subset)]

    def _path(self, name: str) -> Path:
        return self.folder / name.partition(".")[0] / f"{name}.wav"

    def _all(self) -> list[Path]:
        """Clips that are called `genre.00000.wav`, even where somebody has moved them."""
        return [
            path
            for genre in GENRES
            for path in listed(self.folder / genre, "*.[wW][aA][vV]")
            if _is_clip(path.stem)
        ]

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its genre."""
        path = self.paths[n]
        return [path], (path.stem.partition(".")[0],)

    def __len__(self) -> int:
        """Number of clips."""
        return len(self.paths)


def _is_clip(stem: str) -> bool:
    genre, _, number = stem.partition(".")
    return genre in GENRES and len(number) == 5 and number.isdigit()

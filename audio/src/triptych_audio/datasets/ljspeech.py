"""LJ Speech: one voice reads seven books."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych.errors import FileFormatError
from triptych_audio.io import load
from triptych_datasets import Remote, prepare
from triptych_datasets.placing import name_in

from .base import AudioDataset, Loader, PathLike, Transform, read_lines

__all__ = ["LJSPEECH"]

URL = "https://data.keithito.com/data/speech/LJSpeech-1.1.tar.bz2"
CHECKSUM = "be1a30453f28eb8dd26af4101ae40cbf2c50413b1bb21936cbcdc6fae3de8aa5"


class LJSPEECH(AudioDataset):
    """13,100 short passages read by one voice at 22.05 kHz, for synthesis.

    Samples are (waveform, sample_rate, transcript, normalised transcript).

    Args:
        root: the files lie in `root/LJSpeech-1.1/`.
        url: of the archive, whose name is that of the folder.
        folder_in_archive: the folder of the wav files.
        download: fetch the files when they are missing.
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: K. Ito and L. Johnson 2017, https://keithito.com/LJ-Speech-Dataset/.
    """

    def __init__(
        self,
        root: PathLike,
        url: str = URL,
        folder_in_archive: str = "wavs",
        download: bool = False,
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        name = name_in(url).partition(".tar")[0]
        files = {f"{name}/{folder_in_archive}": None, f"{name}/metadata.csv": None}
        remote = Remote(url, CHECKSUM if url == URL else None)
        prepare(type(self).__name__, self.root, files, [remote], download=download)
        self.folder = self.root / name / folder_in_archive
        table = self.root / name / "metadata.csv"
        self.rows = [line.split("|") for line in read_lines(table)]
        if any(len(row) != 3 for row in self.rows):
            raise FileFormatError(f"{table}: wanted NAME|TRANSCRIPT|NORMALISED in every line")

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its labels."""
        name, transcript, normalized = self.rows[n]
        return [self.folder / f"{name}.wav"], (transcript, normalized)

    def __len__(self) -> int:
        """Number of passages."""
        return len(self.rows)

"""YesNo: eight Hebrew words in a row, each yes or no."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych.errors import FileFormatError
from triptych_audio.io import load
from triptych_datasets import Remote, prepare

from .base import AudioDataset, Loader, PathLike, Transform, listed

__all__ = ["YESNO"]

URL = "http://www.openslr.org/resources/1/waves_yesno.tar.gz"
CHECKSUM = "c3f49e0cca421f96b75b41640749167b52118f232498667ca7a5f9416aef8e73"


class YESNO(AudioDataset):
    """Sixty recordings of one man saying yes or no eight times in Hebrew, at 8 kHz.

    Samples are (waveform, sample_rate, list of eight labels, 1 for yes).

    Args:
        root: the files lie in `root/waves_yesno/`.
        url: of the archive.
        folder_in_archive: the folder below root.
        download: fetch the files when they are missing, 4.7 MB.
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: https://www.openslr.org/1.
    """

    def __init__(
        self,
        root: PathLike,
        url: str = URL,
        folder_in_archive: str = "waves_yesno",
        download: bool = False,
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        remote = Remote(url, CHECKSUM if url == URL else None)
        files = {folder_in_archive: None}
        prepare(type(self).__name__, self.root, files, [remote], download=download)
        self.folder = self.root / folder_in_archive
        self.paths = listed(self.folder, "*.wav")

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its labels."""
        path = self.paths[n]
        answers = path.stem.split("_")
        if not set(answers) <= {"0", "1"}:
            raise FileFormatError(f"{path}: wanted a name such as 0_1_1_0_1_0_0_1.wav")
        return [path], ([int(answer) for answer in answers],)

    def __len__(self) -> int:
        """Number of recordings."""
        return len(self.paths)

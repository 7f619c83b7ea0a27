"""Speech Commands: single words, spoken by thousands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych.errors import FileFormatError
from triptych_audio.io import load
from triptych_datasets import Remote, prepare
from triptych_datasets.choices import verify_str_arg
from triptych_datasets.placing import name_in

from .base import AudioDataset, Loader, PathLike, Transform, listed, read_lines

__all__ = ["SPEECHCOMMANDS"]

BASE = "http://download.tensorflow.org/data/"
CHECKSUMS = {
    "speech_commands_v0.01": "743935421bb51cccdb6bdd152e04c5c70274e935c82119ad7faeec31780d811d",
    "speech_commands_v0.02": "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
}
SUBSETS = ("training", "validation", "testing")
DIVIDER = "_nohash_"  # between the speaker and the number of the utterance
LISTS = {"validation": "validation_list.txt", "testing": "testing_list.txt"}


class SPEECHCOMMANDS(AudioDataset):
    """105,829 utterances of 35 words, a second each at 16 kHz.

    Samples are (waveform, sample_rate, word, speaker id, utterance number). The recordings of
    background noise in the archive are left out.

    Args:
        root: the files lie in `root/SpeechCommands/speech_commands_v0.02/`.
        url: "speech_commands_v0.02" or "speech_commands_v0.01", or the address of an archive.
        folder_in_archive: the folder below root.
        download: fetch the files when they are missing.
        subset: "training", "validation", "testing", by the lists in the archive; None for all.
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Raises:
        ValueError: another subset.
        MissingDataError: files are missing and download is False.

    Source: P. Warden 2018, arXiv 1804.03209.
    """

    sample_rate = 16000

    def __init__(
        self,
        root: PathLike,
        url: str = "speech_commands_v0.02",
        folder_in_archive: str = "SpeechCommands",
        download: bool = False,
        subset: str | None = None,
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        if subset is not None:
            verify_str_arg(subset, "subset", SUBSETS)
        checksum = CHECKSUMS.get(url)
        address = f"{BASE}{url}.tar.gz" if checksum else url
        part = f"{folder_in_archive}/{name_in(address).partition('.tar')[0]}"
        remote = Remote(address, checksum, into=part)
        prepare(type(self).__name__, self.root, {part: None}, [remote], download=download)
        self.folder = self.root / folder_in_archive
        self.paths = self._chosen(self.root / part, subset)

    @staticmethod
    def _chosen(base: Path, subset: str | None) -> list[Path]:
        if subset in LISTS:
            return [base / line.strip() for line in read_lines(base / LISTS[subset])]
        words = [path for path in listed(base, "*/*.wav") if DIVIDER in path.name]
        if subset is None:
            return words
        others = {
            base / line.strip() for name in LISTS.values() for line in read_lines(base / name)
        }
        return [path for path in words if path not in others]

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its labels."""
        path = self.paths[n]
        # Some archives of test sets have files that end in ".wav.wav".
        speaker, _, number = path.name.removesuffix(".wav").removesuffix(".wav").partition(DIVIDER)
        if not number.isdigit():
            raise FileFormatError(f"{path}: wanted a name of SPEAKER{DIVIDER}NUMBER.wav")
        return [path], (path.parent.name, speaker, int(number))

    def __len__(self) -> int:
        """Number of utterances."""
        return len(self.paths)

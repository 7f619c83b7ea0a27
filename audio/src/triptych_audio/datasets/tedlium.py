"""TED-LIUM: English talks with transcripts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from triptych.errors import FileFormatError
from triptych_audio.io import load
from triptych_datasets import Remote, prepare
from triptych_datasets.choices import verify_str_arg

from .base import AudioDataset, Loader, PathLike, Transform, listed, read_lines

__all__ = ["TEDLIUM"]


class Release(NamedTuple):
    """One release: its folder, archive, and dictionary of pronunciations."""

    folder: str
    remote: Remote
    dictionary: str


RELEASES = {
    "release1": Release(
        "TEDLIUM_release1",
        Remote(
            "http://www.openslr.org/resources/7/TEDLIUM_release1.tar.gz",
            "30301975fd8c5cac4040c261c0852f57cfa8adbbad2ce78e77e4986957445f27",
        ),
        "TEDLIUM.150K.dic",
    ),
    "release2": Release(
        "TEDLIUM_release2",
        Remote(
            "http://www.openslr.org/resources/19/TEDLIUM_release2.tar.gz",
            "93281b5fcaaae5c88671c9d000b443cb3c7ea3499ad12010b3934ca41a7b9c58",
        ),
        "TEDLIUM.152k.dic",
    ),
    "release3": Release(
        "TEDLIUM_release-3",
        Remote(
            "http://www.openslr.org/resources/51/TEDLIUM_release-3.tgz",
            "ad1e454d14d1ad550bc2564c462d87c7a7ec83d4dc2b9210f22ab4973b9eccdb",
        ),
        "TEDLIUM.152k.dic",
    ),
}
SUBSETS = ("train", "test", "dev")


class TEDLIUM(AudioDataset):
    """English talks cut into sentences, 118 (release 1) to 452 hours (release 3) at 16 kHz.

    Samples are (waveform, sample_rate, transcript, talk id, speaker id, identifier). Only the
    sentence is read, not the talk.

    Args:
        root: the files lie in `root/TEDLIUM_release1/train/{sph,stm}/`.
        release: "release1", "release2" or "release3".
        subset: "train", "dev" or "test".
        download: fetch the files when they are missing.
        audio_ext: of the files, for those who have converted them.
        transform: called with the waveform.
        loader: called with a path, frame_offset= and num_frames=, gives a waveform and its rate.

    Raises:
        ValueError: another release or subset.
        MissingDataError: files are missing and download is False.

    Source: A. Rousseau et al. 2012, 2014; F. Hernandez et al. 2018.
    """

    sample_rate: int = 16000

    def __init__(
        self,
        root: PathLike,
        release: str = "release1",
        subset: str = "train",
        download: bool = False,
        audio_ext: str = ".sph",
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        verify_str_arg(release, "release", tuple(RELEASES))
        verify_str_arg(subset, "subset", SUBSETS)
        folder, remote, dictionary = RELEASES[release]
        part = f"{folder}/{subset}"
        if release == "release3":
            part = f"{folder}/data" if subset == "train" else f"{folder}/legacy/{subset}"
        files = {f"{part}/stm": None}
        prepare(type(self).__name__, self.root, files, [remote], download=download)
        self.folder = self.root / part
        self._dictionary = self.root / folder / dictionary
        self._extension = audio_ext
        self.rows = [
            (stm.stem, *_sentence(stm, line))
            for stm in listed(self.folder / "stm", "*.stm")
            for line in read_lines(stm)
        ]

    @property
    def phoneme_dict(self) -> dict[str, tuple[str, ...]]:
        """The phonemes of each word; some words have none.

        Raises:
            MissingDataError: the dictionary is missing.
        """
        rows = (line.split() for line in read_lines(self._dictionary))
        return {word: tuple(phonemes) for word, *phonemes in rows}

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The talk of sample n, and its labels."""
        file, talk, speaker, _, _, identifier, transcript = self.rows[n]
        path = self.folder / "sph" / f"{file}{self._extension}"
        return [path], (transcript, talk, speaker, identifier)

    def __getitem__(self, n: int) -> tuple[Any, ...]:
        """(waveform, sample_rate, transcript, talk id, speaker id, identifier) of sample n."""
        paths, labels = self.entry(n)
        start, end = self.rows[n][3:5]
        first, last = int(start * self.sample_rate), int(end * self.sample_rate)
        waveform, rate = self.loader(paths[0], frame_offset=first, num_frames=last - first)
        return *self.changed([waveform]), self.checked(paths, [rate]), *labels

    def __len__(self) -> int:
        """Number of sentences."""
        return len(self.rows)


def _sentence(stm: Path, line: str) -> tuple[str, str, float, float, str, str]:
    """Talk, speaker, start and end in seconds, identifier, transcript."""
    cells = line.split(" ", 6)
    if len(cells) != 7:
        raise FileFormatError(
            f"{stm}: wanted TALK CHANNEL SPEAKER START END IDENTIFIER TRANSCRIPT, found {line!r}"
        )
    talk, _, speaker, start, end, identifier, transcript = cells
    try:
        return talk, speaker, float(start), float(end), identifier, transcript
    except ValueError as error:
        raise FileFormatError(f"{stm}: {error} in {line!r}") from error

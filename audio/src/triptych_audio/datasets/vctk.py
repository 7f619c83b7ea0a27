"""VCTK: 110 speakers of English with many accents, and the same through cheap devices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych.errors import FileFormatError
from triptych_audio.io import load
from triptych_datasets import Remote, prepare
from triptych_datasets.choices import verify_str_arg

from .base import AudioDataset, Loader, PathLike, Transform, listed, read_lines

__all__ = ["DR_VCTK", "VCTK_092"]

URL = "https://datashare.is.ed.ac.uk/bitstream/handle/10283/3443/VCTK-Corpus-0.92.zip"
CHECKSUM = "f96258be9fdc2cbff6559541aae7ea4f59df3fcaf5cf963aae5ca647357e359c"
DR_URL = "https://datashare.ed.ac.uk/bitstream/handle/10283/3038/DR-VCTK.zip"
DR_CHECKSUM = "781f12f4406ed36ed27ae3bce55da47ba176e2d8bae67319e389e07b2c9bd769"

HEAD_LINES = {"train": 2, "test": 1}  # before the rows of the table


class VCTK_092(AudioDataset):  # noqa: N801, torchaudio's name
    """110 speakers of English read 400 sentences each, at 48 kHz from two microphones.

    Samples are (waveform, sample_rate, transcript, speaker id, utterance id). Texts without sound
    are left out: all of p280 for "mic2", some of p362.

    Args:
        root: the files lie in `root/VCTK-Corpus-0.92/`.
        mic_id: "mic1" or "mic2".
        download: fetch the files when they are missing.
        url: of the archive.
        audio_ext: of the files, for those who have converted them.
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Raises:
        ValueError: another microphone.
        MissingDataError: files are missing and download is False.

    Source: J. Yamagishi et al. 2019, https://datashare.ed.ac.uk/handle/10283/3443.
    """

    def __init__(
        self,
        root: PathLike,
        mic_id: str = "mic2",
        download: bool = False,
        url: str = URL,
        audio_ext: str = ".flac",
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        verify_str_arg(mic_id, "mic_id", ("mic1", "mic2"))
        name = "VCTK-Corpus-0.92"
        remote = Remote(url, CHECKSUM if url == URL else None, into=name)
        prepare(type(self).__name__, self.root, {f"{name}/txt": None}, [remote], download=download)
        self.folder = self.root / name
        self._ending = f"_{mic_id}{audio_ext}"
        self.texts = [text for text in listed(self.folder / "txt", "*/*.txt") if self._heard(text)]

    def _heard(self, text: Path) -> bool:
        lacking = {"p362"} | ({"p280"} if "mic2" in self._ending else set())
        return text.parent.name not in lacking or self._audio(text).is_file()

    def _audio(self, text: Path) -> Path:
        speakers = self.folder / "wav48_silence_trimmed"
        return speakers / text.parent.name / f"{text.stem}{self._ending}"

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its labels."""
        text = self.texts[n]
        speaker, _, utterance = text.stem.partition("_")
        transcript = text.read_text(encoding="utf-8").partition("\n")[0]
        return [self._audio(text)], (transcript, speaker, utterance)

    def __len__(self) -> int:
        """Number of utterances."""
        return len(self.texts)


class DR_VCTK(AudioDataset):  # noqa: N801, torchaudio's name
    """VCTK played to cheap microphones in ordinary rooms, with the clean recordings.

    Samples are (clean waveform, its rate, noisy waveform, its rate, speaker id, utterance id,
    source, channel id).

    Args:
        root: the files lie in `root/DR-VCTK/DR-VCTK/`.
        subset: "train" or "test".
        download: fetch the files when they are missing.
        url: of the archive.
        transform: called with each waveform.
        loader: called with a path, gives a waveform and its rate.

    Raises:
        ValueError: another subset.
        MissingDataError: files are missing and download is False.

    Source: S. Sarfjoo and J. Yamagishi 2018, https://datashare.ed.ac.uk/handle/10283/3038.
    """

    def __init__(
        self,
        root: PathLike,
        subset: str = "train",
        *,
        download: bool = False,
        url: str = DR_URL,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        verify_str_arg(subset, "subset", ("train", "test"))
        remote = Remote(url, DR_CHECKSUM if url == DR_URL else None)
        base = "DR-VCTK/DR-VCTK"
        prepare(type(self).__name__, self.root, {base: None}, [remote], download=download)
        self.folder = self.root / base
        self._folders = [f"clean_{subset}set_wav_16k", f"device-recorded_{subset}set_wav_16k"]
        table = self.folder / "configurations" / f"{subset}_ch_log.txt"
        rows = [line.strip().split("\t") for line in read_lines(table)[HEAD_LINES[subset] :]]
        if any(len(row) != 3 for row in rows):
            raise FileFormatError(f"{table}: wanted FILE, SOURCE and CHANNEL in every line")
        self.rows = sorted(rows)

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The clean and the noisy file of sample n, and its labels."""
        name, source, channel = self.rows[n]
        speaker, _, utterance = name.partition(".")[0].partition("_")
        paths = [self.folder / folder / name for folder in self._folders]
        return paths, (speaker, utterance, source, int(channel))

    def get_metadata(self, n: int) -> tuple[Any, ...]:
        """As `dataset[n]`, with paths in place of the waveforms."""
        clean, noisy, rate, *labels = super().get_metadata(n)
        return clean, rate, noisy, rate, *labels

    def __getitem__(self, n: int) -> tuple[Any, ...]:
        """The clean and the noisy waveform of sample n, each with its rate, and the labels."""
        clean, noisy, rate, *labels = super().__getitem__(n)
        return clean, rate, noisy, rate, *labels

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.rows)

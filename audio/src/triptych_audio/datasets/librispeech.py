"""LibriSpeech, read English books, and what was made of it."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from triptych.errors import FileFormatError
from triptych_audio.io import load
from triptych_datasets import MissingDataError, Remote, prepare
from triptych_datasets.choices import verify_str_arg

from .base import AudioDataset, Loader, PathLike, Transform, listed, read_lines

__all__ = ["LIBRISPEECH", "LibriLightLimited", "LibriSpeechBiasing"]

CHECKSUMS = {
    "dev-clean": "76f87d090650617fca0cac8f88b9416e0ebf80350acb97b343a85fa903728ab3",
    "dev-other": "12661c48e8c3fe1de2c1caa4c3e135193bfb1811584f11f569dd12645aa84365",
    "test-clean": "39fde525e59672dc6d1551919b1478f724438a95aa55f874b576be21967e6c23",
    "test-other": "d09c181bba5cf717b3dee7d4d592af11a3ee3a09e08ae025c5506f6ebe961c29",
    "train-clean-100": "d4ddd1d5a6ab303066f14971d768ee43278a5f2a0aa43dc716b0e64ecbbbf6e2",
    "train-clean-360": "146a56496217e96c14334a160df97fffedd6e0a04e66b9c5af0d40be3c792ecf",
    "train-other-500": "ddb22f27f96ec163645d53215559df6aa36515f26e01dd70798188350adcb6d2",
}

PARTS = {"10min": ("1h/0",), "1h": ("1h/*",), "10h": ("1h/*", "9h")}
LIMITED = Remote(
    "https://dl.fbaipublicfiles.com/librilight/data/librispeech_finetuning.tgz",
    "5d1efdc777b548194d7e09ba89126e2188026df9fd57aa57eb14408d2b2342af",
)


@functools.lru_cache(maxsize=256)
def _transcripts(path: Path) -> dict[str, str]:
    """The sentences of a chapter by the names of their files."""
    pairs = [line.split(" ", 1) for line in read_lines(path)]
    if any(len(pair) < 2 for pair in pairs):
        raise FileFormatError(f"{path}: wanted lines of a name and a sentence")
    return {name: text.strip() for name, text in (pair for pair in pairs)}


def _spoken(path: Path) -> tuple[str, int, int, int]:
    """Transcript, speaker, chapter and number of an utterance."""
    parts = path.stem.split("-")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        raise FileFormatError(f"{path}: wanted a name of SPEAKER-CHAPTER-NUMBER")
    speaker, chapter, number = map(int, parts)
    texts = path.with_name(f"{parts[0]}-{parts[1]}.trans.txt")
    text = _transcripts(texts).get(path.stem)
    if text is None:
        raise MissingDataError(f"{texts}: has no transcript of {path.stem}")
    return text, speaker, chapter, number


class LIBRISPEECH(AudioDataset):
    """English books read aloud, a thousand hours at 16 kHz.

    Samples are (waveform, sample_rate, transcript, speaker id, chapter id, utterance id).

    Args:
        root: the files lie in `root/LibriSpeech/dev-clean/...`.
        url: "dev-clean", "dev-other", "test-clean", "test-other", "train-clean-100",
            "train-clean-360" or "train-other-500".
        folder_in_archive: the folder below root.
        download: fetch the files when they are missing.
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Raises:
        ValueError: another part.
        MissingDataError: files are missing and download is False.

    Source: V. Panayotov et al. 2015, https://www.openslr.org/12.
    """

    sample_rate = 16000

    def __init__(
        self,
        root: PathLike,
        url: str = "train-clean-100",
        folder_in_archive: str = "LibriSpeech",
        download: bool = False,
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        verify_str_arg(url, "url", tuple(CHECKSUMS))
        self.folder = self.root / folder_in_archive
        address = f"http://www.openslr.org/resources/12/{url}.tar.gz"
        prepare(
            type(self).__name__,
            self.root,
            {f"{folder_in_archive}/{url}": None},
            [Remote(address, CHECKSUMS[url])],
            download=download,
        )
        self.paths = sorted(listed(self.folder / url, "*/*/*.flac"), key=lambda p: p.stem)

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its labels."""
        path = self.paths[n]
        return [path], _spoken(path)

    def __len__(self) -> int:
        """Number of utterances."""
        return len(self.paths)


class LibriSpeechBiasing(LIBRISPEECH):
    """LibriSpeech with the rare words of each utterance, for contextual biasing.

    Samples have one more label: the words of the transcript that are in `blist`, each once, in
    the order they are spoken.

    Args:
        root: as of `LIBRISPEECH`.
        url: as of `LIBRISPEECH`.
        folder_in_archive: as of `LIBRISPEECH`.
        download: fetch the files when they are missing.
        blist: the rare words.
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.
    """

    def __init__(
        self,
        root: PathLike,
        url: str = "train-clean-100",
        folder_in_archive: str = "LibriSpeech",
        download: bool = False,
        blist: Collection[str] | None = None,
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, url, folder_in_archive, download, transform=transform, loader=loader)
        self.blist = frozenset(blist or ())

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its labels."""
        paths, labels = super().entry(n)
        words = dict.fromkeys(word for word in labels[0].split() if word in self.blist)
        return paths, (*labels, list(words))


class LibriLightLimited(AudioDataset):
    """Ten minutes, one hour or ten hours of LibriSpeech, to learn from few labels.

    Samples are as those of `LIBRISPEECH`.

    Args:
        root: the files lie in `root/librispeech_finetuning/{1h,9h}/...`.
        subset: "10min", "1h" or "10h"; each holds the smaller ones.
        download: fetch the files when they are missing.
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Raises:
        ValueError: another subset.
        MissingDataError: files are missing and download is False.

    Source: J. Kahn et al. 2020, Libri-Light.
    """

    sample_rate = 16000

    def __init__(
        self,
        root: PathLike,
        subset: str = "10min",
        download: bool = False,
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        verify_str_arg(subset, "subset", tuple(PARTS))
        name = "librispeech_finetuning"
        prepare(type(self).__name__, self.root, {name: None}, [LIMITED], download=download)
        self.folder = self.root / name
        found = [p for part in PARTS[subset] for p in self.folder.glob(f"{part}/*/*/*/*.flac")]
        # torchaudio's order: by the folder of the part, then by name
        self.paths = sorted(found, key=lambda p: self.relative([p.parents[2]])[0] + p.stem)

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its labels."""
        path = self.paths[n]
        return [path], _spoken(path)

    def __len__(self) -> int:
        """Number of utterances."""
        return len(self.paths)

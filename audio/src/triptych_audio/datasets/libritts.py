"""LibriTTS: read English books at 24 kHz, for synthesis."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych.errors import FileFormatError
from triptych_audio.io import load
from triptych_datasets import MissingDataError, Remote, prepare
from triptych_datasets.choices import verify_str_arg

from .base import AudioDataset, Loader, PathLike, Transform, listed

__all__ = ["LIBRITTS"]

CHECKSUMS = {
    "dev-clean": "da0864e1bd26debed35da8a869dd5c04dfc27682921936de7cff9c8a254dbe1a",
    "dev-other": "d413eda26f3a152ac7c9cf3658ef85504dfb1b625296e5fa83727f5186cca79c",
    "test-clean": "234ea5b25859102a87024a4b9b86641f5b5aaaf1197335c95090cde04fe9a4f5",
    "test-other": "33a5342094f3bba7ccc2e0500b9e72d558f72eb99328ac8debe1d9080402f10d",
    "train-clean-100": "c5608bf1ef74bb621935382b8399c5cdd51cd3ee47cec51f00f885a64c6c7f6b",
    "train-clean-360": "ce7cff44dcac46009d18379f37ef36551123a1dc4e5c8e4eb73ae57260de4886",
    "train-other-500": "e35f7e34deeb2e2bdfe4403d88c8fdd5fbf64865cae41f027a185a6965f0a5df",
}


class LIBRITTS(AudioDataset):
    """English books read aloud, 585 hours at 24 kHz, cut at sentences.

    Samples are (waveform, sample_rate, original text, normalised text, speaker id, chapter id,
    utterance id).

    Args:
        root: the files lie in `root/LibriTTS/dev-clean/...`.
        url: "dev-clean", "dev-other", "test-clean", "test-other", "train-clean-100",
            "train-clean-360" or "train-other-500".
        folder_in_archive: the folder below root.
        download: fetch the files when they are missing.
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Raises:
        ValueError: another part.
        MissingDataError: files are missing and download is False.

    Source: H. Zen et al. 2019, https://www.openslr.org/60.
    """

    sample_rate = 24000

    def __init__(
        self,
        root: PathLike,
        url: str = "train-clean-100",
        folder_in_archive: str = "LibriTTS",
        download: bool = False,
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        verify_str_arg(url, "url", tuple(CHECKSUMS))
        address = f"http://www.openslr.org/resources/60/{url}.tar.gz"
        prepare(
            type(self).__name__,
            self.root,
            {f"{folder_in_archive}/{url}": None},
            [Remote(address, CHECKSUMS[url])],
            download=download,
        )
        self.folder = self.root / folder_in_archive / url
        self.paths = sorted(listed(self.folder, "*/*/*.wav"), key=lambda p: p.stem)

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its labels."""
        path = self.paths[n]
        parts = path.stem.split("_")
        if len(parts) != 4:
            raise FileFormatError(f"{path}: wanted a name of SPEAKER_CHAPTER_SEGMENT_UTTERANCE")
        original, normalized = (_line(path, kind) for kind in ("original", "normalized"))
        return [path], (original, normalized, int(parts[0]), int(parts[1]), path.stem)

    def __len__(self) -> int:
        """Number of utterances."""
        return len(self.paths)


def _line(path: Path, kind: str) -> str:
    text = path.with_name(f"{path.stem}.{kind}.txt")
    if not text.is_file():
        raise MissingDataError(f"LIBRITTS: {text} not found")
    return text.read_text(encoding="utf-8").partition("\n")[0]

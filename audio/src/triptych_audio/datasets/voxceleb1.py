"""VoxCeleb1: celebrities' voices from films on the net."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych.errors import FileFormatError
from triptych_audio.io import load
from triptych_datasets import Remote, prepare
from triptych_datasets.choices import verify_str_arg
from triptych_datasets.placing import bring, name_in, unpack

from .base import AudioDataset, Loader, PathLike, Transform, read_lines

__all__ = ["VoxCeleb1", "VoxCeleb1Identification", "VoxCeleb1Verification"]

BASE = "https://thor.robots.ox.ac.uk/~vgg/data/voxceleb/vox1a/"
META = "https://www.robots.ox.ac.uk/~vgg/data/voxceleb/meta/"
# One zip in four parts.
DEV_PARTS = {
    "vox1_dev_wav_partaa": "21ec6ca843659ebc2fdbe04b530baa4f191ad4b0971912672d92c158f32226a0",
    "vox1_dev_wav_partab": "311d21e0c8cbf33573a4fce6c80e5a279d80736274b381c394319fc557159a04",
    "vox1_dev_wav_partac": "92b64465f2b2a3dc0e4196ae8dd6828cbe9ddd1f089419a11e4cbfe2e1750df0",
    "vox1_dev_wav_partad": "00e6190c770b27f27d2a3dd26ee15596b17066b715ac111906861a7d09a211a5",
}
TEST = Remote(
    f"{BASE}vox1_test_wav.zip", "8de57f347fe22b2c24526e9f444f689ecf5096fc2a92018cf420ff6b5b15eaea"
)
SUBSETS = {"train": "1", "dev": "2", "test": "3"}  # the number in the list


class VoxCeleb1(AudioDataset):
    """Base of the two tasks: sees that the sound is there.

    Args:
        root: the files lie in `root/wav/id10001/...`.
        meta_url: of the list, which lies in root.
        download: fetch the sound when it is missing, 40 GB; the list is always fetched.
        transform: called with each waveform.
        loader: called with a path, gives a waveform and its rate.
    """

    sample_rate = 16000

    def __init__(
        self,
        root: PathLike,
        meta_url: str,
        download: bool = False,
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        if download and not (self.root / "wav").is_dir():
            self._fetch()
        prepare("VoxCeleb1", self.root, {"wav": None})
        self.folder = self.root / "wav"
        name = name_in(meta_url)
        remote = Remote(meta_url, None, unpack=False)
        prepare("VoxCeleb1", self.root, {name: None}, [remote], download=True)
        self.list_path = self.root / name

    def _fetch(self) -> None:
        whole = self.root / "vox1_dev_wav.zip"
        whole.parent.mkdir(parents=True, exist_ok=True)
        unfinished = whole.with_suffix(".part")
        with open(unfinished, "wb") as joined:
            for name, checksum in DEV_PARTS.items():
                with open(bring((f"{BASE}{name}",), self.root, name, checksum), "rb") as part:
                    shutil.copyfileobj(part, joined)
        unfinished.replace(whole)
        unpack(whole, self.root)
        TEST.get(self.root)

    def file_id(self, path: str) -> str:
        """Speaker, film and number of a path in the list, joined by "-"."""
        return "-".join(path.removesuffix(".wav").split("/")[-3:])

    def rows_of(self, cells: int) -> list[list[str]]:
        """The list's lines, each of so many cells.

        Raises:
            FileFormatError: a line has others.
        """
        rows = [line.split() for line in read_lines(self.list_path)]
        if any(len(row) != cells for row in rows):
            raise FileFormatError(f"{self.list_path}: wanted {cells} cells in every line")
        return rows


class VoxCeleb1Identification(VoxCeleb1):
    """Who speaks? 153,516 utterances of 1,251 people at 16 kHz.

    Samples are (waveform, sample_rate, speaker id, file id).

    Args:
        root: the files lie in `root/wav/id10001/...`.
        subset: "train", "dev" or "test".
        meta_url: of the list of the subsets.
        download: fetch the sound when it is missing, 40 GB.
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Raises:
        ValueError: another subset.
        MissingDataError: files are missing and download is False.

    Source: A. Nagrani et al. 2017, https://www.robots.ox.ac.uk/~vgg/data/voxceleb/.
    """

    def __init__(
        self,
        root: PathLike,
        subset: str = "train",
        meta_url: str = f"{META}iden_split.txt",
        download: bool = False,
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        verify_str_arg(subset, "subset", tuple(SUBSETS))
        super().__init__(root, meta_url, download, transform=transform, loader=loader)
        rows = self.rows_of(2)
        self.paths = sorted(path for number, path in rows if number == SUBSETS[subset])

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its labels."""
        path = self.paths[n]
        name = self.file_id(path)
        return [self.folder / path], (int(name.partition("-")[0][3:]), name)

    def __len__(self) -> int:
        """Number of utterances."""
        return len(self.paths)


class VoxCeleb1Verification(VoxCeleb1):
    """Do the same people speak? 37,720 pairs of utterances at 16 kHz.

    Samples are (waveform, waveform, sample_rate, label, file id, file id); label 1 is the same
    speaker.

    Args:
        root: the files lie in `root/wav/id10001/...`.
        meta_url: of the list of the pairs.
        download: fetch the sound when it is missing, 40 GB.
        transform: called with each waveform.
        loader: called with a path, gives a waveform and its rate. One that draws pieces draws
            for each of the two.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: A. Nagrani et al. 2017, https://www.robots.ox.ac.uk/~vgg/data/voxceleb/.
    """

    def __init__(
        self,
        root: PathLike,
        meta_url: str = f"{META}veri_test.txt",
        download: bool = False,
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, meta_url, download, transform=transform, loader=loader)
        self.rows = self.rows_of(3)

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The files of pair n, and its labels."""
        label, one, other = self.rows[n]
        paths = [self.folder / one, self.folder / other]
        return paths, (int(label), self.file_id(one), self.file_id(other))

    def __getitem__(self, n: int) -> tuple[Any, ...]:
        """(waveform, waveform, sample_rate, label, file id, file id) of pair n."""
        paths, labels = self.entry(n)
        (one, rate), (other, _) = (self.read([path]) for path in paths)
        return *one, *other, rate, *labels

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.rows)

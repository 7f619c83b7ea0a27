"""Photo Tour: patches around the same point, seen in several photographs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import triptych as tp

from .preparing import Remote, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike, VisionDataset

__all__ = ["PhotoTour"]

_BROWN = "http://matthewalunbrown.com/patchdata/"
_BALNTAS = "http://icvl.ee.ic.ac.uk/vbalnt/"
_SIZE = 64  # pixels, a side of a patch
_MATCHES = "m50_100000_100000_0.txt"


class PhotoTour(VisionDataset):
    """Patches of 64 x 64 grey pixels from photographs of three sights, to learn descriptors.

    Args:
        root: the files lie in `root/<name>`; what was read is kept in `root/<name>.npz`.
        name: "notredame", "yosemite" or "liberty", or one of these with "_harris".
        train: samples are patches; else (patch, patch, 1 if both show one point).
        transform: called with each patch, (64, 64) uint8.
        download: fetch the files when they are missing.

    Attributes:
        data: (n, 64, 64) uint8.
        labels: (n,) int64, the point that each patch shows.
        matches: (m, 3) int64, two patches and whether they show one point.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: M. Brown, G. Hua and S. Winder 2011, "Discriminative Learning of Local Image
    Descriptors".
    """

    urls = {
        "notredame_harris": (f"{_BROWN}notredame_harris.zip", "69f8c90f78e171349abdf0307afefe4d"),
        "yosemite_harris": (f"{_BROWN}yosemite_harris.zip", "a73253d1c6fbd3ba2613c45065c00d46"),
        "liberty_harris": (f"{_BROWN}liberty_harris.zip", "c731fcfb3abb4091110d0ae8c7ba182c"),
        "notredame": (f"{_BALNTAS}notredame.zip", "509eda8535847b8c0a90bbb210c83484"),
        "yosemite": (f"{_BALNTAS}yosemite.zip", "533b2e8eb7ede31be40abc317b2fd4f0"),
        "liberty": (f"{_BALNTAS}liberty.zip", "fdd9152f138ea5ef2091746689176414"),
    }
    means = {  # of all patches, 0 to 1
        f"{name}{suffix}": value
        for name, value in (("notredame", 0.4854), ("yosemite", 0.4844), ("liberty", 0.4437))
        for suffix in ("", "_harris")
    }
    stds = {
        f"{name}{suffix}": value
        for name, value in (("notredame", 0.1864), ("yosemite", 0.1818), ("liberty", 0.2019))
        for suffix in ("", "_harris")
    }
    lens = {  # number of patches; the last picture is not full
        "notredame": 468159,
        "yosemite": 633587,
        "liberty": 450092,
        "liberty_harris": 379587,
        "yosemite_harris": 450912,
        "notredame_harris": 325295,
    }

    def __init__(
        self,
        root: PathLike,
        name: str,
        train: bool = True,
        transform: OneTransform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform)
        self.name = verify_str_arg(name, "name", tuple(self.urls))
        self.train = train
        self.mean, self.std = self.means[name], self.stds[name]
        url, md5 = self.urls[name]
        kept = self.folder / f"{name}.npz"
        if not kept.is_file():
            files = {f"{name}/info.txt": None, f"{name}/{_MATCHES}": None}
            remote = Remote(url, md5, name, f"{name}.zip")
            prepare("PhotoTour", self.folder, files, [remote], download=download)
            self._keep(self.folder / name, kept)
        with np.load(kept, allow_pickle=False) as arrays:
            self.data, self.labels, self.matches = (
                tp.from_numpy(arrays[key]) for key in ("data", "labels", "matches")
            )

    def _keep(self, folder: Path, kept: Path) -> None:
        info = np.loadtxt(folder / "info.txt", np.int64, usecols=0, ndmin=1)
        columns = (0, 1, 3, 4)  # patch and its point, other patch and its point
        table = np.loadtxt(folder / _MATCHES, np.int64, usecols=columns, ndmin=2)
        matches = np.stack([table[:, 0], table[:, 2], table[:, 1] == table[:, 3]], 1)
        pictures = [_patches(path) for path in sorted(folder.glob("*.bmp"))]
        data = np.concatenate(pictures)[: self.lens[self.name]]
        unfinished = kept.with_name(f".{kept.name}")
        np.savez(unfinished, data=data, labels=info, matches=matches)
        unfinished.replace(kept)

    def __getitem__(self, index: int) -> Any:
        """A patch; or, to test, (patch, patch, whether they match)."""
        change = self.transform or (lambda patch: patch)
        if self.train:
            return change(self.data[index])
        first, second, same = self.matches[index]
        return change(self.data[int(first)]), change(self.data[int(second)]), same

    def __len__(self) -> int:
        """Number of patches, or of pairs."""
        return len(self.data if self.train else self.matches)

    def extra_repr(self) -> str:
        """The split."""
        return f"Split: {'Train' if self.train else 'Test'}"


def _patches(path: Path) -> np.ndarray:
    """(n, 64, 64), row by row, of a picture that is a grid of patches."""
    from PIL import Image

    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("L"))
    rows, columns = (length // _SIZE for length in pixels.shape)
    grid = pixels.reshape(rows, _SIZE, columns, _SIZE)
    return grid.swapaxes(1, 2).reshape(-1, _SIZE, _SIZE)

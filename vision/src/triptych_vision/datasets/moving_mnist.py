"""Moving MNIST: short films of two digits that cross each other."""

from __future__ import annotations

from typing import Any

import numpy as np

import triptych as tp

from .preparing import Remote, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike, VisionDataset

__all__ = ["MovingMNIST"]

_FILE = "mnist_test_seq.npy"
_NUM_FRAMES = 20


class MovingMNIST(VisionDataset):
    """10,000 films of 20 frames, 64 x 64 grey pixels.

    Args:
        root: the file lies in `root/MovingMNIST`.
        split: "train" for the first frames of each film, "test" for the others, None for all.
        split_ratio: how many frames are the first ones, 1 to 19.
        download: fetch the file when it is missing.
        transform: called with a film, (t, 1, 64, 64) uint8.

    Attributes:
        data: (n, t, 1, 64, 64) uint8.

    Raises:
        MissingDataError: the file is missing and download is False.

    Source: N. Srivastava, E. Mansimov and R. Salakhutdinov 2015, arXiv:1502.04681.
    """

    remote = Remote(
        f"http://www.cs.toronto.edu/~nitish/unsupervised_video/{_FILE}",
        "be083ec986bfe91a449d63653c411eb2",
        "MovingMNIST",
        unpack=False,
    )

    def __init__(
        self,
        root: PathLike,
        split: str | None = None,
        split_ratio: int = 10,
        download: bool = False,
        transform: OneTransform | None = None,
    ) -> None:
        super().__init__(root, transform=transform)
        if split is not None:
            verify_str_arg(split, "split", ("train", "test"))
        if not isinstance(split_ratio, int):
            raise TypeError(f"MovingMNIST: split_ratio is an int, got {split_ratio!r}")
        if not 1 <= split_ratio < _NUM_FRAMES:
            raise ValueError(f"MovingMNIST: split_ratio is 1 to 19, got {split_ratio}")
        self.split, self.split_ratio = split, split_ratio
        name = f"MovingMNIST/{_FILE}"
        prepare("MovingMNIST", self.folder, {name: None}, [self.remote], download=download)
        films = np.load(self.folder / name, allow_pickle=False)  # (t, n, h, w)
        films = films[self._frames()].swapaxes(0, 1)[:, :, None]
        self.data = tp.from_numpy(np.ascontiguousarray(films))

    def _frames(self) -> slice:
        whole = slice(None)
        first, last = slice(self.split_ratio), slice(self.split_ratio, None)
        return {None: whole, "train": first, "test": last}[self.split]

    def __getitem__(self, index: int) -> Any:
        """A film, (t, 1, 64, 64)."""
        film = self.data[index]
        return film if self.transform is None else self.transform(film)

    def __len__(self) -> int:
        """Number of films."""
        return len(self.data)

"""SVHN: house numbers."""

from __future__ import annotations

import numpy as np

from .listed import ArrayDataset
from .preparing import Remote, optional_module, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike

__all__ = ["SVHN"]

_URL = "http://ufldl.stanford.edu/housenumbers/"


class SVHN(ArrayDataset):
    """Digits of house numbers, cut from photographs, 32 x 32 pixels. The label of 0 is 0.

    Needs SciPy, which reads the files.

    Args:
        root: the file lies in `root`.
        split: "train" with 73,257 images, "test" with 26,032 or "extra" with 531,131 easier ones.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the label.
        download: fetch the file when it is missing or damaged.

    Attributes:
        data: (n, 3, 32, 32) uint8 NumPy array.
        labels: (n,) int64 NumPy array.

    Raises:
        MissingDataError: the file is missing or damaged, and download is False.
        MissingDependencyError: SciPy is not installed.

    Source: Y. Netzer et al. 2011, "Reading Digits in Natural Images".
    """

    split_list = {
        "train": [f"{_URL}train_32x32.mat", "train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373"],
        "test": [f"{_URL}test_32x32.mat", "test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3"],
        "extra": [f"{_URL}extra_32x32.mat", "extra_32x32.mat", "a93ce644f1a588dc4d68dda5feec44a7"],
    }
    channels_first = True

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = verify_str_arg(split, "split", tuple(self.split_list))
        url, name, md5 = self.split_list[split]
        remote = Remote(url, md5, filename=name, unpack=False)
        prepare("SVHN", self.folder, {name: md5}, [remote], download=download)
        content = optional_module("scipy.io", "SVHN").loadmat(self.folder / name)
        self.data = content["X"].transpose(3, 2, 0, 1)
        self.labels = content["y"].astype(np.int64).reshape(-1) % 10  # the file calls 0 ten

    def extra_repr(self) -> str:
        """The split."""
        return f"Split: {self.split}"

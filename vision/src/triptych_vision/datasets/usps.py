"""USPS: digits of postcodes."""

from __future__ import annotations

import bz2
from typing import Any

import numpy as np

from .listed import ArrayDataset
from .preparing import Remote, prepare
from .vision import OneTransform, PathLike

__all__ = ["USPS"]

_URL = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/"


class USPS(ArrayDataset):
    """Handwritten digits of postcodes, 16 x 16 grey pixels; 7,291 to train and 2,007 to test.

    Args:
        root: the file lies in `root`.
        train: the training part or the test part.
        transform: called with the image, a PIL image in mode L.
        target_transform: called with the label.
        download: fetch the file when it is missing or damaged.

    Attributes:
        data: (n, 16, 16) uint8 NumPy array.
        targets: list of labels.

    Raises:
        MissingDataError: the file is missing or damaged, and download is False.

    Source: J. Hull 1994, "A Database for Handwritten Text Recognition Research".
    """

    split_list = {
        "train": [f"{_URL}usps.bz2", "usps.bz2", "ec16c51db3855ca6c91edd34d0e9b197"],
        "test": [f"{_URL}usps.t.bz2", "usps.t.bz2", "8ea070ee2aca1ac39742fdd1ef5ed118"],
    }

    def __init__(
        self,
        root: PathLike,
        train: bool = True,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        url, name, md5 = self.split_list["train" if train else "test"]
        remote = Remote(url, md5, filename=name, unpack=False)
        prepare("USPS", self.folder, {name: md5}, [remote], download=download)
        with bz2.open(self.folder / name, "rt", encoding="ascii") as file:
            rows = [line.split() for line in file]  # label 1 to 10, then index:value from -1 to 1
        values = [[entry.rpartition(":")[2] for entry in row[1:]] for row in rows]
        grey = (np.array(values, np.float32) + 1) / 2 * 255
        self.data = grey.astype(np.uint8).reshape(-1, 16, 16)
        self.targets = [int(row[0]) - 1 for row in rows]

    @property
    def labels(self) -> Any:
        """The targets."""
        return self.targets

    def extra_repr(self) -> str:
        """The split."""
        return f"Split: {'Train' if self.train else 'Test'}"

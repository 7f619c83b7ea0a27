"""SEMEION: 1,593 digits in black and white."""

from __future__ import annotations

import numpy as np

from .listed import ArrayDataset
from .preparing import Remote, prepare
from .vision import OneTransform, PathLike

__all__ = ["SEMEION"]


class SEMEION(ArrayDataset):
    """Handwritten digits, 16 x 16 pixels of black or white.

    Args:
        root: the file lies in `root`.
        transform: called with the image, a PIL image in mode L.
        target_transform: called with the label.
        download: fetch the file when it is missing or damaged.

    Attributes:
        data: (n, 16, 16) uint8 NumPy array, 0 and 255.
        labels: (n,) int64 NumPy array.

    Raises:
        MissingDataError: the file is missing or damaged, and download is False.

    Source: M. Buscema 1998, "MetaNet: The Theory of Independent Judges".
    """

    url = "http://archive.ics.uci.edu/ml/machine-learning-databases/semeion/semeion.data"
    filename = "semeion.data"
    md5_checksum = "cb545d371d2ce14ec121470795a77432"

    def __init__(
        self,
        root: PathLike,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = True,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        remote = Remote(self.url, self.md5_checksum, filename=self.filename, unpack=False)
        files = {self.filename: self.md5_checksum}
        prepare("SEMEION", self.folder, files, [remote], download=download)
        table = np.loadtxt(self.folder / self.filename, ndmin=2)
        self.data = (table[:, :256] * 255).astype(np.uint8).reshape(-1, 16, 16)
        self.labels = table[:, 256:].argmax(1)  # ten columns, one of which is 1

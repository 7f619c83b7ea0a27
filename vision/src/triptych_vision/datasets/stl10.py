"""STL-10: few labels, many images without one."""

from __future__ import annotations

from typing import Any

import numpy as np

from .listed import ArrayDataset
from .preparing import Remote, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike

__all__ = ["STL10"]


class STL10(ArrayDataset):
    """Photographs of ten kinds of things, 96 x 96 pixels, and 100,000 more without labels.

    Args:
        root: the files lie in `root/stl10_binary`.
        split: "train" with 5,000 images, "test" with 8,000, "unlabeled" or "train+unlabeled".
        folds: take one of the ten sets of 1,000 training images that results are given for.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the label; -1 is that of an image without one.
        download: fetch the files when they are missing or damaged.

    Attributes:
        data: (n, 3, 96, 96) uint8 NumPy array.
        labels: (n,) NumPy array of labels.
        classes: names of the labels.

    Raises:
        MissingDataError: files are missing or damaged, and download is False.

    Source: A. Coates, H. Lee and A. Ng 2011, "An Analysis of Single Layer Networks in
    Unsupervised Feature Learning".
    """

    base_folder = "stl10_binary"
    url = "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz"
    filename = "stl10_binary.tar.gz"
    tgz_md5 = "91f7769df0f17e558f3565bffb0c7dfb"
    class_names_file = "class_names.txt"
    folds_list_file = "fold_indices.txt"
    train_list = [
        ["train_X.bin", "918c2871b30a85fa023e0c44e0bee87f"],
        ["train_y.bin", "5a34089d4802c674881badbb80307741"],
        ["unlabeled_X.bin", "5242ba1fed5e4be9e1e742405eb56ca4"],
    ]
    test_list = [
        ["test_X.bin", "7f263ba9f9e0b06b93213547f721ac82"],
        ["test_y.bin", "36f9794fa4beb8a2c72628de14fa638e"],
    ]
    splits = ("train", "train+unlabeled", "unlabeled", "test")
    channels_first = True

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        folds: int | None = None,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = verify_str_arg(split, "split", self.splits)
        if folds is not None and (not isinstance(folds, int) or not 0 <= folds < 10):
            raise ValueError(f"STL10: folds is one of 0 to 9, or None for all, got {folds!r}")
        self.folds = folds
        files = {f"{self.base_folder}/{n}": md5 for n, md5 in self.train_list + self.test_list}
        remote = Remote(self.url, self.tgz_md5, filename=self.filename)
        prepare("STL10", self.folder, files, [remote], download=download)
        parts = [self._part(part) for part in self.split.split("+")]
        self.data = np.concatenate([images for images, _ in parts])
        self.labels = np.concatenate([labels for _, labels in parts])
        names = self._base / self.class_names_file
        self.classes = names.read_text().splitlines() if names.is_file() else []

    @property
    def _base(self) -> Any:
        return self.folder / self.base_folder

    def _part(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        images = np.fromfile(self._base / f"{name}_X.bin", np.uint8).reshape(-1, 3, 96, 96)
        images = images.transpose(0, 1, 3, 2)  # columns are written one after the other
        if name == "unlabeled":
            return images, np.full(len(images), -1)
        labels = np.fromfile(self._base / f"{name}_y.bin", np.uint8).astype(np.int64) - 1
        if name == "train" and self.folds is not None:
            line = (self._base / self.folds_list_file).read_text().splitlines()[self.folds]
            rows = np.array(line.split(), np.int64)
            return images[rows], labels[rows]
        return images, labels

    def extra_repr(self) -> str:
        """The split."""
        return f"Split: {self.split}"

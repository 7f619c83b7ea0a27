"""CIFAR-10 and CIFAR-100: pickles of Python 2, read without running them."""

from __future__ import annotations

from typing import Any

import numpy as np

from triptych.errors import FileFormatError
from triptych.serialization import read_pickle

from .listed import ArrayDataset, index_of
from .preparing import Remote, prepare
from .vision import OneTransform, PathLike

__all__ = ["CIFAR10", "CIFAR100"]


class CIFAR10(ArrayDataset):
    """Small photographs of ten kinds of things, 32 x 32 pixels; 50,000 to train, 10,000 to test.

    Args:
        root: the files lie in `root/cifar-10-batches-py`.
        train: the training part or the test part.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the label.
        download: fetch the files when they are missing or damaged.

    Attributes:
        data: (n, 32, 32, 3) uint8 NumPy array.
        targets: list of labels.
        classes: names of the labels.
        class_to_idx: index of each.

    Raises:
        MissingDataError: files are missing or damaged, and download is False.
        UnsafeFileError: a file asks for anything but data; nothing was executed.

    Source: A. Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny Images".
    """

    base_folder = "cifar-10-batches-py"
    url = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    filename = "cifar-10-python.tar.gz"
    tgz_md5 = "c58f30108f718f92721af3b95e74349a"
    train_list = [
        ["data_batch_1", "c99cafc152244af753f735de768cd75f"],
        ["data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"],
        ["data_batch_3", "54ebc095f3ab1f0389bbae665268c751"],
        ["data_batch_4", "634d18415352ddfa80567beed471001a"],
        ["data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"],
    ]
    test_list = [["test_batch", "40351d587109b95175f43aff81a1287e"]]
    meta = {
        "filename": "batches.meta",
        "key": "label_names",
        "md5": "5ff9c542aee3614f3951f8cda6e48888",
    }
    _label_key = "labels"

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
        files: dict[str, str] = dict(self.train_list + self.test_list)
        files[self.meta["filename"]] = self.meta["md5"]
        prepare(
            type(self).__name__,
            self.folder,
            {f"{self.base_folder}/{name}": md5 for name, md5 in files.items()},
            [Remote(self.url, self.tgz_md5, filename=self.filename)],
            download=download,
        )
        batches = [self._read(name) for name, _ in (self.train_list if train else self.test_list)]
        flat = np.concatenate([batch["data"] for batch in batches])
        self.data = flat.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        self.targets: list[int] = [y for batch in batches for y in batch[self._label_key]]
        self.classes: list[str] = self._read(self.meta["filename"])[self.meta["key"]]
        self.class_to_idx = index_of(self.classes)

    @property
    def labels(self) -> Any:
        """The targets."""
        return self.targets

    def _read(self, name: str) -> dict[str, Any]:
        path = self.folder / self.base_folder / name
        content = read_pickle(path, encoding="latin1")
        if not isinstance(content, dict):
            raise FileFormatError(f"{path}: wanted a dict, got a {type(content).__name__}")
        return content

    def extra_repr(self) -> str:
        """The split."""
        return f"Split: {'Train' if self.train else 'Test'}"


class CIFAR100(CIFAR10):
    """Small photographs of a hundred kinds of things, 32 x 32 pixels, in `root/cifar-100-python`.

    Arguments and attributes are those of `CIFAR10`; labels are the fine ones.
    """

    base_folder = "cifar-100-python"
    url = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    filename = "cifar-100-python.tar.gz"
    tgz_md5 = "eb9058c3a382ffc7106e4002c42a8d85"
    train_list = [["train", "16019d7e3df5f24257cddd939b257f8d"]]
    test_list = [["test", "f0ef6b0ae62326f3e7ffdfab6717acfc"]]
    meta = {
        "filename": "meta",
        "key": "fine_label_names",
        "md5": "7973b15100ade9c7d40fb424638fde48",
    }
    _label_key = "fine_labels"

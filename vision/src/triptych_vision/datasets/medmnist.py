"""MedMNIST: twelve small sets of medical images."""

from __future__ import annotations

from typing import Any

import numpy as np

from .listed import ArrayDataset
from .preparing import Remote, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike

__all__ = ["MedMNIST"]

_URL = "https://zenodo.org/record/6496656/files/{}.npz?download=1"
_MD5 = {
    "bloodmnist": "7053d0359d879ad8a5505303e11de1dc",
    "breastmnist": "750601b1f35ba3300ea97c75c52ff8f6",
    "chestmnist": "02c8a6516a18b556561a56cbdd36c4a8",
    "dermamnist": "0744692d530f8e62ec473284d019b0c7",
    "octmnist": "c68d92d5b585d8d81f7112f81e2d0842",
    "organamnist": "866b832ed4eeba67bfb9edee1d5544e6",
    "organcmnist": "0afa5834fb105f7705a7d93372119a21",
    "organsmnist": "e5c39f1af030238290b9557d9503af9d",
    "pathmnist": "a8b06965200029087d5bd730944a56c1",
    "pneumoniamnist": "28209eda62fecd6e6a2d98b1501bb15f",
    "retinamnist": "bd4c0672f1bba3e3a89f0e4e876791e4",
    "tissuemnist": "ebe78ee8b05294063de985d821c1c34b",
}


class MedMNIST(ArrayDataset):
    """Medical images of 28 x 28 pixels, of one of twelve kinds.

    Args:
        root: the file lies in `root/medmnist`.
        name: "bloodmnist", "breastmnist", "chestmnist", "dermamnist", "octmnist", "organamnist",
            "organcmnist", "organsmnist", "pathmnist", "pneumoniamnist", "retinamnist" or
            "tissuemnist".
        split: "train", "val" or "test".
        transform: called with the image, a PIL image in mode L or RGB.
        target_transform: called with the target: the class, or (14,) zeros and ones of chestmnist.
        download: fetch the file when it is missing.

    Attributes:
        data: (n, 28, 28) or (n, 28, 28, 3) uint8.
        labels: (n,) integers; (n, 14) for chestmnist.

    Raises:
        MissingDataError: the file is missing and download is False.

    Source: J. Yang et al. 2023, Scientific Data 10:41; addresses and hashes of medmnist 2.1.
    """

    def __init__(
        self,
        root: PathLike,
        name: str = "pathmnist",
        split: str = "train",
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.name = verify_str_arg(name, "name", tuple(_MD5))
        self.split = verify_str_arg(split, "split", ("train", "val", "test"))
        file = f"medmnist/{name}.npz"
        remote = Remote(_URL.format(name), _MD5[name], "medmnist", f"{name}.npz", unpack=False)
        prepare("MedMNIST", self.folder, {file: None}, [remote], download=download)
        with np.load(self.folder / file, allow_pickle=False) as arrays:
            self.data = arrays[f"{split}_images"]
            labels = arrays[f"{split}_labels"]
        self.labels = labels[:, 0] if labels.shape[1] == 1 else labels

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, class), or (image, (14,) array) for chestmnist."""
        if self.labels.ndim == 1:
            return super().__getitem__(index)
        from PIL import Image

        return self.sample(Image.fromarray(self.data[index]), self.labels[index])

    def extra_repr(self) -> str:
        """Which set, and the split."""
        return f"name={self.name}, split={self.split}"

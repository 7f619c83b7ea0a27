"""What data sets share that are a list of images with a target each, or an array of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .folder import default_loader
from .vision import OneTransform, PathLike, VisionDataset

__all__ = ["ArrayDataset", "ListedDataset", "index_of", "joined", "opened", "read_lines"]

Loader = Callable[[str], Any]


def index_of(classes: Sequence[str]) -> dict[str, int]:
    """Index of each class."""
    return {name: index for index, name in enumerate(classes)}


def read_lines(path: Path) -> list[str]:
    """The lines of a text file without white space at either end; empty ones are left out."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def opened(path: PathLike, mode: str | None = None) -> Any:
    """The image in a file as a PIL image, in a mode or in its own; the file is closed again."""
    from PIL import Image

    with Image.open(path) as image:
        if mode is not None:
            return image.convert(mode)
        image.load()
        return image


def joined(targets: Sequence[Any]) -> Any:
    """Several targets as a tuple, one as itself, none as None."""
    return tuple(targets) if len(targets) > 1 else (targets[0] if targets else None)


class ListedDataset(VisionDataset):
    """Images in files, each with a target. A subclass fills `samples` in its constructor.

    Args:
        root: folder of the files.
        transform: called with the image.
        target_transform: called with the target.
        loader: called with a path, gives the image; default a PIL image in mode RGB.

    Attributes:
        samples: (path, target) of each image.
    """

    samples: Sequence[tuple[str, Any]]

    def __init__(
        self,
        root: PathLike,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.loader = loader
        self.samples = []

    @property
    def targets(self) -> list[Any]:
        """Target of each image."""
        return [target for _, target in self.samples]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, target)."""
        path, target = self.samples[index]
        return self.sample(self.loader(path), target)

    def __len__(self) -> int:
        """Number of images."""
        return len(self.samples)


class ArrayDataset(VisionDataset):
    """Images in one array, with labels. A subclass fills `data` and `labels`.

    Attributes:
        data: uint8; (n, h, w), (n, h, w, 3) or, where `channels_first`, (n, 3, h, w).
        labels: (n,) integers.
    """

    data: Any
    labels: Any
    channels_first = False

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, label)."""
        from PIL import Image

        pixels = np.asarray(self.data[index])
        image = Image.fromarray(pixels.transpose(1, 2, 0) if self.channels_first else pixels)
        return self.sample(image, int(self.labels[index]))

    def __len__(self) -> int:
        """Number of images."""
        return len(self.data)

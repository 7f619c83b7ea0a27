"""Pictures of several sizes in one batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import triptych as tp

__all__ = ["ImageList"]


@dataclass
class ImageList:
    """A padded batch, and how large each picture in it is.

    Args:
        tensors: (n, c, h, w), each picture in the top left corner, zeros around it.
        image_sizes: (h, w) of each picture without the zeros.
    """

    tensors: tp.Tensor
    image_sizes: list[tuple[int, int]]

    def to(self, device: Any) -> ImageList:
        """The same on another device."""
        return ImageList(self.tensors.to(device), self.image_sizes)

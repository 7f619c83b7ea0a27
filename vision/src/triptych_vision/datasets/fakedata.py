"""Random images, to try a program before its data is there."""

from __future__ import annotations

from typing import Any

import triptych as tp
from triptych.errors import BoundsError

from ..transforms.functional import to_pil_image
from .vision import OneTransform, VisionDataset

__all__ = ["FakeData"]


class FakeData(VisionDataset):
    """Random PIL images with random labels; sample i is always the same.

    Args:
        size: number of samples.
        image_size: (c, h, w) of each.
        num_classes: labels are 0 to num_classes - 1.
        transform: called with the image.
        target_transform: called with the label.
        random_offset: sample i is drawn from the seed i + random_offset.

    Example:
        >>> image, label = FakeData(size=4, image_size=(3, 8, 6))[0]
        >>> image.size, image.mode, 0 <= label < 10
        ((6, 8), 'RGB', True)
    """

    def __init__(
        self,
        size: int = 1000,
        image_size: tuple[int, int, int] = (3, 224, 224),
        num_classes: int = 10,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        random_offset: int = 0,
    ) -> None:
        super().__init__(None, transform=transform, target_transform=target_transform)
        self.size = size
        self.image_size = image_size
        self.num_classes = num_classes
        self.random_offset = random_offset

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, label)."""
        if not -len(self) <= index < len(self):
            raise BoundsError(f"FakeData: index {index} is out of range for {len(self)} samples")
        draw = tp.Generator().manual_seed(index % len(self) + self.random_offset)
        pixels = tp.randint(0, 256, self.image_size, generator=draw, dtype=tp.uint8)
        label = tp.randint(0, self.num_classes, (1,), generator=draw).item()
        return self.sample(to_pil_image(pixels), label)

    def __len__(self) -> int:
        """Number of samples."""
        return self.size

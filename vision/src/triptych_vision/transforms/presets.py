"""The preparation that goes with pretrained weights: `weights.transforms()` gives one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import DTypeError, ShapeError

from . import functional as F
from .functional.resizing import Mode
from .interpolation import InterpolationMode, interpolation_mode
from .kinds import is_array, is_pil
from .transform import Transform

__all__ = ["ImageClassification"]

# Mean and deviation of the training images of ImageNet-1k, red, green, blue, values from 0 to 1;
# the numbers every torchvision classifier was trained with.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class ImageClassification(Transform):
    """From a photograph to what an ImageNet classifier takes.

    Resizes the shorter side, cuts out the middle, scales to values from 0 to 1, normalises.

    Args:
        crop_size: height and width of the middle, in pixels.
        resize_size: of the shorter side, in pixels.
        mean: of red, green and blue.
        std: deviation of red, green and blue.
        interpolation: of the resizing.
        antialias: when shrinking, let every old pixel count.

    Raises:
        ShapeError: an image has more or fewer channels than mean, or has them on another axis.
        DTypeError: what came alone is no image but a path, a number or the like.

    Example:
        >>> ImageClassification(crop_size=224)(tp.zeros(3, 300, 400, dtype=tp.uint8)).shape
        Size([3, 224, 224])
    """

    def __init__(
        self,
        *,
        crop_size: int,
        resize_size: int = 256,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        interpolation: Mode = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.crop_size = [crop_size]
        self.resize_size = [resize_size]
        self.mean = list(mean)
        self.std = list(std)
        self.interpolation = interpolation_mode(interpolation)
        self.antialias = antialias

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Raise for what is no image, and for other channels, before any work is done."""
        alone = len(flat_inputs) == 1
        if alone and not (is_pil(flat_inputs[0]) or is_array(flat_inputs[0])):
            raise _no_image(flat_inputs[0])
        for part in flat_inputs:
            if alone or self.selects(part):
                self._check_channels(part)

    def _check_channels(self, image: Any) -> None:
        wanted = max(len(self.mean), len(self.std))
        if wanted == 1:  # one mean for all channels, however many
            return
        if is_pil(image):
            if len(image.getbands()) != wanted:
                raise ShapeError(
                    f"ImageClassification: wanted a PIL image of {wanted} channels, got mode "
                    f"{image.mode!r}; use image.convert('RGB')"
                )
            return
        shape, (axis, other, layout, hint) = tuple(image.shape), _layout(image)
        if len(shape) < 3 or shape[axis] != wanted:
            swapped = len(shape) == 3 and shape[other] == wanted
            raise ShapeError(
                f"ImageClassification: wanted {layout} with {wanted} channels, got shape {shape}"
                + (f"; use {hint}" if swapped else "")
            )

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """(..., 3, crop_size, crop_size) float32, whatever kind the image is of."""
        image = F.resize(inpt, self.resize_size, self.interpolation, antialias=self.antialias)
        x = F.to_image(F.center_crop(image, self.crop_size))
        x = F.to_dtype(x, tp.float32, scale=True)
        return F.normalize(x, self.mean, self.std)

    def describe(self) -> str:
        """The steps in words."""
        return (
            "Takes PIL images, NumPy arrays (h, w, c) and tensors (..., c, h, w). The shorter side "
            f"is resized to {self.resize_size[0]} pixels ({self.interpolation.value}), the middle "
            f"{self.crop_size[0]} x {self.crop_size[0]} is cut out, values are scaled to [0, 1] "
            f"and normalised with mean={self.mean} and std={self.std}."
        )


def _no_image(inpt: Any) -> DTypeError:
    is_path = isinstance(inpt, str | bytes | os.PathLike)
    return DTypeError(
        "ImageClassification: wanted a PIL image, a NumPy array (h, w, c) or a tensor (c, h, w), "
        f"got {type(inpt).__name__}"
        + ("; open the file first: PIL.Image.open(path).convert('RGB')" if is_path else "")
    )


def _layout(image: Any) -> tuple[int, int, str, str]:
    """Axis of the channels, where they are by mistake, the layout, and how to get there."""
    if isinstance(image, np.ndarray):
        return -1, -3, "a NumPy array (..., h, w, c)", "image.transpose(1, 2, 0)"
    return -3, -1, "a tensor (..., c, h, w)", "image.permute(2, 0, 1)"

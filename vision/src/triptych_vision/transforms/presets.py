"""The preparation that goes with pretrained weights: `weights.transforms()` gives one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import DTypeError, ShapeError

from . import functional as F
from .functional.conversion import normalized_bytes
from .functional.resizing import Mode
from .interpolation import InterpolationMode, interpolation_mode
from .kinds import is_array, is_pil
from .transform import Transform

__all__ = [
    "ImageClassification",
    "ObjectDetection",
    "OpticalFlow",
    "SemanticSegmentation",
    "VideoClassification",
]

# Mean and deviation of the training images of ImageNet-1k, red, green, blue, values from 0 to 1;
# the numbers every torchvision classifier was trained with.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
# The same of Kinetics-400, for torchvision's residual networks of videos.
KINETICS_MEAN = (0.43216, 0.394666, 0.37645)
KINETICS_STD = (0.22803, 0.22145, 0.216989)


class ColourPreset(Transform):
    """Base of the presets: knows mean and deviation of each channel, and refuses other channels.

    Args:
        mean: of red, green and blue.
        std: deviation of red, green and blue.
        interpolation: of the resizing.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], interpolation: Mode) -> None:
        super().__init__()
        self.mean = list(mean)
        self.std = list(std)
        self.interpolation = interpolation_mode(interpolation)

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Raise for what is no image, and for other channels, before any work is done."""
        alone = len(flat_inputs) == 1
        if alone and not (is_pil(flat_inputs[0]) or is_array(flat_inputs[0])):
            raise self._no_image(flat_inputs[0])
        for part in flat_inputs:
            if alone or self.selects(part):
                self._check_channels(part)

    def _check_channels(self, image: Any) -> None:
        name, wanted = type(self).__name__, max(len(self.mean), len(self.std))
        if wanted == 1:  # one mean for all channels, however many
            return
        if is_pil(image):
            if len(image.getbands()) != wanted:
                raise ShapeError(
                    f"{name}: wanted a PIL image of {wanted} channels, got mode "
                    f"{image.mode!r}; use image.convert('RGB')"
                )
            return
        shape, (axis, other, layout, hint) = tuple(image.shape), _layout(image)
        if len(shape) < 3 or shape[axis] != wanted:
            swapped = len(shape) == 3 and shape[other] == wanted
            raise ShapeError(
                f"{name}: wanted {layout} with {wanted} channels, got shape {shape}"
                + (f"; use {hint}" if swapped else "")
            )

    def _no_image(self, inpt: Any) -> DTypeError:
        is_path = isinstance(inpt, str | bytes | os.PathLike)
        return DTypeError(
            f"{type(self).__name__}: wanted a PIL image, a NumPy array (h, w, c) or a tensor "
            f"(c, h, w), got {type(inpt).__name__}"
            + ("; open the file first: PIL.Image.open(path).convert('RGB')" if is_path else "")
        )

    def normalised(self, image: Any) -> tp.Tensor:
        """(..., c, h, w) float32 tensor of an image of any kind, normalised.

        Args:
            image: a PIL image, an array (..., h, w, c) or a tensor (..., c, h, w).

        Returns:
            Values from 0 to 1, less the mean, over the deviation.
        """
        x = F.to_pure_tensor(F.to_image(image))
        if x.dtype is tp.uint8:  # divided, as in torchvision's presets; 1 / 255 times rounds apart
            out = normalized_bytes(x, 1.0, 255.0, self.mean, self.std)
            if out is not None:
                return out
            x = x.to(tp.float32) / 255
        x = F.to_dtype(x, tp.float32, scale=True)
        return F.normalize(x, self.mean, self.std)


class ImageClassification(ColourPreset):
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
        super().__init__(mean, std, interpolation)
        self.crop_size = [crop_size]
        self.resize_size = [resize_size]
        self.antialias = antialias

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """(..., 3, crop_size, crop_size) float32, whatever kind the image is of."""
        image = F.resize(inpt, self.resize_size, self.interpolation, antialias=self.antialias)
        return self.normalised(F.center_crop(image, self.crop_size))

    def describe(self) -> str:
        """The steps in words."""
        return (
            "Takes PIL images, NumPy arrays (h, w, c) and tensors (..., c, h, w). The shorter side "
            f"is resized to {self.resize_size[0]} pixels ({self.interpolation.value}), the middle "
            f"{self.crop_size[0]} x {self.crop_size[0]} is cut out, values are scaled to [0, 1] "
            f"and normalised with mean={self.mean} and std={self.std}."
        )


class SemanticSegmentation(ColourPreset):
    """From a photograph to what a segmenter takes: resized and normalised.

    Args:
        resize_size: of the shorter side, in pixels; None leaves the size.
        mean: of red, green and blue.
        std: deviation of red, green and blue.
        interpolation: of the resizing.
        antialias: when shrinking, let every old pixel count.

    Raises:
        ShapeError: an image has more or fewer channels than mean, or has them on another axis.
        DTypeError: what came alone is no image.

    Example:
        >>> SemanticSegmentation(resize_size=60)(tp.zeros(3, 90, 120, dtype=tp.uint8)).shape
        Size([3, 60, 80])
    """

    def __init__(
        self,
        *,
        resize_size: int | None,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        interpolation: Mode = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__(mean, std, interpolation)
        self.resize_size = None if resize_size is None else [resize_size]
        self.antialias = antialias

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """(..., 3, h, w) float32, whatever kind the image is of."""
        if self.resize_size is not None:
            inpt = F.resize(inpt, self.resize_size, self.interpolation, antialias=self.antialias)
        return self.normalised(inpt)

    def describe(self) -> str:
        """The steps in words."""
        first = (
            ""
            if self.resize_size is None
            else (
                f"The shorter side is resized to {self.resize_size[0]} pixels "
                f"({self.interpolation.value}). "
            )
        )
        return (
            "Takes PIL images, NumPy arrays (h, w, c) and tensors (..., c, h, w). "
            f"{first}Values are scaled to [0, 1] and normalised with mean={self.mean} and "
            f"std={self.std}."
        )


class VideoClassification(ColourPreset):
    """From the frames of a video to what a classifier of videos takes.

    Resizes, cuts out the middle, scales to values from 0 to 1, normalises, and puts the channels
    before the frames.

    Args:
        crop_size: height and width of the middle, in pixels.
        resize_size: of the shorter side, or height and width, in pixels.
        mean: of red, green and blue.
        std: deviation of red, green and blue.
        interpolation: of the resizing, which never smooths before it shrinks.

    Raises:
        ShapeError: the frames have more or fewer channels than mean, or there is no axis of frames.
        DTypeError: what came alone is no array.

    Example:
        >>> preset = VideoClassification(crop_size=(8, 8), resize_size=(10, 12))
        >>> preset(tp.zeros(4, 3, 20, 30, dtype=tp.uint8)).shape
        Size([3, 4, 8, 8])
    """

    def __init__(
        self,
        *,
        crop_size: tuple[int, int],
        resize_size: tuple[int] | tuple[int, int],
        mean: Sequence[float] = KINETICS_MEAN,
        std: Sequence[float] = KINETICS_STD,
        interpolation: Mode = InterpolationMode.BILINEAR,
    ) -> None:
        super().__init__(mean, std, interpolation)
        self.crop_size = list(crop_size)
        self.resize_size = list(resize_size)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """(..., t, 3, h, w) to (..., 3, t, crop_size), float32."""
        if is_pil(inpt) or len(inpt.shape) < 4:
            raise ShapeError(
                "VideoClassification: wanted frames (..., t, c, h, w), got one image; stack them"
            )
        frames = F.resize(inpt, self.resize_size, self.interpolation, antialias=False)
        x = self.normalised(F.center_crop(frames, self.crop_size))
        return x.transpose(-4, -3)

    def describe(self) -> str:
        """The steps in words."""
        return (
            "Takes tensors of frames (..., t, c, h, w). They are resized to "
            f"{self.resize_size} ({self.interpolation.value}), the middle {self.crop_size} is cut "
            f"out, values are scaled to [0, 1] and normalised with mean={self.mean} and "
            f"std={self.std}; the channels come before the frames, (..., c, t, h, w)."
        )


class ObjectDetection(ColourPreset):
    """From a photograph to what a detector takes: values from 0 to 1, at any size.

    Raises:
        ShapeError: an image has not three channels, or has them on another axis.
        DTypeError: what came alone is no image but a path, a number or the like.

    Example:
        >>> ObjectDetection()(tp.full((3, 2, 2), 255, dtype=tp.uint8)).max()
        tensor(1.)
    """

    def __init__(self) -> None:
        super().__init__((0.0,) * 3, (1.0,) * 3, InterpolationMode.BILINEAR)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """(..., 3, h, w) float32, whatever kind the image is of."""
        return F.to_pure_tensor(F.to_dtype(F.to_image(inpt), tp.float32, scale=True))

    def describe(self) -> str:
        """The steps in words."""
        return (
            "Takes PIL images, NumPy arrays (h, w, c) and tensors (..., c, h, w); values are "
            "scaled to [0, 1]. The detector resizes and normalises by itself."
        )


class OpticalFlow(ColourPreset):
    """Two frames of a video, scaled to values from -1 to 1.

    Raises:
        ShapeError: an image has not three channels, or has them on another axis.
        DTypeError: an input is no image.

    Example:
        >>> first, second = OpticalFlow()(tp.zeros(3, 8, 8), tp.ones(3, 8, 8))
        >>> first.mean(), second.mean()
        (tensor(-1.), tensor(1.))
    """

    def __init__(self) -> None:
        super().__init__((0.5,) * 3, (0.5,) * 3, InterpolationMode.BILINEAR)

    def forward(self, img1: Any, img2: Any) -> tuple[tp.Tensor, tp.Tensor]:
        """Both images as (..., 3, h, w) float32."""
        for image in (img1, img2):
            self.check_inputs([image])
        return self.normalised(img1), self.normalised(img2)

    def describe(self) -> str:
        """The steps in words."""
        return (
            "Takes two PIL images, NumPy arrays (h, w, c) or tensors (..., c, h, w); values are "
            "scaled to [-1, 1]."
        )


def _layout(image: Any) -> tuple[int, int, str, str]:
    """Axis of the channels, where they are by mistake, the layout, and how to get there."""
    if isinstance(image, np.ndarray):
        return -1, -3, "a NumPy array (..., h, w, c)", "image.transpose(1, 2, 0)"
    return -3, -1, "a tensor (..., c, h, w)", "image.permute(2, 0, 1)"

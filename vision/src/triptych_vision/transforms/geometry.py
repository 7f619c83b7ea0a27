"""Transforms of shape and place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych.errors import ShapeError

from . import functional as F
from .containers import checked_probability
from .functional.geometry import Fill, sides, two_lengths
from .functional.resizing import Mode, resized_size
from .interpolation import InterpolationMode, interpolation_mode
from .transform import RandomTransform, Transform

__all__ = [
    "CenterCrop",
    "FiveCrop",
    "Pad",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "RandomVerticalFlip",
    "Resize",
    "TenCrop",
]


class Resize(Transform):
    """Change height and width.

    Args:
        size: (h, w), or an int for the shorter side, or None with max_size.
        interpolation: an `InterpolationMode`, its string, or Pillow's code.
        max_size: bound of the longer side, when size is an int.
        antialias: when shrinking, let every old pixel count.

    Example:
        >>> Resize((4, 6))(tp.zeros(3, 8, 8)).shape
        Size([3, 4, 6])
    """

    def __init__(
        self,
        size: int | Sequence[int] | None,
        interpolation: Mode = InterpolationMode.BILINEAR,
        max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        resized_size((1, 1), size, max_size)  # refuses what is no size now, not at the first image
        self.size = size
        self.interpolation = interpolation_mode(interpolation)
        self.max_size = max_size
        self.antialias = antialias

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image resized."""
        return F.resize(inpt, self.size, self.interpolation, self.max_size, self.antialias)


class CenterCrop(Transform):
    """Cut out the middle; a smaller image is framed with zeros first.

    Args:
        size: (h, w), or one length for both.
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = two_lengths("CenterCrop", size)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The middle."""
        return F.center_crop(inpt, self.size)


class FiveCrop(Transform):
    """The four corners and the middle, as a tuple in the image's place.

    Args:
        size: (h, w) of each, or one length for both.
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = two_lengths("FiveCrop", size)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Five images."""
        return F.five_crop(inpt, self.size)


class TenCrop(Transform):
    """`FiveCrop` of the image and of its mirror image.

    Args:
        size: (h, w) of each, or one length for both.
        vertical_flip: mirror top and bottom in place of left and right.
    """

    def __init__(self, size: int | Sequence[int], vertical_flip: bool = False) -> None:
        super().__init__()
        self.size = two_lengths("TenCrop", size)
        self.vertical_flip = vertical_flip

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Ten images."""
        return F.ten_crop(inpt, self.size, self.vertical_flip)


class Pad(Transform):
    """Put a frame around the image.

    Args:
        padding: widths in pixels: one, (left and right, top and bottom), or (left, top, right,
            bottom).
        fill: value of a constant frame, one or one per channel.
        padding_mode: "constant", "edge", "reflect" or "symmetric".
    """

    def __init__(
        self, padding: int | Sequence[int], fill: Fill = 0, padding_mode: str = "constant"
    ) -> None:
        super().__init__()
        sides(padding)
        self.padding = padding
        self.fill = fill
        self.padding_mode = padding_mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The framed image."""
        return F.pad(inpt, self.padding, self.fill, self.padding_mode)


class _RandomFlip(RandomTransform):
    """Mirror the images with a probability.

    Args:
        p: the probability.
        generator: of the draw.
    """

    flip: Any

    def __init__(self, p: float = 0.5, *, generator: tp.Generator | None = None) -> None:
        super().__init__(generator=generator)
        self.p = checked_probability(type(self).__name__, p)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Whether to mirror."""
        return {"apply": self.uniform() < self.p}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image, mirrored or not."""
        return self.flip(inpt) if params["apply"] else inpt


class RandomHorizontalFlip(_RandomFlip):
    """Mirror left and right with probability p.

    Args:
        p: the probability.
        generator: of the draw.
    """

    flip = staticmethod(F.horizontal_flip)


class RandomVerticalFlip(_RandomFlip):
    """Mirror top and bottom with probability p.

    Args:
        p: the probability.
        generator: of the draw.
    """

    flip = staticmethod(F.vertical_flip)


class RandomCrop(RandomTransform):
    """Cut out a rectangle at a random place.

    Args:
        size: (h, w), or one length for both.
        padding: frame put around the image first, as of `Pad`.
        pad_if_needed: frame an image that is smaller than size.
        fill: value of a constant frame.
        padding_mode: "constant", "edge", "reflect" or "symmetric".
        generator: of the draw.
    """

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        pad_if_needed: bool = False,
        fill: Fill = 0,
        padding_mode: str = "constant",
        *,
        generator: tp.Generator | None = None,
    ) -> None:
        super().__init__(generator=generator)
        self.size = two_lengths("RandomCrop", size)
        self.padding = None if padding is None else sides(padding)
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self.padding_mode = padding_mode

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The frame and the corner, from the size of the first image.

        Raises:
            ShapeError: the image is smaller than size.
        """
        if not flat_inputs:
            return {}
        left, top, right, bottom = self.padding or (0, 0, 0, 0)
        height, width = F.get_size(flat_inputs[0])
        if self.pad_if_needed:
            missing = [
                max(want - have, 0)
                for want, have in zip(
                    self.size, (height + top + bottom, width + left + right), strict=True
                )
            ]
            top, bottom = top + missing[0], bottom + missing[0]
            left, right = left + missing[1], right + missing[1]
        free = height + top + bottom - self.size[0], width + left + right - self.size[1]
        if min(free) < 0:
            raise ShapeError(
                f"RandomCrop: size {self.size} is larger than the image, {(height, width)}, with "
                f"its frame; use pad_if_needed=True"
            )
        corner = self.integer(0, free[0]), self.integer(0, free[1])
        return {"frame": (left, top, right, bottom), "corner": corner}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The rectangle."""
        if any(params["frame"]):
            inpt = F.pad(inpt, params["frame"], self.fill, self.padding_mode)
        top, left = params["corner"]
        return F.crop(inpt, top, left, *self.size)

    @staticmethod
    def get_params(
        img: Any, output_size: tuple[int, int], *, generator: tp.Generator | None = None
    ) -> tuple[int, int, int, int]:
        """A random rectangle (top, left, height, width) of an image, for use with `crop`."""
        draw = RandomCrop(output_size, generator=generator).make_params([img])
        return (*draw["corner"], *output_size)


class RandomResizedCrop(RandomTransform):
    """Cut out a rectangle of random area and shape, and resize it.

    Args:
        size: (h, w) of the result, or one length for both.
        scale: least and most area of the rectangle, as parts of the image's.
        ratio: least and most width over height of the rectangle.
        interpolation: an `InterpolationMode`, its string, or Pillow's code.
        antialias: when shrinking, let every old pixel count.
        generator: of the draws.

    Source: Szegedy et al. 2015, "Going deeper with convolutions", section 6.
    """

    def __init__(
        self,
        size: int | Sequence[int],
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: Mode = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
        *,
        generator: tp.Generator | None = None,
    ) -> None:
        super().__init__(generator=generator)
        self.size = two_lengths("RandomResizedCrop", size)
        for name, (low, high) in (("scale", scale), ("ratio", ratio)):
            if not 0 < low <= high:
                raise ValueError(f"RandomResizedCrop: {name} is (least, most), got {(low, high)}")
        self.scale = tuple(scale)
        self.ratio = tuple(ratio)
        self.interpolation = interpolation_mode(interpolation)
        self.antialias = antialias

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The rectangle, from the size of the first image; the middle if ten draws do not fit."""
        if not flat_inputs:
            return {}
        height, width = F.get_size(flat_inputs[0])
        logs = [math.log(r) for r in self.ratio]
        for _ in range(10):
            area = height * width * self.uniform(*self.scale)
            ratio = math.exp(self.uniform(*logs))
            h, w = round(math.sqrt(area / ratio)), round(math.sqrt(area * ratio))
            if 0 < h <= height and 0 < w <= width:
                top, left = self.integer(0, height - h), self.integer(0, width - w)
                return {"rectangle": (top, left, h, w)}
        return {"rectangle": self._middle(height, width)}

    def _middle(self, height: int, width: int) -> tuple[int, int, int, int]:
        """As much of the middle as the ratio lets be."""
        ratio = min(max(width / height, self.ratio[0]), self.ratio[1])
        h, w = min(height, round(width / ratio)), min(width, round(height * ratio))
        return (height - h) // 2, (width - w) // 2, h, w

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The rectangle, resized."""
        top, left, height, width = params["rectangle"]
        return F.resized_crop(
            inpt, top, left, height, width, self.size, self.interpolation, self.antialias
        )

    @staticmethod
    def get_params(
        img: Any,
        scale: Sequence[float],
        ratio: Sequence[float],
        *,
        generator: tp.Generator | None = None,
    ) -> tuple[int, int, int, int]:
        """A random rectangle (top, left, height, width) of an image, for `resized_crop`."""
        draw = RandomResizedCrop(1, scale, ratio, generator=generator).make_params([img])
        return draw["rectangle"]

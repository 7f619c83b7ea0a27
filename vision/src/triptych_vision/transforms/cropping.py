"""Random crops."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych.errors import BoundsError, DTypeError, ShapeError

from .. import tv_tensors
from ..ops.boxes import box_iou
from ..tv_tensors.base import plain
from . import functional as F
from .filling import FillByKind, checked_fill_by_kind, fill_for
from .functional.boxes import converted
from .functional.geometry import sides, two_lengths
from .functional.resizing import Mode
from .interpolation import InterpolationMode, interpolation_mode
from .kinds import is_image
from .queries import get_bounding_boxes, has_any, query_size
from .transform import RandomTransform

__all__ = ["RandomCrop", "RandomIoUCrop", "RandomResizedCrop"]


class RandomCrop(RandomTransform):
    """Cut out a rectangle at a random place.

    Args:
        size: (h, w), or one length for both.
        padding: frame put around the image first, as of `Pad`.
        pad_if_needed: frame an image that is smaller than size.
        fill: value of a constant frame: one, one per channel, or a dict of these by type.
        padding_mode: "constant", "edge", "reflect" or "symmetric".
        generator: of the draw.
        per_sample: one draw for each sample of a batch.
    """

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        pad_if_needed: bool = False,
        fill: FillByKind = 0,
        padding_mode: str = "constant",
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(generator=generator, per_sample=per_sample)
        self.size = two_lengths("RandomCrop", size)
        self.padding = None if padding is None else sides(padding)
        self.pad_if_needed = pad_if_needed
        self.fill = checked_fill_by_kind("RandomCrop", fill)
        self.padding_mode = padding_mode

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The frame and the corner, from the size of the sample.

        Raises:
            ShapeError: the image is smaller than size.
        """
        if not flat_inputs:
            return {}
        left, top, right, bottom = self.padding or (0, 0, 0, 0)
        height, width = query_size(flat_inputs)
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
            fill = fill_for(self.fill, inpt)
            inpt = self.call_kernel(F.pad, inpt, params["frame"], fill, self.padding_mode)
        top, left = params["corner"]
        return self.call_kernel(F.crop, inpt, top, left, *self.size)

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
        per_sample: one draw for each sample of a batch.

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
        per_sample: bool = False,
    ) -> None:
        super().__init__(generator=generator, per_sample=per_sample)
        self.size = two_lengths("RandomResizedCrop", size)
        for name, (low, high) in (("scale", scale), ("ratio", ratio)):
            if not 0 < low <= high:
                raise ValueError(f"RandomResizedCrop: {name} is (least, most), got {(low, high)}")
        self.scale = tuple(scale)
        self.ratio = tuple(ratio)
        self.interpolation = interpolation_mode(interpolation)
        self.antialias = antialias

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The rectangle, from the size of the sample; the middle if ten draws do not fit."""
        if not flat_inputs:
            return {}
        height, width = query_size(flat_inputs)
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
        return self.call_kernel(
            F.resized_crop,
            inpt,
            *(top, left, height, width),
            self.size,
            self.interpolation,
            self.antialias,
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


class RandomIoUCrop(RandomTransform):
    """Cut out a random rectangle that holds enough of some box.

    Boxes with their centre outside of it become empty (zeros); drop them, with their labels and
    masks, by `SanitizeBoundingBoxes`.

    Args:
        min_scale: least side of the rectangle, as a part of the image's.
        max_scale: largest side.
        min_aspect_ratio: least width over height.
        max_aspect_ratio: largest width over height.
        sampler_options: overlaps (intersection over union of the rectangle and a box) of which
            one is drawn as the least; 1 or more leaves the sample as it is. Default 0, 0.1, 0.3,
            0.5, 0.7, 0.9, 1.
        trials: rectangles that are tried before another overlap is drawn.
        generator: of the draws.

    Raises:
        BoundsError: there are no options, or no trials.
        DTypeError: the sample has no image or no boxes.

    Source: Liu et al. 2016, "SSD: Single shot multibox detector", section 2.2.
    """

    def __init__(
        self,
        min_scale: float = 0.3,
        max_scale: float = 1.0,
        min_aspect_ratio: float = 0.5,
        max_aspect_ratio: float = 2.0,
        sampler_options: Sequence[float] | None = None,
        trials: int = 40,
        *,
        generator: tp.Generator | None = None,
    ) -> None:
        super().__init__(generator=generator)
        options = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
        self.options = list(options if sampler_options is None else sampler_options)
        if not self.options or trials < 1:
            raise BoundsError(
                f"RandomIoUCrop: wanted some sampler_options and trials, got {sampler_options} and "
                f"{trials}"
            )
        self.min_scale, self.max_scale = min_scale, max_scale
        self.min_aspect_ratio, self.max_aspect_ratio = min_aspect_ratio, max_aspect_ratio
        self.trials = trials

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Raise unless there are an image and boxes."""
        if not (has_any(flat_inputs, is_image) and has_any(flat_inputs, tv_tensors.BoundingBoxes)):
            raise DTypeError("RandomIoUCrop: wanted a sample of an image and BoundingBoxes")

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The rectangle and which boxes have their centre in it; nothing to leave all as it is."""
        size = query_size(flat_inputs)
        boxes = _hulls(get_bounding_boxes(flat_inputs))
        while True:
            least = self.options[self.integer(0, len(self.options) - 1)]
            if least >= 1:
                return {}
            for _ in range(self.trials):
                rectangle = self._rectangle(*size)
                if rectangle is None:
                    continue
                inside = _centres_inside(boxes, rectangle)
                if _overlaps(boxes[inside], rectangle, least):
                    return {"rectangle": rectangle, "inside": inside}

    def _rectangle(self, height: int, width: int) -> tuple[int, int, int, int] | None:
        """(top, left, height, width), or None if its shape is not wanted."""
        w = int(width * self.uniform(self.min_scale, self.max_scale))
        h = int(height * self.uniform(self.min_scale, self.max_scale))
        if not h or not w or not self.min_aspect_ratio <= w / h <= self.max_aspect_ratio:
            return None
        left, top = int((width - w) * self.uniform()), int((height - h) * self.uniform())
        return top, left, h, w

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The rectangle; boxes with their centre outside become zeros."""
        if not params:
            return inpt
        out = self.call_kernel(F.crop, inpt, *params["rectangle"])
        if isinstance(out, tv_tensors.BoundingBoxes):
            out = tv_tensors.wrap(tp.where(params["inside"][:, None], out, 0), like=out)
        return out


def _hulls(boxes: tv_tensors.BoundingBoxes) -> tp.Tensor:
    """(n, 4) left, top, right, bottom of boxes, rotated ones too."""
    formats = tv_tensors.BoundingBoxFormat
    bare = plain(boxes)
    if not boxes.format.rotated:
        return converted(bare, boxes.format, formats.XYXY)
    points = converted(bare, boxes.format, formats.XYXYXYXY).reshape(-1, 4, 2)
    return tp.cat((points.amin(1), points.amax(1)), 1)


def _centres_inside(boxes: tp.Tensor, rectangle: tuple[int, int, int, int]) -> tp.Tensor:
    """(n,) bool."""
    top, left, height, width = rectangle
    x, y = (boxes[:, 0] + boxes[:, 2]) * 0.5, (boxes[:, 1] + boxes[:, 3]) * 0.5
    return (left < x) & (x < left + width) & (top < y) & (y < top + height)


def _overlaps(boxes: tp.Tensor, rectangle: tuple[int, int, int, int], least: float) -> bool:
    """Whether there are boxes, and one of them overlaps enough."""
    top, left, height, width = rectangle
    if not boxes.shape[0]:
        return False
    sides = [[left, top, left + width, top + height]]
    other = tp.tensor(sides, dtype=boxes.dtype, device=boxes.device)
    return bool((box_iou(boxes, other) >= least).any())

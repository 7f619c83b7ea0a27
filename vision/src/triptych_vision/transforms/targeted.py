"""Crops that keep what a sample is about, and mosaics of four samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import DTypeError, ShapeError

from .. import tv_tensors
from . import functional as F
from .filling import FillByKind, checked_fill_by_kind, fill_for
from .functional.boxes import converted
from .functional.geometry import two_lengths
from .limits import checked_range
from .queries import query_size
from .transform import RandomApplyTransform, RandomTransform, checked_probability

__all__ = ["BBoxSafeRandomCrop", "CropNonEmptyMaskIfExists", "Mosaic"]


class BBoxSafeRandomCrop(RandomApplyTransform):
    """A random rectangle that holds all boxes cut out, with a probability.

    Args:
        erosion_rate: how much of the area around all boxes may be lost on each side, from 0,
            nothing, to 1; without boxes, how much of each side of the image.
        p: the probability.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.

    Raises:
        BoundsError: erosion_rate is beyond.
    """

    def __init__(
        self,
        erosion_rate: float = 0.0,
        p: float = 1.0,
        *,
        generator: tp.Generator | None = None,
    ) -> None:
        super().__init__(p, generator=generator)
        name = "BBoxSafeRandomCrop: erosion_rate"
        self.erosion_rate = checked_range(name, float(erosion_rate), 0, 1)[0]

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The rectangle (top, left, height, width)."""
        height, width = query_size(flat_inputs)
        low, high = self._kept(flat_inputs, (height, width))
        top, left = self.integer(0, low[0]), self.integer(0, low[1])
        bottom, right = self.integer(high[0], height), self.integer(high[1], width)
        return {"rectangle": (top, left, bottom - top, right - left)}

    def _kept(
        self, flat_inputs: list[Any], size: tuple[int, int]
    ) -> tuple[tuple[int, int], tuple[int, int]]:
        """First and last (row, column) that the rectangle must hold."""
        boxes = [p for p in flat_inputs if isinstance(p, tv_tensors.BoundingBoxes) and p.numel()]
        sides = [_upright(part) for part in boxes]
        if sides:
            every = np.concatenate(sides)
            low = np.clip(every[:, [1, 0]].min(0), 0, size)
            high = np.clip(every[:, [3, 2]].max(0), 0, size)
        else:
            low, high = np.zeros(2), np.array(size, float)
        eroded = (high - low) * self.erosion_rate / 2
        first, last = np.floor(low + eroded).astype(int), np.ceil(high - eroded).astype(int)
        first = np.minimum(first, np.array(size) - 1)
        last = np.maximum(last, first + 1)
        return (int(first[0]), int(first[1])), (int(last[0]), int(last[1]))

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The rectangle."""
        return self.call_kernel(F.crop, inpt, *params["rectangle"])


def _upright(boxes: tv_tensors.BoundingBoxes) -> np.ndarray:
    """(n, 4) left, top, right and bottom of boxes, rotated ones, too."""
    formats = tv_tensors.BoundingBoxFormat
    corners = formats.XYXYXYXY if boxes.format.rotated else formats.XYXY
    plain = F.to_pure_tensor(boxes).to(tp.float64)
    points = converted(plain, boxes.format, corners).cpu().numpy().reshape(len(boxes), -1, 2)
    return np.concatenate((points.min(1), points.max(1)), 1)


class CropNonEmptyMaskIfExists(RandomApplyTransform):
    """A rectangle around a random pixel of the masks cut out; without one, a random rectangle.

    Args:
        height: of the rectangle, in pixels, at most the image's.
        width: likewise.
        ignore_values: of masks; these count as empty, as 0 does.
        p: the probability.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: a rectangle of its own for each sample of a batch.

    Raises:
        ShapeError: when called, the image is smaller.
    """

    def __init__(
        self,
        height: int,
        width: int,
        ignore_values: Sequence[int] | None = None,
        p: float = 1.0,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        self.height, self.width = two_lengths("CropNonEmptyMaskIfExists", (height, width))
        self.ignore_values = None if ignore_values is None else list(ignore_values)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The rectangle (top, left, height, width)."""
        size, want = query_size(flat_inputs), (self.height, self.width)
        free = [n - w for n, w in zip(size, want, strict=True)]
        if min(free) < 0:
            raise ShapeError(f"CropNonEmptyMaskIfExists: {want} is larger than the image, {size}")
        set_pixels = np.flatnonzero(self._set(flat_inputs, size))
        if not len(set_pixels):
            return {"rectangle": (self.integer(0, free[0]), self.integer(0, free[1]), *want)}
        pixel = divmod(int(set_pixels[self.integer(0, len(set_pixels) - 1)]), size[1])
        corner = [
            min(max(at - self.integer(0, w - 1), 0), most)
            for at, w, most in zip(pixel, want, free, strict=True)
        ]
        return {"rectangle": (*corner, *want)}

    def _set(self, flat_inputs: list[Any], size: tuple[int, int]) -> np.ndarray:
        """(h, w) bool, where a mask is not empty."""
        out = np.zeros(size, bool)
        for part in flat_inputs:
            if isinstance(part, tv_tensors.Mask):
                values = F.to_pure_tensor(part).cpu().numpy().reshape(-1, *size)
                out |= ((values != 0) & ~np.isin(values, self.ignore_values or [])).any(0)
        return out

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The rectangle."""
        return self.call_kernel(F.crop, inpt, *params["rectangle"])


Target = Mapping[str, Any]
Window = tuple[slice, slice]  # rows and columns
_QUARTERS = ((0, 0), (0, 1), (1, 0), (1, 1))  # (lower, right) of the four parts of a mosaic


class Mosaic(RandomTransform):
    """Four images around a random centre, with the boxes and masks that are left of them.

    Called with a list of images and a list of targets, as detection models take them; each image
    is joined with three others of the list, drawn at random. A target is a dict; its
    `BoundingBoxes` and `Mask` (n, h, w) follow the images, tensors of as many entries as boxes,
    such as "labels", go along, and other entries stay as the first image's.

    Args:
        output_size: (h, w) of the result, or one length for both.
        center_range: (least, most) place of the centre, as parts of height and width.
        fill: what lies beyond an image that is smaller than its part.
        min_visibility: least part of a box's area that must be left, from 0 to 1.
        p: probability; an image that is not joined is resized to output_size.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.

    Raises:
        DTypeError: not a list of images and one of targets with `BoundingBoxes`.
        ShapeError: these are of several lengths.
        BoundsError: center_range or min_visibility is beyond.

    Example:
        >>> boxes = tv_tensors.BoundingBoxes([[0, 0, 8, 8]], format="XYXY", canvas_size=(8, 8))
        >>> targets = [{"boxes": boxes, "labels": tp.tensor([i])} for i in range(4)]
        >>> images = [tp.full((3, 8, 8), float(i)) for i in range(4)]
        >>> images, targets = Mosaic(8, center_range=(0.5, 0.5), p=1)(images, targets)
        >>> images[0].shape, targets[0]["boxes"].shape
        (Size([3, 8, 8]), Size([4, 4]))

    Source: Bochkovskiy, Wang, Liao 2020, "YOLOv4", section 3.4.
    """

    def __init__(
        self,
        output_size: int | Sequence[int],
        center_range: Sequence[float] = (0.3, 0.7),
        fill: FillByKind = 0,
        min_visibility: float = 0.1,
        p: float = 1.0,
        *,
        generator: tp.Generator | None = None,
    ) -> None:
        super().__init__(generator=generator)
        self.output_size = two_lengths("Mosaic", output_size)
        self.center_range = checked_range("Mosaic: center_range", center_range, 0, 1)
        self.fill = checked_fill_by_kind("Mosaic", fill)
        name = "Mosaic: min_visibility"
        self.min_visibility = checked_range(name, float(min_visibility), 0, 1)[0]
        self.p = checked_probability("Mosaic", p)

    def forward(self, *inputs: Any) -> Any:
        """(images, targets), each joined with three others."""
        images, targets = _checked(inputs if len(inputs) > 1 else inputs[0])
        out = [self._one(images, targets, i) for i in range(len(images))]
        return [image for image, _ in out], [target for _, target in out]

    def _one(self, images: Sequence[Any], targets: Sequence[Target], i: int) -> tuple[Any, Target]:
        if self.uniform() >= self.p:
            return self._resized(images[i], targets[i])
        chosen = [i, *(self.integer(0, len(images) - 1) for _ in range(3))]
        order = tp.randperm(4, generator=self.generator).tolist()
        height, width = self.output_size
        center = (
            round(height * self.uniform(*self.center_range)),
            round(width * self.uniform(*self.center_range)),
        )
        parts = [
            self._part(images[chosen[n]], targets[chosen[n]], center, quarter)
            for n, quarter in zip(order, _QUARTERS, strict=True)
        ]
        first = order.index(0)
        windows = [self._window(center, quarter) for quarter in _QUARTERS]
        image = tv_tensors.wrap(_tiled([part for part, _ in parts], windows), like=images[i])
        return image, _joined([target for _, target in parts], targets[i], first, windows)

    def _resized(self, image: Any, target: Target) -> tuple[Any, dict[str, Any]]:
        size = list(self.output_size)
        moved = {k: F.resize(v, size) if _follows(v) else v for k, v in target.items()}
        return F.resize(image, size), moved

    def _window(self, center: tuple[int, int], quarter: tuple[int, int]) -> Window:
        """Rows and columns of the mosaic that an image fills."""
        rows, columns = (
            slice(c, n) if far else slice(0, c)
            for c, n, far in zip(center, self.output_size, quarter, strict=True)
        )
        return rows, columns

    def _part(
        self, image: Any, target: Target, center: tuple[int, int], quarter: tuple[int, int]
    ) -> tuple[Any, dict[str, Any]]:
        """An image and target on the whole canvas, cut to their part of it.

        The inner corner of an image lies on the centre.
        """
        height, width = F.get_size(image)
        top = center[0] if quarter[0] else center[0] - height
        left = center[1] if quarter[1] else center[1] - width
        frame = (left, top, self.output_size[1] - left - width, self.output_size[0] - top - height)

        def placed(part: Any) -> Any:
            return F.pad(part, list(frame), fill_for(self.fill, part))

        boxes_key = _boxes_key(target)
        inside = {key: placed(v) if _follows(v) else v for key, v in target.items()}
        window = self._window(center, quarter)
        loose = tv_tensors.wrap(target[boxes_key], like=target[boxes_key], clamping_mode=None)
        boxes, keep = _cut(placed(loose), window, self.min_visibility)
        inside[boxes_key] = tv_tensors.wrap(boxes, like=inside[boxes_key])
        count = len(keep)
        for key, value in inside.items():
            if isinstance(value, tv_tensors.Mask) and value.ndim > 2:
                inside[key] = tv_tensors.wrap(_only(value, window), like=value)
            if isinstance(value, tp.Tensor) and value.ndim and len(value) == count:
                inside[key] = tv_tensors.wrap(F.to_pure_tensor(inside[key])[keep], like=value)
        return F.to_pure_tensor(placed(image)), inside


def _tiled(parts: list[Any], windows: list[Window]) -> tp.Tensor:
    """Tensors (..., h, w) joined, each in its window of rows and columns."""
    plain = [F.to_pure_tensor(part) for part in parts]
    out = plain[0].clone()
    for part, (rows, columns) in zip(plain[1:], windows[1:], strict=True):
        out[..., rows, columns] = part[..., rows, columns]
    return out


def _checked(sample: Any) -> tuple[Sequence[Any], Sequence[Target]]:
    pair = isinstance(sample, tuple | list) and len(sample) == 2
    if not pair or not all(isinstance(part, tuple | list) for part in sample):
        raise DTypeError("Mosaic: wanted a list of images and a list of targets")
    images, targets = sample
    if len(images) != len(targets):
        raise ShapeError(f"Mosaic: got {len(images)} images and {len(targets)} targets")
    for image, target in zip(images, targets, strict=True):
        if not isinstance(image, tp.Tensor) or not isinstance(target, Mapping):
            raise DTypeError(
                "Mosaic: wanted tensors (c, h, w) and dicts, got "
                f"{type(image).__name__} and {type(target).__name__}"
            )
        _boxes_key(target)
    return images, targets


def _follows(value: Any) -> bool:
    return isinstance(value, tv_tensors.BoundingBoxes | tv_tensors.Mask)


def _boxes_key(target: Target) -> str:
    keys = [k for k, v in target.items() if isinstance(v, tv_tensors.BoundingBoxes)]
    if len(keys) != 1 or target[keys[0]].format.rotated:
        raise DTypeError(
            f"Mosaic: wanted one BoundingBoxes, not rotated, in each target, got {sorted(target)}"
        )
    return keys[0]


def _cut(boxes: Any, window: Window, least: float) -> tuple[tp.Tensor, tp.Tensor]:
    """Boxes cut to a window, in their format and dtype, and (n,) bool which have enough left."""
    xyxy = tv_tensors.BoundingBoxFormat.XYXY
    plain = F.to_pure_tensor(boxes)
    wide = plain if plain.is_floating_point() else plain.to(tp.float32)
    x1, y1, x2, y2 = converted(wide, boxes.format, xyxy).unbind(-1)
    rows, columns = window
    left, right = (x.clamp(columns.start, columns.stop) for x in (x1, x2))
    top, bottom = (y.clamp(rows.start, rows.stop) for y in (y1, y2))
    after, before = (right - left) * (bottom - top), (x2 - x1) * (y2 - y1)
    cut = converted(tp.stack((left, top, right, bottom), -1), xyxy, boxes.format)
    return cut.to(plain.dtype), (after > 0) & (after >= least * before)


def _only(mask: Any, window: Window) -> tp.Tensor:
    """Masks, empty outside of a window."""
    plain = F.to_pure_tensor(mask)
    out = tp.zeros_like(plain)
    out[..., window[0], window[1]] = plain[..., window[0], window[1]]
    return out


def _joined(
    parts: list[dict[str, Any]], own: Target, first: int, windows: list[Window]
) -> dict[str, Any]:
    """One target of four."""
    boxes_key = _boxes_key(own)
    out: dict[str, Any] = {}
    for key, value in own.items():
        entries = isinstance(value, tp.Tensor) and value.ndim and len(value) == len(own[boxes_key])
        if isinstance(value, tv_tensors.Mask) and value.ndim == 2:
            out[key] = tv_tensors.wrap(_tiled([part[key] for part in parts], windows), like=value)
        elif entries and all(key in part for part in parts):
            joined = tp.cat([F.to_pure_tensor(part[key]) for part in parts])
            out[key] = tv_tensors.wrap(joined, like=parts[first][key])
        else:
            out[key] = parts[first][key]
    return out

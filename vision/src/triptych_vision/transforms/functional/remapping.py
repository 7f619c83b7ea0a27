"""Reading an image at places of one's own: maps of coordinates, and matrices that make them.

A map says for each new pixel where in the old image it is read. Boxes and keypoints go the other
way: the map is inverted, from the nearest of some pixels by Newton's steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import ShapeError

from ...tv_tensors import BoundingBoxes, BoundingBoxFormat, KeyPoints, Mask
from ..blockwise import Places
from ..dispatch import functional, kind_kernel, register_kernel, tensor_kernel
from ..interpolation import InterpolationMode, interpolation_mode
from ..kinds import PIL_IMAGE
from ..sampling import Fill, float_for, sample
from .boxes import clamped, converted
from .conversion import pil_to_tensor, to_pil_image
from .resizing import Mode
from .rotated import rectangle
from .size import get_size

__all__ = ["remap", "remap_bounding_boxes", "warp_affine", "warp_perspective"]

_COARSE = 48  # rows and columns of the map that the nearest pixel is looked for among, at most
_STEPS = 4  # of Newton's method, which doubles the digits each time
_PER_SIDE = 8  # points along each side of a box that are followed


def _checked_maps(map_x: Any, map_y: Any) -> tuple[tp.Tensor, tp.Tensor]:
    x, y = tp.as_tensor(map_x), tp.as_tensor(map_y)
    if x.ndim != 2 or x.shape != y.shape:
        raise ShapeError(
            f"remap: map_x and map_y are (new h, new w) both, got {tuple(x.shape)} and "
            f"{tuple(y.shape)}"
        )
    return x, y


@functional
def remap(
    inpt: Any,
    map_x: Any,
    map_y: Any,
    interpolation: Mode = InterpolationMode.BILINEAR,
    fill: Fill = None,
) -> Any:
    """The image read at places between its pixels.

    Args:
        inpt: an image of any kind, a mask, boxes or keypoints.
        map_x: (new h, new w), the column where each new pixel is read; 0 is the middle of the
            first.
        map_y: the row, likewise.
        interpolation: nearest or bilinear. Masks take the nearest.
        fill: what lies outside of the image, one value or one per channel; default zero.

    Returns:
        The image, same kind and dtype, of the size of the maps. Keypoints and boxes are where
        their content went.

    Raises:
        ShapeError: maps of other axes or of two shapes.

    Example:
        >>> image = tp.arange(4.0).reshape(1, 1, 4)
        >>> remap(image, tp.tensor([[3.0, 0.5]]), tp.zeros(1, 2)).tolist()
        [[[3.0, 0.5]]]
    """
    columns, rows = _checked_maps(map_x, map_y)
    height, width = inpt.shape[-2:]
    dtype = float_for(inpt)
    x = (2 * columns.to(inpt.device, dtype) + 1) / width - 1
    y = (2 * rows.to(inpt.device, dtype) + 1) / height - 1
    places = Places("given", (x, y))
    size = (int(x.shape[0]), int(x.shape[1]))
    return sample("remap", inpt, places, size, interpolation_mode(interpolation), fill)


@register_kernel(remap, PIL_IMAGE)
def _remap_pil(
    image: Any,
    map_x: Any,
    map_y: Any,
    interpolation: Mode = InterpolationMode.BILINEAR,
    fill: Fill = None,
) -> Any:
    out = remap(pil_to_tensor(image), map_x, map_y, interpolation, fill)
    return to_pil_image(out, image.mode)


@kind_kernel(remap, Mask)
def _remap_mask(mask: tp.Tensor, map_x: Any, map_y: Any, fill: Fill = None) -> tp.Tensor:
    kernel = tensor_kernel(remap)
    image = mask[None] if mask.ndim == 2 else mask
    out = kernel(image, map_x, map_y, InterpolationMode.NEAREST, fill)
    return out[0] if mask.ndim == 2 else out


@kind_kernel(remap, KeyPoints)
def _remap_keypoints(
    keypoints: tp.Tensor, map_x: Any, map_y: Any
) -> tuple[tp.Tensor, tuple[int, int]]:
    maps = _maps(map_x, map_y)
    moved = _found(keypoints.detach().cpu().numpy().reshape(-1, 2), maps)
    out = tp.from_numpy(moved).reshape(keypoints.shape).to(keypoints.device, keypoints.dtype)
    return out, maps.shape[:2]


@kind_kernel(remap, BoundingBoxes)
def remap_bounding_boxes(
    bounding_boxes: tp.Tensor,
    format: BoundingBoxFormat,
    map_x: Any,
    map_y: Any,
    clamping_mode: str | None = "soft",
) -> tuple[tp.Tensor, tuple[int, int]]:
    """Boxes around what `remap` makes of their sides; rotated ones move with their corners.

    Args:
        bounding_boxes: (..., 4), rotated ones (..., 5) or (..., 8), in pixels.
        format: of the boxes: a member of `BoundingBoxFormat`.
        map_x: (new h, new w), the column where each new pixel is read.
        map_y: the row, likewise.
        clamping_mode: how boxes are cut to the canvas: "soft", "hard" or None.

    Returns:
        Boxes of the same shape and dtype, and the new canvas size (h, w).
    """
    maps = _maps(map_x, map_y)
    size = maps.shape[0], maps.shape[1]
    if not bounding_boxes.numel():
        return bounding_boxes, size
    middle = BoundingBoxFormat.XYXYXYXY if format.rotated else BoundingBoxFormat.XYXY
    wide = bounding_boxes if bounding_boxes.is_floating_point() else bounding_boxes.to(tp.float32)
    sides = converted(wide, format, middle).detach().cpu().numpy().reshape(-1, middle.length)
    around = sides.reshape(-1, 4, 2) if format.rotated else _around(sides)
    moved = _found(around.reshape(-1, 2) - 0.5, maps).reshape(around.shape) + 0.5
    if format.rotated:
        out = rectangle(tp.from_numpy(moved.reshape(-1, 8)))
    else:
        out = tp.from_numpy(np.concatenate((moved.min(1), moved.max(1)), 1))
    out = clamped(out.to(wide.device, wide.dtype), middle, size, clamping_mode)
    return converted(out, middle, format).reshape(wide.shape).to(bounding_boxes.dtype), size


def _maps(map_x: Any, map_y: Any) -> np.ndarray:
    """(new h, new w, 2) float64."""
    x, y = _checked_maps(map_x, map_y)
    return np.stack([m.detach().cpu().numpy().astype(np.float64) for m in (x, y)], -1)


def _around(boxes: np.ndarray) -> np.ndarray:
    """Points along the sides of boxes (n, 4), (n, 4 * _PER_SIDE, 2)."""
    share = np.arange(_PER_SIDE) / _PER_SIDE
    one, zero = np.ones(_PER_SIDE), np.zeros(_PER_SIDE)
    x = np.concatenate((share, one, 1 - share, zero))
    y = np.concatenate((zero, share, one, 1 - share))
    left, top, right, bottom = (boxes[:, i : i + 1] for i in range(4))
    return np.stack((left + (right - left) * x, top + (bottom - top) * y), -1)


def _found(points: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """The new places (n, 2) that are read at old points (n, 2)."""
    height, width = maps.shape[:2]
    if min(height, width) < 2 or not len(points):
        return points.astype(np.float64)
    rows, columns = (
        np.unique(np.linspace(0, n - 1, min(n, _COARSE)).round()) for n in maps.shape[:2]
    )
    nodes = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)
    read = maps[nodes[:, 1].astype(int), nodes[:, 0].astype(int)]
    distance = (read**2).sum(1) - 2 * points @ read.T  # (points, nodes), less the points' squares
    place = nodes[distance.argmin(1)]
    for _ in range(_STEPS):
        value, right, down = _read(maps, place)
        error = points - value
        area = right[:, 0] * down[:, 1] - right[:, 1] * down[:, 0]
        safe = np.where(np.abs(area) > 1e-9, area, np.inf)  # a fold of the map: stay
        x = (error[:, 0] * down[:, 1] - error[:, 1] * down[:, 0]) / safe
        y = (right[:, 0] * error[:, 1] - right[:, 1] * error[:, 0]) / safe
        place = place + np.stack((x, y), 1)
    return place


def _read(maps: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The map at places between pixels, and how it grows to the right and down, (n, 2) each."""
    height, width = maps.shape[:2]
    last = (width - 2, height - 2)
    corner = np.clip(np.floor(place), 0, last).astype(int)  # beyond the edge the last cell goes on
    x, y = (place - corner).T[:, :, None]
    i, j = corner[:, 1], corner[:, 0]
    a, b, c, d = maps[i, j], maps[i, j + 1], maps[i + 1, j], maps[i + 1, j + 1]
    value = (a * (1 - x) + b * x) * (1 - y) + (c * (1 - x) + d * x) * y
    return value, (b - a) * (1 - y) + (d - c) * y, (c - a) * (1 - x) + (d - b) * x


def warp_perspective(
    inpt: Any,
    M: Any,
    dsize: Sequence[int] | None = None,
    interpolation: Mode = InterpolationMode.BILINEAR,
    fill: Fill = None,
) -> Any:
    """The image under a homography.

    Args:
        inpt: an image of any kind, a mask, boxes or keypoints.
        M: (3, 3), takes old pixels (x, y, 1) to new ones; (0, 0) is the middle of the first pixel.
            For a batch of tensors (n, c, h, w) also (n, 3, 3).
        dsize: (new h, new w); default the old size.
        interpolation: nearest or bilinear. Masks take the nearest.
        fill: what lies outside of the image, one value or one per channel; default zero.

    Returns:
        The image, same kind and dtype.

    Raises:
        ShapeError: another shape of M.
        ValueError: M has no inverse.

    Example:
        >>> right = [[1, 0, 1], [0, 1, 0], [0, 0, 1]]
        >>> warp_perspective(tp.tensor([[[1.0, 2.0, 3.0]]]), right).tolist()
        [[[0.0, 1.0, 2.0]]]

    Source: Hartley and Zisserman 2004, "Multiple view geometry", section 2.3.
    """
    matrix = _matrix("warp_perspective", M, 3)
    if matrix.ndim == 3:
        _check_batch(inpt, matrix)
        images = zip(inpt.unbind(0), matrix, strict=True)
        return tp.stack([warp_perspective(x, m, dsize, interpolation, fill) for x, m in images])
    if abs(np.linalg.det(matrix)) < 1e-12:
        raise ValueError(f"warp_perspective: M has no inverse, got {matrix.tolist()}")
    height, width = get_size(inpt) if dsize is None else dsize
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    old = np.linalg.inv(matrix) @ np.stack([columns, rows, np.ones_like(rows)]).reshape(3, -1)
    below = np.where(np.abs(old[2]) > 1e-12, old[2], np.nan)
    with np.errstate(invalid="ignore"):
        x, y = (np.where(below > 0, v / below, -1e6).reshape(height, width) for v in old[:2])
    return remap(inpt, tp.from_numpy(x), tp.from_numpy(y), interpolation, fill)


def warp_affine(
    inpt: Any,
    M: Any,
    dsize: Sequence[int] | None = None,
    interpolation: Mode = InterpolationMode.BILINEAR,
    fill: Fill = None,
) -> Any:
    """The image under an affine map.

    Args:
        inpt: an image of any kind, a mask, boxes or keypoints.
        M: (2, 3), takes old pixels (x, y, 1) to new ones; for a batch of tensors also (n, 2, 3).
        dsize: (new h, new w); default the old size.
        interpolation: nearest or bilinear. Masks take the nearest.
        fill: what lies outside of the image, one value or one per channel; default zero.

    Returns:
        The image, same kind and dtype.

    Raises:
        ShapeError: another shape of M.
        ValueError: M has no inverse.
    """
    matrix = _matrix("warp_affine", M, 2)
    last = np.broadcast_to(np.array([0.0, 0.0, 1.0]), (*matrix.shape[:-2], 1, 3))
    return warp_perspective(inpt, np.concatenate((matrix, last), -2), dsize, interpolation, fill)


def _matrix(name: str, value: Any, rows: int) -> np.ndarray:
    given = value.detach().cpu().numpy() if isinstance(value, tp.Tensor) else np.asarray(value)
    if given.ndim not in (2, 3) or given.shape[-2:] != (rows, 3):
        raise ShapeError(f"{name}: M is ({rows}, 3) or (n, {rows}, 3), got {given.shape}")
    return given.astype(np.float64)


def _check_batch(images: Any, matrices: np.ndarray) -> None:
    if not isinstance(images, tp.Tensor) or images.ndim != 4 or len(images) != len(matrices):
        raise ShapeError(
            f"warp_perspective: {len(matrices)} matrices are for a tensor of as many images "
            f"(n, c, h, w), got {tuple(getattr(images, 'shape', ()))}"
        )

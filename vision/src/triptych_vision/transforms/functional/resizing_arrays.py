"""Resizing in the memory of the CPU, a few planes at a time so that they stay in the cache.

A plane is one channel of one image, (h, w): resizing treats all of them alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from triptych.library import accelerated

from ..filters import FIXED_POINT_BITS, Block, Taps, filter_blocks, fixed_point_taps
from ..interpolation import InterpolationMode

__all__ = [
    "filter_passes",
    "filtered",
    "mixed",
    "resized_by_pillow",
    "resized_bytes",
    "same_without_antialias",
]

Size = Sequence[int]
Pass = tuple[int, tuple[Block, ...]]  # which axis, through which matrix
_PLANES = 4  # at a time: as many as a pixel of Pillow has; 1 to 8 are equally fast for floats
# How many planes -> a mode of Pillow that resizes them together and takes none for transparency
_PILLOW_MODES = {1: "L", 3: "RGB", 4: "CMYK"}


def _planes(x: np.ndarray) -> np.ndarray:
    """(..., h, w) as (n, h, w)."""
    return x.reshape(int(np.prod(x.shape[:-2])), *x.shape[-2:])


def _groups(num_planes: int) -> Iterator[slice]:
    return (slice(i, i + _PLANES) for i in range(0, num_planes, _PLANES))


def filter_passes(
    old: Size, new: Size, mode: InterpolationMode, antialias: bool, dtype: str
) -> list[Pass]:
    """The axes that change their length, in the order that costs less, with their matrices.

    Args:
        old: (h, w) before.
        new: (h, w) after.
        mode: any but the nearest ones.
        antialias: stretch the filter where an axis is shrunk.
        dtype: of the weights.

    Returns:
        (axis, blocks of `filter_blocks`) for each, -2 being rows and -1 columns.
    """
    passes = [
        (axis, filter_blocks(old[axis], new[axis], mode, antialias, dtype))
        for axis in (-2, -1)
        if old[axis] != new[axis]
    ]
    if len(passes) == 2:
        rows, columns = (sum(block.weights.size for block in blocks) for _, blocks in passes)
        # Products of both orders, less what they share; those of columns take twice as long each.
        if rows * (old[1] - new[1]) > 2 * columns * (old[0] - new[0]):
            passes.reverse()
    return passes


def filtered(x: np.ndarray, size: Size, passes: Sequence[Pass]) -> np.ndarray:
    """An image through its filters, as matrix products.

    Args:
        x: (..., h, w) floats.
        size: (h, w) after.
        passes: of `filter_passes`, at least one, in the dtype of x.

    Returns:
        (..., *size) in the dtype of x.
    """
    if x.strides[-1] != x.itemsize:  # else NumPy multiplies without BLAS
        x = np.ascontiguousarray(x)
    planes = _planes(x)
    out = np.empty((len(planes), *size), x.dtype)
    *first, last = passes
    for part in _groups(len(planes)):
        group = planes[part]
        for step in first:
            shape = list(group.shape)
            shape[step[0]] = size[step[0]]
            group = _multiplied(group, step, np.empty(shape, x.dtype))
        _multiplied(group, last, out[part])
    return out.reshape(*x.shape[:-2], *size)


def _multiplied(x: np.ndarray, step: Pass, out: np.ndarray) -> np.ndarray:
    """One axis of (n, h, w) through its matrix, written to out."""
    axis, blocks = step
    row = 0
    for start, stop, weights in blocks:
        part = slice(row, row + len(weights))
        if axis == -2:
            np.matmul(weights, x[:, start:stop], out=out[:, part])
        else:
            np.matmul(x[..., start:stop], weights.T, out=out[..., part])
        row = part.stop
    return out


@accelerated("resize_bytes")
def resized_bytes(x: np.ndarray, size: Size, mode: str, antialias: bool) -> np.ndarray:
    """Bytes in another size, by Pillow's arithmetic.

    Args:
        x: (..., c, h, w) uint8.
        size: (h, w) after.
        mode: value of an `InterpolationMode`, any but the nearest ones.
        antialias: when shrinking, let every old pixel count.

    Returns:
        (..., c, *size) uint8; a single image with the channels of a pixel side by side in memory
        has them so again.
    """
    return (resized_by_pillow if antialias else mixed)(x, size, InterpolationMode(mode))


def resized_by_pillow(x: np.ndarray, size: Size, mode: InterpolationMode) -> np.ndarray:
    """Bytes through Pillow's `Image.resize`, which antialiases.

    Args:
        x: (..., c, h, w) uint8.
        size: (h, w) after.
        mode: any but the nearest ones.

    Returns:
        (..., c, *size) uint8; a single image with the channels of a pixel side by side in memory
        has them so again.
    """
    if _pixel_by_pixel(x):
        pixels = np.ascontiguousarray(x.transpose(1, 2, 0))
        resized = _pillow_resized(_from_bytes(_PILLOW_MODES[len(x)], pixels), size, mode)
        return _bytes_of(resized, (*size, len(x))).copy().transpose(2, 0, 1)
    planes = _planes(x)
    out = np.empty((len(planes), *size), np.uint8)
    for part in _groups(len(planes)):
        _resize_group(planes[part], out[part], mode)
    return out.reshape(*x.shape[:-2], *size)


def _pixel_by_pixel(x: np.ndarray) -> bool:
    channels = x.shape[0]
    side_by_side = x.ndim == 3 and channels in (3, 4) and x.size > 0
    return side_by_side and (x.strides[0], x.strides[2]) == (1, channels)


def _resize_group(planes: np.ndarray, out: np.ndarray, mode: InterpolationMode) -> None:
    """(n, h, w) into (n, new h, new w): together in one image if Pillow has a mode for n bands."""
    from PIL import Image

    if len(planes) not in _PILLOW_MODES:
        for plane, new in zip(planes, out, strict=True):
            _resize_group(plane[None], new[None], mode)
        return
    image, *others = (_from_bytes("L", np.ascontiguousarray(plane)) for plane in planes)
    if others:
        image = Image.merge(_PILLOW_MODES[len(planes)], [image, *others])
    bands = _pillow_resized(image, out.shape[1:], mode).split()
    for band, new in zip(bands, out, strict=True):
        new[...] = _bytes_of(band, new.shape)


def _from_bytes(mode: str, array: np.ndarray) -> Any:
    """A PIL image over the memory of (h, w) or (h, w, c)."""
    from PIL import Image

    height, width = array.shape[:2]
    return Image.frombuffer(mode, (width, height), array, "raw", mode, 0, 1)


def _pillow_resized(image: Any, size: Size, mode: InterpolationMode) -> Any:
    return image.resize((size[1], size[0]), mode.pillow_code)


def _bytes_of(image: Any, shape: Sequence[int]) -> np.ndarray:
    """Like `np.asarray`, which asks Pillow for all bytes several times."""
    return np.frombuffer(image.tobytes(), np.uint8).reshape(shape)


def same_without_antialias(old: Size, new: Size, mode: InterpolationMode) -> bool:
    """Whether antialiasing changes nothing: no side shrinks, and no filter reaches over the edge.

    A filter of two taps has one left at the edge, whether the other is cut off or folded back.
    """
    grows = new[0] >= old[0] and new[1] >= old[1]
    return grows and mode is InterpolationMode.BILINEAR


def mixed(x: np.ndarray, size: Size, mode: InterpolationMode) -> np.ndarray:
    """Bytes without antialiasing: a few old pixels make a new one, so columns in between are left.

    Args:
        x: (..., c, h, w) uint8.
        size: (h, w) after.
        mode: any but the nearest ones.

    Returns:
        (..., c, *size) uint8, in the fixed point of Pillow: columns first, rounded in between.
    """
    height, width = x.shape[-2:]
    columns = rows = None
    if width != size[1]:
        columns = fixed_point_taps(width, size[1], mode)
    if height != size[0]:
        place, weight = fixed_point_taps(height, size[0], mode)
        used, place = np.unique(place, return_inverse=True)
        rows = Taps(place, weight)
    planes = _planes(x)
    out = np.empty((len(planes), *size), np.uint8)
    for part in _groups(len(planes)):
        group = planes[part] if rows is None else planes[part].take(used, -2)
        if columns is not None:
            group = _mixed_axis(group, -1, columns)
        out[part] = group if rows is None else _mixed_axis(group, -2, rows)
    return out.reshape(*x.shape[:-2], *size)


def _mixed_axis(x: np.ndarray, axis: int, taps: Taps) -> np.ndarray:
    total: Any = 1 << (FIXED_POINT_BITS - 1)  # a half, so that the shift rounds
    for place, weight in zip(*taps, strict=True):
        part = x.take(place, axis).astype(np.int32)
        part *= weight if axis == -1 else weight[:, None]
        part += total
        total = part
    total >>= FIXED_POINT_BITS
    if (taps.weight < 0).any():
        np.clip(total, 0, 255, out=total)
    return total.astype(np.uint8)

"""Resampling filters as matrices, so that resizing is two matrix products.

A row of the matrix holds the weights by which one new pixel mixes the old ones. Rows are cut into
blocks that touch neighbouring pixels only: the zeros of the matrix far from its diagonal are never
multiplied.

Source: the filters and the rule which pixels a filter covers are those of Pillow's `Image.resize`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

import triptych as tp

from .interpolation import InterpolationMode

__all__ = [
    "Block",
    "FIXED_POINT_BITS",
    "Taps",
    "filter_blocks",
    "filter_matrix",
    "fixed_point_taps",
    "nearest_index",
]

# Pillow keeps weights for 8-bit images as integers with this many bits after the point.
FIXED_POINT_BITS = 22
BLOCK_ROWS = 16  # new pixels per block; of 8 to 48 the fastest, or close to it, at photo sizes


def _cubic(x: np.ndarray, a: float) -> np.ndarray:
    """Keys 1981, eq. 4; Pillow takes a = -0.5, torch's interpolation without antialiasing -0.75."""
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def _box(x: np.ndarray) -> np.ndarray:
    return np.where((x > -0.5) & (x <= 0.5), 1.0, 0.0)


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.where(np.abs(x) < 1, 1 - np.abs(x), 0.0)


def _hamming(x: np.ndarray) -> np.ndarray:
    return np.where(np.abs(x) < 1, np.sinc(x) * (0.54 + 0.46 * np.cos(np.pi * x)), 0.0)


def _lanczos(x: np.ndarray) -> np.ndarray:
    return np.where((x >= -3) & (x < 3), np.sinc(x) * np.sinc(x / 3), 0.0)


class _Filter(NamedTuple):
    support: float  # how far it reaches, in pixels
    weight: Callable[[np.ndarray], np.ndarray]  # of the distance in pixels


_FILTERS = {
    InterpolationMode.BOX: _Filter(0.5, _box),
    InterpolationMode.BILINEAR: _Filter(1.0, _triangle),
    InterpolationMode.HAMMING: _Filter(1.0, _hamming),
    InterpolationMode.BICUBIC: _Filter(2.0, lambda x: _cubic(x, -0.5)),
    InterpolationMode.LANCZOS: _Filter(3.0, _lanczos),
}


class Block(NamedTuple):
    """Neighbouring new pixels: the old ones from start to stop, and the weights."""

    start: int
    stop: int
    weights: np.ndarray  # (new pixels, stop - start)


class Taps(NamedTuple):
    """The old pixels that each new one is mixed from."""

    place: np.ndarray  # (new pixels, taps) which old pixels
    weight: np.ndarray  # (new pixels, taps) float64; rows add up to one


def _antialias_taps(num_in: int, num_out: int, mode: InterpolationMode) -> Taps:
    """The filter is stretched by the reduction, so that every old pixel counts."""
    support, weight = _FILTERS[mode]
    scale = num_in / num_out
    stretch = max(scale, 1.0)
    center = (np.arange(num_out) + 0.5) * scale
    first = np.maximum((center - support * stretch + 0.5).astype(np.int64), 0)
    last = np.minimum((center + support * stretch + 0.5).astype(np.int64), num_in)
    index = first[:, None] + np.arange((last - first).max())  # (out, taps)
    weights = weight((index - center[:, None] + 0.5) * (1 / stretch))
    weights = np.where(index < last[:, None], weights, 0.0)
    weights /= weights.sum(1, keepdims=True)
    return Taps(np.minimum(index, num_in - 1), weights)


def _plain_taps(num_in: int, num_out: int, mode: InterpolationMode) -> Taps:
    """The filter keeps its size: old pixels may fall between; beyond the edge lies the edge."""
    center = (np.arange(num_out) + 0.5) * (num_in / num_out) - 0.5
    if mode is InterpolationMode.BICUBIC:
        index = np.floor(center).astype(np.int64)[:, None] + np.arange(-1, 3)
        weights = _cubic(center[:, None] - index, -0.75)
    else:
        support = _FILTERS[mode].support
        reach = int(np.ceil(support))
        index = np.floor(center).astype(np.int64)[:, None] + np.arange(1 - reach, 1 + reach)
        weights = _FILTERS[mode].weight(center[:, None] - index)
        weights /= weights.sum(1, keepdims=True)
    return Taps(np.clip(index, 0, num_in - 1), weights)


def _taps(num_in: int, num_out: int, mode: InterpolationMode, antialias: bool) -> Taps:
    return (_antialias_taps if antialias else _plain_taps)(num_in, num_out, mode)


def _dense(taps: Taps, start: int, stop: int) -> np.ndarray:
    """(rows, stop - start) weights; taps that meet in one pixel add up."""
    rows = np.arange(len(taps.place))[:, None]
    matrix = np.zeros((len(taps.place), stop - start))
    inside = taps.weight != 0
    np.add.at(
        matrix,
        (np.broadcast_to(rows, inside.shape)[inside], taps.place[inside] - start),
        taps.weight[inside],
    )
    return matrix


def filter_matrix(
    num_in: int, num_out: int, mode: InterpolationMode, antialias: bool = True
) -> np.ndarray:
    """All weights at once, (num_out, num_in) float64: new = matrix @ old along one axis.

    Args:
        num_in: pixels before.
        num_out: pixels after.
        mode: any but the nearest ones.
        antialias: stretch the filter when there are fewer pixels after than before.

    Returns:
        (num_out, num_in) float64, rows add up to one.

    Example:
        >>> filter_matrix(4, 2, InterpolationMode.BOX).tolist()
        [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
    """
    return _dense(_taps(num_in, num_out, mode, antialias), 0, num_in)


def _in_fixed_point(taps: Taps) -> Taps:
    scaled = taps.weight * (1 << FIXED_POINT_BITS)
    return taps._replace(weight=np.trunc(scaled + np.copysign(0.5, scaled)))


@lru_cache(maxsize=128)
def fixed_point_taps(num_in: int, num_out: int, mode: InterpolationMode) -> Taps:
    """Where new pixels come from without antialiasing, tap by tap.

    Args:
        num_in, num_out, mode: as for `filter_matrix`.

    Returns:
        (taps, num_out) each: the places int64, the weights int32 as multiples of
        2 ** -FIXED_POINT_BITS; do not write to them.
    """
    place, weight = _in_fixed_point(_plain_taps(num_in, num_out, mode))
    return Taps(np.ascontiguousarray(place.T), np.ascontiguousarray(weight.T, np.int32))


@lru_cache(maxsize=128)
def filter_blocks(
    num_in: int,
    num_out: int,
    mode: InterpolationMode,
    antialias: bool,
    dtype: str,
    fixed_point: bool = False,
) -> tuple[Block, ...]:
    """The rows of `filter_matrix` in blocks, each with the old pixels it needs.

    Args:
        num_in, num_out, mode, antialias: as for `filter_matrix`.
        dtype: of the weights, "float32" or "float64".
        fixed_point: round the weights to integers, as multiples of 2 ** -FIXED_POINT_BITS.

    Returns:
        The blocks in the order of the new pixels; do not write to them.
    """
    taps = _taps(num_in, num_out, mode, antialias)
    if fixed_point:
        taps = _in_fixed_point(taps)
    blocks = []
    for row in range(0, num_out, BLOCK_ROWS):
        part = Taps(*(field[row : row + BLOCK_ROWS] for field in taps))
        inside = part.place[part.weight != 0]
        start, stop = int(inside.min()), int(inside.max()) + 1
        blocks.append(Block(start, stop, _dense(part, start, stop).astype(dtype)))
    return tuple(blocks)


@lru_cache(maxsize=128)
def nearest_index(num_in: int, num_out: int, mode: InterpolationMode) -> tp.Tensor:
    """Which old pixel each new one copies, (num_out,) int64.

    Args:
        num_in: pixels before.
        num_out: pixels after.
        mode: NEAREST or NEAREST_EXACT.

    Returns:
        Indices into the old pixels. Computed in float32, as torch's interpolation does, so that
        ties fall the same way.
    """
    scale = np.float32(num_in / num_out)
    half = np.float32(0.5 if mode is InterpolationMode.NEAREST_EXACT else 0.0)
    index = ((np.arange(num_out, dtype=np.float32) + half) * scale).astype(np.int64)
    return tp.from_numpy(np.minimum(index, num_in - 1))

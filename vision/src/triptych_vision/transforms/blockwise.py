"""Sampling in the memory of the CPU, a few rows at a time.

The plain way of `sampling` makes some twenty arrays as large as the image. Here all of them are as
large as a block of rows, stay in the cache, and are written again for the next block.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from triptych.library import accelerated

__all__ = ["BLOCK_ELEMENTS", "Places", "sample_blocks"]

BLOCK_ELEMENTS = 1 << 15  # values of all channels per block; of 2 ** 13 to 2 ** 16 the fastest


class Places(NamedTuple):
    """Where new pixels are read: x and y from -1 at the left or upper edge to 1 at the other.

    Args:
        kind: how they are made of columns and rows, from which u = column - center_x and
            v = row - center_y. "affine": x = a u + b v + c and y = d u + e v + f. "projective":
            x = (a u + b v + c) / half_width / (g u + h v + 1) - 1, and y likewise. "given": they
            are there already; nan is outside.
        numbers: of "affine" (center_x, center_y, a, b, c, d, e, f), of "projective" also g, h,
            half_width and half_height, and of "given" x and y (new h, new w).
    """

    kind: str
    numbers: tuple[Any, ...]

    def at(self, columns: Any, rows: Any, part: slice) -> tuple[Any, Any]:
        """Those of some rows.

        Args:
            columns: (1, w), all of them, an array or tensor.
            rows: (n, 1).
            part: which rows these are.

        Returns:
            x and y (n, w).
        """
        if self.kind == "given":
            return self.numbers[0][part], self.numbers[1][part]
        center_x, center_y, a, b, c, d, e, f, *others = self.numbers
        u, v = columns - center_x, rows - center_y
        x, y = a * u + b * v + c, d * u + e * v + f
        if self.kind == "affine":
            return x, y
        g, h, half_width, half_height = others
        below = g * u + h * v + 1
        return x / half_width / below - 1, y / half_height / below - 1

    def in_memory(self) -> Places:
        """With arrays in place of tensors; raises where a tensor has none to show."""
        return Places(
            self.kind, tuple(n.numpy() if hasattr(n, "numpy") else n for n in self.numbers)
        )


@accelerated("sample_places")
def sample_blocks(
    image: np.ndarray,
    kind: str,
    numbers: tuple[Any, ...],
    size: tuple[int, int],
    bilinear: bool,
    fill: Sequence[float] | None,
    dtype: Any,
) -> np.ndarray:
    """An image at places between its pixels; see `sampling.sample`.

    Args:
        image: (..., c, h, w).
        kind, numbers: fields of `Places`, of arrays.
        size: (new h, new w).
        bilinear: mix the four pixels around; else take the nearest.
        fill: what lies outside, one value or one per channel.
        dtype: of coordinates and weights, float32 or float64.

    Returns:
        (..., c, new h, new w) in the image's dtype.
    """
    places = Places(kind, numbers)
    height, width = image.shape[-2:]
    framed = np.zeros((*image.shape[:-2], height + 2, width + 2), image.dtype)
    framed[..., 1:-1, 1:-1] = image
    flat = framed.reshape(-1, (height + 2) * (width + 2))
    values = None if fill is None else _values(fill, image.shape, dtype)
    out = np.empty((len(flat), *size), image.dtype)
    fill_block = _bilinear if bilinear else _nearest
    columns, rows = (np.arange(n, dtype=dtype) for n in (size[1], size[0]))
    step = max(1, BLOCK_ELEMENTS // max(1, len(flat) * size[1]))
    for start in range(0, size[0], step):
        part = slice(start, min(start + step, size[0]))
        x, y = places.at(columns[None], rows[part, None], part)
        x, y = _pixels(x, width), _pixels(y, height)
        out[:, part] = fill_block(flat, x, y, (height, width), values).reshape(len(flat), *x.shape)
    return out.reshape(*image.shape[:-2], *size)


def _values(fill: Sequence[float], shape: Sequence[int], dtype: Any) -> np.ndarray:
    """(images * channels, 1)."""
    values = np.broadcast_to(np.asarray(fill, dtype), shape[-3])
    return np.tile(values, int(np.prod(shape[:-3])))[:, None]


def _pixels(place: Any, n: int) -> np.ndarray:
    """Places in pixels, at most one outside; 0 is the middle of the first of n."""
    pixels = np.asarray(place) + 1
    pixels *= n
    pixels -= 1
    pixels *= 0.5
    np.fmax(pixels, -1, out=pixels)  # nan, too, is outside
    return np.fmin(pixels, n, out=pixels)


Size = tuple[int, int]


def _nearest(
    flat: np.ndarray, x: np.ndarray, y: np.ndarray, size: Size, values: np.ndarray | None
) -> np.ndarray:
    column, row = np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)
    out = _taken(flat, _index(column, row, size))
    if values is not None and values.any():
        inside = (column >= 0) & (column < size[1]) & (row >= 0) & (row < size[0])
        out = np.where(inside.ravel(), out, _as_dtype(values, out.dtype))
    return out


def _bilinear(
    flat: np.ndarray, x: np.ndarray, y: np.ndarray, size: Size, values: np.ndarray | None
) -> np.ndarray:
    height, width = size
    left, top = np.minimum(np.floor(x), width - 1), np.minimum(np.floor(y), height - 1)
    right_part, low_part = x - left, y - top
    column, row = left.astype(np.int64), top.astype(np.int64)
    first = _index(column, row, size)
    out: Any = 0
    for down, weight_y in ((0, 1 - low_part), (width + 2, low_part)):
        for across, weight_x in ((0, 1 - right_part), (1, right_part)):
            pixels = _taken(flat, first + (down + across)).astype(x.dtype, copy=False)
            pixels *= (weight_x * weight_y).ravel()
            pixels += out
            out = pixels
    if values is not None:
        share = _share_inside(right_part, column, width) * _share_inside(low_part, row, height)
        out -= values
        out *= share.ravel()
        out += values
    return _as_dtype(out, flat.dtype)


def _share_inside(part: np.ndarray, first: np.ndarray, n: int) -> np.ndarray:
    return np.where(first < 0, part, 1) - np.where(first + 1 >= n, part, 0)


def _index(column: np.ndarray, row: np.ndarray, size: Size) -> np.ndarray:
    """Place in the flattened image with a frame of one pixel."""
    index = row * (size[1] + 2)
    index += column
    index += size[1] + 3
    return index.ravel()


def _taken(flat: np.ndarray, index: np.ndarray) -> np.ndarray:
    return np.take(flat, index, axis=1, mode="clip")  # no index is outside; "clip" is the fastest


def _as_dtype(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return x.astype(dtype) if dtype.kind == "f" else np.rint(x).astype(dtype)

"""Adaptive pooling: windows chosen so that the output has a given size."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np

from ... import dtypes
from ...errors import DTypeError, ShapeError
from ...ops.creation import as_tensor
from ...ops.linalg import matmul
from ...prims import elementwise as ew
from ...prims import index as ix
from ...prims import movement as mv
from ...prims import reduce as rd
from ...prims.index import Slot
from ...prims.precision import computes_in, rounds_once
from ...tensor import Tensor
from .arguments import Ints, batched
from .pooling import Window, _avg_pool, _max_pool

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d",
    "adaptive_max_pool3d_with_indices",
]

Size = int | None | Sequence[int | None]


def _lengths(name: str, size: Size, space: Ints) -> Ints:
    """The output lengths; None keeps one of the input."""
    wanted: Any = tuple(size) if isinstance(size, (tuple, list)) else (size,) * len(space)
    if len(wanted) == 1:
        wanted *= len(space)
    if len(wanted) != len(space) or any(n is not None and n < 0 for n in wanted):
        raise ShapeError(f"{name}: output_size wants one length or {len(space)}, got {size}")
    if 0 in space:
        raise ShapeError(f"{name}: nothing to pool in space axes {space}")
    return tuple(n if w is None else int(w) for n, w in zip(space, wanted, strict=True))


def _bounds(n: int, count: int) -> list[tuple[int, int]]:
    """Where each of `count` windows over n elements starts and ends."""
    return [(i * n // count, -(-(i + 1) * n // count)) for i in range(count)]


def _even(name: str, space: Ints, out: Ints) -> Window | None:
    """The plain window that pools alike, when lengths divide."""
    if any(o == 0 or n % o for n, o in zip(space, out, strict=True)):
        return None
    size = tuple(n // o for n, o in zip(space, out, strict=True))
    return Window(name, len(space), size, size, 0)


@lru_cache(maxsize=256)
def _mean_matrix(n: int, count: int, dtype: Any) -> np.ndarray:
    """(n, count): the weight of every element in every window."""
    weights = np.zeros((n, count), dtype)
    for i, (a, b) in enumerate(_bounds(n, count)):
        weights[a:b, i] = 1 / (b - a)
    return weights


@rounds_once
def _avg(name: str, size: Size, x: Tensor) -> Tensor:
    space = tuple(x.shape[2:])
    out = _lengths(name, size, space)
    if out == space:
        return mv.copy(x)
    if all(n == 1 for n in out):
        axes = tuple(range(2, x.ndim))
        return ew.div(rd.sum(x, axes=axes, keepdim=True), math.prod(space))
    plain = _even(name, space, out)
    if plain is not None:
        return _avg_pool(plain, True, None, x)
    for axis, (n, count) in enumerate(zip(space, out, strict=True), start=2):
        if n != count:
            weights = as_tensor(_mean_matrix(n, count, x._data.dtype), device=x.device)
            x = _along(x, weights, axis)
    return x


def _along(x: Tensor, weights: Tensor, axis: int) -> Tensor:
    """A matrix (n, count) applied to one axis."""
    order = list(range(x.ndim))
    order[axis], order[-1] = order[-1], order[axis]
    turned = mv.permute(x, axes=tuple(order))
    return mv.permute(matmul(turned, weights), axes=tuple(order))


@computes_in("as is")
def _adaptive_avg(dims: int, input: Tensor, size: Size) -> Tensor:
    name = f"adaptive_avg_pool{dims}d"
    if not dtypes.is_inexact(input._data.dtype):
        raise DTypeError(
            f"{name}: wanted floating numbers, got {input.dtype}; convert with .float()"
        )
    return batched(name, input, dims, partial(_avg, name, size))


def adaptive_avg_pool1d(input: Tensor, output_size: Size) -> Tensor:
    """The means of output_size windows over (n, c, l); see `adaptive_avg_pool2d`."""
    return _adaptive_avg(1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: Size) -> Tensor:
    """The means of so many windows that the output has a given size.

    Args:
        input: (n, c, h, w), or one sample (c, h, w).
        output_size: (h', w') or one length for both; None keeps the input's. Window i of an axis of
            n goes from floor(i n / n') to ceil((i + 1) n / n').

    Returns:
        (n, c, h', w').

    Raises:
        ShapeError: the size has too many lengths, or there is nothing to pool.
        DTypeError: elements are not floating numbers.
    """
    return _adaptive_avg(2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: Size) -> Tensor:
    """The means of output_size windows over (n, c, d, h, w); see `adaptive_avg_pool2d`."""
    return _adaptive_avg(3, input, output_size)


def _spots(n: int, count: int) -> np.ndarray:
    """(count, longest): what each window looks at; short ones repeat their last element."""
    bounds = _bounds(n, count)
    longest = max((b - a for a, b in bounds), default=1)
    return np.array(
        [[min(a + i, b - 1) for i in range(longest)] for a, b in bounds], np.int64
    ).reshape(count, longest)


def _plane_spots(space: Ints, out: Ints) -> np.ndarray:
    """(positions, window) flat places in the plane of the space axes."""
    flat = np.zeros((1, 1), np.int64)
    for n, count in zip(space, out, strict=True):
        spots = _spots(n, count)
        grid = flat[:, None, :, None] * n + spots[None, :, None, :]
        flat = grid.reshape(flat.shape[0] * count, flat.shape[1] * spots.shape[1])
    return flat


def _max(name: str, size: Size, x: Tensor) -> tuple[Tensor, Tensor]:
    space = tuple(x.shape[2:])
    out = _lengths(name, size, space)
    plain = _even(name, space, out)
    if plain is not None:
        return _max_pool(plain, x)
    lead = tuple(x.shape[:2])
    plane = mv.reshape(x, shape=(*lead, math.prod(space)))
    spots = as_tensor(_plane_spots(space, out), device=x.device)
    seen = ix.index(plane.detach(), spots, key=(slice(None), slice(None), Slot(0)))
    best = rd.argmax(seen, axis=3, keepdim=True) if 0 not in seen.shape else seen.long()[..., :1]
    wide = mv.expand(spots, shape=(*lead, *spots.shape))
    places = mv.reshape(ix.gather(wide, best, axis=3), shape=(*lead, math.prod(out)))
    values = ix.gather(plane, places, axis=2)
    return tuple(mv.reshape(t, shape=(*lead, *out)) for t in (values, places))


def _adaptive_max(dims: int, input: Tensor, size: Size, return_indices: bool) -> Any:
    name = f"adaptive_max_pool{dims}d"
    values, places = batched(name, input, dims, partial(_max, name, size))
    return (values, places) if return_indices else values


def adaptive_max_pool1d(input: Tensor, output_size: Size, return_indices: bool = False) -> Any:
    """The maxima of output_size windows over (n, c, l); see `adaptive_max_pool2d`."""
    return _adaptive_max(1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Tensor, output_size: Size, return_indices: bool = False) -> Any:
    """The maxima of so many windows that the output has a given size.

    Args:
        input: (n, c, h, w), or one sample (c, h, w).
        output_size: (h', w') or one length for both; None keeps the input's.
        return_indices: also give the flat position of every maximum in its plane, int64.

    Returns:
        (n, c, h', w'), or a pair with the positions.

    Raises:
        ShapeError: the size has too many lengths, or there is nothing to pool.
    """
    return _adaptive_max(2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Tensor, output_size: Size, return_indices: bool = False) -> Any:
    """The maxima of output_size windows over (n, c, d, h, w); see `adaptive_max_pool2d`."""
    return _adaptive_max(3, input, output_size, return_indices)


def _with_indices(dims: int) -> Callable[..., tuple[Tensor, Tensor]]:
    def call(
        input: Tensor, output_size: Size, return_indices: bool = False
    ) -> tuple[Tensor, Tensor]:
        return _adaptive_max(dims, input, output_size, True)

    call.__name__ = call.__qualname__ = f"adaptive_max_pool{dims}d_with_indices"
    call.__doc__ = (
        f"`adaptive_max_pool{dims}d` and the flat position of every maximum in its plane."
    )
    return call


adaptive_max_pool1d_with_indices = _with_indices(1)
adaptive_max_pool2d_with_indices = _with_indices(2)
adaptive_max_pool3d_with_indices = _with_indices(3)

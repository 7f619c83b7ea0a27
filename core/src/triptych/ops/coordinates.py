"""Positions as numbers and as coordinates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import dtypes
from ..avals import integers
from ..errors import BoundsError, DTypeError, ShapeError
from ..prims import elementwise as ew
from ..prims import index as ix
from ..prims import movement as mv
from ..prims import reduce as rd
from ..tensor import Symbol, Tensor
from .creation import arange, cast_to, full
from .shape import cat, reshape, stack

__all__ = ["nonzero_static", "unravel_index"]


def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """The coordinates of the first `size` nonzero elements: a shape that no value changes.

    Args:
        input: (...) with n axes.
        size: how many rows to give.
        fill_value: in the rows for which there is no element.

    Returns:
        (size, n) int64.

    Raises:
        ShapeError: size is negative.

    Example:
        >>> from triptych import tensor
        >>> nonzero_static(tensor([0, 5, 0, 7]), size=3).tolist()
        [[1], [3], [-1]]
    """
    (size,) = integers("nonzero_static", (size,))
    if size < 0:
        raise ShapeError(f"nonzero_static: size must not be negative, got {size}")
    count = min(size, input._data.size)
    flags = cast_to(ew.eq(reshape(input.detach(), -1), 0), dtypes.INT64)
    _, order = ix.sort(flags, axis=0, descending=False)  # stable: the nonzero ones first
    places = mv.slice_(order, key=(slice(0, count),))
    found = ew.sub(input._data.size, rd.sum(flags, axes=(0,)))
    there = reshape(ew.lt(arange(count, device=input.device), found), (-1, 1))
    rows = ew.where(there, _coordinates(places, tuple(input.shape)), fill_value)
    rest = full((size - count, input.ndim), fill_value, dtype=dtypes.int64, device=input.device)
    return cat([rows, rest], 0)


def _coordinates(places: Tensor, shape: tuple[int, ...]) -> Tensor:
    """(count,) to (count, axes)."""
    columns = _unravelled(places, shape)
    return stack(columns, 1) if columns else reshape(places, (-1, 1))[:, :0]


def _unravelled(places: Tensor, shape: tuple[int, ...]) -> list[Tensor]:
    columns = []
    for axis, n in enumerate(shape):
        step = max(math.prod(shape[axis + 1 :]), 1)
        columns.append(ew.remainder(ew.floor_divide(places, step), max(n, 1)))
    return columns


def unravel_index(indices: Tensor, shape: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Positions in a flattened tensor as coordinates.

    Args:
        indices: (...) integers from 0 to the element count of shape, exclusive; negative ones
            count from the end.
        shape: of the tensor they point into.

    Returns:
        A tensor in the shape of indices for each axis of shape, int64.

    Raises:
        DTypeError: indices are no integers.
        ShapeError: a length is negative.
        BoundsError: an index is outside.

    Example:
        >>> from triptych import tensor
        >>> [axis.tolist() for axis in unravel_index(tensor([0, 5]), (2, 3))]
        [[0, 1], [0, 2]]
    """
    if indices._data.dtype.kind not in "iu":
        raise DTypeError(f"unravel_index: wanted integers, got {indices.dtype}; use .long()")
    several: Any = shape if isinstance(shape, (tuple, list)) else (shape,)
    lengths = integers("unravel_index", several)
    if any(n < 0 for n in lengths):
        raise ShapeError(f"unravel_index: lengths must not be negative, got {lengths}")
    room, data = math.prod(lengths), indices._data
    if not isinstance(data, Symbol) and data.size:
        low, high = int(data.min()), int(data.max())
        if low < -room or high >= room:
            raise BoundsError(
                f"unravel_index: index {low if low < -room else high} is outside a tensor of shape "
                f"{lengths}"
            )
    return tuple(_unravelled(cast_to(indices, dtypes.INT64), lengths))

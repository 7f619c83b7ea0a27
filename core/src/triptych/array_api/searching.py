"""Sorting, searching and sets."""

from __future__ import annotations

from typing import Any, NamedTuple

from .. import dtypes
from ..errors import ShapeError
from ..ops import index as index_ops
from ..ops import reduce as ops
from ..ops import search
from ..ops import shape as shape_ops
from ..ops.creation import full
from ..ops.pointwise import imag, real, where
from ..prims.elementwise import ne
from ..tensor import Tensor

__all__ = [
    "argmax",
    "argmin",
    "argsort",
    "isin",
    "nonzero",
    "searchsorted",
    "sort",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
    "where",
]


def argmax(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where the first largest element along an axis stands, as int64; without one, as if flat."""
    return _placed(ops.argmax, x, axis, keepdims)


def argmin(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where the first smallest element along an axis stands, as int64; without one, as if flat."""
    return _placed(ops.argmin, x, axis, keepdims)


def _placed(fn: Any, x: Tensor, axis: int | None, keepdims: bool) -> Tensor:
    if axis is None and keepdims:
        return fn(x).reshape((1,) * x.ndim)
    return fn(x, axis, keepdims)


def sort(x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """The elements in order along an axis."""
    return ops.sort(x, axis, descending, stable).values


def argsort(
    x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True
) -> Tensor:
    """The indices that bring the elements in order along an axis, as int64."""
    return ops.argsort(x, axis, descending, stable)


def nonzero(x: Tensor, /) -> tuple[Tensor, ...]:
    """The indices of elements that are not zero, one int64 array per axis.

    Raises:
        ShapeError: x has no axes.
    """
    if x.ndim == 0:
        raise ShapeError("nonzero: a 0-d array has no axes; reshape it to (1,)")
    return tuple(index_ops.nonzero(x, as_tuple=True))


def searchsorted(
    x1: Tensor, x2: Any, /, *, side: str = "left", sorter: Tensor | None = None
) -> Tensor:
    """Where each x2 would go into the ascending x1: before equal elements ("left") or after them.

    Args:
        x1: (l,) ascending, or in the order that sorter says.
        x2: of any shape.
        side: "left" or "right".
        sorter: (l,) the indices that sort x1.
    """
    return search.searchsorted(x1, x2, side=side, sorter=sorter)


def isin(x1: Any, x2: Any, /, *, invert: bool = False) -> Tensor:
    """Whether each x1 is among x2; with invert, whether it is not."""
    return search.isin(x1, x2, invert=invert)


class UniqueAll(NamedTuple):
    """Distinct values in ascending order, where each stands first, the index of each element
    among them, and how often each occurs."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """Distinct values and how often each occurs."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """Distinct values and the index of each element among them."""

    values: Tensor
    inverse_indices: Tensor


def unique_all(x: Tensor, /) -> UniqueAll:
    """Distinct values with first places, inverse and counts; each NaN is a value of its own."""
    flat = x.detach().reshape(-1)
    count = flat.shape[0]
    order = _ascending(flat)
    ordered = flat[order]
    fresh = shape_ops.concat([full((min(count, 1),), True), ne(ordered[1:], ordered[:-1])])
    starts = index_ops.nonzero(fresh, as_tuple=True)[0]
    ends = shape_ops.concat([starts[1:], full((min(count, 1),), count)])
    ranks = ops.cumsum(fresh.to(dtypes.int64), 0) - 1
    inverse = ranks[ops.argsort(order)] if count else ranks
    return UniqueAll(ordered[starts], order[starts], inverse.reshape(x.shape), ends - starts)


def _ascending(flat: Tensor) -> Tensor:
    """The indices that sort a vector; complex numbers by their real parts, then the others."""
    if not flat.dtype.is_complex:
        return ops.argsort(flat, 0, False, True)
    by_imaginary = ops.argsort(imag(flat), 0, False, True)
    return by_imaginary[ops.argsort(real(flat)[by_imaginary], 0, False, True)]


def unique_counts(x: Tensor, /) -> UniqueCounts:
    """Distinct values and counts; each NaN is a value of its own."""
    found = unique_all(x)
    return UniqueCounts(found.values, found.counts)


def unique_inverse(x: Tensor, /) -> UniqueInverse:
    """Distinct values and inverse; each NaN is a value of its own."""
    found = unique_all(x)
    return UniqueInverse(found.values, found.inverse_indices)


def unique_values(x: Tensor, /) -> Tensor:
    """Distinct values in ascending order; each NaN is a value of its own."""
    return unique_all(x).values

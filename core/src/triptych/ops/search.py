"""Finding values: membership, sorted search, distinct elements. None of these has a gradient."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..avals import normalize_axis
from ..errors import DTypeError, ShapeError
from ..tensor import Tensor
from .creation import as_tensor

__all__ = ["bucketize", "isin", "searchsorted", "unique", "unique_consecutive"]


def _host(x: Any) -> np.ndarray:
    return as_tensor(x).detach().cpu().numpy()


def _sorted(rows: np.ndarray, order: np.ndarray) -> np.ndarray:
    if order.dtype.kind not in "iu":
        raise DTypeError(f"searchsorted: sorter wants integers, got {order.dtype}; use argsort()")
    if order.shape != rows.shape:
        raise ShapeError(
            f"searchsorted: sorter has shape {order.shape}, the sequences {rows.shape}"
        )
    return np.take_along_axis(rows, order, -1)


def searchsorted(
    sorted_sequence: Tensor,
    values: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """Where values would go into sorted sequences: before equal elements, or after them if right.

    Args:
        sorted_sequence: (..., l) ascending along the last dim.
        values: (..., k) with the same leading dims, or anything for a single sequence.
        out_int32: give int32.
        right, side: whether to stand after equal elements: True or "right".
        sorter: the order that sorts sequences which are not, as `argsort` gives it.

    Returns:
        Indices from 0 to l in the shape of values, int64 or int32.

    Raises:
        ShapeError: leading dims differ, or sorter has another shape than the sequences.
        DTypeError: side is another word than "left" or "right", or contradicts right; or sorter
            holds no integers.
    """
    if side not in (None, "left", "right") or (right and side == "left"):
        raise DTypeError(
            f"searchsorted: side is 'left' or 'right' and agrees with right={right}, got {side!r}"
        )
    rows, wanted = _host(sorted_sequence), _host(values)
    if sorter is not None:
        rows = _sorted(rows, _host(sorter))
    where: Any = "right" if right or side == "right" else "left"
    if rows.ndim == 1:
        found: Any = np.searchsorted(rows, wanted, where)
    else:
        if rows.shape[:-1] != wanted.shape[:-1]:
            raise ShapeError(
                f"searchsorted: sequences {rows.shape} and values {wanted.shape} need equal "
                "leading dims"
            )
        count = math.prod(rows.shape[:-1])
        flat, keys = (x.reshape(count, x.shape[-1]) for x in (rows, wanted))
        each = [np.searchsorted(r, k, where) for r, k in zip(flat, keys, strict=True)]
        found = np.stack(each).reshape(wanted.shape) if each else np.zeros(wanted.shape)
    return as_tensor(
        np.asarray(found, np.int32 if out_int32 else np.int64), device=sorted_sequence.device
    )


def bucketize(
    input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False
) -> Tensor:
    """The number of the interval between ascending boundaries that each element falls into."""
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


def isin(
    elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False
) -> Tensor:
    """Whether each element is among the test elements."""
    found = np.isin(
        _host(elements), _host(test_elements), assume_unique=assume_unique, invert=invert
    )
    device = elements.device if isinstance(elements, Tensor) else None
    return as_tensor(found, device=device)


class _Distinct(NamedTuple):
    values: np.ndarray
    inverse: np.ndarray
    counts: np.ndarray


def _result(found: _Distinct, like: Tensor, inverse: bool, counts: bool) -> Any:
    parts = [
        found.values,
        *([found.inverse] if inverse else []),
        *([found.counts] if counts else []),
    ]
    tensors = tuple(as_tensor(p, device=like.device) for p in parts)
    return tensors if len(tensors) > 1 else tensors[0]


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The distinct elements in ascending order, or the distinct slices of a dim.

    Returns:
        The values; then, if asked for, the index of each input element among them, and how often
        each value occurs.
    """
    array = _host(input)
    axis = None if dim is None else normalize_axis("unique", dim, input.ndim, input)
    values, back, counts = np.unique(array, return_inverse=True, return_counts=True, axis=axis)
    back = back.reshape(array.shape if axis is None else -1)
    return _result(_Distinct(values, back, counts), input, return_inverse, return_counts)


def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """`unique` of neighbours only: runs of equal elements become one."""
    array = _host(input)
    axis = 0 if dim is None else normalize_axis("unique_consecutive", dim, input.ndim, input)
    moved = array.reshape(-1) if dim is None else np.moveaxis(array, axis, 0)
    count = moved.shape[0]
    fresh = np.ones(count, bool)
    if count > 1:
        fresh[1:] = (moved[1:] != moved[:-1]).reshape(count - 1, -1).any(1)
    starts = np.flatnonzero(fresh)
    values = moved[starts] if dim is None else np.moveaxis(moved[starts], 0, axis)
    inverse = np.cumsum(fresh) - 1
    inverse = inverse.reshape(array.shape) if dim is None else inverse
    lengths = np.diff(np.append(starts, count))
    return _result(_Distinct(values, inverse, lengths), input, return_inverse, return_counts)

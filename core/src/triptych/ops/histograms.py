"""Counting how often numbers or points fall into bins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import dtypes
from ..errors import DTypeError, ShapeError
from ..tensor import Tensor
from .creation import as_tensor
from .shape import reshape

__all__ = ["histogram", "histogramdd"]


class Histogram(NamedTuple):
    """Counts, and the edges of the bins: a vector, or one per axis."""

    hist: Tensor
    bin_edges: Any


def histogram(
    input: Tensor,
    bins: int | Tensor,
    *,
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> Histogram:
    """How many elements fall into each bin. A bin holds its lower edge, the last one both.

    Args:
        input: (...), real floating.
        bins: how many of one width, or the rising edges of all: (count + 1,).
        range: the lowest and the highest edge; default those of the data.
        weight: in the shape and dtype of input: what each element adds to its bin; default 1.
        density: divide by the total and by the widths, so that the integral is 1.

    Returns:
        (hist, bin_edges): (count,) and (count + 1,), in the dtype of input.

    Raises:
        DTypeError: elements are no real floating numbers, or weight has another dtype.
        ShapeError: bins or range do not make sense, or weight has another shape.

    Example:
        >>> from triptych import tensor
        >>> histogram(tensor([1.0, 2.0, 2.0, 4.0]), 3).hist.tolist()
        [1.0, 2.0, 1.0]
    """
    if weight is not None and weight.shape != input.shape:
        raise ShapeError(
            f"histogram: weight has shape {tuple(weight.shape)}, input {tuple(input.shape)}"
        )
    points = reshape(input, (-1, 1))
    flat = None if weight is None else reshape(weight, -1)
    hist, edges = _histogram("histogram", points, [bins], range, flat, density)
    return Histogram(hist, edges[0])


def histogramdd(
    input: Tensor,
    bins: Any,
    *,
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> Histogram:
    """How many points fall into each cell of a grid.

    Args:
        input: (..., d) points, real floating.
        bins: how many bins along every axis, a number for each, or for each a vector of edges.
        range: the lowest and the highest edge of the first axis, then of the second, and so on;
            default those of the data.
        weight: (...): what each point adds to its cell; default 1.
        density: divide by the total and by the volumes, so that the integral is 1.

    Returns:
        (hist, bin_edges): an array with d axes, and a tuple of d vectors of edges.

    Raises:
        DTypeError: elements are no real floating numbers, or weight has another dtype.
        ShapeError: bins or range do not make sense, or weight has another shape.
    """
    if input.ndim < 2:
        raise ShapeError(f"histogramdd: wanted points (..., d), got shape {tuple(input.shape)}")
    if weight is not None and weight.shape != input.shape[:-1]:
        raise ShapeError(
            f"histogramdd: weight has shape {tuple(weight.shape)}, the points "
            f"{tuple(input.shape[:-1])}"
        )
    count = input.shape[-1]
    each = [bins] * count if isinstance(bins, int) else list(bins)
    if len(each) != count:
        raise ShapeError(f"histogramdd: {len(each)} bins for points with {count} coordinates")
    points = reshape(input, (math.prod(input.shape[:-1]), count))
    flat = None if weight is None else reshape(weight, -1)
    return _histogram("histogramdd", points, each, range, flat, density)


def _histogram(
    name: str, points: Tensor, bins: list[Any], span: Any, weight: Tensor | None, density: bool
) -> Histogram:
    dtype = points._data.dtype
    if not dtypes.is_floating(dtype):
        raise DTypeError(f"{name}: wanted real floating elements, got {points.dtype}; use .float()")
    if weight is not None and weight._data.dtype != dtype:
        raise DTypeError(f"{name}: weight is {weight.dtype}, input {points.dtype}")
    columns = points.detach().cpu().numpy().astype(np.float64).T
    edges = [
        _edges(name, column, b, _span_of(name, span, i, len(bins))).astype(dtype)
        for i, (column, b) in enumerate(zip(columns, bins, strict=True))
    ]
    shares = None if weight is None else weight.detach().cpu().numpy().astype(np.float64)
    cells = _counts(columns, [e.astype(np.float64) for e in edges], shares)
    if density:
        volume = np.ones(())
        for e in edges:
            volume = np.multiply.outer(volume, np.diff(e.astype(np.float64)))
        with np.errstate(all="ignore"):
            cells = cells / volume / cells.sum()
    made = tuple(as_tensor(e, device=points.device) for e in edges)
    return Histogram(as_tensor(cells.astype(dtype), device=points.device), made)


def _span_of(name: str, span: Any, axis: int, count: int) -> Any:
    if span is None:
        return None
    if len(span) != 2 * count:
        raise ShapeError(f"{name}: wanted {2 * count} numbers as range, got {len(span)}")
    return float(span[2 * axis]), float(span[2 * axis + 1])


def _edges(name: str, column: np.ndarray, bins: Any, span: Any) -> np.ndarray:
    if isinstance(bins, Tensor):
        edges = bins.detach().cpu().numpy().astype(np.float64)
        if edges.ndim != 1 or edges.size < 1 or (np.diff(edges) < 0).any():
            raise ShapeError(f"{name}: wanted a vector of rising bin edges, got {edges.tolist()}")
        return edges
    if bins < 1:
        raise ShapeError(f"{name}: wanted at least one bin, got {bins}")
    low, high = span if span is not None else _extent(column)
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ShapeError(f"{name}: wanted a finite, rising range, got {low} to {high}")
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1)


def _extent(column: np.ndarray) -> tuple[float, float]:
    return (float(column.min()), float(column.max())) if column.size else (0.0, 1.0)


def _counts(columns: np.ndarray, edges: list[np.ndarray], shares: np.ndarray | None) -> np.ndarray:
    shape = tuple(e.size - 1 for e in edges)
    flat, inside = np.zeros(columns.shape[1], np.int64), np.ones(columns.shape[1], bool)
    for column, e, n in zip(columns, edges, shape, strict=True):
        place = np.searchsorted(e, column, side="right") - 1
        place[column == e[-1]] = n - 1
        inside &= (place >= 0) & (place < n) & ~np.isnan(column)
        flat = flat * n + place
    kept = None if shares is None else shares[inside]
    return np.bincount(flat[inside], kept, math.prod(shape)).reshape(shape)

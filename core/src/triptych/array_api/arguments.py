"""Axes and dtypes as the standard understands them."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..avals import normalize_axes, normalize_axis
from ..tensor import Tensor

__all__ = ["Axes", "accumulator", "axes_of", "one_axis"]

Axes = int | tuple[int, ...] | None


def axes_of(name: str, x: Tensor, axis: Axes) -> tuple[int, ...]:
    """The axes to reduce; an empty tuple is none of them, where torch takes it for all."""
    return () if axis == () else normalize_axes(name, axis, x.ndim, x)


def one_axis(name: str, x: Tensor, axis: int | None) -> tuple[Tensor, int]:
    """The tensor, and the axis counted from the front; without one, a flat tensor."""
    if axis is None:
        return x.reshape(-1), 0
    return x, normalize_axis(name, axis, x.ndim, x)


def accumulator(x: Tensor, dtype: Any) -> Any:
    """The dtype that sums and products have: integers widen to 64 bits and keep their sign."""
    if dtype is not None:
        return dtype
    wide = {"b": dtypes.int64, "i": dtypes.int64, "u": dtypes.uint64}
    return wide.get(x.dtype.dtype.kind)

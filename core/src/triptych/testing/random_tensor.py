"""Tensors of random numbers to test with."""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from ..errors import DTypeError, ShapeError
from ..ops import random as draws
from ..ops.creation import _sizes, cast_to, full_like
from ..prims import elementwise as ew
from ..tensor import Tensor

__all__ = ["make_tensor"]

# (low, high) unless given, by kind; integers from low up to but not including high.
_SPANS = {"b": (0, 2), "u": (0, 10), "i": (-9, 10), "f": (-9, 9), "c": (-9, 9)}


def make_tensor(
    *shape: Any,
    dtype: Any,
    device: Any = "cpu",
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """A tensor of uniform random numbers.

    Args:
        shape: lengths, or one tuple of them.
        dtype: of the elements.
        device: where they are.
        low, high: the interval, without high; default booleans of both kinds, unsigned integers
            from 0 to 9, signed ones from -9 to 9, and reals between -9 and 9. The parts of complex
            numbers are each from there.
        requires_grad: record operations on it.
        noncontiguous: give every second element of a longer tensor, if there are several.
        exclude_zero: zeros become one, or for floating types the smallest normal number.
        memory_format: an order of axes in memory; not with noncontiguous.

    Raises:
        ShapeError: low is not below high, or both memory_format and noncontiguous are given.
        DTypeError: gradients of integers or booleans are asked for, or a bound is NaN.
    """
    kind = dtypes.from_numpy_dtype(dtypes.to_numpy_dtype(dtype))
    if requires_grad and not dtypes.is_inexact(kind.dtype):
        raise DTypeError(
            f"make_tensor: only floating and complex tensors have gradients, got {kind}"
        )
    if noncontiguous and memory_format is not None:
        raise ShapeError("make_tensor: give noncontiguous or memory_format, not both")
    size = _sizes("make_tensor", shape)
    wide = (*size[:-1], 2 * size[-1]) if noncontiguous and math.prod(size) > 1 else size
    made = _drawn(wide, kind, device, *_span(kind, low, high))
    if wide != size:
        made = made[..., ::2]
    if exclude_zero:
        made = _without_zeros(made)
    if memory_format is not None:
        made = made.contiguous(memory_format=memory_format)
    return made.detach().requires_grad_() if requires_grad else made


def _span(kind: dtypes.dtype, low: float | None, high: float | None) -> tuple[Any, Any]:
    letter = "f" if kind.is_floating_point else kind.dtype.kind
    least, most = _SPANS[letter]
    low, high = least if low is None else low, most if high is None else high
    if math.isnan(low) or math.isnan(high):
        raise DTypeError(f"make_tensor: wanted numbers as bounds, got {low} and {high}")
    if letter in "fc":
        widest = dtypes.finfo(kind).max
        low, high = max(low, -widest), min(high, widest)
    elif letter in "iu":
        limits = dtypes.iinfo(kind)
        low, high = max(math.ceil(low), limits.min), min(math.ceil(high), limits.max + 1)
    if not low < high:
        raise ShapeError(f"make_tensor: wanted low below high, got {low} and {high}")
    return low, high


def _drawn(size: Any, kind: dtypes.dtype, device: Any, low: Any, high: Any) -> Tensor:
    if not dtypes.is_inexact(kind.dtype):
        return draws.randint(int(low), int(high), size, device=device).to(kind)
    if kind.is_complex:
        from ..ops.special import complex

        part = dtypes.from_numpy_dtype(dtypes.real_of(kind.dtype))
        return complex(*(_drawn(size, part, device, low, high) for _ in range(2)))
    unit = draws.rand(size, dtype=dtypes.float64, device=device)
    scaled = ew.add(ew.mul(unit, high), ew.mul(ew.sub(1, unit), low))
    return cast_to(scaled, kind.dtype)


def _without_zeros(x: Tensor) -> Tensor:
    floating = dtypes.is_inexact(x._data.dtype)
    least = dtypes.finfo(x.dtype).tiny if floating else 1
    return ew.where(ew.eq(x, 0), full_like(x, least), x)

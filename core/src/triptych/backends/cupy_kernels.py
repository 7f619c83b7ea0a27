"""Kernels where CuPy lacks what NumPy has, or computes something else."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any


def _logical(name: str, cupy: Any, *xs: Any) -> Any:
    """CuPy's logical functions know no complex numbers; true are those that are not zero."""
    real = [
        x != 0 if getattr(x, "dtype", None) is not None and x.dtype.kind == "c" else x for x in xs
    ]
    return getattr(cupy, name)(*real)


def _logcumsumexp(cupy: Any, x: Any, *, axis: int) -> Any:
    """CuPy accumulates sums and products only; so sums over 1, 2, 4 ... neighbours are joined
    (Hillis and Steele 1986)."""
    y, step = cupy.moveaxis(x, axis, 0).copy(), 1
    while step < len(y):
        y = cupy.concatenate([y[:step], cupy.logaddexp(y[step:], y[:-step])])
        step *= 2
    return cupy.moveaxis(y, 0, axis)


def _scatter_extreme(
    cupy: Any, x: Any, idx: Any, src: Any, *, axis: int, largest: bool, include_self: bool
) -> Any:
    """CuPy's `maximum.at` rounds float64 to float32 and loses NaN. Sorted by place and then by size
    with NaN at the end, the last number of each place is the one that counts.
    """
    from ..prims.index import _places

    out = cupy.array(x).reshape(-1)
    if not src.size:
        return out.reshape(x.shape)
    place = _places(cupy, "scatter_reduce", idx, x.shape, axis).reshape(-1)
    numbers = src.reshape(-1)
    downward = cupy.invert if numbers.dtype.kind in "biu" else cupy.negative
    by_size = cupy.argsort(numbers if largest else downward(numbers))
    order = by_size[cupy.argsort(place[by_size])]
    place, numbers = place[order], numbers[order]
    last = cupy.ones(place.shape, bool)
    last[:-1] = place[1:] != place[:-1]
    place, numbers = place[last], numbers[last]
    if include_self:
        numbers = (cupy.maximum if largest else cupy.minimum)(out[place], numbers)
    out[place] = numbers
    return out.reshape(x.shape)


def overrides(cupy: Any) -> dict[str, Callable[..., Any]]:
    """By primitive, the kernel that is taken in place of `impl`."""
    logical = ("logical_and", "logical_not", "logical_or", "logical_xor")
    return {name: partial(_logical, name, cupy) for name in logical} | {
        "logcumsumexp": partial(_logcumsumexp, cupy),
        "scatter_extreme": partial(_scatter_extreme, cupy),
    }

"""Statistics and sums along axes, and whether all or any elements are true."""

from __future__ import annotations

from typing import Any

from ..errors import ShapeError
from ..ops import reduce as ops
from ..ops import statistics
from ..ops.creation import cast_to, full
from ..ops.shape import concat
from ..prims import reduce as rd
from ..prims.elementwise import ne
from ..tensor import Tensor
from .arguments import Axes, accumulator, axes_of

__all__ = [
    "all",
    "any",
    "count_nonzero",
    "cumulative_prod",
    "cumulative_sum",
    "diff",
    "max",
    "mean",
    "min",
    "prod",
    "std",
    "sum",
    "var",
]


def _reduced(name: str, prim: Any, x: Tensor, axis: Axes, keepdims: bool) -> Tensor:
    return prim(x, axes=axes_of(name, x, axis), keepdim=keepdims)


def all(x: Tensor, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Whether all elements along axes are true, that is, not zero."""
    return _reduced("all", rd.all, ne(x, 0), axis, keepdims)


def any(x: Tensor, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Whether any element along axes is true, that is, not zero."""
    return _reduced("any", rd.any, ne(x, 0), axis, keepdims)


def count_nonzero(x: Tensor, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """How many elements along axes are not zero, as int64."""
    return sum(ne(x, 0), axis=axis, keepdims=keepdims)


def max(x: Tensor, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The largest element along axes; NaN if there is one.

    Raises:
        ShapeError: there is no element.
    """
    return x if axis == () else ops.amax(x, axes_of("max", x, axis), keepdims)


def min(x: Tensor, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The smallest element along axes; NaN if there is one.

    Raises:
        ShapeError: there is no element.
    """
    return x if axis == () else ops.amin(x, axes_of("min", x, axis), keepdims)


def mean(x: Tensor, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The arithmetic mean along axes of floating or complex numbers."""
    return x if axis == () else ops.mean(x, axes_of("mean", x, axis), keepdims)


def var(
    x: Tensor, /, *, axis: Axes = None, correction: float = 0.0, keepdims: bool = False
) -> Tensor:
    """The variance along axes: squared distances from the mean over count - correction."""
    if axis == ():
        return var(x.unsqueeze(-1), axis=-1, correction=correction)
    return ops.var(x, axes_of("var", x, axis), keepdim=keepdims, correction=correction)


def std(
    x: Tensor, /, *, axis: Axes = None, correction: float = 0.0, keepdims: bool = False
) -> Tensor:
    """The standard deviation along axes: the square root of `var`."""
    if axis == ():
        return std(x.unsqueeze(-1), axis=-1, correction=correction)
    return ops.std(x, axes_of("std", x, axis), keepdim=keepdims, correction=correction)


def _accumulated(x: Tensor, dtype: Any) -> Tensor:
    wanted = accumulator(x, dtype)
    return x if wanted is None else x.to(dtype=wanted)


def _narrowed(made: Tensor, like: Tensor) -> Tensor:
    """What a kernel computed in another dtype, back in the one that was asked for."""
    return cast_to(made, like._data.dtype)


def sum(x: Tensor, /, *, axis: Axes = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """The sum along axes; integers add up in 64 bits of their own sign."""
    x = _accumulated(x, dtype)
    return _narrowed(_reduced("sum", rd.sum, x, axis, keepdims), x)


def prod(x: Tensor, /, *, axis: Axes = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """The product along axes; integers multiply in 64 bits of their own sign."""
    x = _accumulated(x, dtype)
    return _narrowed(_reduced("prod", rd.prod, x, axis, keepdims), x)


def _cumulative(
    name: str, fn: Any, x: Tensor, axis: int | None, dtype: Any, initial: int | None
) -> Tensor:
    if axis is None and x.ndim > 1:
        raise ShapeError(f"{name}: shape {tuple(x.shape)} has several axes; say which with axis=")
    axis, x = 0 if axis is None else axis, _accumulated(x, dtype)
    out = _narrowed(fn(x, axis), x)
    if initial is None:
        return out
    sizes = list(x.shape)
    sizes[axis] = 1
    return concat([full(sizes, initial, dtype=x.dtype, device=x.device), out], axis)


def cumulative_sum(
    x: Tensor, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Tensor:
    """Sums of the elements so far along an axis; with include_initial they start at 0.

    Raises:
        ShapeError: there are several axes, and none is named.
    """
    initial = 0 if include_initial else None
    return _cumulative("cumulative_sum", ops.cumsum, x, axis, dtype, initial)


def cumulative_prod(
    x: Tensor, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Tensor:
    """Products of the elements so far along an axis; with include_initial they start at 1.

    Raises:
        ShapeError: there are several axes, and none is named.
    """
    initial = 1 if include_initial else None
    return _cumulative("cumulative_prod", statistics.cumprod, x, axis, dtype, initial)


def diff(
    x: Tensor,
    /,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
) -> Tensor:
    """Differences of neighbours along an axis, taken n times."""
    return statistics.diff(x, n, axis, prepend, append)

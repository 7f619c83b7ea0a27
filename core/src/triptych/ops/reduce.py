"""Reductions, scans and sorting. ``dim`` is an axis, a tuple of axes, or None for all."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .. import dtypes
from ..avals import normalize_axes, normalize_axis
from ..errors import DTypeError, ShapeError
from ..prims import elementwise as ew
from ..prims import index as ix
from ..prims import reduce as rd
from ..prims.precision import rounds_once
from ..prims.selection import top_places
from ..tensor import Tensor
from .creation import cast_to
from .named import with_names

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "argsort",
    "count_nonzero",
    "cumsum",
    "logsumexp",
    "max",
    "mean",
    "min",
    "nansum",
    "norm",
    "prod",
    "sort",
    "std",
    "std_mean",
    "sum",
    "topk",
    "var",
    "var_mean",
]

Dims = int | Sequence[int] | None


class ValuesIndices(NamedTuple):
    """Values along a dim and where they stood: int64 indices."""

    values: Tensor
    indices: Tensor


def _as_wanted(total: Tensor, dtype: Any) -> Tensor:
    """A sum or product, which widens integers, in the dtype that was asked for."""
    return total if dtype is None else _cast(total, dtype)


def _cast(input: Tensor, dtype: Any) -> Tensor:
    return input if dtype is None else cast_to(input, dtypes.to_numpy_dtype(dtype))


def sum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum; booleans and integers add up to int64."""
    axes = normalize_axes("sum", dim, len(input._data.shape), input)
    if dtype is None:
        return rd.sum(input, axes=axes, keepdim=keepdim)
    return _as_wanted(rd.sum(_cast(input, dtype), axes=axes, keepdim=keepdim), dtype)


def nansum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum with NaN counted as zero."""
    return sum(ew.where(ew.isnan(input), 0, input), dim, keepdim, dtype=dtype)


def prod(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The product; integers multiply to int64."""
    axes = normalize_axes("prod", dim, input.ndim, input)
    return _as_wanted(rd.prod(_cast(input, dtype), axes=axes, keepdim=keepdim), dtype)


def _count(input: Tensor, axes: tuple[int, ...]) -> int:
    return math.prod(input._data.shape[a] for a in axes)


def _floating(name: str, input: Tensor) -> Tensor:
    if not dtypes.is_inexact(input._data.dtype):
        raise DTypeError(
            f"{name}: wanted floating or complex elements, got {input.dtype}; use .float()"
        )
    return input


def _half(input: Tensor) -> bool:
    """Whether elements have two bytes: float16 or bfloat16, whose sums overflow or round early."""
    return dtypes.is_floating(input._data.dtype) and input._data.dtype.itemsize == 2


def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The arithmetic mean.

    Raises:
        DTypeError: elements are integers and no dtype is given.
    """
    input = _floating("mean", _cast(input, dtype))
    if _half(input):
        return rounds_once(mean)(input, dim, keepdim)
    axes = normalize_axes("mean", dim, input.ndim, input)
    count = _count(input, axes)
    total = rd.sum(input, axes=axes, keepdim=keepdim)
    return ew.div(total, count) if count else ew.mul(total, math.nan)


def var(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The variance: squared distances from the mean, divided by count - correction (default 1)."""
    if isinstance(dim, bool):  # var(x, False), as in torch
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    input = _floating("var", input)
    if _half(input):
        return rounds_once(var)(input, dim, unbiased, keepdim, correction=correction)
    axes = normalize_axes("var", dim, input.ndim, input)
    centred = ew.sub(input, mean(input, axes or None, True) if input.ndim else input)
    room = _count(input, axes) - correction
    total = rd.sum(_squared(centred), axes=axes, keepdim=keepdim)
    return ew.div(total, room) if room > 0 else ew.mul(total, math.nan)


def std(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The standard deviation: the square root of `var`; its gradient is zero where it is zero."""
    if _half(input):
        return rounds_once(std)(input, dim, unbiased, keepdim, correction=correction)
    return _root(var(input, dim, unbiased, keepdim, correction=correction))


def var_mean(input: Tensor, dim: Dims = None, **options: Any) -> tuple[Tensor, Tensor]:
    """The variance and the mean."""
    over = None if isinstance(dim, bool) else dim
    return var(input, dim, **options), mean(input, over, options.get("keepdim", False))


def std_mean(input: Tensor, dim: Dims = None, **options: Any) -> tuple[Tensor, Tensor]:
    """The standard deviation and the mean."""
    over = None if isinstance(dim, bool) else dim
    return std(input, dim, **options), mean(input, over, options.get("keepdim", False))


def _ordered(name: str, input: Tensor) -> None:
    if input._data.dtype.kind == "c":
        raise DTypeError(f"{name}: complex numbers have no order; take abs() or real first")


def amax(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The largest element; ties share the gradient."""
    _ordered("amax", input)
    return rd.amax(input, axes=normalize_axes("amax", dim, input.ndim, input), keepdim=keepdim)


def amin(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The smallest element; ties share the gradient."""
    _ordered("amin", input)
    return rd.amin(input, axes=normalize_axes("amin", dim, input.ndim, input), keepdim=keepdim)


def _pick(input: Tensor, places: Tensor, axis: int, keepdim: bool) -> ValuesIndices:
    """Values at one place along an axis; places keep that axis with length one."""
    from .shape import squeeze

    values = ix.gather(input, places, axis=axis)
    if keepdim:
        return ValuesIndices(values, places)
    return ValuesIndices(squeeze(values, axis), squeeze(places, axis))


def _zero_index(input: Tensor) -> Tensor:
    return ew.fill_like(cast_to(input.detach(), dtypes.INT64), value=0)


def _extreme(
    name: str,
    all_axes: Callable[..., Any],
    arg: Any,
    pair: Any,
    input: Tensor,
    dim: Any,
    keepdim: bool,
) -> Any:
    if dim is None:
        return all_axes(input)
    if isinstance(dim, Tensor):
        return pair(input, dim)
    _ordered(name, input)
    axis = normalize_axis(name, dim, input.ndim, input)
    if input.ndim == 0:
        return ValuesIndices(input, _zero_index(input))
    return _pick(input, arg(input, axis=axis, keepdim=True), axis, keepdim)


def max(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest element of all; with a dim, (values, indices) along it; with a second tensor,
    the elementwise `maximum`.
    """
    return _extreme("max", amax, rd.argmax, ew.maximum, input, dim, keepdim)


def min(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest element of all; with a dim, (values, indices) along it; with a second tensor,
    the elementwise `minimum`.
    """
    return _extreme("min", amin, rd.argmin, ew.minimum, input, dim, keepdim)


def _arg(name: str, prim: Any, input: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    from .shape import reshape

    _ordered(name, input)
    if dim is not None:
        axis = normalize_axis(name, dim, input.ndim, input)
        if input.ndim:
            return prim(input, axis=axis, keepdim=keepdim)
    place = prim(reshape(input, (-1,)), axis=0, keepdim=False)
    return with_names(reshape(place, (1,) * input.ndim), input._names) if keepdim else place


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the largest element along dim, or in the flattened tensor; the first of ties."""
    return _arg("argmax", rd.argmax, input, dim, keepdim)


def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the smallest element along dim, or in the flattened tensor; first of ties."""
    return _arg("argmin", rd.argmin, input, dim, keepdim)


def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether some element is nonzero; as in torch, uint8 gives uint8, and dim=() looks at each
    element by itself.
    """
    return _test("any", rd.any, input, dim, keepdim)


def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether every element is nonzero; as in torch, uint8 gives uint8, and dim=() looks at each
    element by itself.
    """
    return _test("all", rd.all, input, dim, keepdim)


def _test(name: str, prim: Any, input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    none = isinstance(dim, (tuple, list)) and not dim
    axes = () if none else normalize_axes(name, dim, input.ndim, input)
    found = prim(input, axes=axes, keepdim=keepdim)
    return cast_to(found, input._data.dtype) if input._data.dtype.name == "uint8" else found


def count_nonzero(input: Tensor, dim: Dims = None) -> Tensor:
    """How many elements are nonzero."""
    return sum(ew.ne(input, 0), dim)


def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False) -> Tensor:
    """log(sum(exp(x))) along dim, without overflow."""
    if not dtypes.is_inexact(input._data.dtype):
        input = cast_to(input, dtypes.get_default_dtype().dtype)
    axes = normalize_axes("logsumexp", dim, input.ndim, input)
    size = input.detach()
    size = ew.real(size) if size._data.dtype.kind == "c" else size
    top = amax(size, axes, True) if _count(input, axes) else input.new_zeros(())
    top = ew.where(ew.isfinite(top), top, 0)
    total = rd.sum(ew.exp(ew.sub(input, top)), axes=axes, keepdim=True)
    out = ew.add(ew.log(total), top)
    if keepdim:
        return out
    from .shape import squeeze

    return squeeze(out, axes)


def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The running sum along dim."""
    input = _cast(input, dtype)
    axis = normalize_axis("cumsum", dim, input.ndim, input)
    total = rd.cumsum(input, axis=axis) if input.ndim else rd.sum(input, axes=())
    return _as_wanted(total, dtype)


def norm(
    input: Tensor,
    p: float | str = "fro",
    dim: Dims = None,
    keepdim: bool = False,
    dtype: Any = None,
) -> Tensor:
    """The vector norm (sum |x| ** p) ** (1 / p) over dim; "fro" is p = 2, inf the largest |x|;
    "nuc" is the sum of the singular values of a matrix.
    """
    input = _floating("norm", _cast(input, dtype))
    if p == "nuc":
        from ..linalg import matrix_norm

        return matrix_norm(input, "nuc", (-2, -1) if dim is None else dim, keepdim)
    if _half(input):
        return rounds_once(norm)(input, p, dim, keepdim)
    axes = normalize_axes("norm", dim, input.ndim, input)
    if p in ("fro", 2):
        return _root(rd.sum(_squared(input), axes=axes, keepdim=keepdim))
    if isinstance(p, str):
        raise ShapeError(f"norm: p is 'fro', 'nuc' or a number, got {p!r}")
    size = ew.abs(input)
    if p == math.inf:
        return amax(size, axes, keepdim)
    if p == -math.inf:
        return amin(size, axes, keepdim)
    if p < 0 and _count(input, axes) == 0:
        raise ShapeError(f"norm: with p = {p} there is no norm of nothing ({tuple(input.shape)})")
    if p == 0:
        return rd.sum(ew.sign(ew.where(ew.isnan(size), 1, size)), axes=axes, keepdim=keepdim)
    if p == 1:
        return rd.sum(size, axes=axes, keepdim=keepdim)
    total = rd.sum(_power(size, float(p)), axes=axes, keepdim=keepdim)
    return _power(total, 1.0 / float(p))


def _squared(x: Tensor) -> Tensor:
    """|x| ** 2 by smooth steps: the slope of |x| jumps at zero."""
    if x._data.dtype.kind != "c":
        return ew.square(x)
    return ew.add(ew.square(ew.real(x)), ew.square(ew.imag(x)))


def _power(x: Tensor, p: float) -> Tensor:
    """x ** p for x >= 0, with a zero gradient at zero in place of an infinite one."""
    zero = ew.eq(x, 0)
    return ew.where(zero, 0 if p > 0 else math.inf, ew.pow(ew.where(zero, 1, x), p))


def _root(total: Tensor) -> Tensor:
    """The square root, with a zero gradient at zero in place of an infinite one."""
    zero = ew.eq(total, 0)
    return ew.where(zero, 0, ew.sqrt(ew.where(zero, 1, total)))


def sort(
    input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False
) -> ValuesIndices:
    """Elements in order along dim, and where they stood; equal ones always keep their order."""
    _ordered("sort", input)
    axis = normalize_axis("sort", dim, input.ndim, input)
    if input.ndim == 0:
        return max(input, 0)
    return ValuesIndices(*ix.sort(input, axis=axis, descending=descending))


def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """The indices that put elements in order along dim."""
    return sort(input, dim, descending).indices


def topk(
    input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
) -> ValuesIndices:
    """The k largest (or smallest) elements along dim, in order, and where they stood.

    Raises:
        ShapeError: dim is shorter than k.
    """
    _ordered("topk", input)
    axis = normalize_axis("topk", dim, input.ndim, input)
    length = input.shape[axis] if input.ndim else 1
    if not 0 <= k <= length:
        raise ShapeError(f"topk: k = {k}, but dim {dim} has length {length}")
    if input.ndim == 0:
        return max(input, 0)
    places = top_places(input, axis=axis, k=int(k), largest=bool(largest))
    return ValuesIndices(ix.gather(input, places, axis=axis), places)

"""Order statistics, histograms and running extremes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..avals import normalize_axis
from ..errors import DomainError, DTypeError, ShapeError
from ..prims import elementwise as ew
from ..prims import index as ix
from ..prims import reduce as rd
from ..prims.precision import computes_in
from ..prims.selection import kth_place, mode_place
from ..tensor import Tensor
from .creation import as_tensor, cast_to
from .named import drops_names, unnamed, with_names
from .reduce import ValuesIndices, _ordered, any, mean, nansum, sort, sum
from .shape import cat, movedim, narrow, reshape, select, squeeze, unsqueeze

__all__ = [
    "aminmax",
    "bincount",
    "corrcoef",
    "cov",
    "cummax",
    "cummin",
    "cumprod",
    "cumulative_trapezoid",
    "diff",
    "histc",
    "kthvalue",
    "logcumsumexp",
    "median",
    "mode",
    "msort",
    "nanmean",
    "nanmedian",
    "nanquantile",
    "quantile",
    "trapezoid",
    "trapz",
]


def aminmax(
    input: Tensor, *, dim: int | None = None, keepdim: bool = False
) -> tuple[Tensor, Tensor]:
    """The smallest and the largest element, of all or along dim."""
    from .reduce import amax, amin

    return amin(input, dim, keepdim), amax(input, dim, keepdim)


def nanmean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean of what is not NaN."""
    total = nansum(input, dim, keepdim, dtype=dtype)
    return ew.div(total, cast_to(sum(~ew.isnan(input), dim, keepdim), total._data.dtype))


def _at(values: Tensor, places: Tensor, axis: int, keepdim: bool) -> Tensor:
    out = ix.gather(values, places, axis=axis)
    return out if keepdim else squeeze(out, axis)


def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> ValuesIndices:
    """The k-th smallest element along dim, counted from one, and where it stood.

    Raises:
        ShapeError: k is not between 1 and the length of dim.
    """
    if input.ndim == 0 and k == 1:
        return sort(input, dim)
    axis = normalize_axis("kthvalue", dim, input.ndim, input)
    length = input.shape[axis] if input.ndim else 1
    if not 1 <= k <= length:
        raise ShapeError(f"kthvalue: k = {k} is not between 1 and {length}")
    _ordered("kthvalue", input)
    places = kth_place(input, axis=axis, k=int(k) - 1)
    parts = (ix.gather(input, places, axis=axis), places)
    return ValuesIndices(*(t if keepdim else squeeze(t, axis) for t in parts))


def _some(name: str, input: Tensor) -> Tensor:
    """All elements in a row; NaN if there are none."""
    if input._data.size:
        return reshape(input, -1)
    if not dtypes.is_inexact(input._data.dtype):
        raise ShapeError(f"{name}: nothing to choose from in shape {tuple(input.shape)}")
    return cat([reshape(input, -1), as_tensor([math.nan], dtype=input.dtype, device=input.device)])


def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle element (the lower of two); NaN if there is one. With a dim, also its index."""
    if dim is None:
        return median(_some("median", input), 0).values
    if input.ndim == 0:
        return sort(input, dim)
    axis = normalize_axis("median", dim, input.ndim, input)
    if input.shape[axis] == 0:
        raise ShapeError(f"median: nothing to choose from, dim {dim} of {tuple(input.shape)}")
    found = kthvalue(input, (input.shape[axis] + 1) // 2, axis, True)
    if dtypes.is_inexact(input._data.dtype):
        nan = cast_to(ew.isnan(input), dtypes.INT64)
        place = rd.argmax(nan, axis=axis, keepdim=True)
        has = any(ew.isnan(input), axis, True)
        place = ew.where(has, place, found.indices)
        found = ValuesIndices(ix.gather(input, place, axis=axis), place)
    return found if keepdim else ValuesIndices(*(squeeze(t, axis) for t in found))


def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The median of what is not NaN."""
    if dim is None:
        return nanmedian(_some("nanmedian", input), 0).values
    if input.ndim == 0:
        return sort(input, dim)
    axis = normalize_axis("nanmedian", dim, input.ndim, input)
    if input.shape[axis] == 0:
        raise ShapeError(f"nanmedian: nothing to choose from, dim {dim} of {tuple(input.shape)}")
    found = sort(input, axis)  # NaN sort to the end
    count = sum(~ew.isnan(input), axis, True)
    place = ew.maximum(ew.floor_divide(ew.sub(count, 1), 2), 0)
    values, indices = (_at(t, place, axis, keepdim) for t in found)
    return ValuesIndices(values, indices)


def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> ValuesIndices:
    """The most frequent element along dim (the smallest of several), and its last index."""
    if input.ndim == 0:
        return sort(input, dim)
    axis = normalize_axis("mode", dim, input.ndim, input)
    _ordered("mode", input)
    if not input.shape[axis]:
        raise ShapeError(f"mode: nothing to choose from, dim {dim} of {tuple(input.shape)}")
    place = mode_place(input, axis=axis)
    values = ix.gather(input, place, axis=axis)
    return ValuesIndices(*(t if keepdim else squeeze(t, axis) for t in (values, place)))


def msort(input: Tensor) -> Tensor:
    """Elements in ascending order along dim 0."""
    return sort(input, 0).values


@computes_in("single")
def quantile(
    input: Tensor,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """Values below which a share q of the elements lies; NaN where there is one.

    Args:
        q: a number from 0 to 1, or a vector of them, which becomes the first dim of the result.
        interpolation: "linear", "lower", "higher", "midpoint" or "nearest" between neighbours.
    """
    out = nanquantile(input, q, dim, keepdim, interpolation=interpolation)
    spoiled = any(ew.isnan(input)) if dim is None else any(ew.isnan(input), dim, keepdim)
    return ew.where(spoiled, math.nan, out)


@computes_in("single")
def nanquantile(
    input: Tensor,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """`quantile` of what is not NaN."""
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise DTypeError(f"quantile: interpolation {interpolation!r} is unknown")
    if input._data.size == 0:
        raise ShapeError(f"quantile: nothing to choose from in shape {tuple(input.shape)}")
    shares = as_tensor(q, dtype=input.dtype, device=input.device)
    axis = 0 if dim is None else normalize_axis("quantile", dim, input.ndim, input)
    x = reshape(unnamed(input), -1) if dim is None else unnamed(input)
    ordered = movedim(sort(x, axis).values, axis, -1) if x.ndim else reshape(x, 1)
    count = sum(~ew.isnan(ordered), -1, True)
    flat = reshape(shares, -1)
    rank = ew.mul(cast_to(ew.maximum(ew.sub(count, 1), 0), input._data.dtype), flat)
    out = _between(ordered, rank, interpolation)
    out = _kept(out, input.ndim, axis, dim is None) if keepdim else movedim(out, -1, 0)
    out = select(out, 0, 0) if shares.ndim == 0 else out
    return out if input._names is None else _name_quantiles(out, input, dim is None, axis, keepdim)


def _name_quantiles(out: Tensor, input: Tensor, everything: bool, axis: int, kept: bool) -> Tensor:
    names = input.names if kept else input.names[:axis] + input.names[axis + 1 :]
    names = () if everything and not kept else names
    return with_names(out, (None,) * (out.ndim - len(names)) + names)


def _between(ordered: Tensor, rank: Tensor, interpolation: str) -> Tensor:
    low, high = ew.floor(rank), ew.ceil(rank)
    if interpolation == "nearest":
        low = high = ew.round(rank)
    a, b = (
        ix.gather(ordered, cast_to(r, dtypes.INT64), axis=ordered.ndim - 1) for r in (low, high)
    )
    if interpolation in ("lower", "nearest"):
        return a
    if interpolation == "higher":
        return b
    weight = 0.5 if interpolation == "midpoint" else ew.sub(rank, low)
    return ew.add(a, ew.mul(ew.sub(b, a), weight))


def _kept(out: Tensor, ndim: int, axis: int, everything: bool) -> Tensor:
    """The share axis first, and the reduced dims kept with length one."""
    if everything:
        return reshape(out, (out.shape[-1], *[1] * ndim))
    out = movedim(out, -1, 0)
    return unsqueeze(out, axis + 1) if ndim else out


def cumprod(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The running product along dim."""
    if dtype is not None:
        input = cast_to(input, dtypes.to_numpy_dtype(dtype))
    axis = normalize_axis("cumprod", dim, input.ndim, input)
    total = rd.cumprod(input, axis=axis) if input.ndim else rd.prod(input, axes=())
    return total if dtype is None else cast_to(total, input._data.dtype)


def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """The logarithm of the running sum of exponentials along dim, without overflow."""
    if not dtypes.is_inexact(input._data.dtype):
        input = cast_to(input, dtypes.get_default_dtype().dtype)
    axis = normalize_axis("logcumsumexp", dim, input.ndim, input)
    if input.ndim == 0 or input.shape[axis] == 0:
        return input.clone()
    if input._data.dtype.kind == "c":
        return _complex_logcumsumexp(input, axis)
    return rd.logcumsumexp(input, axis=axis)


def _complex_logcumsumexp(input: Tensor, axis: int) -> Tensor:
    """One step after the other, each shifted by the larger real part so that nothing overflows."""
    steps = [narrow(input, axis, i, 1) for i in range(input.shape[axis])]
    out = steps[:1]
    for step in steps[1:]:
        top = ew.maximum(*(ew.real(x.detach()) for x in (out[-1], step)))
        top = ew.where(ew.isfinite(top), top, 0)
        parts = (ew.exp(ew.sub(x, top)) for x in (out[-1], step))
        out.append(ew.add(ew.log(ew.add(*parts)), top))
    return cat(out, axis) if out else input.clone()


def _running(name: str, input: Tensor, dim: int, better: Any) -> ValuesIndices:
    if input.ndim == 0 or input._data.dtype.kind == "c":
        return sort(input, dim)  # which refuses complex numbers
    axis = normalize_axis(name, dim, input.ndim, input)
    array = input.detach().cpu().numpy()
    numbers = np.arange(array.shape[axis], dtype=np.int32)
    numbers = numbers.reshape([-1] + [1] * (array.ndim - 1 - axis))
    with np.errstate(invalid="ignore"):
        best = better.accumulate(array, axis=axis)
    hit = (array == best) | np.isnan(array)
    places = np.maximum.accumulate(hit * numbers, axis=axis)  # the last of equal ones, or of NaN
    indices = as_tensor(places.astype(np.int64), device=input.device)
    return ValuesIndices(ix.gather(input, indices, axis=axis), indices)


def cummax(input: Tensor, dim: int) -> ValuesIndices:
    """The largest element so far along dim, and where it stood."""
    return _running("cummax", input, dim, np.maximum)


def cummin(input: Tensor, dim: int) -> ValuesIndices:
    """The smallest element so far along dim, and where it stood."""
    return _running("cummin", input, dim, np.minimum)


def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None
) -> Tensor:
    """Differences of neighbours along dim, taken n times.

    Raises:
        ShapeError: the tensor is 0-d.
        DomainError: n is negative.
    """
    if n < 0:
        raise DomainError(f"diff: wanted n >= 0, got {n}")
    if input.ndim == 0:
        raise ShapeError("diff: wanted at least 1 dim, got a 0-d tensor")
    axis = normalize_axis("diff", dim, input.ndim, input)
    parts = [t for t in (prepend, input, append) if t is not None] if n else [input]
    x = cat(parts, axis) if len(parts) > 1 else input
    for _ in range(n):
        length = x.shape[axis]
        if length <= 1:
            return narrow(x, axis, 0, 0)
        ahead, behind = narrow(x, axis, 1, length - 1), narrow(x, axis, 0, length - 1)
        x = ew.logical_xor(ahead, behind) if x._data.dtype == dtypes.BOOL else ew.sub(ahead, behind)
    return x


def _trapezoids(name: str, y: Tensor, x: Tensor | None, dx: float, dim: int) -> tuple[Tensor, int]:
    axis = normalize_axis(name, dim, y.ndim, y)
    length = y.shape[axis]
    count = max(length - 1, 0)
    pair = ew.add(narrow(y, axis, 1, count), narrow(y, axis, 0, count)) if length else y
    if x is None:
        return ew.mul(pair, dx / 2), axis
    steps = diff(x, 1, 0 if x.ndim == 1 else axis - y.ndim if isinstance(dim, str) else dim)
    if x.ndim == 1:
        steps = reshape(steps, [-1 if i == axis else 1 for i in range(y.ndim)])
    return ew.div(ew.mul(pair, steps), 2), axis


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float = 1, dim: int = -1) -> Tensor:
    """The integral along dim by the trapezoidal rule, at points x or dx apart."""
    areas, axis = _trapezoids("trapezoid", y, x, dx, dim)
    return sum(areas, axis)


trapz = trapezoid


def cumulative_trapezoid(
    y: Tensor, x: Tensor | None = None, *, dx: float = 1, dim: int = -1
) -> Tensor:
    """The running integral along dim by the trapezoidal rule."""
    areas, axis = _trapezoids("cumulative_trapezoid", y, x, dx, dim)
    return rd.cumsum(areas, axis=axis)


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each non-negative integer occurs, or the sum of its weights.

    Raises:
        ShapeError: input is no vector of non-negative integers.
    """
    if input.ndim != 1 or input._data.dtype.kind not in "iub":
        raise ShapeError(
            f"bincount: wanted a vector of integers, got {input.dtype}{list(input.shape)}"
        )
    array = input.cpu().numpy()
    if array.size and array.min() < 0:
        raise ShapeError(f"bincount: wanted non-negative integers, got {array.min()}")
    scale = None if weights is None else weights.detach().cpu().numpy()
    counts = np.bincount(array, scale, minlength)
    if weights is not None:
        kind = weights.numpy(force=True).dtype
        counts = counts.astype(kind if kind == np.float32 else np.float64)
    return as_tensor(counts, device=input.device)


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """Counts in equal bins from min to max (those of the data if both are equal); outsiders do not
    count.
    """
    array = input.detach().cpu().numpy().reshape(-1)
    low, high = float(min), float(max)
    if low == high and array.size:
        low, high = float(array.min()), float(array.max())
    if low == high:
        low, high = low - 1, high + 1
    inside = array[(array >= low) & (array <= high)].astype(np.float64)
    place = np.minimum(((inside - low) / (high - low) * bins).astype(np.int64), bins - 1)
    counts = np.bincount(place, minlength=bins).astype(array.dtype)
    return as_tensor(counts, device=input.device)


@computes_in("single")
@drops_names
def cov(
    input: Tensor,
    *,
    correction: int = 1,
    fweights: Tensor | None = None,
    aweights: Tensor | None = None,
) -> Tensor:
    """The covariance matrix of variables in rows and observations in columns.

    Args:
        input: (variables, observations), or the observations of one variable.
        correction: what is taken off the count of observations.
        fweights, aweights: (observations,) how often each counts, and how much.

    Raises:
        ShapeError: input has more than two dims.
    """
    if input.ndim > 2:
        raise ShapeError(f"cov: wanted at most two dims, got shape {tuple(input.shape)}")
    x = reshape(input, (1, -1)) if input.ndim < 2 else input
    if not dtypes.is_inexact(x._data.dtype):
        x = cast_to(x, dtypes.get_default_dtype().dtype)
    if fweights is None and aweights is None:
        centred = ew.sub(x, mean(x, 1, True))
        scale: Any = max(x.shape[1] - correction, 0)
        product = centred @ ew.conj_if_complex(centred).mT
    else:
        parts = [w for w in (fweights, aweights) if w is not None]
        weight = cast_to(parts[0], ew.abs(x)._data.dtype)
        for w in parts[1:]:
            weight = ew.mul(weight, w)
        total = sum(weight)
        centred = ew.sub(x, ew.div(sum(ew.mul(x, weight), 1, True), total))
        if aweights is None or correction == 0:
            scale = ew.sub(total, correction)
        else:
            scale = ew.sub(total, ew.div(ew.mul(sum(ew.mul(weight, aweights)), correction), total))
        scale = ew.maximum(scale, 0)
        product = ew.mul(centred, weight) @ ew.conj_if_complex(centred).mT
    out = ew.div(product, scale)
    return squeeze(out)


@computes_in("single")
@drops_names
def corrcoef(input: Tensor) -> Tensor:
    """Correlation coefficients of variables in rows.

    Raises:
        ShapeError: input has more than two dims.
    """
    if input.ndim > 2:
        raise ShapeError(f"corrcoef: wanted at most two dims, got shape {tuple(input.shape)}")
    c = cov(input)
    if c.ndim == 0:
        return ew.div(c, c)
    d = ew.sqrt(ew.real(c.diagonal()) if c.is_complex() else c.diagonal())
    out = ew.div(ew.div(c, unsqueeze(d, 1)), unsqueeze(d, 0))
    return out if out.is_complex() else out.clamp(-1, 1)

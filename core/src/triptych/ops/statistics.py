"""Order statistics, histograms and running extremes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..avals import normalize_axis
from ..errors import DTypeError, ShapeError
from ..prims import elementwise as ew
from ..prims import index as ix
from ..prims import reduce as rd
from ..tensor import Tensor
from .creation import as_tensor, cast_to
from .reduce import ValuesIndices, any, mean, nansum, sort, sum
from .shape import cat, flip, movedim, narrow, reshape, select, squeeze, unsqueeze

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
    if input.ndim == 0:
        return sort(input)
    axis = normalize_axis("kthvalue", dim, input.ndim)
    if not 1 <= k <= input.shape[axis]:
        raise ShapeError(f"kthvalue: k = {k} is not between 1 and {input.shape[axis]}")
    found = sort(input, axis)
    parts = (narrow(t, axis, k - 1, 1) for t in found)
    return ValuesIndices(*(t if keepdim else squeeze(t, axis) for t in parts))


def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle element (the lower of two); NaN if there is one. With a dim, also its index."""
    if dim is None:
        return median(reshape(input, -1), 0).values
    if input.ndim == 0:
        return sort(input)
    axis = normalize_axis("median", dim, input.ndim)
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
        return nanmedian(reshape(input, -1), 0).values
    if input.ndim == 0:
        return sort(input)
    axis = normalize_axis("nanmedian", dim, input.ndim)
    found = sort(input, axis)  # NaN sort to the end
    count = sum(~ew.isnan(input), axis, True)
    place = ew.maximum(ew.floor_divide(ew.sub(count, 1), 2), 0)
    values, indices = (_at(t, place, axis, keepdim) for t in found)
    return ValuesIndices(values, indices)


def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> ValuesIndices:
    """The most frequent element along dim (the smallest of several), and its last index."""
    if input.ndim == 0:
        return sort(input)
    axis = normalize_axis("mode", dim, input.ndim)
    last = movedim(input.detach(), axis, -1)
    alike = ew.eq(unsqueeze(last, -1), unsqueeze(last, -2))
    counts = sum(alike, -1)
    top = ew.eq(counts, rd.amax(counts, axes=(counts.ndim - 1,), keepdim=True))
    low = rd.amin(ew.where(top, last, _largest(last)), axes=(last.ndim - 1,), keepdim=True)
    reverse = flip(cast_to(ew.eq(last, low), dtypes.INT64), -1)
    place = ew.sub(last.shape[-1] - 1, rd.argmax(reverse, axis=last.ndim - 1, keepdim=True))
    place = movedim(place, -1, axis)
    values = ix.gather(input, place, axis=axis)
    return ValuesIndices(*(t if keepdim else squeeze(t, axis) for t in (values, place)))


def _largest(x: Tensor) -> Any:
    kind = x._data.dtype
    return math.inf if dtypes.is_floating(kind) else dtypes.iinfo(x.dtype).max


def msort(input: Tensor) -> Tensor:
    """Elements in ascending order along dim 0."""
    return sort(input, 0).values


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
    shares = as_tensor(q, dtype=input.dtype, device=input.device)
    axis = 0 if dim is None else normalize_axis("quantile", dim, input.ndim)
    x = reshape(input, -1) if dim is None else input
    ordered = movedim(sort(x, axis).values, axis, -1) if x.ndim else reshape(x, 1)
    count = sum(~ew.isnan(ordered), -1, True)
    flat = reshape(shares, -1)
    rank = ew.mul(cast_to(ew.maximum(ew.sub(count, 1), 0), input._data.dtype), flat)
    out = _between(ordered, rank, interpolation)
    out = _kept(out, input.ndim, axis, dim is None) if keepdim else movedim(out, -1, 0)
    return select(out, 0, 0) if shares.ndim == 0 else out


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
    if input.ndim == 0:
        return input.clone()
    return rd.cumprod(input, axis=normalize_axis("cumprod", dim, input.ndim))


def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """The logarithm of the running sum of exponentials along dim, without overflow."""
    if input.ndim == 0:
        return input.clone()
    if not dtypes.is_inexact(input._data.dtype):
        input = cast_to(input, dtypes.get_default_dtype().dtype)
    axis = normalize_axis("logcumsumexp", dim, input.ndim)
    return rd.logcumsumexp(input, axis=axis)


def _running(name: str, input: Tensor, dim: int, better: Any) -> ValuesIndices:
    if input.ndim == 0:
        return sort(input)
    axis = normalize_axis(name, dim, input.ndim)
    length = input.shape[axis]
    array = input.detach().cpu().numpy()
    best = np.empty(array.shape, np.int64)
    steps = np.moveaxis(array, axis, 0)
    out = np.moveaxis(best, axis, 0)
    for i in range(length):
        if i == 0:
            out[0] = 0
            continue
        held = np.take_along_axis(steps, out[i - 1][None], 0)[0]
        out[i] = np.where(better(steps[i], held) | np.isnan(steps[i]), i, out[i - 1])
    places = as_tensor(best.reshape(array.shape), device=input.device)
    return ValuesIndices(ix.gather(input, places, axis=axis), places)


def cummax(input: Tensor, dim: int) -> ValuesIndices:
    """The largest element so far along dim, and where it stood."""
    return _running("cummax", input, dim, np.greater_equal)


def cummin(input: Tensor, dim: int) -> ValuesIndices:
    """The smallest element so far along dim, and where it stood."""
    return _running("cummin", input, dim, np.less_equal)


def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None
) -> Tensor:
    """Differences of neighbours along dim, taken n times."""
    if input.ndim == 0:
        raise ShapeError("diff: wanted at least 1 dim, got a 0-d tensor")
    axis = normalize_axis("diff", dim, input.ndim)
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
    axis = normalize_axis(name, dim, y.ndim)
    length = y.shape[axis]
    count = max(length - 1, 0)
    pair = ew.add(narrow(y, axis, 1, count), narrow(y, axis, 0, count)) if length else y
    if x is None:
        return ew.mul(pair, dx / 2), axis
    steps = diff(x, 1, 0 if x.ndim == 1 else dim)
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


def cov(
    input: Tensor,
    *,
    correction: int = 1,
    fweights: Tensor | None = None,
    aweights: Tensor | None = None,
) -> Tensor:
    """The covariance matrix of variables in rows and observations in columns."""
    x = reshape(input, (1, -1)) if input.ndim < 2 else input
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


def corrcoef(input: Tensor) -> Tensor:
    """Correlation coefficients of variables in rows."""
    c = cov(input)
    if c.ndim == 0:
        return ew.div(c, c)
    d = ew.sqrt(ew.real(c.diagonal()) if c.is_complex() else c.diagonal())
    out = ew.div(ew.div(c, unsqueeze(d, 1)), unsqueeze(d, 0))
    return out if out.is_complex() else out.clamp(-1, 1)

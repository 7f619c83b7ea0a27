"""Writing many values to few places: by adding, multiplying or choosing, and by a mask."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .. import dtypes
from ..avals import normalize_axis
from ..errors import BoundsError, DTypeError, ShapeError
from ..prims import elementwise as ew
from ..prims import index as ix
from ..prims import movement as mv
from ..prims import reduce as rd
from ..prims.index import Slot
from ..prims.scattering import scatter_extreme
from ..tensor import Symbol, Tensor
from .creation import arange, cast_to
from .shape import broadcast_tensors, cat, expand, reshape

__all__ = [
    "index_reduce",
    "masked_scatter",
    "put",
    "scatter_reduce",
]

Reduction = Callable[[Tensor, Tensor, Tensor, int, bool], Tensor]


def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """A copy with the elements of src combined into the places that index names along dim.

    Args:
        input: (...).
        dim: an axis.
        index: integers, with as many axes as input and nowhere longer than src.
        src: of input's dtype; only its part in the shape of index is read.
        reduce: "sum", "prod", "mean", "amax" or "amin" of all that meets at one place.
        include_self: what input holds at a place takes part; else it is replaced.

    Raises:
        DTypeError: the reduction is unknown, or the dtypes differ.
        ShapeError: index does not fit input or src.
        BoundsError: an index is out of range.

    Example:
        >>> x, src = ew.mul(arange(3), 10), arange(4)
        >>> scatter_reduce(x, 0, ew.floor_divide(src, 2), src, "amax").tolist()
        [1, 10, 20]
    """
    return _reduced("scatter_reduce", input, dim, index, src, reduce, include_self)


def index_reduce(
    input: Tensor,
    dim: int,
    index: Tensor,
    source: Tensor,
    reduce: str,
    *,
    include_self: bool = True,
) -> Tensor:
    """A copy with slices of source combined into the slices of dim that index names.

    Args:
        input: (...).
        dim: an axis.
        index: (k,) integers.
        source: of input's dtype and shape, with length k along dim.
        reduce: "prod", "mean", "amax" or "amin".
        include_self: what input holds at a place takes part; else it is replaced.

    Raises:
        DTypeError: the reduction is unknown, or the dtypes differ.
        ShapeError: source does not fit.
        BoundsError: an index is out of range.
    """
    if reduce == "sum":
        raise DTypeError("index_reduce: reduce is not 'sum'; use index_add")
    axis = normalize_axis("index_reduce", dim, input.ndim, input)
    places = reshape(index, -1)
    wanted = [*input.shape]
    if input.ndim:
        wanted[axis] = places.shape[0]
    if list(source.shape) != wanted:
        raise ShapeError(
            f"index_reduce: source has shape {tuple(source.shape)}, wanted {tuple(wanted)} for "
            f"{places.shape[0]} indices along dim {dim} of {tuple(input.shape)}"
        )
    spread = reshape(places, tuple(-1 if i == axis else 1 for i in range(max(input.ndim, 1))))
    wide = expand(spread, source.shape) if input.ndim else reshape(places, ())
    return _reduced("index_reduce", input, dim, wide, source, reduce, include_self)


def _reduced(
    name: str, input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, include_self: bool
) -> Tensor:
    if reduce not in _REDUCTIONS:
        known = ", ".join(map(repr, sorted(_REDUCTIONS)))
        raise DTypeError(f"{name}: reduce is one of {known}; got {reduce!r}")
    axis = normalize_axis(name, dim, input.ndim, input)
    if src._data.dtype != input._data.dtype:
        raise DTypeError(
            f"{name}: src is {src.dtype}, the tensor {input.dtype}; convert with .to()"
        )
    if input.ndim == 0:
        flat = (reshape(t, -1) for t in (input, index, src))
        one, places, numbers = flat
        return reshape(_REDUCTIONS[reduce](one, places, numbers, 0, include_self), ())
    return _REDUCTIONS[reduce](input, index, _part(name, src, index), axis, include_self)


def _part(name: str, src: Tensor, index: Tensor) -> Tensor:
    """The part of src in the shape of index."""
    if src.shape == index.shape:
        return src
    if src.ndim != index.ndim or any(n > m for n, m in zip(index.shape, src.shape, strict=True)):
        raise ShapeError(
            f"{name}: src of shape {tuple(src.shape)} is smaller than the index "
            f"{tuple(index.shape)}"
        )
    return mv.slice_(src, key=tuple(slice(0, n) for n in index.shape))


def _zeros(x: Tensor) -> Tensor:
    return ew.fill_like(x.detach(), value=0)


def _counts(input: Tensor, index: Tensor, axis: int, include_self: bool) -> Tensor:
    """How many numbers meet at each place of input."""
    start = ew.fill_like(cast_to(input.detach(), dtypes.INT64), value=int(include_self))
    ones = ew.fill_like(cast_to(index, dtypes.INT64), value=1)
    return ix.scatter(start, index, ones, axis=axis, accumulate=True)


def _base(input: Tensor, index: Tensor, axis: int, include_self: bool, neutral: int) -> Tensor:
    """What the numbers are combined with: input, or a neutral element where some arrive."""
    if include_self:
        return input
    return ew.where(ew.gt(_counts(input, index, axis, False), 0), neutral, input)


def _sum(input: Tensor, index: Tensor, src: Tensor, axis: int, include_self: bool) -> Tensor:
    base = _base(input, index, axis, include_self, 0)
    return ix.scatter(base, index, src, axis=axis, accumulate=True)


def _mean(input: Tensor, index: Tensor, src: Tensor, axis: int, include_self: bool) -> Tensor:
    total = _sum(input, index, src, axis, include_self)
    count = ew.maximum(_counts(input, index, axis, include_self), 1)
    if not dtypes.is_inexact(total._data.dtype):
        return cast_to(ew.floor_divide(total, count), total._data.dtype)
    return ew.div(total, cast_to(count, total._data.dtype))


def _prod(input: Tensor, index: Tensor, src: Tensor, axis: int, include_self: bool) -> Tensor:
    """Numbers for one place are brought next to each other and multiplied by a scan with doubling
    steps: smooth steps only, so the gradient is right when numbers are zero, too.
    """
    if input._data.dtype == dtypes.BOOL:  # true where all are: the smallest
        return _REDUCTIONS["amin"](input, index, src, axis, include_self)
    flat = reshape(_flat_places(input, index, axis), -1)
    place, order = ix.sort(flat, axis=0, descending=False)
    run = ix.index(reshape(src, -1), order, key=(Slot(0),))
    count, step = run.shape[0], 1
    while step < count:
        same = ew.eq(_cut(place, step, count), _cut(place, 0, count - step))
        ahead = ew.where(same, _cut(run, 0, count - step), 1)
        run = cat([_cut(run, 0, step), ew.mul(_cut(run, step, count), ahead)])
        step *= 2
    ends = ew.ne(_cut(place, 0, count - 1), _cut(place, 1, count))
    last = cat([ends, cast_to(ew.fill_like(_cut(place, 0, 1), value=1), dtypes.BOOL)])
    products = ew.where(last, run, 0)
    nothing = reshape(_zeros(input), -1)
    total = ix.scatter(nothing, place, products, axis=0, accumulate=True)
    touched = ew.gt(_counts(input, index, axis, False), 0)
    factor = ew.where(touched, reshape(total, input.shape), 1)
    return ew.mul(_base(input, index, axis, include_self, 1), factor)


def _cut(x: Tensor, start: int, stop: int) -> Tensor:
    return mv.slice_(x, key=(slice(start, stop),))


def _flat_places(input: Tensor, index: Tensor, axis: int) -> Tensor:
    """Where index points in the flattened input.

    Raises:
        BoundsError: outside the axis.
    """
    ix.gather.prim.aval(input._data, index._data, axis=axis)  # type: ignore[attr-defined]
    length = input.shape[axis]
    _check_range("scatter_reduce", index, length, axis)
    steps = [math.prod(input.shape[i + 1 :]) for i in range(input.ndim)]
    index = cast_to(index, dtypes.INT64)
    flat = ew.mul(ew.remainder(index, max(length, 1)), steps[axis])
    for i, n in enumerate(index.shape):
        if i != axis and n > 1:
            along = ew.mul(arange(n, device=input.device), steps[i])
            flat = ew.add(
                flat, reshape(along, tuple(-1 if j == i else 1 for j in range(index.ndim)))
            )
    return flat


def _check_range(name: str, index: Tensor, length: int, axis: int) -> None:
    if isinstance(index._data, Symbol) or index._data.size == 0:
        return
    low, high = int(index._data.min()), int(index._data.max())
    if low < -length or high >= length:
        worst = low if low < -length else high
        raise BoundsError(
            f"{name}: index {worst} is out of range for dim {axis} of length {length}"
        )


def _extreme(largest: bool) -> Reduction:
    def reduction(
        input: Tensor, index: Tensor, src: Tensor, axis: int, include_self: bool
    ) -> Tensor:
        return scatter_extreme(
            input, index, src, axis=axis, largest=largest, include_self=include_self
        )

    return reduction


_REDUCTIONS: dict[str, Reduction] = {
    "sum": _sum,
    "prod": _prod,
    "mean": _mean,
    "amax": _extreme(True),
    "amin": _extreme(False),
}


def multiplied(input: Tensor, dim: int, index: Tensor, src: Any) -> Tensor:
    """``scatter(..., reduce="multiply")``: src is a tensor or one number."""
    if not isinstance(src, Tensor):
        src = ew.fill_like(cast_to(index, input._data.dtype), value=src)
    return _reduced("scatter", input, dim, index, src, "prod", True)


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """A copy with elements of source, in their order, where mask holds.

    Args:
        input, mask: tensors that broadcast; the mask is boolean.
        source: of input's dtype, with at least as many elements as the mask has places.

    Raises:
        DTypeError: the mask is not boolean, or the dtypes differ.
        ShapeError: source has too few elements.
    """
    if mask._data.dtype != dtypes.BOOL:
        raise DTypeError(f"masked_scatter: the mask must be bool, got {mask.dtype}")
    if source._data.dtype != input._data.dtype:
        raise DTypeError(
            f"masked_scatter: source is {source.dtype}, the tensor {input.dtype}; convert with "
            ".to()"
        )
    wide, holes = broadcast_tensors(input, mask)
    if not isinstance(holes._data, Symbol):
        wanted = int(rd.sum(holes, axes=tuple(range(holes.ndim))).item())
        if source._data.size < wanted:
            raise ShapeError(
                f"masked_scatter: the mask has {wanted} places, source {source._data.size} elements"
            )
    if source._data.size == 0 or wide._data.size == 0:
        return mv.copy(wide)
    before = rd.cumsum(reshape(holes, -1), axis=0)
    rank = ew.minimum(ew.maximum(ew.sub(before, 1), 0), source._data.size - 1)
    picked = ix.index(reshape(source, -1), rank, key=(Slot(0),))
    return ew.where(holes, reshape(picked, wide.shape), wide)


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """A copy with elements of source at positions of the flattened tensor.

    Args:
        input: (...).
        index: integers; negative ones count from the end.
        source: of input's dtype, with as many elements as index.
        accumulate: add to what is there; without it, of several writes to one place one stays.

    Raises:
        DTypeError: index holds no integers, or the dtypes differ.
        ShapeError: source and index differ in size.
        BoundsError: an index is out of range.
    """
    if source._data.size != index._data.size:
        raise ShapeError(
            f"put: {index._data.size} indices for a source of {source._data.size} elements"
        )
    if index._data.dtype.kind not in "iu":
        raise DTypeError(f"put: wanted an integer index, got {index.dtype}; use .long()")
    _check_range("put", index, input._data.size, 0)
    out = ix.index_put(
        reshape(input, -1),
        reshape(source, -1),
        reshape(index, -1),
        key=(Slot(0),),
        accumulate=accumulate,
    )
    return reshape(out, input.shape)

"""Picking, adding and writing along one axis by indices, without a copy to the host.

Arrays are seen as (outer, length, inner). An index array belongs to all positions (`gather`) or
names rows along the axis (`index`, an embedding's way). Additions into places that come several
times are atomic, in any order; with `use_deterministic_algorithms` the places are sorted, stably,
and the thread of the first of each adds them in their order.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ...runtime import are_deterministic_algorithms_enabled
from . import faults
from .source import C_TYPES, Source

CODE = (
    faults.REPORT
    + r"""
// Where in (outer, length, inner) the element belongs that is at `i` of (outer, picks, inner).
struct Spot { long long at; bool lost; };

template <bool ROWS> __device__ Spot picking_spot(
    const long long *idx, long long i, long long picks, long long length, long long inner,
    unsigned long long note, long long call)
{
    long long column = i % inner, row = i / inner % picks, lead = i / inner / picks;
    long long index = idx[ROWS ? row : i];
    Spot spot = {0, outside(index, length, note, call)};
    if (!spot.lost)
        spot.at = (lead * length + (index < 0 ? index + length : index)) * inner + column;
    return spot;
}

template <class T> __global__ void picking_check(
    const T *idx, long long count, long long length, unsigned long long note, long long call)
{
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < count) outside(idx[i], length, note, call);
}

template <class T, bool ROWS> __global__ void picking_take(
    const T *x, const long long *idx, T *y, long long count, long long picks, long long length,
    long long inner, unsigned long long note, long long call)
{
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    Spot spot = picking_spot<ROWS>(idx, i, picks, length, inner, note, call);
    y[i] = spot.lost ? T(0) : x[spot.at];
}

template <class T> __global__ void picking_put(
    const T *src, const long long *idx, T *out, long long count, long long picks, long long length,
    long long inner, unsigned long long note, long long call)
{
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    Spot spot = picking_spot<false>(idx, i, picks, length, inner, note, call);
    if (!spot.lost) out[spot.at] = src[i];
}
"""
)
ADDING = (
    CODE
    + r"""
template <class T, bool ROWS> __global__ void picking_add(
    const T *src, const long long *idx, T *out, long long count, long long picks, long long length,
    long long inner, unsigned long long note, long long call)
{
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    Spot spot = picking_spot<ROWS>(idx, i, picks, length, inner, note, call);
    if (!spot.lost) atomicAdd(out + spot.at, src[i]);
}

// The place of each element, or -1 where it has none.
template <class T> __global__ void picking_places(
    const long long *idx, long long *places, long long count, long long picks, long long length,
    long long inner, unsigned long long note, long long call)
{
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    Spot spot = picking_spot<false>(idx, i, picks, length, inner, note, call);
    places[i] = spot.lost ? -1 : spot.at;
}

// `order` sorts the rows of src (outer, picks, inner) by their places along the axis.
template <class T> __global__ void picking_add_sorted(
    const T *src, const long long *places, const long long *order, T *out, long long count,
    long long picks, long long length, long long inner, unsigned long long note, long long call)
{
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    long long column = i % inner, rank = i / inner % picks, lead = i / inner / picks;
    long long place = places[order[rank]];
    if (place < 0 || (rank > 0 && places[order[rank - 1]] == place)) return;
    long long at = (lead * length + place) * inner + column;
    T sum = out[at];
    for (; rank < picks && places[order[rank]] == place; rank++)
        sum += src[(lead * picks + order[rank]) * inner + column];
    out[at] = sum;
}
"""
)
TAKING = Source(
    "picking",
    CODE,
    ["picking_take<{T}, false>", "picking_take<{T}, true>", "picking_put<{T}>"],
    tuple(C_TYPES),
)
CHECKING = Source("picking", CODE, ["picking_check<{T}>"], ("int64",))
SUMMING = Source(
    "picking",
    ADDING,
    [
        *("picking_add<{T}, false>", "picking_add<{T}, true>"),
        *("picking_places<{T}>", "picking_add_sorted<{T}>"),
    ],
    ("float32", "float64"),
)
THREADS = 256


def _launch(
    cupy: Any, source: Source, name: str, dtype: Any, call: str, arrays: Any, *sizes: int
) -> None:
    kernel = source.kernel(cupy, name, dtype)
    told = faults.address(cupy), faults.code(call)
    kernel((-(-sizes[0] // THREADS),), (THREADS,), (*arrays, *map(np.int64, sizes), *told))


def _sizes(shape: tuple[int, ...], picks: int, axis: int) -> tuple[int, int, int, int]:
    """The count of elements that are picked, the picks, the length and the inner size."""
    inner = math.prod(shape[axis + 1 :])
    return math.prod(shape[:axis]) * picks * inner, picks, shape[axis], inner


def _summed_in(dtype: Any) -> Any:
    """The dtype in which kernels add numbers of another one: float32 for halves; or None."""
    if dtype.name in ("float16", "bfloat16"):
        return np.dtype(np.float32)
    return dtype if dtype.name in SUMMING.dtypes else None


def _whole(cupy: Any, idx: Any) -> Any:
    """int64 in C order; None for what is no whole number."""
    return cupy.ascontiguousarray(idx, np.int64) if idx.dtype.kind in "iu" else None


def _fits(shape: tuple[int, ...], idx: Any, axis: int) -> bool:
    """Whether an index array has the shape of the other on all axes but one."""
    others = [i for i in range(len(shape)) if i != axis]
    return len(shape) == idx.ndim > 0 and all(shape[i] == idx.shape[i] for i in others)


def _gather(cupy: Any, x: Any, idx: Any, *, axis: int) -> Any:
    given = _whole(cupy, idx)
    if given is None or not _fits(x.shape, idx, axis) or not TAKING.takes(x) or not idx.size:
        return NotImplemented
    y = cupy.empty(idx.shape, x.dtype)
    sizes = _sizes(x.shape, idx.shape[axis], axis)
    _launch(cupy, TAKING, "picking_take<{T}, false>", x.dtype, "gather", (x, given, y), *sizes)
    return y


def _add(cupy: Any, src: Any, idx: Any, out: Any, axis: int, call: str, rows: bool) -> None:
    """Adds src to out, both in C order, at the places that idx names along an axis."""
    picks = idx.size if rows else idx.shape[axis]
    sizes = _sizes(out.shape, picks, axis)
    run = partial(_launch, cupy, SUMMING)
    if not are_deterministic_algorithms_enabled():
        name = f"picking_add<{{T}}, {str(rows).lower()}>"
        run(name, out.dtype, call, (src, idx, out), *sizes)
        return
    places = cupy.empty(idx.size, np.int64)
    along = (idx.size, idx.size, out.shape[axis], 1) if rows else sizes
    run("picking_places<{T}>", out.dtype, call, (idx, places), *along)
    if not rows:  # each element is a row of its own
        sizes = idx.size, idx.size, out.size, 1
    order = cupy.argsort(places, kind="stable")
    run("picking_add_sorted<{T}>", out.dtype, call, (src, places, order, out), *sizes)


def _ungather(cupy: Any, g: Any, idx: Any, *, shape: Any, axis: int) -> Any:
    given, made = _whole(cupy, idx), _summed_in(g.dtype)
    if given is None or made is None or g.shape != idx.shape:
        return NotImplemented
    if not g.size:
        return cupy.zeros(shape, g.dtype)
    if not _fits(tuple(shape), idx, axis):
        return NotImplemented
    out = cupy.zeros(shape, made)
    _add(cupy, cupy.ascontiguousarray(g, made), given, out, axis, "gather", False)
    return out.astype(g.dtype, copy=False)


def _scatter(cupy: Any, x: Any, idx: Any, src: Any, *, axis: int, accumulate: bool) -> Any:
    given = _whole(cupy, idx)
    if given is None or src.dtype != x.dtype:
        return NotImplemented
    if not idx.size:
        return cupy.array(x, order="C")
    if not _fits(x.shape, idx, axis):
        return NotImplemented
    if accumulate:
        return _accumulated(cupy, x, given, src, axis)
    if x.dtype.name not in TAKING.dtypes or are_deterministic_algorithms_enabled():
        return NotImplemented  # the latter as which of several comes last is left open
    out, src = cupy.array(x, order="C"), cupy.ascontiguousarray(src)
    sizes = _sizes(x.shape, idx.shape[axis], axis)
    _launch(cupy, TAKING, "picking_put<{T}>", x.dtype, "scatter", (src, given, out), *sizes)
    return out


def _accumulated(cupy: Any, x: Any, idx: Any, src: Any, axis: int) -> Any:
    made = _summed_in(x.dtype)
    if made is None:
        return NotImplemented
    out = cupy.array(x, made, order="C")
    _add(cupy, cupy.ascontiguousarray(src, made), idx, out, axis, "scatter", False)
    return out.astype(x.dtype, copy=False)


def check(cupy: Any, shape: tuple[int, ...], key: tuple[Any, ...]) -> None:
    """Tell of indices out of range in a key that CuPy indexes by, which wraps them around."""
    if any(isinstance(k, bool) for k in key):
        return
    arrays = [k if isinstance(k, cupy.ndarray) else None for k in key]
    axes = [
        0 if k is None or k is Ellipsis else a.ndim if a is not None and a.dtype.kind == "b" else 1
        for k, a in zip(key, arrays, strict=True)
    ]
    axis = 0
    for k, a, count in zip(key, arrays, axes, strict=True):
        if a is not None and a.dtype.kind in "iu" and a.size:
            given, sizes = _whole(cupy, a), (a.size, shape[axis])
            name, dtype = "picking_check<{T}>", given.dtype
            _launch(cupy, CHECKING, name, dtype, "indexing", (given,), *sizes)
        axis += len(shape) - sum(axes) if k is Ellipsis else count


def _filled(key: Any, indices: tuple[Any, ...]) -> tuple[Any, ...]:
    """A key with the arrays in their places."""
    from ...prims.index import _fill

    return _fill(key, indices)


def _axis(indices: tuple[Any, ...], key: Any) -> int | None:
    """The axis of which one array of integers picks slices; None for all other keys."""
    if len(indices) != 1 or indices[0].dtype.kind not in "iu" or not indices[0].size:
        return None
    picks = [i for i, k in enumerate(key) if type(k) is not slice or k != slice(None)]
    return picks[0] if len(picks) == 1 else None


def _index(cupy: Any, x: Any, *indices: Any, key: Any) -> Any:
    axis = _axis(indices, key)
    if axis is None or not TAKING.takes(x):
        check(cupy, x.shape, _filled(key, indices))
        return NotImplemented
    idx = _whole(cupy, indices[0])  # of one axis where it had none
    y = cupy.empty((*x.shape[:axis], *indices[0].shape, *x.shape[axis + 1 :]), x.dtype)
    if y.size:
        sizes = _sizes(x.shape, idx.size, axis)
        _launch(cupy, TAKING, "picking_take<{T}, true>", x.dtype, "indexing", (x, idx, y), *sizes)
    return y


def _index_put(cupy: Any, x: Any, v: Any, *indices: Any, key: Any, accumulate: bool) -> Any:
    axis, made = _axis(indices, key), _summed_in(x.dtype)
    if not accumulate or axis is None or made is None or not x.size:
        check(cupy, x.shape, _filled(key, indices))
        return NotImplemented
    out = cupy.array(x, made, order="C")
    target = (*x.shape[:axis], *indices[0].shape, *x.shape[axis + 1 :])
    src = cupy.broadcast_to(v.reshape(v.shape[max(0, v.ndim - len(target)) :]), target)
    given = _whole(cupy, indices[0])
    _add(cupy, cupy.ascontiguousarray(src, made), given, out, axis, "indexing", True)
    return out.astype(x.dtype, copy=False)


def _unindex(cupy: Any, g: Any, *indices: Any, shape: Any, key: Any) -> Any:
    axis, made = _axis(indices, key), _summed_in(g.dtype)
    if not g.size:
        return cupy.zeros(shape, g.dtype)
    if axis is None or made is None:
        return NotImplemented
    out = cupy.zeros(shape, made)
    given = _whole(cupy, indices[0])
    _add(cupy, cupy.ascontiguousarray(g, made), given, out, axis, "indexing", True)
    return out.astype(g.dtype, copy=False)


def sources() -> tuple[Source, ...]:
    """The CUDA C of this family."""
    return TAKING, CHECKING, SUMMING


def overrides(cupy: Any) -> dict[str, Callable[..., Any]]:
    """By primitive, the function that is tried before CuPy's operations."""
    return {
        "gather": partial(_gather, cupy),
        "index": partial(_index, cupy),
        "index_put": partial(_index_put, cupy),
        "scatter": partial(_scatter, cupy),
        "ungather": partial(_ungather, cupy),
        "unindex": partial(_unindex, cupy),
    }

"""Attention with an online softmax, and its gradients, for heads of up to 128 features.

A warp takes a query; eight of them share tiles of 32 keys and values in shared memory. A lane
scores one key of the tile, and then holds every 32nd feature of the output. The backward pass
computes the weights again from the saved logarithms of the sums; one kernel goes over the keys of
a query and one over the queries of a key, so that nothing is added atomically.

Source: Milakov and Gimelshein 2018, algorithm 3; Dao et al. 2022, algorithms 1 and 4.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .source import Source

CODE = r"""
// Sizes of a call: queries, keys, features of both and of values; row i sees keys up to i + causal.
struct Shape {
    int length, source, width, depth, limited, causal;
    __device__ bool hides(int row, int column) const {
        return row >= length || column >= source || (limited && column > row + causal);
    }
};
const int ATTENTION_WARPS = 8;

// 32 rows from `start` on into shared memory, zeros beyond the last.
template <class T, class C, int E> __device__ void attention_load(
    C (*tile)[E + 1], const T *from, int start, int rows, int features)
{
    for (int i = threadIdx.y * 32 + threadIdx.x; i < 32 * features; i += 32 * ATTENTION_WARPS) {
        int row = i / features, f = i % features;
        tile[row][f] = start + row < rows ? C(from[(long long)(start + row) * features + f]) : C(0);
    }
}

// A warp's own row, times a factor; zeros beyond the last.
template <class T, class C> __device__ void attention_row(
    C *to, const T *from, int row, int rows, int features, C factor)
{
    for (int f = threadIdx.x; f < features; f += 32)
        to[f] = row < rows ? C(from[(long long)row * features + f]) * factor : C(0);
}

template <class C> __device__ C attention_dot(const C *a, const C *b, int features) {
    C sum = 0;
    for (int f = 0; f < features; f++) sum += a[f] * b[f];
    return sum;
}

// Adds to a lane's features the rows of a tile, each times what its lane holds.
template <class C, int E> __device__ void attention_gather(
    C *sums, C share, C (*tile)[E + 1], int features)
{
    for (int j = 0; j < 32; j++) {
        C part = __shfl_sync(0xffffffffu, share, j);
        for (int r = 0; r < E / 32; r++) {
            int f = threadIdx.x + 32 * r;
            if (f < features) sums[r] += part * tile[j][f];
        }
    }
}

template <class T, class C, int E> __device__ void attention_write(
    T *to, const C *sums, C factor, int row, int rows, int features)
{
    for (int r = 0; r < E / 32; r++) {
        int f = threadIdx.x + 32 * r;
        if (row < rows && f < features) to[(long long)row * features + f] = T(sums[r] * factor);
    }
}

template <class T, int E> __global__ void attention_forward(
    const T *q, const T *k, const T *v, T *out, typename Wide<T>::type *level, int length,
    int source, int width, int depth, int limited, int causal, double scale)
{
    typedef typename Wide<T>::type C;
    __shared__ C keys[32][E + 1], values[32][E + 1], queries[ATTENTION_WARPS][E];
    Shape shape = {length, source, width, depth, limited, causal};
    int tiles = (length + ATTENTION_WARPS - 1) / ATTENTION_WARPS, head = blockIdx.x / tiles;
    int first = blockIdx.x % tiles * ATTENTION_WARPS, row = first + threadIdx.y;
    q += (long long)head * length * width;
    k += (long long)head * source * width;
    v += (long long)head * source * depth;
    out += (long long)head * length * depth;
    attention_row(queries[threadIdx.y], q, row, length, width, C(scale));
    C sums[E / 32] = {C(0)}, top = C(-INFINITY), total = 0, safe = 0;
    int end = limited ? min(source, first + ATTENTION_WARPS + causal) : source;
    for (int start = 0; start < end; start += 32) {
        __syncthreads();
        attention_load<T, C, E>(keys, k, start, source, width);
        attention_load<T, C, E>(values, v, start, source, depth);
        __syncthreads();
        C score = attention_dot(queries[threadIdx.y], keys[threadIdx.x], width);
        if (shape.hides(row, start + threadIdx.x)) score = C(-INFINITY);
        C highest = larger(top, warp_reduce<Max>(score));
        safe = highest == C(-INFINITY) ? C(0) : highest;
        C share = exp(score - safe), decay = exp(top - safe);
        total = total * decay + warp_reduce<Sum>(share);
        for (int r = 0; r < E / 32; r++) sums[r] *= decay;
        attention_gather<C, E>(sums, share, values, depth);
        top = highest;
    }
    bool blind = total == C(0);
    attention_write<T, C, E>(out, sums, blind ? C(1) : C(1) / total, row, length, depth);
    if (threadIdx.x == 0 && row < length)
        level[(long long)head * length + row] = blind ? C(INFINITY) : log(total) + safe;
}

// tilt: the sum of g times the output of each query, less the gradient of its level.
template <class T, int E> __global__ void attention_of_queries(
    const T *g, const T *q, const T *k, const T *v, const typename Wide<T>::type *level,
    const typename Wide<T>::type *tilt, T *dq, int length, int source, int width, int depth,
    int limited, int causal, double scale)
{
    typedef typename Wide<T>::type C;
    __shared__ C keys[32][E + 1], values[32][E + 1];
    __shared__ C queries[ATTENTION_WARPS][E], slopes[ATTENTION_WARPS][E];
    Shape shape = {length, source, width, depth, limited, causal};
    int tiles = (length + ATTENTION_WARPS - 1) / ATTENTION_WARPS, head = blockIdx.x / tiles;
    int first = blockIdx.x % tiles * ATTENTION_WARPS, row = first + threadIdx.y;
    long long at = (long long)head * length + min(row, length - 1);
    g += (long long)head * length * depth;
    k += (long long)head * source * width;
    v += (long long)head * source * depth;
    attention_row(queries[threadIdx.y], q + (long long)head * length * width, row, length, width,
                  C(scale));
    attention_row(slopes[threadIdx.y], g, row, length, depth, C(1));
    C sums[E / 32] = {C(0)};
    int end = limited ? min(source, first + ATTENTION_WARPS + causal) : source;
    for (int start = 0; start < end; start += 32) {
        __syncthreads();
        attention_load<T, C, E>(keys, k, start, source, width);
        attention_load<T, C, E>(values, v, start, source, depth);
        __syncthreads();
        C slope = 0;
        if (!shape.hides(row, start + threadIdx.x)) {
            C score = attention_dot(queries[threadIdx.y], keys[threadIdx.x], width);
            C of_weight = attention_dot(slopes[threadIdx.y], values[threadIdx.x], depth);
            slope = exp(score - level[at]) * (of_weight - tilt[at]);
        }
        attention_gather<C, E>(sums, slope, keys, width);
    }
    dq += (long long)head * length * width;
    attention_write<T, C, E>(dq, sums, C(scale), row, length, width);
}

template <class T, int E> __global__ void attention_of_keys(
    const T *g, const T *q, const T *k, const T *v, const typename Wide<T>::type *level,
    const typename Wide<T>::type *tilt, T *dk, T *dv, int length, int source, int width, int depth,
    int limited, int causal, double scale)
{
    typedef typename Wide<T>::type C;
    __shared__ C queries[32][E + 1], slopes[32][E + 1];
    __shared__ C keys[ATTENTION_WARPS][E], values[ATTENTION_WARPS][E];
    Shape shape = {length, source, width, depth, limited, causal};
    int tiles = (source + ATTENTION_WARPS - 1) / ATTENTION_WARPS, head = blockIdx.x / tiles;
    int first = blockIdx.x % tiles * ATTENTION_WARPS, column = first + threadIdx.y;
    g += (long long)head * length * depth;
    q += (long long)head * length * width;
    attention_row(keys[threadIdx.y], k + (long long)head * source * width, column, source, width,
                  C(scale));
    attention_row(values[threadIdx.y], v + (long long)head * source * depth, column, source, depth,
                  C(1));
    C of_key[E / 32] = {C(0)}, of_value[E / 32] = {C(0)};
    int begin = limited ? max(0, first - causal) / 32 * 32 : 0;
    for (int start = begin; start < length; start += 32) {
        __syncthreads();
        attention_load<T, C, E>(queries, q, start, length, width);
        attention_load<T, C, E>(slopes, g, start, length, depth);
        __syncthreads();
        int row = start + threadIdx.x;
        C weight = 0, slope = 0;
        if (!shape.hides(row, column)) {
            long long at = (long long)head * length + row;
            C score = attention_dot(queries[threadIdx.x], keys[threadIdx.y], width);
            C of_weight = attention_dot(slopes[threadIdx.x], values[threadIdx.y], depth);
            weight = exp(score - level[at]);
            slope = weight * (of_weight - tilt[at]);
        }
        attention_gather<C, E>(of_value, weight, slopes, depth);
        attention_gather<C, E>(of_key, slope, queries, width);
    }
    dk += (long long)head * source * width;
    dv += (long long)head * source * depth;
    attention_write<T, C, E>(dk, of_key, C(scale), column, source, width);
    attention_write<T, C, E>(dv, of_value, C(1), column, source, depth);
}
"""
FEATURES = (32, 64, 128)  # of a head, at most
SOURCE = Source(
    "attention",
    CODE,
    kernels=[
        f"attention_{part}<{{T}}, {e}>"
        for part in ("forward", "of_queries", "of_keys")
        for e in FEATURES
    ],
    dtypes=("float16", "bfloat16", "float32"),  # tiles of float64 are too large
)
WARPS = 8


def _suits(q: Any, k: Any, v: Any, masked: bool, drop: float) -> bool:
    """Whether the kernels are made for such a call."""
    fits = q.dtype == k.dtype == v.dtype and q.dtype.name in SOURCE.dtypes
    full = bool(q.size and k.size and v.size)
    return fits and full and not masked and not drop and max(q.shape[-1], v.shape[-1]) <= 128


def _launch(
    cupy: Any, part: str, rows: int, arrays: Any, q: Any, k: Any, v: Any, causal: Any, scale: float
) -> None:
    widest = max(q.shape[-1], v.shape[-1])
    features = next(e for e in FEATURES if e >= widest)
    blocks = math.prod(q.shape[:-2]) * -(-rows // WARPS)
    sizes = q.shape[-2], k.shape[-2], q.shape[-1], v.shape[-1], causal is not None, causal or 0
    kernel = SOURCE.kernel(cupy, f"attention_{part}<{{T}}, {features}>", q.dtype)
    kernel((blocks,), (32, WARPS), (*arrays, *map(np.int32, sizes), np.float64(scale)))


def _forward(
    cupy: Any,
    q: Any,
    k: Any,
    v: Any,
    *rest: Any,
    scale: float,
    causal: int | None,
    masked: bool,
    drop: float,
) -> Any:
    if not _suits(q, k, v, masked, drop):
        return NotImplemented
    q, k, v = map(cupy.ascontiguousarray, (q, k, v))
    out = cupy.empty((*q.shape[:-1], v.shape[-1]), q.dtype)
    level = cupy.empty(q.shape[:-1], np.float32)
    _launch(cupy, "forward", q.shape[-2], (q, k, v, out, level), q, k, v, causal, scale)
    return out, level


def _backward(
    cupy: Any,
    g: Any,
    h: Any,
    q: Any,
    k: Any,
    v: Any,
    out: Any,
    level: Any,
    *rest: Any,
    scale: float,
    causal: int | None,
    masked: bool,
    drop: float,
) -> Any:
    single = h.dtype == level.dtype == np.float32
    if not _suits(q, k, v, masked, drop) or g.dtype != q.dtype or not single:
        return NotImplemented
    tilt = (g.astype(np.float32, copy=False) * out).sum(axis=-1) - h
    g, q, k, v, level, tilt = map(cupy.ascontiguousarray, (g, q, k, v, level, tilt))
    dq, dk, dv = (cupy.empty(x.shape, x.dtype) for x in (q, k, v))
    given = g, q, k, v, level, tilt
    _launch(cupy, "of_queries", q.shape[-2], (*given, dq), q, k, v, causal, scale)
    _launch(cupy, "of_keys", k.shape[-2], (*given, dk, dv), q, k, v, causal, scale)
    return dq, dk, dv, cupy.zeros((), level.dtype)


def sources() -> tuple[Source, ...]:
    """The CUDA C of this family."""
    return (SOURCE,)


def overrides(cupy: Any) -> dict[str, Callable[..., Any]]:
    """By primitive, the function that is tried before CuPy's operations."""
    return {
        "attention": partial(_forward, cupy),
        "attention_grad": partial(_backward, cupy),
    }

"""Softmax, its logarithm and their gradients.

Arrays are seen as (outer, length, inner). With inner = 1 a warp or a block takes a row; otherwise
a thread takes a column, so that neighbouring threads read neighbouring numbers. The forward pass
keeps a running maximum and sum (Milakov and Gimelshein 2018, online normaliser), reads each number
twice and writes it once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .source import Source

CODE = r"""
// A sum of exp(x - top), kept together with the largest x so far. While all are -inf, top is
// treated as 0 for the differences, which leaves NaN to the end, as in NumPy: 0 / 0.
template <class C> struct Level { C top, sum; };

template <class C> __device__ void include(Level<C> &level, C x) {
    if (x > level.top) {
        level.sum *= exp(level.top - x);
        level.top = x;
    }
    level.sum += level.top == C(-INFINITY) && x == level.top ? C(0) : exp(x - level.top);
}

template <class T, bool LOG> __device__ void softmax_write(
    const T *x, T *y, long long at, typename Wide<T>::type top, typename Wide<T>::type sum)
{
    typedef typename Wide<T>::type C;
    C shifted = C(x[at]) - top;
    y[at] = T(LOG ? shifted - log(sum) : exp(shifted) / sum);
}

// blockDim.x threads share a row of x, (rows, length).
template <class T, bool LOG> __global__ void softmax_rows(
    const T *x, T *y, long long rows, long long length)
{
    typedef typename Wide<T>::type C;
    long long row = (long long)blockIdx.x * blockDim.y + threadIdx.y;
    if (row >= rows) return;
    const T *from = x + row * length;
    Level<C> level = {C(-INFINITY), C(0)};
    for (long long i = threadIdx.x; i < length; i += blockDim.x) include(level, C(from[i]));
    C top = block_reduce<Max>(level.top);
    C share = level.top == top ? level.sum : level.sum * exp(level.top - top);
    C sum = block_reduce<Sum>(share);
    for (long long i = threadIdx.x; i < length; i += blockDim.x)
        softmax_write<T, LOG>(from, y + row * length, i, top, sum);
}

// A thread takes a column of x, (outer, length, inner).
template <class T, bool LOG> __global__ void softmax_columns(
    const T *x, T *y, long long columns, long long length, long long inner)
{
    typedef typename Wide<T>::type C;
    long long column = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= columns) return;
    long long start = column / inner * inner * length + column % inner;
    Level<C> level = {C(-INFINITY), C(0)};
    for (long long i = 0; i < length; i++) include(level, C(x[start + i * inner]));
    for (long long i = 0; i < length; i++)
        softmax_write<T, LOG>(x, y, start + i * inner, level.top, level.sum);
}

// What is summed along the axis, and the gradient of x, for gradients g of y.
template <class C, bool LOG> __device__ C softmax_term(C g, C y) { return LOG ? g : g * y; }
template <class C, bool LOG> __device__ C softmax_slope(C g, C y, C level) {
    return LOG ? g - exp(y) * level : (g - level) * y;
}

template <class T, bool LOG> __global__ void softmax_rows_dx(
    const T *g, const T *y, T *dx, long long rows, long long length)
{
    typedef typename Wide<T>::type C;
    long long row = (long long)blockIdx.x * blockDim.y + threadIdx.y;
    if (row >= rows) return;
    long long start = row * length;
    C sum = 0;
    for (long long i = threadIdx.x; i < length; i += blockDim.x)
        sum += softmax_term<C, LOG>(C(g[start + i]), C(y[start + i]));
    sum = block_reduce<Sum>(sum);
    for (long long i = threadIdx.x; i < length; i += blockDim.x)
        dx[start + i] = T(softmax_slope<C, LOG>(C(g[start + i]), C(y[start + i]), sum));
}

template <class T, bool LOG> __global__ void softmax_columns_dx(
    const T *g, const T *y, T *dx, long long columns, long long length, long long inner)
{
    typedef typename Wide<T>::type C;
    long long column = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= columns) return;
    long long start = column / inner * inner * length + column % inner;
    C sum = 0;
    for (long long i = 0; i < length; i++)
        sum += softmax_term<C, LOG>(C(g[start + i * inner]), C(y[start + i * inner]));
    for (long long i = 0; i < length; i++) {
        long long at = start + i * inner;
        dx[at] = T(softmax_slope<C, LOG>(C(g[at]), C(y[at]), sum));
    }
}
"""

SOURCE = Source(
    "softmax",
    CODE,
    kernels=[
        f"softmax_{layout}{pass_}<{{T}}, {log}>"
        for layout in ("rows", "columns")
        for pass_ in ("", "_dx")
        for log in ("false", "true")
    ],
)
COLUMNS = 128  # threads of a block that takes columns


def _launch(cupy: Any, pass_: str, log: str, arrays: tuple[Any, ...], axis: int) -> Any:
    """Runs a pass over arrays of one shape, and gives its result."""
    if not SOURCE.takes(*arrays) or not arrays[0].size:
        return NotImplemented
    shape = arrays[0].shape
    length, inner = shape[axis], math.prod(shape[axis + 1 :])
    lines = arrays[0].size // length
    out = cupy.empty(shape, arrays[0].dtype)
    layout = "rows" if inner == 1 else "columns"
    kernel = SOURCE.kernel(cupy, f"softmax_{layout}{pass_}<{{T}}, {log}>", out.dtype)
    sizes: tuple[int, ...]
    if inner == 1:
        block = (32, 4) if length <= 512 else (256, 1)
        sizes, grid = (lines, length), -(-lines // block[1])
    else:
        block, sizes = (COLUMNS, 1), (lines, length, inner)
        grid = -(-lines // COLUMNS)
    kernel((grid,), block, (*arrays, out, *map(np.int64, sizes)))
    return out


def _forward(cupy: Any, log: str, x: Any, *, axis: int) -> Any:
    return _launch(cupy, "", log, (x,), axis)


def _backward(cupy: Any, log: str, g: Any, y: Any, *, axis: int) -> Any:
    if g.shape != y.shape:
        return NotImplemented
    return _launch(cupy, "_dx", log, (g, y), axis)


def sources() -> tuple[Source, ...]:
    """The CUDA C of this family."""
    return (SOURCE,)


def overrides(cupy: Any) -> dict[str, Callable[..., Any]]:
    """By primitive, the function that is tried before CuPy's operations."""
    return {
        "softmax": partial(_forward, cupy, "false"),
        "softmax_dx": partial(_backward, cupy, "false"),
        "log_softmax": partial(_forward, cupy, "true"),
        "log_softmax_dx": partial(_backward, cupy, "true"),
    }

"""Layer, RMS and group normalisation, and their gradients.

An array is seen as (rows, length), and a warp or a block takes a row: the mean first, then the
squares of what is left, which loses no digits where the mean is large. Weights of `group_norm`
belong to channels, `inner` numbers each. Sums over rows, for gradients of weights, are taken in
pieces that depend on sizes only, so that they are the same in every run.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .source import Source

# Statistics of a row, and where the weight of element i of a row lies.
ROW = r"""
template <class C> struct Level { C mean, scale; };

template <class T, bool CENTRED> __device__ Level<typename Wide<T>::type> norm_level(
    const T *x, long long length, double eps)
{
    typedef typename Wide<T>::type C;
    C mean = 0, square = 0;
    if (CENTRED) {
        for (long long i = threadIdx.x; i < length; i += blockDim.x) mean += C(x[i]);
        mean = block_reduce<Sum>(mean) / C(length);
    }
    for (long long i = threadIdx.x; i < length; i += blockDim.x) {
        C rest = C(x[i]) - mean;
        square += rest * rest;
    }
    square = block_reduce<Sum>(square) / C(length);
    Level<C> level = {mean, C(1) / sqrt(square + C(eps))};
    return level;
}

__device__ __forceinline__ long long norm_weight(
    long long row, long long i, long long groups, long long length, long long inner)
{
    return row % groups * (length / inner) + i / inner;
}
"""
CODE = (
    ROW
    + r"""
// vectors: how many of weight and bias there are.
template <class T, bool CENTRED> __global__ void norm_rows(
    const T *x, const T *weight, const T *bias, T *y, long long rows, long long length,
    long long groups, long long inner, double eps, int vectors)
{
    typedef typename Wide<T>::type C;
    long long row = (long long)blockIdx.x * blockDim.y + threadIdx.y;
    if (row >= rows) return;
    const T *from = x + row * length;
    Level<C> level = norm_level<T, CENTRED>(from, length, eps);
    for (long long i = threadIdx.x; i < length; i += blockDim.x) {
        long long at = norm_weight(row, i, groups, length, inner);
        C value = (C(from[i]) - level.mean) * level.scale;
        if (vectors > 0) value *= C(weight[at]);
        if (vectors > 1) value += C(bias[at]);
        y[row * length + i] = T(value);
    }
}

// Also gives mean and 1 / deviation of each row, (rows, 2).
template <class T, bool CENTRED> __global__ void norm_rows_dx(
    const T *g, const T *x, const T *weight, T *dx, typename Wide<T>::type *levels, long long rows,
    long long length, long long groups, long long inner, double eps, int vectors)
{
    typedef typename Wide<T>::type C;
    long long row = (long long)blockIdx.x * blockDim.y + threadIdx.y;
    if (row >= rows) return;
    const T *from = x + row * length, *down = g + row * length;
    Level<C> level = norm_level<T, CENTRED>(from, length, eps);
    C plain = 0, tilted = 0;
    for (long long i = threadIdx.x; i < length; i += blockDim.x) {
        C w = vectors ? C(weight[norm_weight(row, i, groups, length, inner)]) : C(1);
        C up = C(down[i]) * w;
        plain += up;
        tilted += up * (C(from[i]) - level.mean) * level.scale;
    }
    plain = CENTRED ? block_reduce<Sum>(plain) / C(length) : C(0);
    tilted = block_reduce<Sum>(tilted) / C(length);
    for (long long i = threadIdx.x; i < length; i += blockDim.x) {
        C w = vectors ? C(weight[norm_weight(row, i, groups, length, inner)]) : C(1);
        C up = C(down[i]) * w, value = (C(from[i]) - level.mean) * level.scale;
        dx[row * length + i] = T((up - plain - value * tilted) * level.scale);
    }
    if (threadIdx.x == 0) {
        levels[2 * row] = level.mean;
        levels[2 * row + 1] = level.scale;
    }
}

// A thread takes a column over some of the rows; parts (pieces, 2, length) are then added.
template <class T> __global__ void norm_rows_sums(
    const T *g, const T *x, const typename Wide<T>::type *levels, typename Wide<T>::type *parts,
    long long rows, long long length, long long piece)
{
    typedef typename Wide<T>::type C;
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= length) return;
    long long end = min(rows, (blockIdx.y + 1) * piece);
    C tilted = 0, plain = 0;
    for (long long row = blockIdx.y * piece; row < end; row++) {
        C down = C(g[row * length + i]);
        tilted += down * (C(x[row * length + i]) - levels[2 * row]) * levels[2 * row + 1];
        plain += down;
    }
    parts[(2 * blockIdx.y) * length + i] = tilted;
    parts[(2 * blockIdx.y + 1) * length + i] = plain;
}

// A block takes a channel of all samples; sums (2, channels).
template <class T> __global__ void norm_group_sums(
    const T *g, const T *x, const typename Wide<T>::type *levels, typename Wide<T>::type *sums,
    long long samples, long long channels, long long inner, long long groups)
{
    typedef typename Wide<T>::type C;
    long long channel = blockIdx.x;
    C tilted = 0, plain = 0;
    for (long long i = threadIdx.x; i < samples * inner; i += blockDim.x) {
        long long sample = i / inner, row = sample * groups + channel / (channels / groups);
        long long at = (sample * channels + channel) * inner + i % inner;
        C down = C(g[at]);
        tilted += down * (C(x[at]) - levels[2 * row]) * levels[2 * row + 1];
        plain += down;
    }
    tilted = block_reduce<Sum>(tilted);
    plain = block_reduce<Sum>(plain);
    if (threadIdx.x == 0) {
        sums[channel] = tilted;
        sums[channels + channel] = plain;
    }
}
"""
)
SOURCE = Source(
    "norm",
    CODE,
    kernels=[
        *(f"norm_rows{pass_}<{{T}}, {c}>" for pass_ in ("", "_dx") for c in ("false", "true")),
        *("norm_rows_sums<{T}>", "norm_group_sums<{T}>"),
    ],
)
COLUMNS = 128  # threads of a block that takes columns
PIECES = 64  # of the rows, at most


def wide(dtype: Any) -> Any:
    """The dtype that a kernel computes in."""
    return np.dtype(np.float32) if dtype.itemsize == 2 else dtype


def _block(length: int) -> tuple[int, int]:
    return (32, 4) if length <= 512 else (256, 1)


def _kernel(cupy: Any, name: str, dtype: Any, centred: bool) -> Any:
    return SOURCE.kernel(cupy, f"{name}<{{T}}, {str(centred).lower()}>", dtype)


def _forward(
    cupy: Any, centred: bool, x: Any, affine: Any, length: int, groups: int, inner: int, eps: float
) -> Any:
    if not SOURCE.takes(x, *affine) or not x.size:
        return NotImplemented
    weight, bias = (*affine, x, x)[:2]  # any array stands for one that is not read
    y, rows, block = cupy.empty(x.shape, x.dtype), x.size // length, _block(length)
    _kernel(cupy, "norm_rows", x.dtype, centred)(
        (-(-rows // block[1]),),
        block,
        (
            x,
            weight,
            bias,
            y,
            *map(np.int64, (rows, length, groups, inner)),
            np.float64(eps),
            np.int32(len(affine)),
        ),
    )
    return y


def _dx(
    cupy: Any,
    centred: bool,
    g: Any,
    x: Any,
    weight: Any,
    length: int,
    groups: int,
    inner: int,
    eps: float,
) -> tuple[Any, Any]:
    """The gradient of x, and the mean and 1 / deviation of its rows."""
    dx, rows, block = cupy.empty(x.shape, x.dtype), x.size // length, _block(length)
    levels = cupy.empty((rows, 2), wide(x.dtype))
    _kernel(cupy, "norm_rows_dx", x.dtype, centred)(
        (-(-rows // block[1]),),
        block,
        (
            g,
            x,
            weight[0] if weight else x,
            dx,
            levels,
            *tuple(map(np.int64, (rows, length, groups, inner))),
            np.float64(eps),
            np.int32(len(weight)),
        ),
    )
    return dx, levels


def _nothing(cupy: Any, dx: Any, count: int) -> tuple[Any, ...]:
    return (dx, *(cupy.zeros((), dx.dtype) for _ in range(count)))


def _rows(cupy: Any, centred: bool, x: Any, *affine: Any, dims: int, eps: float) -> Any:
    return _forward(cupy, centred, x, affine, math.prod(x.shape[x.ndim - dims :]), 1, 1, eps)


def _rows_grad(
    cupy: Any, centred: bool, g: Any, x: Any, *weight: Any, dims: int, eps: float
) -> Any:
    if not SOURCE.takes(g, x, *weight) or g.shape != x.shape or not x.size:
        return NotImplemented
    shape = x.shape[x.ndim - dims :]
    length = math.prod(shape)
    dx, levels = _dx(cupy, centred, g, x, weight, length, 1, 1, eps)
    if not weight:
        return _nothing(cupy, dx, 1 + centred)
    rows = x.size // length
    piece = -(-rows // min(PIECES, -(-rows // 16)))
    parts = cupy.empty((-(-rows // piece), 2, length), levels.dtype)
    SOURCE.kernel(cupy, "norm_rows_sums<{T}>", x.dtype)(
        (-(-length // COLUMNS), len(parts)),
        (COLUMNS,),
        (g, x, levels, parts, *map(np.int64, (rows, length, piece))),
    )
    sums = parts.sum(axis=0).astype(x.dtype, copy=False).reshape(2, *shape)
    return (dx, *sums)[: 2 + centred]


def _inner(x: Any) -> int:
    return math.prod(x.shape[2:])


def _group_norm(cupy: Any, x: Any, *affine: Any, groups: int, eps: float) -> Any:
    if not x.size:
        return NotImplemented
    length = math.prod(x.shape[1:]) // groups
    return _forward(cupy, True, x, affine, length, groups, _inner(x), eps)


def _group_norm_grad(cupy: Any, g: Any, x: Any, *weight: Any, groups: int, eps: float) -> Any:
    if not SOURCE.takes(g, x, *weight) or g.shape != x.shape or not x.size:
        return NotImplemented
    length, inner = math.prod(x.shape[1:]) // groups, _inner(x)
    dx, levels = _dx(cupy, True, g, x, weight, length, groups, inner, eps)
    if not weight:
        return _nothing(cupy, dx, 2)
    sums = cupy.empty((2, x.shape[1]), levels.dtype)
    SOURCE.kernel(cupy, "norm_group_sums<{T}>", x.dtype)(
        (x.shape[1],),
        (256,),
        (g, x, levels, sums, *map(np.int64, (x.shape[0], x.shape[1], inner, groups))),
    )
    return (dx, *sums.astype(x.dtype, copy=False))


def sources() -> tuple[Source, ...]:
    """The CUDA C of this family."""
    return (SOURCE,)


def overrides(cupy: Any) -> dict[str, Callable[..., Any]]:
    """By primitive, the function that is tried before CuPy's operations."""
    return {
        "layer_norm": partial(_rows, cupy, True),
        "layer_norm_grad": partial(_rows_grad, cupy, True),
        "rms_norm": partial(_rows, cupy, False),
        "rms_norm_grad": partial(_rows_grad, cupy, False),
        "group_norm": partial(_group_norm, cupy),
        "group_norm_grad": partial(_group_norm_grad, cupy),
    }

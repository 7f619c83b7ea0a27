"""Batch normalisation and its gradients: a block sums a channel, then all threads apply it.

Arrays are (n, channels, ...), seen as (n, channels, inner). Statistics are kept in the type that is
computed in, so that 16-bit floats are rounded once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .norm import wide
from .source import Source

CODE = r"""
// Where element i of a channel lies, of (n, channels, inner).
__device__ __forceinline__ long long batch_norm_at(
    long long i, long long channel, long long channels, long long inner)
{
    return (i / inner * channels + channel) * inner + i % inner;
}

template <class T> __global__ void batch_norm_stats(
    const T *x, typename Wide<T>::type *mean, typename Wide<T>::type *var, long long count,
    long long channels, long long inner)
{
    typedef typename Wide<T>::type C;
    long long channel = blockIdx.x;
    C sum = 0, square = 0;
    for (long long i = threadIdx.x; i < count; i += blockDim.x)
        sum += C(x[batch_norm_at(i, channel, channels, inner)]);
    C middle = block_reduce<Sum>(sum) / C(count);
    for (long long i = threadIdx.x; i < count; i += blockDim.x) {
        C rest = C(x[batch_norm_at(i, channel, channels, inner)]) - middle;
        square += rest * rest;
    }
    square = block_reduce<Sum>(square) / C(count);
    if (threadIdx.x == 0) {
        mean[channel] = middle;
        var[channel] = square;
    }
}

// vectors: how many of weight and bias there are.
template <class T> __global__ void batch_norm_apply(
    const T *x, const typename Wide<T>::type *mean, const typename Wide<T>::type *var,
    const T *weight, const T *bias, T *y, long long size, long long channels, long long inner,
    double eps, int vectors)
{
    typedef typename Wide<T>::type C;
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    long long channel = i / inner % channels;
    C scale = C(1) / sqrt(var[channel] + C(eps));
    if (vectors > 0) scale *= C(weight[channel]);
    C value = (C(x[i]) - mean[channel]) * scale;
    y[i] = T(vectors > 1 ? value + C(bias[channel]) : value);
}

// The sums of g, and of g times the normalised x; (2, channels).
template <class T> __global__ void batch_norm_sums(
    const T *g, const T *x, const typename Wide<T>::type *mean, const typename Wide<T>::type *var,
    typename Wide<T>::type *sums, long long count, long long channels, long long inner, double eps)
{
    typedef typename Wide<T>::type C;
    long long channel = blockIdx.x;
    C plain = 0, tilted = 0;
    for (long long i = threadIdx.x; i < count; i += blockDim.x) {
        long long at = batch_norm_at(i, channel, channels, inner);
        plain += C(g[at]);
        tilted += C(g[at]) * (C(x[at]) - mean[channel]);
    }
    plain = block_reduce<Sum>(plain);
    tilted = block_reduce<Sum>(tilted) / sqrt(var[channel] + C(eps));
    if (threadIdx.x == 0) {
        sums[channel] = plain;
        sums[channels + channel] = tilted;
    }
}

template <class T> __global__ void batch_norm_dx(
    const T *g, const T *of_mean, const T *of_var, const T *x, const typename Wide<T>::type *mean,
    const typename Wide<T>::type *var, const typename Wide<T>::type *sums, const T *weight, T *dx,
    long long size, long long count, long long channels, long long inner, double eps, int vectors)
{
    typedef typename Wide<T>::type C;
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    long long c = i / inner % channels;
    C scale = C(1) / sqrt(var[c] + C(eps)), of_g = vectors ? scale * C(weight[c]) : scale;
    C tilt = (C(2) * C(of_var[c]) - of_g * scale * sums[channels + c]) / C(count);
    C level = (C(of_mean[c]) - of_g * sums[c]) / C(count);
    dx[i] = T((C(x[i]) - mean[c]) * tilt + C(g[i]) * of_g + level);
}
"""
SOURCE = Source(
    "batch_norm",
    CODE,
    kernels=[f"batch_norm_{step}<{{T}}>" for step in ("stats", "apply", "sums", "dx")],
)
THREADS = 256


def _sizes(x: Any) -> tuple[int, int, int]:
    """Numbers in a channel, channels, and neighbours of one channel."""
    return x.size // x.shape[1], x.shape[1], math.prod(x.shape[2:])


def _run(
    cupy: Any, step: str, dtype: Any, blocks: int, arrays: Any, sizes: Any, *rest: Any
) -> None:
    kernel = SOURCE.kernel(cupy, f"batch_norm_{step}<{{T}}>", dtype)
    kernel((blocks,), (THREADS,), (*arrays, *map(np.int64, sizes), *rest))


def _apply(cupy: Any, x: Any, mean: Any, var: Any, affine: Any, eps: float) -> Any:
    weight, bias = (*affine, x, x)[:2]  # any array stands for one that is not read
    y, (_, channels, inner) = cupy.empty(x.shape, x.dtype), _sizes(x)
    arrays, sizes = (x, mean, var, weight, bias, y), (x.size, channels, inner)
    rest = np.float64(eps), np.int32(len(affine))
    _run(cupy, "apply", x.dtype, -(-x.size // THREADS), arrays, sizes, *rest)
    return y


def _batch_norm(cupy: Any, x: Any, *affine: Any, eps: float) -> Any:
    if not SOURCE.takes(x, *affine) or not x.size:
        return NotImplemented
    mean, var = cupy.empty((2, x.shape[1]), wide(x.dtype))
    _run(cupy, "stats", x.dtype, x.shape[1], (x, mean, var), _sizes(x))
    y = _apply(cupy, x, mean, var, affine, eps)
    return y, mean.astype(x.dtype, copy=False), var.astype(x.dtype, copy=False)


def _eval(cupy: Any, x: Any, mean: Any, var: Any, *affine: Any, eps: float) -> Any:
    if not SOURCE.takes(x, mean, var, *affine) or not x.size:
        return NotImplemented
    mean, var = (v.astype(wide(x.dtype), copy=False) for v in (mean, var))
    return _apply(cupy, x, mean, var, affine, eps)


def _grad(
    cupy: Any,
    g: Any,
    of_mean: Any,
    of_var: Any,
    x: Any,
    mean: Any,
    var: Any,
    *weight: Any,
    eps: float,
) -> Any:
    if not SOURCE.takes(g, x, mean, var, *weight) or g.shape != x.shape or not x.size:
        return NotImplemented
    of_mean, of_var = (cupy.ascontiguousarray(v, x.dtype) for v in (of_mean, of_var))
    mean, var = (v.astype(wide(x.dtype), copy=False) for v in (mean, var))
    sums, dx = cupy.empty((2, x.shape[1]), mean.dtype), cupy.empty(x.shape, x.dtype)
    scale = np.float64(eps)
    _run(cupy, "sums", x.dtype, x.shape[1], (g, x, mean, var, sums), _sizes(x), scale)
    arrays = g, of_mean, of_var, x, mean, var, sums, weight[0] if weight else x, dx
    blocks, rest = -(-x.size // THREADS), (scale, np.int32(len(weight)))
    _run(cupy, "dx", x.dtype, blocks, arrays, (x.size, *_sizes(x)), *rest)
    if not weight:
        return dx, cupy.zeros((), x.dtype), cupy.zeros((), x.dtype)
    plain, tilted = sums.astype(x.dtype, copy=False)
    return dx, tilted, plain


def sources() -> tuple[Source, ...]:
    """The CUDA C of this family."""
    return (SOURCE,)


def overrides(cupy: Any) -> dict[str, Callable[..., Any]]:
    """By primitive, the function that is tried before CuPy's operations."""
    return {
        "batch_norm": partial(_batch_norm, cupy),
        "batch_norm_eval": partial(_eval, cupy),
        "batch_norm_grad": partial(_grad, cupy),
    }

"""Images of bytes in another size, antialiased, by Pillow's arithmetic.

Each axis is one pass: every new pixel is a mean of old ones with weights in fixed point, rounded to
a byte. The weights of an axis are computed on the device, in double precision; a thread takes a new
pixel and its filter, stretched by the reduction. Box, linear and cubic filters (Keys 1981, with a
slope of -1/2) are here; what takes others, or does without stretching, is left to others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from .source import Source

CODE = r"""
enum { RESIZE_BOX, RESIZE_LINEAR, RESIZE_CUBIC };

__device__ double resize_filter(int kind, double x) {
    if (kind == RESIZE_BOX) return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
    x = fabs(x);
    if (kind == RESIZE_LINEAR) return x < 1.0 ? 1.0 - x : 0.0;
    if (x < 1.0) return (1.5 * x - 2.5) * x * x + 1.0;
    return x < 2.0 ? ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0 : 0.0;
}

// The first old pixel of each new one, and the weights (new pixels, taps) from it on, 2^22 being 1.
// Products are rounded before they are added to: whole numbers among the edges stay whole.
template <class T> __global__ void resize_weights(
    int *first, int *weights, int before, int after, int taps, int kind, double support)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= after) return;
    double scale = double(before) / double(after), stretch = scale > 1.0 ? scale : 1.0;
    double center = __dmul_rn(double(i) + 0.5, scale), reach = __dmul_rn(support, stretch);
    int low = int(center - reach + 0.5), high = int(center + reach + 0.5);
    if (low < 0) low = 0;
    if (high > before) high = before;
    double total = 0.0, narrow = 1.0 / stretch;
    for (int j = low; j < high; j++)
        total += resize_filter(kind, (double(j) - center + 0.5) * narrow);
    for (int t = 0; t < taps; t++) {
        double share = 0.0;
        if (low + t < high)
            share = resize_filter(kind, (double(low + t) - center + 0.5) * narrow) / total;
        share = __dmul_rn(share, 4194304.0);
        weights[(long long)i * taps + t] = int(share + (share < 0.0 ? -0.5 : 0.5));
    }
    first[i] = low;
}

// x is (outer, before, inner), y (outer, after, inner), `count` numbers.
template <class T> __global__ void resize_axis(
    const T *x, const int *first, const int *weights, T *y, long long count, long long before,
    long long after, long long inner, int taps)
{
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    long long place = i / inner % after, start = i / inner / after * before;
    int low = first[place], sum = 1 << 21;
    for (int t = 0; t < taps && low + t < before; t++)
        sum += weights[place * taps + t] * int(x[(start + low + t) * inner + i % inner]);
    sum >>= 22;
    y[i] = T(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}
"""

KERNELS = ("resize_weights<{T}>", "resize_axis<{T}>")
SOURCE = Source("resize", CODE, KERNELS, dtypes=("uint8",))
FILTERS = {"box": (0, 0.5), "bilinear": (1, 1.0), "bicubic": (2, 2.0)}  # number and support
THREADS = 256


def _axis(cupy: Any, x: Any, axis: int, after: int, mode: str) -> Any:
    """One axis of x, -2 or -1, in another length."""
    before, (kind, support) = x.shape[axis], FILTERS[mode]
    taps = 2 * math.ceil(support * max(before / after, 1.0)) + 1
    first, weights = cupy.empty(after, np.int32), cupy.empty((after, taps), np.int32)
    kernel = SOURCE.kernel(cupy, "resize_weights<{T}>", x.dtype)
    sizes = map(np.int32, (before, after, taps, kind))
    kernel((-(-after // THREADS),), (THREADS,), (first, weights, *sizes, np.float64(support)))
    shape = list(x.shape)
    shape[axis] = after
    out = cupy.empty(tuple(shape), x.dtype)
    inner = x.shape[-1] if axis == -2 else 1
    numbers = map(np.int64, (out.size, before, after, inner))
    kernel = SOURCE.kernel(cupy, "resize_axis<{T}>", x.dtype)
    given = (x, first, weights, out, *numbers, np.int32(taps))
    kernel((-(-out.size // THREADS),), (THREADS,), given)
    return out


def _resize(cupy: Any, x: Any, size: Sequence[int], mode: str, antialias: bool) -> Any:
    """Bytes (..., h, w) as (..., *size)."""
    if not SOURCE.takes(x) or not x.size or x.ndim < 2 or min(size) < 1:
        return NotImplemented
    if not antialias or mode not in FILTERS or max(*size, *x.shape[-2:]) > 1 << 24:
        return NotImplemented
    lost_rows, lost_columns = (old - new for old, new in zip(x.shape[-2:], size, strict=True))
    rows_first = lost_rows > max(0, 2 * lost_columns)  # as Pillow, since it rounds in between
    out = x
    for axis in (-2, -1) if rows_first else (-1, -2):
        if out.shape[axis] != size[axis]:
            out = _axis(cupy, out, axis, int(size[axis]), mode)
    return out.copy() if out is x else out


def sources() -> tuple[Source, ...]:
    """The CUDA C of this family."""
    return (SOURCE,)


def overrides(cupy: Any) -> dict[str, Callable[..., Any]]:
    """By name, the function that is tried before others; the names are those of the CPU's."""
    return {"resize_bytes": partial(_resize, cupy)}

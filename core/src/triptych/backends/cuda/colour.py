"""Brightness, contrast and saturation of images (..., channels, h, w) of bytes or float32.

Numbers are cut to the range, 255 or 1, and bytes are cut off after the point. Products are rounded
before they are added to, so that results equal those of the kernels of the CPU. The mean brightness
of an image is summed in double precision by a fixed tree.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .source import Source

CODE = r"""
template <class T> struct ColourRange { static __device__ float most() { return 1.0f; } };
template <> struct ColourRange<unsigned char> {
    static __device__ float most() { return 255.0f; }
};

__device__ __forceinline__ float colour_whole(unsigned char, float v) { return float(int(v)); }
__device__ __forceinline__ float colour_whole(float, float v) { return v; }

// x * factor + offset, cut to the range; NaN stays.
template <class T> __device__ T colour_cut(T x, float factor, float offset) {
    float most = ColourRange<T>::most(), v = __fmul_rn(float(x), factor) + offset;
    return T(v < 0.0f ? 0.0f : v > most ? most : v);
}

// How bright the pixel at x is, the other channels being `plane` apart. Rec. 601.
template <class T> __device__ float colour_luma(const T *x, long long plane) {
    float light = __fmul_rn(float(x[0]), 0.2989f) + __fmul_rn(float(x[plane]), 0.587f);
    return colour_whole(x[0], light + __fmul_rn(float(x[2 * plane]), 0.114f));
}

template <class T> __global__ void colour_scale(
    const T *x, T *y, long long count, float factor)
{
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < count) y[i] = colour_cut(x[i], factor, 0.0f);
}

// A thread takes a pixel; `count` are the pixels of all images.
template <class T> __global__ void colour_grey(
    const T *x, T *y, long long count, long long plane, long long copies)
{
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    T light = T(colour_luma(x + i / plane * 3 * plane + i % plane, plane));
    for (long long c = 0; c < copies; c++) y[(i / plane * copies + c) * plane + i % plane] = light;
}

template <class T> __global__ void colour_saturation(
    const T *x, T *y, long long count, long long plane, float factor, float rest)
{
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    long long at = i / plane * 3 * plane + i % plane;
    float grey = __fmul_rn(colour_luma(x + at, plane), rest);
    for (int c = 0; c < 3; c++) y[at + c * plane] = colour_cut(x[at + c * plane], factor, grey);
}

// Sums of brightness: sums[image, part] by the gridDim.x blocks of an image.
template <class T> __global__ void colour_sums(const T *x, double *sums, long long plane) {
    const T *from = x + (long long)blockIdx.y * 3 * plane;
    double sum = 0;
    for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < plane;
         i += (long long)gridDim.x * blockDim.x)
        sum += double(colour_luma(from + i, plane));
    sum = block_reduce<Sum>(sum);
    if (threadIdx.x == 0) sums[(long long)blockIdx.y * gridDim.x + blockIdx.x] = sum;
}

// blockIdx.y takes an image, whose `parts` sums are not more than the threads of a block.
template <class T> __global__ void colour_contrast(
    const T *x, const double *sums, T *y, long long plane, long long parts, float factor,
    float rest)
{
    long long image = blockIdx.y, i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    double sum = threadIdx.x < parts ? sums[image * parts + threadIdx.x] : 0.0;
    sum = block_reduce<Sum>(sum);
    float offset = __fmul_rn(float(sum / double(plane)), rest);
    if (i >= plane) return;
    for (int c = 0; c < 3; c++) {
        long long at = (image * 3 + c) * plane + i;
        y[at] = colour_cut(x[at], factor, offset);
    }
}
"""

NAMES = ("scale", "grey", "saturation", "sums", "contrast")
SOURCE = Source("colour", CODE, [f"colour_{n}<{{T}}>" for n in NAMES], dtypes=("uint8", "float32"))
THREADS = 256
MOST_IMAGES = 65535  # blocks in y


def _fits(x: Any, channels: int | None = 3) -> bool:
    """Whether x is packed, of one of the dtypes, and has this many channels."""
    if not SOURCE.takes(x) or not x.size or x.ndim < 3:
        return False
    return channels is None or bool(x.shape[-3] == channels)


def _blocks(count: int) -> int:
    return -(-count // THREADS)


def _sizes(x: Any) -> tuple[int, int]:
    """Pixels of all images, and of one."""
    return x.size // 3, x.shape[-1] * x.shape[-2]


def _scale(cupy: Any, x: Any, factor: float) -> Any:
    if not _fits(x, None):
        return NotImplemented
    out = cupy.empty(x.shape, x.dtype)
    kernel = SOURCE.kernel(cupy, "colour_scale<{T}>", x.dtype)
    kernel((_blocks(x.size),), (THREADS,), (x, out, np.int64(x.size), np.float32(factor)))
    return out


def _grey(cupy: Any, x: Any, copies: int) -> Any:
    if not _fits(x):
        return NotImplemented
    count, plane = _sizes(x)
    out = cupy.empty((*x.shape[:-3], copies, *x.shape[-2:]), x.dtype)
    kernel = SOURCE.kernel(cupy, "colour_grey<{T}>", x.dtype)
    kernel((_blocks(count),), (THREADS,), (x, out, *map(np.int64, (count, plane, copies))))
    return out


def _saturation(cupy: Any, x: Any, factor: float) -> Any:
    if not _fits(x):
        return NotImplemented
    count, plane = _sizes(x)
    out = cupy.empty(x.shape, x.dtype)
    kernel = SOURCE.kernel(cupy, "colour_saturation<{T}>", x.dtype)
    numbers = np.int64(count), np.int64(plane), np.float32(factor), np.float32(1 - factor)
    kernel((_blocks(count),), (THREADS,), (x, out, *numbers))
    return out


def _contrast(cupy: Any, x: Any, factor: float) -> Any:
    if not _fits(x):
        return NotImplemented
    count, plane = _sizes(x)
    images, parts = count // plane, min(_blocks(plane), 64)
    if images > MOST_IMAGES:
        return NotImplemented
    sums, out = cupy.empty((images, parts), np.float64), cupy.empty(x.shape, x.dtype)
    kernel = SOURCE.kernel(cupy, "colour_sums<{T}>", x.dtype)
    kernel((parts, images), (THREADS,), (x, sums, np.int64(plane)))
    kernel = SOURCE.kernel(cupy, "colour_contrast<{T}>", x.dtype)
    numbers = np.int64(plane), np.int64(parts), np.float32(factor), np.float32(1 - factor)
    kernel((_blocks(plane), images), (THREADS,), (x, sums, out, *numbers))
    return out


def sources() -> tuple[Source, ...]:
    """The CUDA C of this family."""
    return (SOURCE,)


def overrides(cupy: Any) -> dict[str, Callable[..., Any]]:
    """By name, the function that is tried before others; the names are those of the CPU's."""
    return {
        "color_contrast": partial(_contrast, cupy),
        "color_grey": partial(_grey, cupy),
        "color_saturation": partial(_saturation, cupy),
        "color_scale": partial(_scale, cupy),
    }

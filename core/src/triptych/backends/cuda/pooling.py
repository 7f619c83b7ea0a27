"""The largest number of windows over one or two axes, with or without its place.

A thread takes a window of a plane. Padding never wins; a NaN does, the first one of its window.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .source import Source

CODE = r"""
// Planes of height x width numbers; places are flat positions in a plane.
template <class T, bool PLACES> __global__ void pooling_max(
    const T *x, T *y, long long *places, long long count,
    int height, int outs_down, int size_down, int stride_down, int top, int dilation_down,
    int width, int outs_across, int size_across, int stride_across, int left, int dilation_across)
{
    typedef typename Wide<T>::type C;
    long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    long long plane = at / outs_across / outs_down;
    int first_row = int(at / outs_across % outs_down) * stride_down - top;
    int first_column = int(at % outs_across) * stride_across - left;
    const T *from = x + plane * height * width;
    C best = C(-INFINITY);
    long long found = -1;
    for (int i = 0; i < size_down; i++) {
        int row = first_row + i * dilation_down;
        if (row < 0 || row >= height) continue;
        for (int j = 0; j < size_across; j++) {
            int column = first_column + j * dilation_across;
            if (column < 0 || column >= width) continue;
            long long place = (long long)row * width + column;
            C value = C(from[place]);
            if (found < 0 || value > best || (value != value && best == best)) {
                best = value;
                found = place;
            }
        }
    }
    y[at] = T(best);
    if (PLACES) places[at] = found < 0 ? 0 : found;
}
"""
SOURCE = Source("pooling", CODE, ["pooling_max<{T}, false>", "pooling_max<{T}, true>"])
THREADS = 256
ALONE = 1, 1, 1, 1, 0, 1  # an axis of one window of one number
MOST = 1 << 29  # positions along an axis and beside it are ints

Ints = tuple[int, ...]


def windows_of(
    space: Ints, size: Ints, stride: Ints, padding: tuple[Ints, ...], dilation: Ints
) -> list[Ints]:
    """By axis: length, windows, their size and stride, padding before, dilation."""
    found: list[Ints] = []
    for n, k, s, (before, after), d in zip(space, size, stride, padding, dilation, strict=True):
        outs = (n + before + after - d * (k - 1) - 1) // s + 1
        found.append((n, outs, k, s, before, d))
    return found


def _max(
    cupy: Any,
    places: bool,
    x: Any,
    *,
    size: Ints,
    stride: Ints,
    padding: tuple[Ints, ...],
    dilation: Ints,
) -> Any:
    if len(size) > 2 or not SOURCE.takes(x) or not x.size or min(map(min, padding)) < 0:
        return NotImplemented
    split = x.ndim - len(size)
    lines = windows_of(x.shape[split:], size, stride, padding, dilation)
    shape = (*x.shape[:split], *(line[1] for line in lines))
    if not math.prod(shape) or max(map(max, lines)) >= MOST:
        return NotImplemented
    y = cupy.empty(shape, x.dtype)
    where = cupy.empty(shape if places else 1, np.int64)
    down, across = (ALONE, *lines)[-2:]
    SOURCE.kernel(cupy, f"pooling_max<{{T}}, {str(places).lower()}>", x.dtype)(
        (-(-y.size // THREADS),),
        (THREADS,),
        (x, y, where, np.int64(y.size), *map(np.int32, (*down, *across))),
    )
    return (y, where) if places else y


def sources() -> tuple[Source, ...]:
    """The CUDA C of this family."""
    return (SOURCE,)


def overrides(cupy: Any) -> dict[str, Callable[..., Any]]:
    """By primitive, the function that is tried before CuPy's operations."""
    return {
        "max_pool": partial(_max, cupy, True),
        "max_pool_alone": partial(_max, cupy, False),
    }

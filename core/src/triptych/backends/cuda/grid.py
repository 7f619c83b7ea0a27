"""Images read at the places of a grid, and the gradients of image and grid.

A place reads 1, 2 or 4 pixels along each axis with weights: the nearest one, linear interpolation,
or the cubic of Keys 1981, eq. 15, as in `prims.grid`. Threads take places, neighbours in a row, and
go through channels. The gradient of the image adds atomically, so its sums depend on the order in
which threads run; under `use_deterministic_algorithms` a thread takes a whole channel instead.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ...runtime import are_deterministic_algorithms_enabled
from .source import Source

CODE = r"""
// Pixels along an axis, -1 for one outside, their weights, and how these change with the pixel
// number. What is outside: 0 counts as zero, 1 is the border, 2 is mirrored.
template <class C, int TAPS> struct GridTaps {
    int at[TAPS];
    C weight[TAPS], slope[TAPS];
};

// Where a pixel number is under the padding rule; slope becomes how it follows.
template <class C> __device__ C grid_border(C p, int length, C &slope) {
    C top = C(length - 1);
    if (!(p > C(0))) { p = C(0); slope = C(0); }
    if (!(p < top)) { p = top; slope = C(0); }
    return p;
}
template <class C> __device__ C grid_moved(C p, int length, int padding, bool align, C &slope) {
    slope = C(1);
    if (padding == 0) return p;
    if (padding == 1) return grid_border(p, length, slope);
    C low = align ? C(0) : C(-0.5), span = align ? C(length - 1) : C(length);
    if (span == C(0)) { slope = C(0); return p * C(0); }
    C away = p - low;
    if (away < C(0)) { away = -away; slope = C(-1); }
    C turns = floor(away / span), rest = away - turns * span;
    bool even = turns - C(2) * floor(turns / C(2)) == C(0);
    if (!even) slope = -slope;
    return grid_border(even ? rest + low : span + low - rest, length, slope);
}

template <class C> __device__ int grid_inside(C p, int length) {
    return p >= C(0) && p <= C(length - 1) ? int(p) : -1;
}

// The cubic between neighbours, and beyond them, at a distance x, and their derivatives.
template <class C> __device__ C grid_near(C x) { return (C(1.25) * x - C(2.25)) * x * x + C(1); }
template <class C> __device__ C grid_far(C x) {
    return ((C(-0.75) * x + C(3.75)) * x - C(6)) * x + C(3);
}
template <class C> __device__ C grid_near_slope(C x) { return (C(3.75) * x - C(4.5)) * x; }
template <class C> __device__ C grid_far_slope(C x) { return (C(-2.25) * x + C(7.5)) * x - C(6); }

// The taps of a place in [-1, 1]. Slopes are by the place.
template <class C, int TAPS> __device__ GridTaps<C, TAPS> grid_taps(
    C place, int length, int padding, bool align)
{
    GridTaps<C, TAPS> taps;
    C p = align ? (place + C(1)) * (C(length - 1) / C(2))
                : ((place + C(1)) * C(length) - C(1)) * C(0.5);
    C per_place = align ? C(length - 1) / C(2) : C(length) / C(2), slope;
    if (TAPS == 1) {
        taps.at[0] = grid_inside(rint(grid_moved(p, length, padding, align, slope)), length);
        taps.weight[0] = C(1);
        taps.slope[0] = C(0);
    } else if (TAPS == 2) {
        p = grid_moved(p, length, padding, align, slope);
        C low = floor(p), share = p - low;
        taps.at[0] = grid_inside(low, length);
        taps.at[TAPS - 1] = grid_inside(low + C(1), length);
        taps.weight[0] = C(1) - share;
        taps.weight[TAPS - 1] = share;
        taps.slope[0] = -slope * per_place;
        taps.slope[TAPS - 1] = slope * per_place;
    } else {
        C low = floor(p), t = p - low;
        C back = C(1) - t;
        C weights[4] = {grid_far(t + C(1)), grid_near(t), grid_near(back), grid_far(back + C(1))};
        C slopes[4] = {grid_far_slope(t + C(1)), grid_near_slope(t), -grid_near_slope(back),
                       -grid_far_slope(back + C(1))};
#pragma unroll
        for (int i = 0; i < TAPS; i++) {
            C corner = grid_moved(low + C(i - 1), length, padding, align, slope);
            taps.at[i] = grid_inside(rint(corner), length);
            taps.weight[i] = weights[i];
            taps.slope[i] = slopes[i] * per_place;
        }
    }
    return taps;
}

// x is (n, channels, height, width), grid (n, places, 2), y (n, channels, places). A thread takes
// a place, and every gridDim.y-th channel.
template <class T, int TAPS> __global__ void grid_read(
    const T *x, const T *grid, T *y, long long count, long long places, long long channels,
    int height, int width, int padding, bool align)
{
    typedef typename Wide<T>::type C;
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    GridTaps<C, TAPS> columns = grid_taps<C, TAPS>(C(grid[2 * i]), width, padding, align);
    GridTaps<C, TAPS> rows = grid_taps<C, TAPS>(C(grid[2 * i + 1]), height, padding, align);
    for (long long channel = blockIdx.y; channel < channels; channel += gridDim.y) {
        long long plane = i / places * channels + channel;
        const T *from = x + plane * height * width;
        C total = 0;
#pragma unroll
        for (int r = 0; r < TAPS; r++)
#pragma unroll
            for (int c = 0; c < TAPS; c++) {
                bool inside = rows.at[r] >= 0 && columns.at[c] >= 0;
                C pixel = inside ? C(from[(long long)rows.at[r] * width + columns.at[c]]) : C(0);
                total += rows.weight[r] * columns.weight[c] * pixel;
            }
        y[plane * places + i % places] = T(total);
    }
}

// A thread takes a place, and gives both of its gradients.
template <class T, int TAPS> __global__ void grid_by_grid(
    const T *g, const T *x, const T *grid, T *dgrid, long long count, long long places,
    long long channels, int height, int width, int padding, bool align)
{
    typedef typename Wide<T>::type C;
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    GridTaps<C, TAPS> columns = grid_taps<C, TAPS>(C(grid[2 * i]), width, padding, align);
    GridTaps<C, TAPS> rows = grid_taps<C, TAPS>(C(grid[2 * i + 1]), height, padding, align);
    C across = 0, along = 0;
    for (long long channel = 0; channel < channels; channel++) {
        long long plane = i / places * channels + channel;
        const T *from = x + plane * height * width;
        C slope = C(g[plane * places + i % places]), by_row = 0, by_column = 0;
#pragma unroll
        for (int r = 0; r < TAPS; r++)
#pragma unroll
            for (int c = 0; c < TAPS; c++) {
                bool inside = rows.at[r] >= 0 && columns.at[c] >= 0;
                C pixel = inside ? C(from[(long long)rows.at[r] * width + columns.at[c]]) : C(0);
                by_row += rows.slope[r] * columns.weight[c] * pixel;
                by_column += rows.weight[r] * columns.slope[c] * pixel;
            }
        along += slope * by_column;
        across += slope * by_row;
    }
    dgrid[2 * i] = T(along);
    dgrid[2 * i + 1] = T(across);
}

template <class C, int TAPS> __device__ void grid_add(
    C *to, C g, const GridTaps<C, TAPS> &rows, const GridTaps<C, TAPS> &columns, int width,
    bool alone)
{
#pragma unroll
    for (int r = 0; r < TAPS; r++)
#pragma unroll
        for (int c = 0; c < TAPS; c++) {
            if (rows.at[r] < 0 || columns.at[c] < 0) continue;
            C *pixel = to + (long long)rows.at[r] * width + columns.at[c];
            C part = g * (rows.weight[r] * columns.weight[c]);
            if (alone) *pixel += part;
            else atomicAdd(pixel, part);
        }
}

// dx is of the type to compute in, and zero. Threads take places, as in grid_read.
template <class T, int TAPS> __global__ void grid_by_image(
    const T *g, const T *grid, typename Wide<T>::type *dx, long long count, long long places,
    long long channels, int height, int width, int padding, bool align)
{
    typedef typename Wide<T>::type C;
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    GridTaps<C, TAPS> columns = grid_taps<C, TAPS>(C(grid[2 * i]), width, padding, align);
    GridTaps<C, TAPS> rows = grid_taps<C, TAPS>(C(grid[2 * i + 1]), height, padding, align);
    for (long long channel = blockIdx.y; channel < channels; channel += gridDim.y) {
        long long plane = i / places * channels + channel;
        C slope = C(g[plane * places + i % places]);
        grid_add<C, TAPS>(dx + plane * height * width, slope, rows, columns, width, false);
    }
}

// The same in one order: a thread takes a channel of an image, `count` of them.
template <class T, int TAPS> __global__ void grid_by_image_in_order(
    const T *g, const T *grid, typename Wide<T>::type *dx, long long count, long long places,
    long long channels, int height, int width, int padding, bool align)
{
    typedef typename Wide<T>::type C;
    long long plane = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (plane >= count) return;
    for (long long i = 0; i < places; i++) {
        const T *place = grid + 2 * (plane / channels * places + i);
        GridTaps<C, TAPS> columns = grid_taps<C, TAPS>(C(place[0]), width, padding, align);
        GridTaps<C, TAPS> rows = grid_taps<C, TAPS>(C(place[1]), height, padding, align);
        C slope = C(g[plane * places + i]);
        grid_add<C, TAPS>(dx + plane * height * width, slope, rows, columns, width, true);
    }
}
"""

PASSES = ("read", "by_grid", "by_image", "by_image_in_order")
TAPS = {"nearest": 1, "bilinear": 2, "bicubic": 4}
PADDINGS = ("zeros", "border", "reflection")
SOURCE = Source(
    "grid",
    CODE,
    [
        f"grid_{which}<{{T}}, {taps}>"
        for which in PASSES
        for taps in TAPS.values()
        if (which, taps) != ("by_grid", 1)
    ],
)
THREADS = 128
GROUPS = 32  # of channels, at most, that have threads of their own


def _launch(
    cupy: Any, which: str, arrays: tuple[Any, ...], x: Any, out: Any, places: int, ways: Any
) -> None:
    """Runs a pass for x (n, c, h, w); `ways` are mode, padding and align."""
    mode, padding, align = ways
    n, channels, height, width = x.shape
    in_order = which == "by_image_in_order"
    count = n * channels if in_order else n * places
    groups = min(channels, GROUPS) if which in ("read", "by_image") else 1
    kernel = SOURCE.kernel(cupy, f"grid_{which}<{{T}}, {TAPS[mode]}>", x.dtype)
    sizes = map(np.int64, (count, places, channels))
    rules = map(np.int32, (height, width, PADDINGS.index(padding)))
    blocks = -(-count // THREADS)
    kernel((blocks, groups), (THREADS,), (*arrays, out, *sizes, *rules, np.bool_(align)))


def _fits(x: Any, grid: Any, *others: Any) -> bool:
    """Whether all are of one dtype and packed, none is empty, and rows and columns are ints."""
    sizes = x.size and grid.size and max(x.shape[2:]) < 1 << 24
    return bool(sizes) and x.ndim == 4 and SOURCE.takes(x, grid, *others)


def _packed(cupy: Any, g: Any) -> Any:
    """A gradient may be a number repeated."""
    return cupy.ascontiguousarray(g)


def _read(cupy: Any, x: Any, grid: Any, *, mode: str, padding: str, align: bool) -> Any:
    if not _fits(x, grid):
        return NotImplemented
    out = cupy.empty((*x.shape[:2], *grid.shape[1:3]), x.dtype)
    places = grid.shape[1] * grid.shape[2]
    _launch(cupy, "read", (x, grid), x, out, places, (mode, padding, align))
    return out


def _by_image(cupy: Any, g: Any, x: Any, grid: Any, *, mode: str, padding: str, align: bool) -> Any:
    g = _packed(cupy, g)
    if not _fits(x, grid, g):
        return NotImplemented
    wide = x.dtype if x.dtype.itemsize > 2 else np.dtype(np.float32)
    out = cupy.zeros(x.shape, wide)
    which = "by_image_in_order" if are_deterministic_algorithms_enabled() else "by_image"
    places = grid.shape[1] * grid.shape[2]
    _launch(cupy, which, (g, grid), x, out, places, (mode, padding, align))
    return out.astype(x.dtype, copy=False)


def _by_grid(cupy: Any, g: Any, x: Any, grid: Any, *, mode: str, padding: str, align: bool) -> Any:
    g = _packed(cupy, g)
    if not _fits(x, grid, g):
        return NotImplemented
    if mode == "nearest":
        return cupy.zeros(grid.shape, grid.dtype)
    out = cupy.empty(grid.shape, grid.dtype)
    places = grid.shape[1] * grid.shape[2]
    _launch(cupy, "by_grid", (g, x, grid), x, out, places, (mode, padding, align))
    return out


def sources() -> tuple[Source, ...]:
    """The CUDA C of this family."""
    return (SOURCE,)


def overrides(cupy: Any) -> dict[str, Callable[..., Any]]:
    """By primitive, the function that is tried before CuPy's operations."""
    return {
        "grid_sample": partial(_read, cupy),
        "grid_sample_dgrid": partial(_by_grid, cupy),
        "grid_sample_dx": partial(_by_image, cupy),
    }

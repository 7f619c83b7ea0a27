"""Convolution over one or two axes: by matrix products, and of every channel by itself.

Windows of the input become columns in one launch, padding included, and cuBLAS multiplies them by
the weights; gradients of the input are gathered from columns, each pixel from all windows that see
it. 16-bit numbers are multiplied in single precision. Columns take many times the memory of the
input, so that batches go in parts.

With few channels to compute, writing columns and reading them again takes longer than the product:
a number of columns is 8 bytes moved for 2 `rows` operations, and GPUs do some 13 operations (A100,
single precision) for each byte they move. Up to `FEW` rows the product is an implicit one: blocks
of threads gather tiles of columns into shared memory, and no columns are ever stored. The bound is
from those figures, not from a measurement.

A channel by itself has nothing to multiply by matrices: a thread takes an output or a pixel, and a
block of threads the gradient of a weight.

Source: Chellapilla, Puri and Simard 2006 for the columns; Chetlur et al. 2014, section 3, for the
implicit product.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from . import pooling
from .norm import wide
from .source import Source

GEOMETRY = r"""
// Down is the first axis, across the second: inputs, outputs, kernel, stride, dilation and padding.
struct ConvolutionAxis { int in, out, kernel, stride, dilation, before; };
struct ConvolutionWindow {
    ConvolutionAxis down, across;

    __device__ long long inputs() const { return (long long)down.in * across.in; }
    __device__ long long outputs() const { return (long long)down.out * across.out; }
    __device__ int taps() const { return down.kernel * across.kernel; }
};

// What output i sees by tap k, or -1 for what lies outside.
__device__ __forceinline__ int convolution_seen(const ConvolutionAxis &a, int i, int k) {
    int at = i * a.stride - a.before + k * a.dilation;
    return at >= 0 && at < a.in ? at : -1;
}
// The output that sees input i by tap k, or -1.
__device__ __forceinline__ int convolution_seer(const ConvolutionAxis &a, int i, int k) {
    int at = i + a.before - k * a.dilation;
    return at >= 0 && at % a.stride == 0 && at / a.stride < a.out ? at / a.stride : -1;
}

#define CONVOLUTION_WINDOW(w)                                                                     \
    const ConvolutionWindow w = {{in_0, out_0, kernel_0, stride_0, dilation_0, before_0},         \
                                 {in_1, out_1, kernel_1, stride_1, dilation_1, before_1}}
#define CONVOLUTION_SIZES                                                                         \
    int in_0, int out_0, int kernel_0, int stride_0, int dilation_0, int before_0,                \
    int in_1, int out_1, int kernel_1, int stride_1, int dilation_1, int before_1

"""
CODE = (
    GEOMETRY
    + r"""
// x (samples, channels, in) to columns: for each sample `sample_step` numbers on, a row of outputs
// for each channel and tap, `row_step` apart.
template <class T> __global__ void convolution_columns(
    const T *x, typename Wide<T>::type *columns, long long count, long long channels,
    long long sample_step, long long row_step, CONVOLUTION_SIZES)
{
    typedef typename Wide<T>::type C;
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    CONVOLUTION_WINDOW(w);
    long long output = i % w.outputs(), row = i / w.outputs() % (channels * w.taps());
    long long sample = i / w.outputs() / (channels * w.taps());
    int tap = int(row % w.taps());
    int y = convolution_seen(w.down, int(output / w.across.out), tap / w.across.kernel);
    int z = convolution_seen(w.across, int(output % w.across.out), tap % w.across.kernel);
    const T *plane = x + (sample * channels + row / w.taps()) * w.inputs();
    columns[sample * sample_step + row * row_step + output] =
        y < 0 || z < 0 ? C(0) : C(plane[(long long)y * w.across.in + z]);
}

// The adjoint, for columns (planes, taps, outputs): each input is the sum of its places in them.
template <class T> __global__ void convolution_images(
    const typename Wide<T>::type *columns, T *x, long long count, CONVOLUTION_SIZES)
{
    typedef typename Wide<T>::type C;
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    CONVOLUTION_WINDOW(w);
    const C *plane = columns + i / w.inputs() * w.taps() * w.outputs();
    int row = int(i % w.inputs() / w.across.in), column = int(i % w.across.in);
    C sum = C(0);
    for (int a = 0; a < w.down.kernel; a++) {
        int y = convolution_seer(w.down, row, a);
        for (int b = 0; y >= 0 && b < w.across.kernel; b++) {
            int z = convolution_seer(w.across, column, b);
            long long tap = a * w.across.kernel + b;
            if (z >= 0) sum += plane[tap * w.outputs() + (long long)y * w.across.out + z];
        }
    }
    x[i] = T(sum);
}

// Each input channel has `times` outputs of its own. x (samples, channels, in), weights (channels *
// times, taps), y (samples, channels * times, out).
template <class T> __global__ void convolution_depthwise(
    const T *x, const T *weights, T *y, long long count, long long channels, long long times,
    CONVOLUTION_SIZES)
{
    typedef typename Wide<T>::type C;
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    CONVOLUTION_WINDOW(w);
    long long plane = i / w.outputs();
    const T *from = x + plane / times * w.inputs();
    const T *weight = weights + plane % (channels * times) * w.taps();
    int row = int(i % w.outputs() / w.across.out), column = int(i % w.across.out);
    C sum = C(0);
    for (int a = 0; a < w.down.kernel; a++) {
        int r = convolution_seen(w.down, row, a);
        for (int b = 0; r >= 0 && b < w.across.kernel; b++) {
            int c = convolution_seen(w.across, column, b);
            if (c >= 0)
                sum += C(weight[a * w.across.kernel + b]) * C(from[(long long)r * w.across.in + c]);
        }
    }
    y[i] = T(sum);
}

// The gradient of x.
template <class T> __global__ void convolution_depthwise_dx(
    const T *g, const T *weights, T *dx, long long count, long long channels, long long times,
    CONVOLUTION_SIZES)
{
    typedef typename Wide<T>::type C;
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    CONVOLUTION_WINDOW(w);
    long long plane = i / w.inputs();
    int row = int(i % w.inputs() / w.across.in), column = int(i % w.across.in);
    C sum = C(0);
    for (long long k = 0; k < times; k++) {
        const T *from = g + (plane * times + k) * w.outputs();
        const T *weight = weights + (plane % channels * times + k) * w.taps();
        for (int a = 0; a < w.down.kernel; a++) {
            int r = convolution_seer(w.down, row, a);
            for (int b = 0; r >= 0 && b < w.across.kernel; b++) {
                int c = convolution_seer(w.across, column, b);
                if (c >= 0)
                    sum += C(weight[a * w.across.kernel + b])
                        * C(from[(long long)r * w.across.out + c]);
            }
        }
    }
    dx[i] = T(sum);
}

// The gradient of weights: a block takes a tap of an output channel.
template <class T> __global__ void convolution_depthwise_dw(
    const T *g, const T *x, T *dw, long long samples, long long channels, long long times,
    CONVOLUTION_SIZES)
{
    typedef typename Wide<T>::type C;
    CONVOLUTION_WINDOW(w);
    long long tap = blockIdx.x % w.taps(), output = blockIdx.x / w.taps();
    int a = int(tap / w.across.kernel), b = int(tap % w.across.kernel);
    C sum = C(0);
    for (long long i = threadIdx.x; i < samples * w.outputs(); i += blockDim.x) {
        long long sample = i / w.outputs(), at = i % w.outputs();
        int r = convolution_seen(w.down, int(at / w.across.out), a);
        int c = convolution_seen(w.across, int(at % w.across.out), b);
        if (r < 0 || c < 0) continue;
        const T *from = x + (sample * channels + output / times) * w.inputs();
        sum += C(g[(sample * channels * times + output) * w.outputs() + at])
            * C(from[(long long)r * w.across.in + c]);
    }
    sum = block_reduce<Sum>(sum);
    if (threadIdx.x == 0) dw[blockIdx.x] = T(sum);
}

// Products with columns that are never stored. Forward, `to` (samples, groups * rows, out) is the
// convolution of `from` (samples, groups * planes, in) by weights (groups * rows, planes, taps).
// BACK, `from` is the gradient of the output, `to` that of the input, and weights are (groups *
// planes, rows, taps). A block of 256 threads computes a tile of 16 EACH rows by 64 positions of a
// group, a thread every 16th of either, 16 of the planes' taps at a time.
template <class T, bool BACK, int EACH> __global__ void convolution_implicit(
    const T *from, const T *weights, T *to, long long samples, long long rows, long long planes,
    CONVOLUTION_SIZES)
{
    typedef typename Wide<T>::type C;
    const int DEEP = 16, ACROSS = 64;
    __shared__ C left[16 * EACH][DEEP + 1], right[DEEP][ACROSS];
    __shared__ long long plane_of[DEEP];
    __shared__ int down_of[DEEP], across_of[DEEP];
    CONVOLUTION_WINDOW(w);
    const int me = threadIdx.x, row = me / 16, column = me % 16, lane = me % ACROSS;
    const int wide = BACK ? w.across.in : w.across.out;
    const long long group = blockIdx.z, first_row = (long long)blockIdx.y * 16 * EACH;
    const long long spots = BACK ? w.inputs() : w.outputs(), deep = planes * w.taps();
    const long long seen_spots = BACK ? w.outputs() : w.inputs();
    const long long first = (long long)blockIdx.x * ACROSS, position = first + lane;
    const bool inside = position < samples * spots;
    const int d = int(position % spots / wide), a = int(position % spots % wide);
    const T *sample = from + (position / spots * gridDim.z + group) * planes * seen_spots;
    C sums[EACH][4];
    for (int i = 0; i < EACH; i++)
        for (int j = 0; j < 4; j++) sums[i][j] = C(0);
    for (long long start = 0; start < deep; start += DEEP) {
        if (me < DEEP) {  // nobody reads these between the second barrier and the next first one
            int tap = int((start + me) % w.taps());
            plane_of[me] = start + me < deep ? (start + me) / w.taps() : -1;
            down_of[me] = tap / w.across.kernel;
            across_of[me] = tap % w.across.kernel;
        }
        __syncthreads();
        for (int i = 0; i < EACH; i++) {
            long long r = first_row + row + 16 * i, plane = plane_of[column];
            long long at = BACK ? (group * planes + plane) * rows + r
                                : (group * rows + r) * planes + plane;
            int tap = down_of[column] * w.across.kernel + across_of[column];
            left[row + 16 * i][column] =
                r < rows && plane >= 0 ? C(weights[at * w.taps() + tap]) : C(0);
        }
        for (int k = me / ACROSS; k < DEEP; k += 256 / ACROSS) {
            C value = C(0);
            if (inside && plane_of[k] >= 0) {
                int y = BACK ? convolution_seer(w.down, d, down_of[k])
                             : convolution_seen(w.down, d, down_of[k]);
                int z = BACK ? convolution_seer(w.across, a, across_of[k])
                             : convolution_seen(w.across, a, across_of[k]);
                long long line = (long long)y * (BACK ? w.across.out : w.across.in);
                if (y >= 0 && z >= 0) value = C(sample[plane_of[k] * seen_spots + line + z]);
            }
            right[k][lane] = value;
        }
        __syncthreads();
        for (int k = 0; k < DEEP; k++) {
            C factors[4];
            for (int j = 0; j < 4; j++) factors[j] = right[k][column + 16 * j];
            for (int i = 0; i < EACH; i++)
                for (int j = 0; j < 4; j++) sums[i][j] += left[row + 16 * i][k] * factors[j];
        }
    }
    for (int j = 0; j < 4; j++) {
        long long at = first + column + 16 * j;
        if (at >= samples * spots) continue;
        T *plane = to + (at / spots * gridDim.z + group) * rows * spots + at % spots;
        for (int i = 0; i < EACH; i++) {
            long long r = first_row + row + 16 * i;
            if (r < rows) plane[r * spots] = T(sums[i][j]);
        }
    }
}
"""
)

ALONE = ("depthwise", "depthwise_dx", "depthwise_dw")
NAMES = [f"{name}<{{T}}>" for name in ("columns", "images", *ALONE)]
NAMES += [f"implicit<{{T}}, {back}, {each}>" for back in ("false", "true") for each in (1, 4)]
SOURCE = Source("convolution", CODE, [f"convolution_{name}" for name in NAMES])
THREADS = 256
TILE = 64  # positions of an implicit product
FEW = 64  # rows of one, at most
BLOCKS = 65535  # in y and in z
MOST = 1 << 30  # of a position along an axis, which is an int
COLUMNS = 1 << 26  # numbers of columns at a time

Ints = tuple[int, ...]


class Shapes:
    """Sizes of a convolution, of x (n, c, *in), weights (o, c / groups, *kernel) and y."""

    def __init__(
        self, x: Ints, w: Ints, out: Ints, stride: Ints, padding: Any, dilation: Ints, groups: int
    ) -> None:
        self.n, self.c, self.o, self.groups = x[0], x[1], w[0], groups
        befores = tuple(before for before, _ in padding)
        lines = list(zip(x[2:], out, w[2:], stride, dilation, befores, strict=True))
        self.lines = [(1, 1, 1, 1, 1, 0), *lines][-2:]
        self.ints = tuple(map(np.int32, (v for line in self.lines for v in line)))
        self.inputs, self.outputs = math.prod(x[2:]), math.prod(out)
        self.taps = math.prod(w[2:])
        self.x, self.w, self.y = x, w, (x[0], w[0], *out)

    @classmethod
    def of(cls, x: Any, w: Any, *, groups: int, **options: Any) -> Shapes:
        """Of the convolution of x by w."""
        windows = pooling.windows_of(x.shape[2:], w.shape[2:], **options)
        out = tuple(outs for _, outs, *_ in windows)
        return cls(x.shape, w.shape, out, groups=groups, **options)

    def implicit(self, rows: int) -> bool:
        """Whether a product of so many rows is made without columns."""
        return not self.pointwise and rows <= FEW and self.groups <= BLOCKS

    @property
    def fit(self) -> bool:
        """Whether the kernels number all positions."""
        reach = max(i + o * s + k * d + abs(b) for i, o, k, s, d, b in self.lines)
        counts = self.n, self.c, self.o, self.inputs, self.outputs, self.taps
        return reach < MOST and min(counts) > 0

    @property
    def alone(self) -> bool:
        """Whether each channel is convolved by itself."""
        return 1 < self.groups == self.c

    @property
    def pointwise(self) -> bool:
        """Whether columns are the input as it is."""
        return all((k, s, b) == (1, 1, 0) and i == o for i, o, k, s, _, b in self.lines)

    def parts(self) -> Iterator[slice]:
        """Samples whose columns are made at a time."""
        step = max(1, COLUMNS // (self.c * self.taps * self.outputs))
        return (slice(i, min(i + step, self.n)) for i in range(0, self.n, step))


def _implicit(cupy: Any, given: Any, w: Any, to: Any, s: Shapes, back: bool) -> Any:
    """`to`, computed from x by weights, or with `back` from the gradient of y."""
    rows, planes = s.c // s.groups, s.o // s.groups
    rows, planes, spots = (rows, planes, s.inputs) if back else (planes, rows, s.outputs)
    each = 1 if rows <= 16 else 4
    name = f"convolution_implicit<{{T}}, {str(back).lower()}, {each}>"
    grid = -(-s.n * spots // TILE), -(-rows // (16 * each)), s.groups
    numbers = map(np.int64, (s.n, rows, planes))
    SOURCE.kernel(cupy, name, to.dtype)(grid, (THREADS,), (given, w, to, *numbers, *s.ints))
    return to


def _launch(cupy: Any, name: str, dtype: Any, count: int, *args: Any) -> None:
    kernel = SOURCE.kernel(cupy, f"convolution_{name}<{{T}}>", dtype)
    kernel((-(-count // THREADS),), (THREADS,), args)


def _columns(cupy: Any, x: Any, s: Shapes, by_channel: bool) -> Any:
    """Of x (n, c, *in): (n, groups, c / groups * taps, outputs), or with `by_channel` (groups, c /
    groups * taps, n * outputs).
    """
    n, rows = len(x), s.c // s.groups * s.taps
    if s.pointwise and not by_channel:
        return x.reshape(n, s.groups, rows, s.outputs).astype(wide(x.dtype), copy=False)
    shape = (s.groups, rows, n * s.outputs) if by_channel else (n, s.groups, rows, s.outputs)
    columns = cupy.empty(shape, wide(x.dtype))
    steps = (s.outputs, n * s.outputs) if by_channel else (s.c * s.taps * s.outputs, s.outputs)
    numbers = map(np.int64, (columns.size, s.c, *steps))
    _launch(cupy, "columns", x.dtype, columns.size, x, columns, *numbers, *s.ints)
    return columns


def _takes(a: Any, b: Any) -> bool:
    return a.dtype == b.dtype and a.dtype.name in SOURCE.dtypes and a.ndim in (3, 4)


def _conv(cupy: Any, x: Any, w: Any, *, groups: int, **options: Any) -> Any:
    if not _takes(x, w):
        return NotImplemented
    s = Shapes.of(x, w, groups=groups, **options)
    if not s.fit:
        return NotImplemented
    x, w = cupy.ascontiguousarray(x), cupy.ascontiguousarray(w)
    y = cupy.empty(s.y, x.dtype)
    if s.alone:
        numbers = map(np.int64, (y.size, s.c, s.o // s.c))
        _launch(cupy, "depthwise", x.dtype, y.size, x, w, y, *numbers, *s.ints)
        return y
    if s.implicit(s.o // groups):
        return _implicit(cupy, x, w, y, s, False)
    weights = w.reshape(groups, s.o // groups, -1).astype(wide(w.dtype), copy=False)
    parts = list(s.parts())
    for part in parts:
        found = cupy.matmul(weights, _columns(cupy, x[part], s, False))
        found = found.reshape(-1, *s.y[1:])
        if len(parts) == 1:
            return found.astype(x.dtype, copy=False)
        y[part] = found
    return y


def _conv_dx(cupy: Any, g: Any, w: Any, *, shape: Ints, groups: int, **options: Any) -> Any:
    if not _takes(g, w):
        return NotImplemented
    s = Shapes(tuple(shape), w.shape, g.shape[2:], groups=groups, **options)
    if not s.fit:
        return NotImplemented
    g, w = cupy.ascontiguousarray(g), cupy.ascontiguousarray(w)
    dx = cupy.empty(s.x, g.dtype)
    if s.alone:
        numbers = map(np.int64, (dx.size, s.c, s.o // s.c))
        _launch(cupy, "depthwise_dx", g.dtype, dx.size, g, w, dx, *numbers, *s.ints)
        return dx
    if s.implicit(s.c // groups):
        return _implicit(cupy, g, w, dx, s, True)
    made = wide(g.dtype)
    turned = w.reshape(groups, s.o // groups, -1).astype(made, copy=False).swapaxes(1, 2)
    for part in s.parts():
        own = g[part].reshape(-1, groups, s.o // groups, s.outputs).astype(made, copy=False)
        columns = cupy.ascontiguousarray(cupy.matmul(turned, own))
        to = dx[part]
        if s.pointwise:
            to[...] = columns.reshape(to.shape)
            continue
        _launch(cupy, "images", g.dtype, to.size, columns, to, np.int64(to.size), *s.ints)
    return dx


def _conv_dw(cupy: Any, g: Any, x: Any, *, shape: Ints, groups: int, **options: Any) -> Any:
    if not _takes(g, x):
        return NotImplemented
    s = Shapes(x.shape, tuple(shape), g.shape[2:], groups=groups, **options)
    if not s.fit or s.o * s.taps > MOST:
        return NotImplemented
    g, x = cupy.ascontiguousarray(g), cupy.ascontiguousarray(x)
    if s.alone:
        dw = cupy.empty(s.w, g.dtype)
        numbers = map(np.int64, (s.n, s.c, s.o // s.c))
        kernel = SOURCE.kernel(cupy, "convolution_depthwise_dw<{T}>", g.dtype)
        kernel((s.o * s.taps,), (THREADS,), (g, x, dw, *numbers, *s.ints))
        return dw
    total: Any = None
    for part in s.parts():
        own = g[part].astype(wide(g.dtype), copy=False).swapaxes(0, 1)
        own = cupy.ascontiguousarray(own).reshape(groups, s.o // groups, -1)
        found = cupy.matmul(own, _columns(cupy, x[part], s, True).swapaxes(1, 2))
        total = found if total is None else total + found
    return total.reshape(s.w).astype(g.dtype, copy=False)


def sources() -> tuple[Source, ...]:
    """The CUDA C of this family."""
    return (SOURCE,)


def overrides(cupy: Any) -> dict[str, Callable[..., Any]]:
    """By primitive, the function that is tried before CuPy's operations."""
    return {
        "conv": partial(_conv, cupy),
        "conv_dw": partial(_conv_dw, cupy),
        "conv_dx": partial(_conv_dx, cupy),
    }

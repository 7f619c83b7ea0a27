"""Affine maps and convolutions of bytes: products summed exactly in int32 by dp4a, four at a time,
then scaled.

uint8 inputs are moved to int8 by 128, and zero points come in afterwards, through the sums of rows:
sum (x - a)(w - b) = sum x w - a sum w - b sum x + d a b, in whole numbers. A block of threads takes
a tile of 32 rows by 32 outputs, a thread four numbers of it.

A convolution is such a map of rows of bytes, one for each position, which are put together in one
launch. In groups, where every output sees few channels, a thread takes an output.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from . import convolution
from .source import Source

CODE = (
    convolution.GEOMETRY
    + r"""
enum { QUANTIZED_TILE = 32, QUANTIZED_WORDS = 16 };  // of outputs and rows; of 4 bytes

// Four bytes of a row as int8: `flip` moves uint8 down by 128. Nothing beyond the row, but zeros.
__device__ int quantized_word(const unsigned char *row, long long at, long long depth, int flip) {
    int word = 0;
    for (int i = 0; i < 4; i++)
        if (at + i < depth) word |= ((row[at + i] ^ flip) & 255) << 8 * i;
    return word;
}

__device__ __forceinline__ float quantized_float(
    long long sum, float factor, float shift, bool relu)
{
    float y = __fmul_rn(float(sum), factor) + shift;
    return relu && y < 0.0f ? 0.0f : y;
}
template <class Y> __device__ Y quantized_byte(float y, float scale, int zero, int low, int high) {
    float ratio = rintf(y / scale), least = float(low - zero), most = float(high - zero);
    ratio = ratio < least ? least : ratio > most ? most : ratio;
    return Y(int(ratio + float(zero)));
}

struct QuantizedResult { float y_scale; int y_zero; };
template <class Y> struct QuantizedFinish;
template <> struct QuantizedFinish<int> {
    static __device__ int of(long long sum, float, float, bool, QuantizedResult) {
        return int(sum);
    }
};
template <> struct QuantizedFinish<float> {
    static __device__ float of(long long sum, float factor, float shift, bool relu, QuantizedResult)
    {
        return quantized_float(sum, factor, shift, relu);
    }
};
template <> struct QuantizedFinish<signed char> {
    static __device__ signed char of(
        long long sum, float factor, float shift, bool relu, QuantizedResult r)
    {
        float y = quantized_float(sum, factor, shift, relu);
        return quantized_byte<signed char>(y, r.y_scale, r.y_zero, -128, 127);
    }
};
template <> struct QuantizedFinish<unsigned char> {
    static __device__ unsigned char of(
        long long sum, float factor, float shift, bool relu, QuantizedResult r)
    {
        float y = quantized_float(sum, factor, shift, relu);
        return quantized_byte<unsigned char>(y, r.y_scale, r.y_zero, 0, 255);
    }
};

// x (rows, depth), w (outputs, depth) to y (rows, outputs). scale, zeros and bias (outputs,): of
// the weights; without `scaled`, only sums are wanted, and scale and zeros are not read.
template <class T, class Y> __global__ void quantized_linear(
    const T *x, const signed char *w, const float *scale, const int *zeros, const float *bias,
    Y *y, long long rows, long long outputs, long long depth, float x_scale, int x_zero,
    float y_scale, int y_zero, bool scaled, bool shifted, bool relu)
{
    __shared__ int left[QUANTIZED_TILE][QUANTIZED_WORDS + 1];
    __shared__ int right[QUANTIZED_TILE][QUANTIZED_WORDS + 1];
    const int flip = T(-1) > T(0) ? 128 : 0, ones = 0x01010101;
    const int column = threadIdx.x, row = threadIdx.y, me = row * blockDim.x + column;
    const long long first_row = (long long)blockIdx.x * QUANTIZED_TILE;
    const long long first_output = (long long)blockIdx.y * QUANTIZED_TILE;
    int sum[2][2] = {{0, 0}, {0, 0}}, of_x[2] = {0, 0}, of_w[2] = {0, 0};
    for (long long from = 0; from < depth; from += 4 * QUANTIZED_WORDS) {
        for (int i = me; i < QUANTIZED_TILE * QUANTIZED_WORDS; i += blockDim.x * blockDim.y) {
            int line = i / QUANTIZED_WORDS, word = i % QUANTIZED_WORDS;
            long long r = first_row + line, o = first_output + line, at = from + 4 * word;
            left[line][word] = r >= rows ? 0
                : quantized_word((const unsigned char *)x + r * depth, at, depth, flip);
            right[line][word] = o >= outputs ? 0
                : quantized_word((const unsigned char *)w + o * depth, at, depth, 0);
        }
        __syncthreads();
        for (int k = 0; k < QUANTIZED_WORDS; k++) {
            int a[2] = {left[row][k], left[row + 16][k]};
            int b[2] = {right[column][k], right[column + 16][k]};
            for (int i = 0; i < 2; i++) {
                of_x[i] = __dp4a(a[i], ones, of_x[i]);
                of_w[i] = __dp4a(b[i], ones, of_w[i]);
                for (int j = 0; j < 2; j++) sum[i][j] = __dp4a(a[i], b[j], sum[i][j]);
            }
        }
        __syncthreads();
    }
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            long long r = first_row + row + 16 * i, o = first_output + column + 16 * j;
            if (r >= rows || o >= outputs) continue;
            long long a = (long long)x_zero - flip, b = scaled ? zeros[o] : 0;
            long long whole = sum[i][j] - a * of_w[j] - b * of_x[i] + depth * a * b;
            float factor = scaled ? __fmul_rn(scale[o], x_scale) : 1.0f;
            QuantizedResult result = {y_scale, y_zero};
            y[r * outputs + o] =
                QuantizedFinish<Y>::of(whole, factor, shifted ? bias[o] : -0.0f, relu, result);
        }
}

// x (samples, channels, in) to rows (samples * out, channels * taps); outside is what stands for 0.
template <class T> __global__ void quantized_rows(
    const T *x, T *rows, long long count, long long channels, int x_zero, CONVOLUTION_SIZES)
{
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    CONVOLUTION_WINDOW(w);
    long long depth = channels * w.taps(), output = i / depth % w.outputs();
    long long plane = i / depth / w.outputs() * channels + i % depth / w.taps();
    int tap = int(i % depth % w.taps());
    int y = convolution_seen(w.down, int(output / w.across.out), tap / w.across.kernel);
    int z = convolution_seen(w.across, int(output % w.across.out), tap % w.across.kernel);
    rows[i] = y < 0 || z < 0 ? T(x_zero)
                             : x[plane * w.inputs() + (long long)y * w.across.in + z];
}

// x (samples, groups * planes, in), w (groups * each, planes, taps) to y (samples, groups * each,
// out). Padding adds nothing, as it stands for 0.
template <class T, class Y> __global__ void quantized_groups(
    const T *x, const signed char *weights, const float *scale, const int *zeros,
    const float *bias, Y *y, long long count, long long groups, long long planes, long long each,
    float x_scale, int x_zero, float y_scale, int y_zero, bool shifted, bool relu,
    CONVOLUTION_SIZES)
{
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    CONVOLUTION_WINDOW(w);
    long long o = i / w.outputs() % (groups * each), sample = i / w.outputs() / (groups * each);
    const T *from = x + (sample * groups + o / each) * planes * w.inputs();
    const signed char *weight = weights + o * planes * w.taps();
    int row = int(i % w.outputs() / w.across.out), column = int(i % w.across.out);
    int sum = 0, of_x = 0, of_w = 0, seen = 0;
    for (long long plane = 0; plane < planes; plane++)
        for (int a = 0; a < w.down.kernel; a++) {
            int r = convolution_seen(w.down, row, a);
            for (int b = 0; r >= 0 && b < w.across.kernel; b++) {
                int c = convolution_seen(w.across, column, b);
                if (c < 0) continue;
                int value = from[plane * w.inputs() + (long long)r * w.across.in + c];
                int factor = weight[(plane * w.down.kernel + a) * w.across.kernel + b];
                sum += value * factor;
                of_x += value;
                of_w += factor;
                seen++;
            }
        }
    long long zero = zeros[o], whole = sum - x_zero * (of_w - seen * zero) - zero * of_x;
    QuantizedResult result = {y_scale, y_zero};
    y[i] = QuantizedFinish<Y>::of(
        whole, __fmul_rn(scale[o], x_scale), shifted ? bias[o] : -0.0f, relu, result);
}
"""
)
TARGETS = {"int32": "int", "float32": "float", "int8": "signed char", "uint8": "unsigned char"}
NAMES = [f"quantized_linear<{{T}}, {target}>" for target in TARGETS.values()]
NAMES += ["quantized_rows<{T}>"]
NAMES += [f"quantized_groups<{{T}}, {t}>" for name, t in TARGETS.items() if name != "int32"]
SOURCE = Source("quantized", CODE, NAMES, dtypes=("int8", "uint8"))
TILE, SIDE, THREADS = 32, 16, 256
MOST = 65535  # blocks in y
WHOLE = np.dtype(np.int32)
DEPTH = 1 << 15  # of so many products, the sum fits int32


def _linear(
    cupy: Any,
    x: Any,
    w: Any,
    vectors: tuple[Any, ...] = (),
    *,
    x_scale: float = 1.0,
    x_zero: int = 0,
    relu: bool = False,
    y_scale: float = 1.0,
    y_zero: int = 0,
    dtype: Any = WHOLE,
) -> Any:
    """vectors: scale and zeros of the weights and perhaps a bias; without any, sums alone."""
    packed = all(a.flags.c_contiguous for a in (x, w, *vectors))
    if not packed or x.dtype.name not in SOURCE.dtypes or w.dtype != np.int8:
        return NotImplemented
    outputs, depth = w.shape
    rows = x.size // depth if depth else 0
    if not rows * outputs or depth > DEPTH or outputs > MOST * TILE:
        return NotImplemented
    y = cupy.empty((*x.shape[:-1], outputs), dtype)
    none = cupy.empty(1, np.float32), cupy.empty(1, np.int32), cupy.empty(1, np.float32)
    scale, zeros, bias = (*vectors, *none[len(vectors) :])  # what is not there is not read
    kernel = SOURCE.kernel(cupy, f"quantized_linear<{{T}}, {TARGETS[y.dtype.name]}>", x.dtype)
    numbers = (np.float32(x_scale), np.int32(x_zero), np.float32(y_scale), np.int32(y_zero))
    flags = map(np.bool_, (bool(vectors), len(vectors) > 2, relu))
    sizes = map(np.int64, (rows, outputs, depth))
    kernel(
        (-(-rows // TILE), -(-outputs // TILE)),
        (SIDE, SIDE),
        (x, w, scale, zeros, bias, y, *sizes, *numbers, *flags),
    )
    return y


def _integer_linear(cupy: Any, x: Any, w: Any) -> Any:
    return _linear(cupy, x, w)


def _quantized_linear(cupy: Any, x: Any, w: Any, *vectors: Any, **params: Any) -> Any:
    return _linear(cupy, x, w, vectors, **params)


def _quantized_conv(
    cupy: Any,
    x: Any,
    w: Any,
    *vectors: Any,
    x_scale: float,
    x_zero: int,
    relu: bool,
    y_scale: float,
    y_zero: int,
    dtype: Any,
    groups: int,
    **options: Any,
) -> Any:
    bytes_of_x = x.dtype.name in SOURCE.dtypes and x.ndim in (3, 4)
    if not bytes_of_x or w.dtype != np.int8 or not all(v.flags.c_contiguous for v in vectors):
        return NotImplemented
    s = convolution.Shapes.of(x, w, groups=groups, **options)
    low, high = np.iinfo(x.dtype).min, np.iinfo(x.dtype).max
    depth = s.c // groups * s.taps
    if not s.fit or depth > DEPTH or s.o > MOST * TILE or not low <= x_zero <= high:
        return NotImplemented
    x, w = cupy.ascontiguousarray(x), cupy.ascontiguousarray(w)
    y = cupy.empty(s.y, dtype)
    zero = np.int32(x_zero)
    if groups > 1:
        name = f"quantized_groups<{{T}}, {TARGETS[y.dtype.name]}>"
        none = () if len(vectors) > 2 else (cupy.empty(1, np.float32),)  # not read
        sizes = map(np.int64, (y.size, groups, s.c // groups, s.o // groups))
        numbers = np.float32(x_scale), zero, np.float32(y_scale), np.int32(y_zero)
        flags = map(np.bool_, (len(vectors) > 2, relu))
        arrays = (x, w, *vectors, *none, y)
        grid, kernel = -(-y.size // THREADS), SOURCE.kernel(cupy, name, x.dtype)
        kernel((grid,), (THREADS,), (*arrays, *sizes, *numbers, *flags, *s.ints))
        return y
    scales: dict[str, Any] = {
        "x_scale": x_scale,
        "x_zero": x_zero,
        "y_scale": y_scale,
        "y_zero": y_zero,
    }
    for part in s.parts():
        rows = cupy.empty((len(x[part]) * s.outputs, depth), x.dtype)
        grid, kernel = -(-rows.size // THREADS), SOURCE.kernel(cupy, "quantized_rows<{T}>", x.dtype)
        numbers_of_rows = np.int64(rows.size), np.int64(s.c), zero
        kernel((grid,), (THREADS,), (x[part], rows, *numbers_of_rows, *s.ints))
        found = _linear(
            cupy, rows, w.reshape(s.o, depth), vectors, relu=relu, dtype=dtype, **scales
        )
        y[part] = found.reshape(-1, s.outputs, s.o).swapaxes(1, 2).reshape(-1, *s.y[1:])
    return y


def sources() -> tuple[Source, ...]:
    """The CUDA C of this family."""
    return (SOURCE,)


def overrides(cupy: Any) -> dict[str, Callable[..., Any]]:
    """By primitive, the function that is tried before CuPy's operations."""
    return {
        "integer_linear": partial(_integer_linear, cupy),
        "quantized_conv": partial(_quantized_conv, cupy),
        "quantized_linear": partial(_quantized_linear, cupy),
    }

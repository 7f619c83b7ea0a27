"""Affine maps of bytes: products summed exactly in int32 by dp4a, four at a time, then scaled.

uint8 inputs are moved to int8 by 128, and zero points come in afterwards, through the sums of rows:
sum (x - a)(w - b) = sum x w - a sum w - b sum x + d a b, in whole numbers. A block of threads takes
a tile of 32 rows by 32 outputs, a thread four numbers of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .source import Source

CODE = r"""
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
    const long long first_row = (long long)blockIdx.y * QUANTIZED_TILE;
    const long long first_output = (long long)blockIdx.x * QUANTIZED_TILE;
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
"""
TARGETS = {"int32": "int", "float32": "float", "int8": "signed char", "uint8": "unsigned char"}
NAMES = [f"quantized_linear<{{T}}, {target}>" for target in TARGETS.values()]
SOURCE = Source("quantized", CODE, NAMES, dtypes=("int8", "uint8"))
TILE, SIDE = 32, 16
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
    if not rows * outputs or depth > DEPTH or rows > MOST * TILE:
        return NotImplemented
    y = cupy.empty((*x.shape[:-1], outputs), dtype)
    none = cupy.empty(1, np.float32), cupy.empty(1, np.int32), cupy.empty(1, np.float32)
    scale, zeros, bias = (*vectors, *none[len(vectors) :])  # what is not there is not read
    kernel = SOURCE.kernel(cupy, f"quantized_linear<{{T}}, {TARGETS[y.dtype.name]}>", x.dtype)
    numbers = (np.float32(x_scale), np.int32(x_zero), np.float32(y_scale), np.int32(y_zero))
    flags = map(np.bool_, (bool(vectors), len(vectors) > 2, relu))
    sizes = map(np.int64, (rows, outputs, depth))
    kernel(
        (-(-outputs // TILE), -(-rows // TILE)),
        (SIDE, SIDE),
        (x, w, scale, zeros, bias, y, *sizes, *numbers, *flags),
    )
    return y


def _integer_linear(cupy: Any, x: Any, w: Any) -> Any:
    return _linear(cupy, x, w)


def _quantized_linear(cupy: Any, x: Any, w: Any, *vectors: Any, **params: Any) -> Any:
    return _linear(cupy, x, w, vectors, **params)


def sources() -> tuple[Source, ...]:
    """The CUDA C of this family."""
    return (SOURCE,)


def overrides(cupy: Any) -> dict[str, Callable[..., Any]]:
    """By primitive, the function that is tried before CuPy's operations."""
    return {
        "integer_linear": partial(_integer_linear, cupy),
        "quantized_linear": partial(_quantized_linear, cupy),
    }

"""The ladder catches what it is for: kernels with a planted fault."""

import os

import numpy as np
import pytest
from gpu.fixtures import CHOICE, compiles

pytestmark = compiles

SHIFT = r"""
extern "C" __global__ void planted_shift(const float *x, float *y, long long count) {
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i LIMIT count) y[i] = 2 * x[i];
}
"""
REVERSE = r"""
extern "C" __global__ void planted_reverse(const float *x, float *y) {
    __shared__ float kept[64];
    kept[threadIdx.x] = x[threadIdx.x];
    BARRIER
    y[threadIdx.x] = kept[63 - threadIdx.x];
}
"""
WIDEN = r"""
extern "C" __global__ void planted_widen(const TYPE *x, double *y, long long count) {
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < count) y[i] = x[i];
}
"""


def kernel(cupy, code, name, **names):
    for word, text in names.items():
        code = code.replace(word, text)
    return cupy.RawModule(code=code, options=("-std=c++17",)).get_function(name)


def shifted(cupy, limit, count=1024):
    x = cupy.asarray(np.arange(count, dtype=np.float32))
    y = cupy.empty_like(x)
    run = kernel(cupy, SHIFT, "planted_shift", LIMIT=limit)
    run((count // 128 + 1,), (128,), (x, y, np.int64(count)))
    return x.get(), y.get()


def test_the_right_kernels_pass(cupy):
    x, y = shifted(cupy, "<")
    np.testing.assert_array_equal(y, 2 * x)
    x = cupy.asarray(np.arange(64, dtype=np.float32))
    y = cupy.empty_like(x)
    kernel(cupy, REVERSE, "planted_reverse", BARRIER="__syncthreads();")((1,), (64,), (x, y))
    np.testing.assert_array_equal(y.get(), x.get()[::-1])
    wide = cupy.empty(64, np.float64)
    kernel(cupy, WIDEN, "planted_widen", TYPE="float")((1,), (64,), (x, wide, np.int64(64)))
    np.testing.assert_array_equal(wide.get(), x.get())


@pytest.mark.skipif("GPU_GUARD" not in os.environ, reason="guard pages are on in rung 4b only")
def test_an_index_one_too_far_is_caught_by_guard_pages(cupy):
    with pytest.raises(Exception, match="touched memory outside its arrays"):
        shifted(cupy, "<=")


def test_a_missing_barrier_is_caught_by_the_order_of_threads(cupy):
    x = cupy.asarray(np.arange(64, dtype=np.float32))
    y = cupy.empty_like(x)
    kernel(cupy, REVERSE, "planted_reverse", BARRIER="")((1,), (64,), (x, y))
    assert (y.get() != x.get()[::-1]).any()


def test_a_wrong_dtype_is_caught(cupy):
    x = cupy.asarray(np.arange(64, dtype=np.float32))
    y = cupy.empty(64, np.float64)
    run = kernel(cupy, WIDEN, "planted_widen", TYPE="int")
    if CHOICE == "double":
        with pytest.raises(TypeError, match=r"argument 0 is declared const\*int32, got float32"):
            run((1,), (64,), (x, y, np.int64(64)))
        with pytest.raises(TypeError, match="argument 2 is declared int64, got int32"):
            run((1,), (64,), (x.astype(np.int32), y, np.int32(64)))
    else:  # CuPy hands over whatever comes; the numbers tell
        run((1,), (64,), (x, y, np.int64(64)))
        assert (y.get() != x.get()).any()

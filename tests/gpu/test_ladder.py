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


TO_INTEGER = r"""
extern "C" __global__ void planted_cast(const float *x, int *y) { y[0] = (int)x[0]; }
"""


@pytest.mark.skipif(os.environ.get("GPU_COMPILER") != "nvrtc", reason="PTX is rung 5's")
def test_what_runs_is_what_nvidia_compiles(cupy):
    x, y = cupy.asarray(np.array([3e38], np.float32)), cupy.empty(1, np.int32)
    kernel(cupy, TO_INTEGER, "planted_cast")((1,), (1,), (x, y))
    assert y.get()[0] == 2**31 - 1  # PTX saturates; g++ gives the smallest number


WIDER = r"""
extern "C" __global__ void planted_wider(const int *x, const unsigned char *b, long long *y) {
    y[0] = (long long)x[0] * 3;
    y[1] = (long long)b[0] - x[0];
}
"""


def test_narrow_numbers_fill_wider_registers(cupy):
    x, b = cupy.asarray(np.array([-7], np.int32)), cupy.asarray(np.array([200], np.uint8))
    y = cupy.empty(2, np.int64)
    kernel(cupy, WIDER, "planted_wider")((1,), (1,), (x, b, y))
    assert y.get().tolist() == [-21, 207]


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

"""Affine maps of bytes in CUDA C give exactly what NumPy gives."""

import numpy as np
import pytest
from gpu.checks import run
from gpu.fixtures import compiles

from triptych.backends import Device, backend_for
from triptych.prims import TABLE

pytestmark = compiles
INT8, UINT8, F32 = (np.dtype(t) for t in ("int8", "uint8", "float32"))
SHAPES = [(1, 1, 1), (3, 33, 45), (16, 64, 32), (33, 63, 31), (5, 300, 65), (70, 128, 3)]


def whole(dtype, *shape):
    info = np.iinfo(dtype)
    rng = np.random.default_rng([*shape])
    return rng.integers(info.min, info.max + 1, shape).astype(dtype)


def same(cupy, name, *arrays, **params):
    found, was_taken = run(cupy, name, *arrays, **params)
    assert was_taken
    want = TABLE[name].impl(np, *arrays, **params)
    assert found.dtype == want.dtype
    np.testing.assert_array_equal(found.get(), want)


@pytest.mark.parametrize("dtype", [INT8, UINT8])
@pytest.mark.parametrize("shape", SHAPES)
def test_sums(cupy, shape, dtype):
    n, d, o = shape
    same(cupy, "integer_linear", whole(dtype, n, d), whole(INT8, o, d))
    most = np.iinfo(dtype).max
    same(cupy, "integer_linear", np.full((n, d), most, dtype), np.full((o, d), -128, INT8))


def test_the_deepest_sums(cupy):
    x, w = np.full((2, 1 << 15), 255, UINT8), np.full((3, 1 << 15), -128, INT8)
    same(cupy, "integer_linear", x, w)


@pytest.mark.parametrize("target", [F32, INT8, UINT8])
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("dtype", [INT8, UINT8])
def test_scaled(cupy, dtype, with_bias, relu, target):
    rng = np.random.default_rng(0)
    for n, d, o in SHAPES:
        x, w = whole(dtype, 2, n, d), whole(INT8, o, d)
        scale, zero = (
            rng.uniform(0.001, 0.1, o).astype(F32),
            rng.integers(-9, 9, o).astype(np.int32),
        )
        bias = (rng.normal(size=o).astype(F32),) * with_bias
        params = {"x_scale": 0.03, "x_zero": 7, "relu": relu, "y_scale": 0.5, "y_zero": 3}
        same(cupy, "quantized_linear", x, w, scale, zero, *bias, **params, dtype=target)


def test_others_are_left_to_operations(cupy):
    fast = backend_for(Device("cuda")).fast["integer_linear"]
    x, w = cupy.asarray(whole(INT8, 4, 8)), cupy.asarray(whole(INT8, 3, 8))
    assert fast(x[:, ::2], w[:, ::2]) is NotImplemented
    assert fast(x[:0], w) is NotImplemented
    assert fast(x.astype(np.int16), w) is NotImplemented

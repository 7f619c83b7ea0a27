"""Affine maps of bytes in CUDA C give exactly what NumPy gives."""

import numpy as np
import pytest
from gpu.checks import run
from gpu.fixtures import compiles

from triptych.backends import Device, backend_for
from triptych.backends.cuda import convolution
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


CONVOLUTIONS = {  # x, weights, stride, padding, dilation, groups
    "one number": ((1, 1, 1, 1), (1, 1, 1, 1), 1, 0, 1, 1),
    "pixels": ((2, 5, 4, 7), (3, 5, 1, 1), 1, 0, 1, 1),
    "3x3": ((2, 13, 7, 9), (35, 13, 3, 3), 1, 1, 1, 1),
    "strides": ((1, 3, 11, 8), (2, 3, 5, 4), 3, 2, 1, 1),
    "dilation": ((1, 2, 9, 13), (3, 2, 3, 2), 1, 2, 2, 1),
    "sound": ((2, 3, 17), (4, 3, 5), 2, 2, 1, 1),
    "groups": ((3, 4, 6, 5), (6, 2, 3, 3), 2, 1, 1, 2),
    "by itself": ((2, 5, 8, 9), (5, 1, 3, 3), 1, 1, 1, 5),
    "by itself, sound, twice": ((2, 4, 33), (8, 1, 7), 1, 3, 1, 4),
}


@pytest.mark.parametrize("target", [F32, INT8, UINT8])
@pytest.mark.parametrize("at_once", [1, 1 << 26], ids=["sample by sample", "at once"])
@pytest.mark.parametrize("dtype", [INT8, UINT8])
@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_convolution(cupy, case, dtype, at_once, target, monkeypatch):
    monkeypatch.setattr(convolution, "COLUMNS", at_once)
    x_shape, w_shape, stride, padding, dilation, groups = CONVOLUTIONS[case]
    axes, rng = len(x_shape) - 2, np.random.default_rng(0)
    o = w_shape[0]
    scale = rng.uniform(0.001, 0.1, o).astype(F32)
    zero, bias = rng.integers(-9, 9, o).astype(np.int32), rng.normal(size=o).astype(F32)
    params = {
        "stride": (stride,) * axes,
        "padding": ((padding, padding),) * axes,
        "dilation": (dilation,) * axes,
        "groups": groups,
        "x_scale": 0.03,
        "x_zero": 7,
        "y_scale": 0.5,
        "y_zero": 3,
        "dtype": target,
    }
    x, w = whole(dtype, *x_shape), whole(INT8, *w_shape)
    same(cupy, "quantized_conv", x, w, scale, zero, bias, **params, relu=True)
    same(cupy, "quantized_conv", x, w, scale, zero, **params, relu=False)


def test_the_deepest_sums_of_groups(cupy):
    x, w = np.full((1, 2 << 11, 4, 4), 255, UINT8), np.full((2, 1 << 11, 4, 4), -128, INT8)
    flat = {"stride": (1, 1), "padding": ((0, 0),) * 2, "dilation": (1, 1), "groups": 2}
    scales = {"x_scale": 1.0, "x_zero": 255, "y_scale": 1.0, "y_zero": 0, "relu": False}
    scale, zero = np.ones(2, F32), np.array([-128, 127], np.int32)
    same(cupy, "quantized_conv", x, w, scale, zero, **flat, **scales, dtype=F32)


def test_convolutions_that_are_left_to_operations(cupy):
    fast = backend_for(Device("cuda")).fast["quantized_conv"]
    x, w = cupy.asarray(whole(INT8, 1, 2, 4, 4)), cupy.asarray(whole(INT8, 3, 2, 1, 1))
    scale, zero = cupy.ones(3, F32), cupy.zeros(3, np.int32)
    flat = {"stride": (1, 1), "padding": ((0, 0),) * 2, "dilation": (1, 1), "groups": 1}
    scales = {"x_scale": 1.0, "x_zero": 0, "y_scale": 1.0, "y_zero": 0, "relu": False}
    call = flat | scales | {"dtype": F32}
    assert fast(x, w, scale, zero, **call).shape == (1, 3, 4, 4)
    assert fast(x[:0], w, scale, zero, **call) is NotImplemented
    assert fast(x, w, scale, zero, **call | {"x_zero": 300}) is NotImplemented
    volume = {"stride": (1,) * 3, "padding": ((0, 0),) * 3, "dilation": (1,) * 3}
    deep = x.reshape(1, 2, 4, 4, 1), w.reshape(3, 2, 1, 1, 1)
    assert fast(*deep, scale, zero, **call | volume) is NotImplemented

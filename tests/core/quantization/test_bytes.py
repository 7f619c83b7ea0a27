"""Conversions to bytes and affine maps of bytes, against their definitions in doubles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import triptych as tp
from triptych import quantization as tq
from triptych.errors import DTypeError, ShapeError

RNG = np.random.default_rng(0)
LIMITS = {"int8": (-128, 127), "uint8": (0, 255)}


def floats(*shape):
    return tp.from_numpy(RNG.standard_normal(shape).astype(np.float32))


def whole(dtype, *shape):
    low, high = LIMITS[dtype]
    return tp.from_numpy(RNG.integers(low, high + 1, shape).astype(dtype))


@given(
    x=st.floats(-(2.0**99), 2.0**99, width=32),
    scale=st.sampled_from([2.0**-7, 0.1, 3.0]),
    zero=st.integers(0, 100),
    dtype=st.sampled_from(sorted(LIMITS)),
)
def test_definition(x, scale, zero, dtype):
    found = tq.quantize(tp.tensor([x]), scale, zero, dtype=getattr(tp, dtype)).item()
    ratio = float(np.float32(x) / np.float32(scale))
    assert found == min(max(round(ratio) + zero, LIMITS[dtype][0]), LIMITS[dtype][1])


def test_halves_go_to_the_even_byte_and_nan_to_zero():
    x = tp.tensor([0.5, 1.5, 2.5, -0.5, -1.5, float("nan"), float("inf"), -float("inf")])
    found = tq.quantize(x, 1.0, 3)
    assert found.tolist() == [3, 5, 5, 3, 1, 3, 127, -128]


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("symmetric", [True, False])
def test_there_and_back_within_half_a_step(axis, dtype, symmetric):
    x = floats(5, 40, 7) * 3 + 1
    scale, zero = tq.choose_scale(x, axis=axis, dtype=getattr(tp, dtype), symmetric=symmetric)
    q = tq.quantize(x, scale, zero, axis=axis, dtype=getattr(tp, dtype))
    back = tq.dequantize(q, scale, zero, axis=axis)
    assert q.dtype is getattr(tp, dtype)
    error, step = (back - x).abs(), scale.max().item()
    assert error.max().item() <= 0.501 * step * (1 if symmetric and dtype == "int8" else 2)
    origin = tq.dequantize(zero.to(q.dtype), scale, zero, axis=None if axis is None else 0)
    assert (origin == 0).all()


def test_nothing_but_zeros_has_a_scale():
    scale, zero = tq.choose_scale(tp.zeros(3, 4), axis=0)
    assert scale.tolist() == [1.0, 1.0, 1.0]
    assert zero.tolist() == [0, 0, 0]


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("result", ["float32", "int8", "uint8"])
def test_linear_is_that_of_what_the_bytes_stand_for(dtype, relu, result):
    x, w, bias = whole(dtype, 3, 5, 70), whole("int8", 20, 70), floats(20)
    w_scale, w_zero = abs(floats(20)) * 1e-2 + 1e-3, tp.from_numpy(RNG.integers(-9, 9, 20)).int()
    options = {"relu": relu, "dtype": getattr(tp, result), "scale": 0.5, "zero_point": 4}
    y = tq.quantized_linear(x, 0.02, 7, w, w_scale, w_zero, bias, **options)
    wide = (w.double() - w_zero.double()[:, None]) * w_scale.double()[:, None]
    want = tp.nn.functional.linear((x.double() - 7) * 0.02, wide, bias.double())
    want = want.clamp(min=0) if relu else want
    if result == "float32":
        np.testing.assert_allclose(y.numpy(), want.numpy(), rtol=2e-6, atol=2e-6)
        return
    low, high = LIMITS[result]
    wanted = np.clip(want.numpy() / 0.5 + 4, low, high)
    assert np.abs(y.numpy().astype(float) - wanted).max() <= 0.501


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize(
    ("shape", "kernel", "options"),
    [
        ((2, 8, 13, 14), (6, 8, 3, 3), {"padding": 1}),
        ((1, 6, 12, 9), (4, 3, 3, 2), {"groups": 2, "stride": (2, 1), "dilation": (1, 2)}),
        ((2, 5, 7, 7), (9, 5, 1, 1), {}),
        ((2, 3, 31), (4, 3, 5), {"padding": 2, "stride": 3}),
        ((1, 4, 5, 6, 7), (2, 4, 2, 3, 2), {}),
    ],
)
def test_convolution_is_that_of_what_the_bytes_stand_for(dtype, zeros, shape, kernel, options):
    x, w, bias = whole(dtype, *shape), whole("int8", *kernel), floats(kernel[0])
    scale = abs(floats(kernel[0])) * 1e-2 + 1e-3
    zero = tp.from_numpy(RNG.integers(-9, 9, kernel[0]) * zeros).int()
    y = tq.quantized_conv(x, 0.02, 7, w, scale, zero, bias, **options)
    ones = (-1,) + (1,) * (len(kernel) - 1)
    wide = (w.double() - zero.double().reshape(ones)) * scale.double().reshape(ones)
    conv = {3: "conv1d", 4: "conv2d", 5: "conv3d"}[len(shape)]
    want = getattr(tp.nn.functional, conv)((x.double() - 7) * 0.02, wide, bias.double(), **options)
    np.testing.assert_allclose(y.numpy(), want.numpy(), rtol=3e-6, atol=3e-6)


def test_layers_of_bytes_follow_each_other():
    x, w1, w2 = floats(30, 64), floats(50, 64), floats(10, 50)
    hidden = tp.relu(x @ w1.T)
    want = hidden @ w2.T
    (sx, zx), (sh, zh) = (tq.choose_scale(v, dtype=tp.uint8, symmetric=False) for v in (x, hidden))
    (s1, _), (s2, _) = (tq.choose_scale(v, axis=0) for v in (w1, w2))
    q1, q2 = tq.quantize(w1, s1, axis=0), tq.quantize(w2, s2, axis=0)
    q = tq.quantize(x, sx, zx, dtype=tp.uint8)
    to_bytes = {"relu": True, "dtype": tp.uint8, "scale": sh.item(), "zero_point": zh.item()}
    q = tq.quantized_linear(q, sx.item(), zx.item(), q1, s1, **to_bytes)
    y = tq.quantized_linear(q, sh.item(), zh.item(), q2, s2)
    assert (y - want).abs().max().item() < 0.02 * want.abs().max().item()


def test_arguments_that_do_not_fit():
    x, w = whole("int8", 3, 8), whole("int8", 4, 8)
    with pytest.raises(DTypeError, match="int8 or uint8"):
        tq.quantize(floats(3), 0.1, dtype=tp.int16)
    with pytest.raises(DTypeError, match="use quantize first"):
        tq.quantized_linear(floats(3, 8), 0.1, 0, w, 0.1)
    with pytest.raises(DTypeError, match="weight of int8"):
        tq.quantized_linear(x, 0.1, 0, whole("uint8", 4, 8), 0.1)
    with pytest.raises(ShapeError, match="features"):
        tq.quantized_linear(x, 0.1, 0, whole("int8", 4, 9), 0.1)
    with pytest.raises(ShapeError, match="scale"):
        tq.quantized_linear(x, 0.1, 0, w, tp.ones(5))
    with pytest.raises(ShapeError, match="may not fit int32"):
        tq.quantized_linear(whole("int8", 1, 40_000), 0.1, 0, whole("int8", 1, 40_000), 0.1)
    with pytest.raises(ShapeError, match="axis 2"):
        tq.quantize(floats(3, 8), 0.1, axis=2)
    with pytest.raises(ShapeError, match="no range"):
        tq.choose_scale(tp.zeros(0, 3))

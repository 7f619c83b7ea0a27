"""Kernels of bytes give exactly what NumPy's give."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import triptych as tp
from triptych.backends import native
from triptych.prims import TABLE

pytestmark = pytest.mark.native
RNG = np.random.default_rng(0)
F32, INT8, UINT8 = (np.dtype(t) for t in ("float32", "int8", "uint8"))
SHAPES = [(1, 1, 1), (1, 1024, 70), (3, 33, 45), (16, 64, 32), (17, 63, 31), (50, 300, 65)]
SHAPES += [(300, 129, 40), (2, 2000, 3)]


@pytest.fixture
def threads():
    before = tp.get_num_threads()
    yield tp.set_num_threads
    tp.set_num_threads(before)


def kernel(name):
    return TABLE[name].kernel(np.zeros(1, np.float32))


def both(name, *arrays, **params):
    """What the kernel gives, that it was taken, and what NumPy gives."""
    before = native.calls()[name]
    found = kernel(name)(*arrays, **params)
    assert native.calls()[name] == before + 1
    return found, kernel(name).plain(*arrays, **params)


def floats(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def whole(dtype, *shape):
    info = np.iinfo(dtype)
    return RNG.integers(info.min, info.max + 1, shape).astype(dtype)


@pytest.mark.parametrize("dtype", [INT8, UINT8])
@pytest.mark.parametrize("axis", [None, 0, 1, 2])
@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 70, 999), (1, 1, 1)])
def test_conversions(dtype, axis, shape):
    x, size = 3 * floats(*shape), () if axis is None else (shape[axis],)
    scale = RNG.uniform(0.01, 0.1, size).astype(np.float32)
    zero = RNG.integers(-20, 20, size).astype(np.int32)
    x.flat[::7] = np.round(x.flat[::7] * 2) / 2 * scale.flat[0]
    q, want = both("quantize", x, scale, zero, axis=axis, dtype=dtype)
    np.testing.assert_array_equal(q, want)
    assert q.dtype == dtype
    back, want = both("dequantize", q, scale, zero, axis=axis)
    np.testing.assert_array_equal(back, want)


@pytest.mark.parametrize("dtype", [INT8, UINT8])
@pytest.mark.parametrize("shape", SHAPES)
def test_sums_are_exact(dtype, shape):
    m, k, n = shape
    for fill in (None, np.iinfo(dtype).min, np.iinfo(dtype).max):
        x = whole(dtype, m, k) if fill is None else np.full((m, k), fill, dtype)
        w = whole(INT8, n, k) if fill is None else np.full((n, k), -128, INT8)
        y, want = both("integer_linear", x, w)
        np.testing.assert_array_equal(y, want)
        np.testing.assert_array_equal(y, x.astype(np.int64) @ w.T.astype(np.int64))


def test_the_deepest_sum():
    x, w = np.full((2, 1 << 15), 255, np.uint8), np.full((3, 1 << 15), -128, np.int8)
    y, _ = both("integer_linear", x, w)
    assert (y == -255 * 128 * (1 << 15)).all()


@pytest.mark.parametrize("dtype", [INT8, UINT8])
@pytest.mark.parametrize("result", [F32, INT8, UINT8])
@pytest.mark.parametrize("shape", SHAPES)
def test_quantized_linear(dtype, result, shape):
    m, k, n = shape
    x, w, scale, bias = whole(dtype, 2, m, k), whole(INT8, n, k), abs(floats(n)) / 99, floats(n)
    params = {"x_scale": 0.02, "x_zero": 9, "y_scale": 0.7, "y_zero": 3, "dtype": result}
    for zero in (np.zeros(n, np.int32), RNG.integers(-9, 9, n).astype(np.int32)):
        for rest, relu in (((bias,), True), ((), False)):
            y, want = both("quantized_linear", x, w, scale, zero, *rest, relu=relu, **params)
            assert y.dtype == result
            if result == F32:
                np.testing.assert_allclose(y, want, rtol=1e-6, atol=1e-5)
            else:  # a float that is rounded otherwise may be on the other side of a half
                assert np.abs(y.astype(int) - want.astype(int)).max() <= 1
                assert (y != want).mean() < 0.01


@pytest.mark.parametrize("dtype", [INT8, UINT8])
@pytest.mark.parametrize("result", [F32, INT8])
@pytest.mark.parametrize(
    ("shape", "weight", "stride", "padding", "dilation", "groups"),
    [
        ((2, 8, 13, 14), (6, 8, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
        ((1, 64, 28, 28), (70, 64, 1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
        ((3, 6, 12, 9), (4, 3, 3, 2), (2, 1), ((0, 2), (1, 0)), (1, 2), 2),
        ((1, 3, 40, 40), (32, 3, 7, 7), (2, 2), ((3, 3), (3, 3)), (1, 1), 1),
        ((2, 5, 31), (7, 5, 4), (3,), ((2, 1),), (2,), 1),
        ((1, 12, 9, 9), (12, 1, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 12),
    ],
)
def test_quantized_conv(dtype, result, shape, weight, stride, padding, dilation, groups):
    x, w, o = whole(dtype, *shape), whole(INT8, *weight), weight[0]
    vectors = abs(floats(o)) / 99, np.zeros(o, np.int32), floats(o)
    params = {"x_scale": 0.02, "x_zero": 9, "y_scale": 0.7, "y_zero": 3, "dtype": result}
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    for relu in (False, True):
        y, want = both("quantized_conv", x, w, *vectors, relu=relu, **params, **options)
        assert y.dtype == result
        if result == F32:
            np.testing.assert_allclose(y, want, rtol=1e-6, atol=1e-5)
        else:
            assert np.abs(y.astype(int) - want.astype(int)).max() <= 1
            assert (y != want).mean() < 0.01


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("shift", [0, 5, -5])
def test_dynamic_linear(shape, shift):
    m, k, n = shape
    x, w, scale, bias = floats(m, k) + shift, whole(INT8, n, k), abs(floats(n)) / 99, floats(n)
    for rest in ((), (bias,)):
        y, want = both("dynamic_linear", x, w, scale, *rest)
        np.testing.assert_allclose(y, want, rtol=1e-5, atol=1e-4)


def test_what_is_refused_goes_to_numpy():
    x, w = whole(INT8, 30, 40), whole(INT8, 20, 40)
    before = native.calls()["integer_linear"]
    for a, b in ((x[:, ::2], w[:, ::2]), (x[:0], w)):
        y = kernel("integer_linear")(a, b)
        np.testing.assert_array_equal(y, a.astype(np.int64) @ b.T.astype(np.int64))
    assert native.calls()["integer_linear"] == before
    before = native.calls()["dynamic_linear"]
    bad = np.full((3, 40), np.nan, np.float32)
    assert np.isnan(kernel("dynamic_linear")(bad, w, np.ones(20, np.float32))).all()
    assert native.calls()["dynamic_linear"] == before


def test_threads_change_nothing(threads):
    x, w, scale = floats(300, 500), whole(INT8, 200, 500), abs(floats(200))
    found = []
    for count in (1, 2):
        threads(count)
        found.append(kernel("dynamic_linear")(x, w, scale))
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("name", ["baseline", "avx2", "avx512"])
def test_other_instruction_sets(name):
    """The sums above, in a process that has no instructions beyond a set."""
    here = f"{Path(__file__)}::test_sums_are_exact"
    environment = os.environ | {"TRIPTYCH_NATIVE": name}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n0", here]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout


def test_products_of_bfloat16():
    if not native.native.bfloat16_instructions():
        pytest.skip("this processor has no products of bfloat16")
    half = tp.zeros(1, dtype=tp.bfloat16).numpy().dtype
    for m, k, n in SHAPES:
        x, w, bias = (floats(*s).astype(half) for s in ((m, k), (n, k), (n,)))
        exact = x.astype(float) @ w.T.astype(float)
        bound = 2.0**-8 * (np.abs(exact) + np.abs(bias.astype(float))) + 1e-5 * k**0.5
        before = native.calls()["half"]
        biased = kernel("linear")(x, w, bias).astype(float)
        of_turned = kernel("matmul")(x, w.T).astype(float)
        assert native.calls()["half"] == before  # not by way of float32
        plain = kernel("matmul")(x.reshape(1, m, k), np.ascontiguousarray(w.T))[0].astype(float)
        assert native.calls()["half"] == before or m < 32
        assert (np.abs(biased - exact - bias.astype(float)) <= bound).all()
        assert (np.abs(of_turned - exact) <= bound).all()
        assert (np.abs(plain - exact) <= bound).all()

"""Native reductions against NumPy's in double precision."""

import numpy as np
import pytest

import triptych as tp
from triptych.backends import native
from triptych.prims import TABLE

pytestmark = pytest.mark.native
RNG = np.random.default_rng(0)
SHAPES = [
    (1,),
    (7,),
    (100_003,),
    (5, 1),
    (64, 64),
    (3, 5, 7),
    (2, 70_000),
    (600, 1030),
    (2, 3, 4, 50),
]


def axes_of(ndim):
    return [tuple(range(i, j)) for i in range(ndim) for j in range(i + 1, ndim + 1)]


CASES = [(shape, axes) for shape in SHAPES for axes in axes_of(len(shape))]


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize(("shape", "axes"), CASES, ids=str)
def test_sum(shape, axes, keepdim):
    x = RNG.normal(size=shape).astype(np.float32)
    got = native.native.sum(x, axes=axes, keepdim=keepdim)
    want = x.sum(axes, dtype=np.float64, keepdims=keepdim)
    assert got.shape == want.shape and got.dtype == np.float32
    count = x.size // max(1, got.size)
    np.testing.assert_allclose(got, want, 1e-6, 5e-7 * np.sqrt(count))


@pytest.mark.parametrize("name", ["amax", "amin"])
@pytest.mark.parametrize(("shape", "axes"), CASES, ids=str)
def test_extremes(name, shape, axes):
    x = RNG.normal(size=shape).astype(np.float32)
    got = getattr(native.native, name)(x, axes=axes)
    if int(np.prod(shape[axes[-1] + 1 :])) > 1:
        assert got is NotImplemented  # NumPy's is as fast along other axes
        return
    np.testing.assert_array_equal(got, TABLE[name].kernel(x).plain(x, axes=axes))


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize("length", [1, 3, 16, 17, 64, 100, 1000])
def test_places(name, length):
    x = RNG.integers(0, 9, (50, length)).astype(np.float32)  # with ties
    x[3, length // 2] = x[7, -1] = x[7, length // 3] = np.nan
    got = getattr(native.native, name)(x, axis=1)
    np.testing.assert_array_equal(got, getattr(np, name)(x, axis=1))
    assert got.dtype == np.int64
    assert getattr(native.native, name)(x, axis=1, keepdim=True).shape == (50, 1)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 5, 63, 99])
def test_what_is_not_finite(value, place):
    x = RNG.normal(size=(4, 100)).astype(np.float32)
    x[2, place] = value
    for name, plain in (("amax", np.max), ("amin", np.min), ("sum", np.sum)):
        got = getattr(native.native, name)(x, axes=(1,))
        np.testing.assert_allclose(got, plain(x, axis=1), 1e-5, 1e-6)


def test_sums_are_accurate():
    x = np.full(1 << 24, 0.1, np.float32)
    assert abs(native.native.sum(x, axes=(0,)) / x.sum(dtype=np.float64) - 1) < 3e-7
    table = x.reshape(-1, 16)
    want = table.sum(0, dtype=np.float64)
    np.testing.assert_allclose(native.native.sum(table, axes=(0,)), want, 1e-6)


def test_threads_do_not_change_sums(threads):
    for shape in ((1_000_003,), (3000, 700), (5, 2000, 30)):
        x = RNG.normal(size=shape).astype(np.float32)
        for axes in axes_of(len(shape)):
            found = []
            for count in (1, 2, 3):
                threads(count)
                found.append(native.native.sum(x, axes=axes))
            np.testing.assert_array_equal(found[0], found[1])
            np.testing.assert_array_equal(found[0], found[2])


def test_taken_and_left_to_numpy():
    x = tp.randn(100, 100)
    before = native.calls()
    x.sum(), x.sum(0), x.amax(1), x.argmax(1), x.mean(1)
    after = native.calls()
    assert {n: after[n] - before[n] for n in ("sum", "amax", "argmax")} == {
        "sum": 3,
        "amax": 1,
        "argmax": 1,
    }
    x.t().sum(), x.double().sum(), tp.randn(30, 30, 30).sum((0, 2)), tp.ones(3).sum()
    assert native.calls() == after


def test_gradients():
    x = tp.randn(200, 100).requires_grad_()
    (x.sum(0).square().sum() + x.amax(1).sum() + x.mean()).backward()
    y = x.detach().double().requires_grad_()
    (y.sum(0).square().sum() + y.amax(1).sum() + y.mean()).backward()
    tp.testing.assert_close(x.grad, y.grad.float(), rtol=1e-4, atol=1e-4)

"""The largest numbers of windows in CUDA C, against NumPy's way."""

from types import SimpleNamespace

import numpy as np
import pytest
from gpu.checks import DTYPES, check, numbers, run
from gpu.fixtures import compiles

import triptych as tp
from triptych.backends.cuda import pooling
from triptych.nn import functional as F
from triptych.prims import TABLE

pytestmark = compiles
WINDOWS = [
    ((1, 1, 4, 4), {"size": (2, 2), "stride": (2, 2)}),
    ((2, 3, 7, 13), {"size": (3, 3), "stride": (2, 2), "padding": ((1, 1), (1, 1))}),
    ((2, 16, 9), {"size": (3,), "stride": (1,), "padding": ((1, 0),)}),
    ((1, 2, 8, 11), {"size": (2, 3), "stride": (1, 3), "dilation": (3, 2)}),
    ((3, 1, 1, 1), {"size": (1, 1), "stride": (1, 1)}),
    ((1, 1, 5, 6), {"size": (3, 2), "stride": (3, 2), "padding": ((1, 1), (0, 0))}),
]


def complete(window):
    dims = len(window["size"])
    return {"padding": ((0, 0),) * dims, "dilation": (1,) * dims} | window


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "window"), WINDOWS)
def test_as_numpy(cupy, shape, window, dtype):
    x = np.rint(numbers(*shape).astype(np.float64)).astype(DTYPES[dtype])  # many are equal
    check(cupy, "max_pool_alone", x, **complete(window), steps=0)
    (values, places), was_taken = run(cupy, "max_pool", x, **complete(window))
    want = TABLE["max_pool"].impl(np, x.astype(np.float64), **complete(window))
    assert was_taken and places.dtype == np.int64
    np.testing.assert_array_equal(values.get().astype(np.float64), want[0])
    np.testing.assert_array_equal(places.get(), want[1])  # the first of equal ones


def test_nan_wins_and_infinities_count(cupy):
    x = numbers(1, 1, 6, 6)
    x[0, 0, 1, 1], x[0, 0, 2, 2], x[0, 0, 5] = np.nan, np.nan, -np.inf
    window = complete({"size": (3, 3), "stride": (1, 1)})
    (values, places), _ = run(cupy, "max_pool", x, **window)
    want = TABLE["max_pool"].impl(np, x, **window)
    np.testing.assert_array_equal(values.get(), want[0])
    np.testing.assert_array_equal(places.get(), want[1])


def test_what_is_refused_runs_over_cupy(cupy):
    window = complete({"size": (2, 2, 2), "stride": (2, 2, 2)})
    y, was_taken = run(cupy, "max_pool_alone", numbers(1, 4, 4, 4), **window)
    assert not was_taken and y.shape == (1, 2, 2, 2)
    whole = np.arange(16).reshape(1, 1, 4, 4)
    window = complete({"size": (2, 2), "stride": (2, 2)})
    y, was_taken = run(cupy, "max_pool_alone", whole, **window)
    assert not was_taken and y.get().ravel().tolist() == [5, 7, 13, 15]


def test_gradients_go_to_the_largest(cupy):
    x = tp.from_numpy(numbers(2, 3, 8, 8)).requires_grad_()
    F.max_pool2d(x, 3, 2, 1).square().sum().backward()
    moved = x.detach().cuda().requires_grad_()
    F.max_pool2d(moved, 3, 2, 1).square().sum().backward()
    assert tp.allclose(moved.grad.cpu(), x.grad)


def test_an_axis_too_long_for_ints_is_refused(cupy):
    flags = SimpleNamespace(c_contiguous=True)
    dtype, length = np.dtype(np.float16), 1 << 31
    x = SimpleNamespace(shape=(1, length), size=length, ndim=2, dtype=dtype, flags=flags)
    window = {"size": (2,), "stride": (2,), "padding": ((0, 0),), "dilation": (1,)}
    assert pooling._max(cupy, False, x, **window) is NotImplemented

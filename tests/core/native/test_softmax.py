"""Native softmax, its logarithm and their gradients against NumPy's in double precision."""

import numpy as np
import pytest

import triptych as tp
from triptych.prims import TABLE

pytestmark = pytest.mark.native
RNG = np.random.default_rng(0)
NAMES = ("softmax", "log_softmax")
SHAPES = [
    (1, 300),
    (7, 197),
    (257, 3),
    (3, 5, 67),
    (2, 100, 17),
    (2, 33, 64),
    (40, 1, 13),
    (600, 1030),
]
CASES = [(shape, axis) for shape in SHAPES for axis in range(len(shape))]


def kernel(name):
    return TABLE[name].kernel(np.zeros(1, np.float32))


def numbers(*shape, scale=3.0):
    return (scale * RNG.standard_normal(shape)).astype(np.float32)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("shape", "axis"), CASES)
def test_as_numpy(name, shape, axis, taken):
    x, g, fast, plain = numbers(*shape), numbers(*shape), kernel(name), kernel(name).plain
    y, times = taken(name, lambda: fast(x, axis=axis))
    assert times == 1
    np.testing.assert_allclose(y, plain(x.astype(np.float64), axis=axis), rtol=3e-6, atol=3e-6)
    dx, times = taken(f"{name}_dx", lambda: kernel(f"{name}_dx")(g, y, axis=axis))
    assert times == 1
    want = kernel(f"{name}_dx").plain(g.astype(np.float64), y.astype(np.float64), axis=axis)
    np.testing.assert_allclose(dx, want, rtol=2e-5, atol=2e-5 * max(1, shape[axis] ** 0.5))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_refused_goes_to_numpy(name, taken):
    for x in (numbers(30, 40).T, numbers(30, 40).astype(np.float64), numbers(30, 40)[:, ::2]):
        y, times = taken(name, lambda x=x: kernel(name)(x, axis=1))
        assert times == 0
        np.testing.assert_array_equal(y, kernel(name).plain(x, axis=1))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.filterwarnings("ignore:invalid value")
def test_nan_and_infinities(name, axis):
    x = numbers(40, 40)
    x[3, 5], x[7, 9], x[11, 13], x[20], x[:, 21] = np.nan, np.inf, -np.inf, -np.inf, -np.inf
    y, want = kernel(name)(x, axis=axis), kernel(name).plain(x, axis=axis)
    np.testing.assert_allclose(y, want, rtol=3e-6, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_threads_change_nothing(name, axis, threads):
    x, g = numbers(64, 50, 70), numbers(64, 50, 70)
    found = []
    for count in (1, 2):
        threads(count)
        y = kernel(name)(x, axis=axis)
        found.append((y, kernel(f"{name}_dx")(g, y, axis=axis)))
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


def test_large_numbers_do_not_overflow():
    x = np.array([[1e4, 1e4 - 1, -1e4] * 100], np.float32)
    y = kernel("softmax")(x, axis=1)
    assert np.isfinite(y).all()
    assert abs(y.sum() - 1) < 1e-5


@pytest.mark.parametrize("name", NAMES)
def test_gradient_through_tensors(name):
    x = tp.randn(30, 40, requires_grad=True)
    weights = tp.randn(30, 40)
    (getattr(tp, name)(x, 1) * weights).sum().backward()
    wide = x.detach().double().requires_grad_()
    (getattr(tp, name)(wide, 1) * weights.double()).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), wide.grad.numpy(), atol=2e-5)

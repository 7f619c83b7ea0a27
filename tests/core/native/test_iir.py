"""Recursive filters by the native kernels; SciPy is the reference."""

import numpy as np
import pytest
from scipy import signal

from triptych.library import accelerated

pytestmark = pytest.mark.native


@accelerated("iir")
def recursed(x, zeros, poles):
    return "plain"


def stable(rng, taps):
    """Coefficients of poles inside the unit circle, some near it."""
    radius = rng.uniform(0.3, 0.999, (taps - 1) // 2)
    pairs = radius * np.exp(1j * rng.uniform(0, np.pi, radius.size))
    roots = np.concatenate([pairs, pairs.conj(), [0.5] * ((taps - 1) % 2)])
    return np.atleast_1d(np.real(np.poly(roots)))


@pytest.mark.parametrize("taps", [1, 2, 3, 4, 5, 9, 10, 16])
@pytest.mark.parametrize("length", [1, 2, 15, 16, 17, 100, 5003])
def test_one_filter_for_all(taps, length):
    rng = np.random.default_rng(taps)
    x = rng.standard_normal((400, 2, length)).astype(np.float32)
    a, b = stable(rng, taps), rng.standard_normal(taps)
    got = recursed(x, b[None], a[None])
    want = signal.lfilter(b, a, x.astype(float))
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6 * abs(want).max())


def test_a_filter_for_each_channel():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 4, 1000)).astype(np.float32)
    a = np.stack([stable(rng, 5) for _ in range(4)])
    b = rng.standard_normal((4, 5))
    got = recursed(x, b, a)
    for i in range(4):
        want = signal.lfilter(b[i], a[i], x[:, i].astype(float))
        np.testing.assert_allclose(got[:, i], want, rtol=1e-5, atol=1e-6 * abs(want).max())


def test_not_a_number_and_infinity_touch_nothing_before_them():
    x = np.ones((1, 1, 500), np.float32)
    x[..., 300] = np.inf
    got = recursed(x, np.array([[1.0, 0.5]]), np.array([[1.0, -0.5]]))
    want = signal.lfilter([1, 0.5], [1, -0.5], np.ones(300))
    np.testing.assert_allclose(got[0, 0, :300], want, rtol=1e-6)
    assert not np.isfinite(got[0, 0, 300:]).any()


def test_what_the_filter_is_not_for():
    x = np.ones((1, 2, 1000), np.float32)
    one = np.array([[1.0, 0.5]])
    assert isinstance(recursed(x, one, one), np.ndarray)
    assert recursed(x.astype(float), one, one) == "plain"
    assert recursed(x[..., ::2], one, one) == "plain"
    assert recursed(x, 2 * one, 2 * one) == "plain"  # the first of the poles has to be one
    assert recursed(x, np.ones((1, 17)), np.ones((1, 17))) == "plain"
    assert recursed(x, np.ones((3, 2)), np.ones((3, 2))) == "plain"

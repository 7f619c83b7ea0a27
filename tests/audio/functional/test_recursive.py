"""Filters with feedback against SciPy, and against plain loops."""

import numpy as np
import pytest
import scipy.signal

import triptych as tp
from triptych_audio import functional as F
from triptych_audio.functional import recursive

A = np.array([[1.0, -0.5, 0.2], [2.0, 0.3, 0.1], [-1.5, 0.0, 0.6]])
B = np.array([[0.3, 0.1, -0.4], [1.0, 0.0, 0.0], [0.2, 0.7, 0.1]])


def by_scipy(x, a, b):
    return scipy.signal.lfilter(b, a, x)


def test_one_filter_for_all(rng):
    x = rng.standard_normal((2, 4, 300))
    got = F.lfilter(x, A[1], B[1], clamp=False)
    np.testing.assert_allclose(got, by_scipy(x, A[1], B[1]), atol=1e-12)
    np.testing.assert_allclose(F.lfilter(x[0, 0], A[1], B[1], clamp=False), got[0, 0])


def test_a_filter_for_each_channel(rng):
    x = rng.standard_normal((2, 3, 300))
    want = np.stack([by_scipy(x[:, i], A[i], B[i]) for i in range(3)], 1)
    np.testing.assert_allclose(F.lfilter(x, A, B, clamp=False), want, atol=1e-12)


def test_each_filter_for_every_channel(rng):
    x = rng.standard_normal((2, 300))
    want = np.stack([by_scipy(x, A[i], B[i]) for i in range(3)], 1)
    got = F.lfilter(x, A, B, clamp=False, batching=False)
    assert got.shape == (2, 3, 300)
    np.testing.assert_allclose(got, want, atol=1e-12)
    assert F.lfilter(x[0], A, B, batching=False).shape == (3, 300)


def test_sums_are_made_in_float64(rng):
    """A resonance so narrow that float32 within would be off by far more."""
    x = rng.standard_normal(20000).astype(np.float32)
    a, b = np.array([1.0, -1.999, 0.9991]), np.array([1e-4, 0.0, 0.0])
    got = F.lfilter(x, a, b, clamp=False)
    assert got.dtype == np.float32
    want = by_scipy(x.astype(np.float64), a, b)
    np.testing.assert_allclose(got, want, atol=1e-6 * np.abs(want).max())


def test_clamp(rng):
    x = 5 * rng.standard_normal(100)
    free = F.lfilter(x, A[0], B[0], clamp=False)
    np.testing.assert_array_equal(F.lfilter(x, A[0], B[0]), free.clip(-1, 1))
    assert np.abs(free).max() > 1


@pytest.mark.parametrize("t", [0, 1, 2])
def test_short_waveforms(t):
    x = np.ones((2, t))
    np.testing.assert_allclose(F.lfilter(x, A[0], B[0]), by_scipy(x, A[0], B[0]))


@pytest.mark.parametrize("batching", [True, False])
@pytest.mark.parametrize("t", [1, 9])
def test_gradients_of_both_orders(rng, batching, t):
    x = tp.tensor(rng.standard_normal((2, 3, t)), requires_grad=True)
    a, b = (tp.tensor(c, requires_grad=True) for c in (A, B))
    run = lambda x, a, b: F.lfilter(x, a, b, False, batching)  # noqa: E731
    assert tp.autograd.gradcheck(run, (x, a, b))
    assert tp.autograd.gradgradcheck(run, (x, a, b))


def test_gradient_of_an_empty_waveform():
    x = tp.zeros(1, 0, requires_grad=True)
    a = tp.tensor(A[0], requires_grad=True)
    F.lfilter(x, a, tp.tensor(B[0])).sum().backward()
    assert a.grad.tolist() == [0, 0, 0]


def test_vmap(rng):
    x = tp.tensor(rng.standard_normal((4, 50)))
    a, b = tp.tensor(A[0]), tp.tensor(B[0])
    each = tp.func.vmap(lambda row: F.lfilter(row, a, b))(x)
    assert tp.allclose(each, F.lfilter(x, a, b))


def test_filtfilt_is_two_passes(rng):
    x = rng.standard_normal((3, 200))
    forward = F.lfilter(x, A, B, clamp=False)
    want = F.lfilter(forward[:, ::-1].copy(), A, B)[:, ::-1]
    np.testing.assert_allclose(F.filtfilt(x, A, B), want)
    assert np.abs(F.filtfilt(5 * x, A, B)).max() == 1


@pytest.mark.parametrize("zero_phase", [False, True])
def test_sections_like_scipy(rng, zero_phase):
    x = rng.standard_normal((2, 3, 400)) + 3
    sections = scipy.signal.butter(5, 0.2, output="sos")
    settled = scipy.signal.sosfilt_zi(sections)[:, None, None]
    want = x
    for _ in range(1 + zero_phase):
        flat = want.reshape(6, -1)
        want = scipy.signal.sosfilt(sections, flat, zi=settled[:, 0] * flat[None, :, :1])[0]
        want = want.reshape(x.shape)[..., :: -1 if zero_phase else 1]
    got = recursive.filter_sections(tp.tensor(x), sections, zero_phase)
    np.testing.assert_allclose(got.numpy(), want, atol=1e-10)
    assert recursive.filter_sections(tp.zeros(2, 0), sections).shape == (2, 0)


def test_feedback_like_a_loop(rng):
    x = rng.standard_normal((2, 60))
    delays, weights = rng.integers(1, 9, (2, 60)), 0.4 * rng.standard_normal((2, 60))
    want = x.copy()
    for t in range(60):
        for k in range(2):
            if t >= delays[k, t]:
                want[:, t] += weights[k, t] * want[:, t - delays[k, t]]
    got = recursive.solve_feedback(tp.tensor(x), delays, weights)
    np.testing.assert_allclose(got.numpy(), want)
    assert recursive.solve_feedback(tp.zeros(2, 0), delays, weights).shape == (2, 0)


def test_gradients_of_feedback(rng):
    delays, weights = rng.integers(1, 4, (1, 12)), rng.standard_normal((1, 12))
    x = tp.tensor(rng.standard_normal((2, 12)), requires_grad=True)
    run = lambda x: recursive.solve_feedback(x, delays, weights)  # noqa: E731
    assert tp.autograd.gradcheck(run, (x,))
    assert tp.autograd.gradgradcheck(run, (x,))


def test_errors():
    x = np.ones((2, 9))
    with pytest.raises(ValueError, match="fill the shorter up with zeros"):
        F.lfilter(x, A[0], B[0][:2])
    with pytest.raises(ValueError, match="batching=False applies all filters"):
        F.lfilter(x, A, B)
    with pytest.raises(TypeError, match="divide by their full scale"):
        F.lfilter(np.ones(9, np.int16), A[0], B[0])

"""Spectral gates on loud bursts in quiet noise."""

import numpy as np
import pytest

import triptych as tp
from triptych_audio import functional as F

RATE = 16000


@pytest.fixture
def noisy(rng):
    t = np.arange(2 * RATE) / RATE
    bursts = rng.standard_normal(len(t)) * ((t % 1) > 0.9)
    return bursts, bursts + 0.05 * rng.standard_normal(len(t))


@pytest.mark.parametrize("stationary", [True, False])
def test_noise_goes_and_the_rest_stays(noisy, stationary):
    bursts, x = noisy
    noise = (x - bursts) if stationary else None
    got = F.noise_reduce(x, RATE, noise, stationary=stationary)
    quiet, loud = slice(2000, 12000), slice(14800, 15600)
    assert np.std(got[quiet]) < 0.3 * np.std(x[quiet])
    assert np.std(got[loud]) > 0.6 * np.std(x[loud])


def test_no_decrease_is_no_change(noisy):
    x = noisy[1]
    np.testing.assert_allclose(F.noise_reduce(x, RATE, prop_decrease=0.0), x, atol=1e-9)


def test_channels_and_gradients(noisy):
    x = tp.tensor(np.stack([noisy[1]] * 2), requires_grad=True)
    got = F.noise_reduce(x, RATE, stationary=True)
    assert got.shape == x.shape
    got.sum().backward()
    assert bool(x.grad.isfinite().all())


def test_errors():
    with pytest.raises(ValueError, match="from 0 to 1, got 2"):
        F.noise_reduce(np.ones(2000), RATE, prop_decrease=2)
    with pytest.raises(ValueError, match="more than n_fft // 2 = 512"):
        F.noise_reduce(np.ones(512), RATE)

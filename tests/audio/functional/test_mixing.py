"""Noise and speed."""

import numpy as np
import pytest

import triptych as tp
from triptych_audio import functional as F


def snr_of(mixed, x, n=None):
    noise = (mixed - x)[..., :n]
    return 10 * np.log10(np.square(x[..., :n]).sum(-1) / np.square(noise).sum(-1))


def test_ratio_is_met(rng):
    x, noise = rng.standard_normal((2, 3, 500)), rng.standard_normal((2, 1, 500))
    snr = np.array([[3.0, 0.0, -5.0], [10.0, 20.0, 1.0]])
    np.testing.assert_allclose(snr_of(F.add_noise(x, noise, snr), x), snr)


def test_ratio_of_the_samples_that_count(rng):
    x, noise = rng.standard_normal((2, 500)), rng.standard_normal((2, 500))
    lengths = np.array([100, 400])
    mixed = F.add_noise(x, noise, np.array([3.0, 7.0]), lengths)
    for i, want in enumerate((3, 7)):
        assert snr_of(mixed[i], x[i], lengths[i]) == pytest.approx(want)
    assert (mixed[0, 100:] != x[0, 100:]).all()


def test_gradients_of_noise(rng):
    x, noise = (tp.tensor(rng.standard_normal((2, 9)), requires_grad=True) for _ in range(2))
    snr = tp.tensor([3.0, 4.0], dtype=tp.float64, requires_grad=True)
    assert tp.autograd.gradcheck(F.add_noise, (x, noise, snr))


def test_noise_that_does_not_fit():
    x = np.ones((2, 9))
    with pytest.raises(ValueError, match="wanted waveform and noise"):
        F.add_noise(x, np.ones((2, 8)), np.ones(2))
    with pytest.raises(ValueError, match=r"and \(1, 1\)"):
        F.add_noise(x, x, np.ones(2), np.ones((1, 1)))


def test_speed_changes_pitch_and_lengths():
    t = np.arange(8000) / 8000
    x = np.sin(2 * np.pi * 200 * t)
    faster, lengths = F.speed(x, 8000, 1.25, np.array([8000, 4001]))
    assert faster.shape == (6400,)
    assert lengths.tolist() == [6400, 3201]
    spectrum = np.abs(np.fft.rfft(faster))
    assert spectrum.argmax() * 8000 / 6400 == 250
    assert F.speed(x, 8000, 2.0)[1] is None
    with pytest.raises(ValueError, match="1 Hz at least"):
        F.speed(x, 8000, 0.0)

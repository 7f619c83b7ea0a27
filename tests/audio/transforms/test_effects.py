"""Transforms of waveforms, against their functions."""

import numpy as np
import pytest

import triptych as tp
from triptych_audio import functional as F
from triptych_audio import transforms as T


def test_loudness(stereo):
    x = np.concatenate([stereo] * 2, -1)
    np.testing.assert_array_equal(T.Loudness(16000)(x), F.loudness(x, 16000))


def test_vad_has_the_arguments_of_its_function(rng):
    t = np.arange(24000) / 8000
    vowel = sum(np.sin(2 * np.pi * 130 * h * t) / h for h in range(1, 20)) * (t > 1.5) * 0.2
    x = vowel + 0.002 * rng.standard_normal(len(t))
    options = {"trigger_level": 6.0, "pre_trigger_time": 0.1, "measure_duration": 0.08}
    transform = T.Vad(8000, **options)
    np.testing.assert_array_equal(transform(x), F.vad(x, 8000, **options))
    assert 0 < len(transform(x)) < len(x)
    assert transform.trigger_level == 6.0


def test_add_noise(rng):
    x, noise, snr = rng.standard_normal((2, 9)), rng.standard_normal((2, 9)), np.array([3.0, 1.0])
    lengths = np.array([5, 9])
    got = T.AddNoise()(x, noise, snr, lengths)
    np.testing.assert_array_equal(got, F.add_noise(x, noise, snr, lengths))


@pytest.mark.parametrize("name", ["Convolve", "FFTConvolve"])
def test_convolution(rng, name):
    x, y = rng.standard_normal((2, 9)), rng.standard_normal((2, 4))
    got = getattr(T, name)("same")(x, y)
    np.testing.assert_array_equal(got, getattr(F, name.lower())(x, y, "same"))
    with pytest.raises(ValueError, match=f"{name}: mode is one of"):
        getattr(T, name)("half")


def test_speed(stereo):
    transform = T.Speed(16000, 1.1)
    got, lengths = transform(stereo, np.array([4000, 100]))
    want, want_lengths = F.speed(stereo, 16000, 1.1, np.array([4000, 100]))
    np.testing.assert_allclose(got, want, atol=1e-6)
    np.testing.assert_array_equal(lengths, want_lengths)
    assert transform(stereo)[1] is None
    assert transform.source_sample_rate, transform.target_sample_rate == (11, 10)


def test_speed_perturbation_draws_a_factor(stereo):
    perturb = T.SpeedPerturbation(16000, [0.8, 1.0, 1.25])
    shapes = {perturb(stereo)[0].shape[-1] for _ in range(60)}
    assert shapes == {5000, 4000, 3200}
    seeded = [
        T.SpeedPerturbation(16000, [0.8, 1.0, 1.25], generator=tp.Generator().manual_seed(4))
        for _ in range(2)
    ]
    for _ in range(5):
        assert seeded[0](stereo)[0].shape == seeded[1](stereo)[0].shape
    with pytest.raises(ValueError, match="one factor at least"):
        T.SpeedPerturbation(16000, [])

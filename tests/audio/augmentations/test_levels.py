"""Gains that can be measured."""

import numpy as np
import pytest

from triptych_audio import augmentations as A
from triptych_audio import functional as F


def test_gain(stereo):
    augment = A.Gain(-6.0, -3.0, p=1.0)
    got = augment(stereo)
    np.testing.assert_allclose(got, stereo * 10 ** (augment.drawn["gain_db"] / 20), rtol=1e-6)
    assert -6 <= augment.drawn["gain_db"] < -3


@pytest.mark.parametrize("unit", ["fraction", "samples", "seconds"])
def test_transition_goes_from_gain_to_gain(unit):
    durations = {"fraction": (0.1, 0.2), "samples": (100, 200), "seconds": (0.1, 0.2)}[unit]
    augment = A.GainTransition(-20.0, 0.0, *durations, unit, p=1.0)
    got = 20 * np.log10(augment(np.ones(1000), 1000))
    drawn = augment.drawn
    assert 100 <= drawn["length"] <= 200
    start, end = drawn["start"], drawn["start"] + drawn["length"] - 1
    if start >= 0:
        assert got[start] == pytest.approx(drawn["start_gain_db"])
    if end < 1000:
        assert got[end] == pytest.approx(drawn["end_gain_db"])
    assert (np.diff(np.sign(np.diff(got))[np.diff(got) != 0]) == 0).all()


@pytest.mark.parametrize("shape", [(20000,), (2, 20000), (3, 2, 20000), (2, 500)])
def test_loudness_is_met(rng, shape):
    x = 0.1 * rng.standard_normal(shape)
    got = A.LoudnessNormalization(-20.0, -20.0, p=1.0)(x, 16000)
    long = np.concatenate([np.atleast_2d(got)] * 20, -1) if shape[-1] < 6400 else np.atleast_2d(got)
    np.testing.assert_allclose(F.loudness(long, 16000), -20, atol=0.2)


def test_silence_stays():
    silence = np.zeros((1, 16000))
    np.testing.assert_array_equal(A.LoudnessNormalization(p=1.0)(silence, 16000), silence)
    np.testing.assert_array_equal(A.PeakNormalize(p=1.0)(silence), silence)


def test_normalize(stereo):
    assert np.abs(A.Normalize(p=1.0)(stereo)).max() == pytest.approx(1)
    quiet = A.PeakNormalize(measure="rms", target_db=-20.0, p=1.0)(stereo)
    assert np.sqrt(np.square(quiet).mean()) == pytest.approx(0.1)
    only = A.PeakNormalize("only_too_loud_sounds", p=1.0)
    np.testing.assert_array_equal(only(stereo), stereo)
    assert np.abs(only(stereo * 5)).max() == pytest.approx(1)


def test_paired_recordings_get_one_gain(stereo):
    augment = A.PeakNormalize(p=1.0)
    noisy = augment(stereo)
    augment.freeze_parameters()
    np.testing.assert_allclose(augment(stereo * 0.5), noisy * 0.5, rtol=1e-6)


@pytest.mark.parametrize("mode", ["relative_to_signal_peak", "absolute"])
def test_limiter(stereo, mode):
    got = A.Limiter(-6.0, -6.0, threshold_mode=mode, p=1.0)(stereo, 16000)
    top = np.abs(stereo).max() if mode != "absolute" else 1.0
    assert np.abs(got).max() <= top * 10 ** (-6 / 20) * 1.0001


def test_clip_and_polarity(stereo):
    np.testing.assert_array_equal(A.Clip(-0.1, 0.2, p=1.0)(stereo), stereo.clip(-0.1, 0.2))
    np.testing.assert_array_equal(A.PolarityInversion(p=1.0)(stereo), -stereo)

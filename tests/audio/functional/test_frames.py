"""Frames, loudness and sign changes beside plain loops."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_audio import functional as F


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate"])
def test_frames_and_rms(rng, mode):
    x = rng.standard_normal((2, 100))
    numpy_mode = {"replicate": "edge"}.get(mode, mode)
    padded = np.pad(x, [(0, 0), (8, 8)], mode=numpy_mode)
    want = np.stack([padded[:, i : i + 16] for i in range(0, 101, 5)], 1)
    np.testing.assert_array_equal(F.frame(x, 16, 5, True, mode), want)
    np.testing.assert_allclose(F.rms(x, 16, 5, True, mode), np.sqrt((want**2).mean(-1)))


def test_zero_crossings():
    t = np.arange(16000) / 16000
    rate = F.zero_crossing_rate(np.sin(2 * np.pi * 400 * t + 0.1), 1600, 1600, center=False)
    np.testing.assert_allclose(rate * 16000, 800, atol=10)
    assert (F.zero_crossing_rate(tp.ones(5000)) == 0).all()


def test_tiny_samples_have_no_sign():
    assert (F.zero_crossing_rate(tp.tensor([1e-11, -1e-11] * 8), 8, 8, False) == 0).all()


def test_refuses():
    with pytest.raises(ShapeError, match="at least 2048"):
        F.frame(tp.ones(100))
    with pytest.raises(ShapeError, match="hop_length > 0"):
        F.frame(tp.ones(100), 10, 0)

"""Loudness against the standard's own examples."""

import numpy as np
import pytest

from triptych_audio import functional as F

RATE = 48000
T = np.arange(4 * RATE) / RATE


def sine(level_db, freq=997.0):
    return 10 ** (level_db / 20) * np.sin(2 * np.pi * freq * T)


def test_full_scale_sine_is_minus_three():
    assert F.loudness(sine(0)[None], RATE) == pytest.approx(-3.01, abs=0.1)


@pytest.mark.parametrize("level", [-23.0, -33.0])
def test_stereo_sine_is_its_level(level):
    """EBU Tech 3341, cases 1 and 2."""
    both = np.stack([sine(level, 1000.0)] * 2)
    assert F.loudness(both, RATE) == pytest.approx(level, abs=0.1)


def test_quiet_parts_do_not_count():
    """After EBU Tech 3341, case 3."""
    parts = [sine(level, 1000.0) for level in (-40, -23, -23, -23, -23, -40)]
    both = np.stack([np.concatenate(parts)] * 2)
    assert F.loudness(both, RATE) == pytest.approx(-23, abs=0.2)


def test_surround_counts_more():
    silence = np.zeros_like(T)
    front = F.loudness(np.stack([sine(-20)]), RATE)
    back = F.loudness(np.stack([silence, silence, silence, sine(-20), silence]), RATE)
    assert back - front == pytest.approx(10 * np.log10(1.41), abs=1e-6)


def test_batch(rng):
    x = 0.1 * rng.standard_normal((2, 3, 2, 9000))
    got = F.loudness(x, 16000)
    assert got.shape == (2, 3)
    np.testing.assert_allclose(got[1, 2], F.loudness(x[1, 2], 16000))


def test_silence_has_none():
    assert np.isnan(F.loudness(np.zeros((1, 16000)), 16000))


def test_errors():
    with pytest.raises(ValueError, match="at most 5 channels"):
        F.loudness(np.zeros((6, 16000)), 16000)
    with pytest.raises(ValueError, match="6400 samples at 16000 Hz, got 6399"):
        F.loudness(np.zeros((1, 6399)), 16000)

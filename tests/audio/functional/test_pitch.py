"""Pitch of tones and voices that are known, and of none."""

import math

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_audio import functional as F

RATE = 16000


def voice(hz, seconds=0.8):
    """A tone with overtones; hz is a number or a track."""
    n = int(RATE * seconds)
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hz, n)) / RATE
    return sum(np.sin(k * phase) / k for k in (1, 2, 3))


@pytest.mark.parametrize("hz", [110.0, 220.5, 415.3])
@pytest.mark.parametrize("center", [True, False])
def test_yin_of_a_tone(hz, center):
    got = F.yin(np.stack([voice(hz)] * 2), RATE, 65, 1000, center=center)
    assert got.shape[0] == 2
    np.testing.assert_allclose(got[:, 4:-4], hz, rtol=2e-3)


def test_yin_without_a_deep_trough_takes_the_deepest(rng):
    noise = rng.standard_normal(8000)
    got = F.yin(noise, RATE, 65, 1000, trough_threshold=0.0)
    assert ((got > 60) & (got < 1100)).all()


def test_pyin_knows_where_the_voice_is():
    glide = 150 * 2 ** np.linspace(0, 1, RATE)
    x = np.concatenate([np.zeros(RATE // 2), voice(glide, 1.0), np.zeros(RATE // 2)])
    x = np.stack([x, x[::-1]])
    pitch, voiced, chance = F.pyin(x, RATE, 80, 600, frame_length=1024)
    assert pitch.shape == voiced.shape == chance.shape == (2, 126)
    assert voiced.dtype == bool and (chance >= 0).all() and (chance <= 1).all()
    centre = np.arange(126) * 256
    inside = (centre > RATE // 2 + 1200) & (centre < 3 * RATE // 2 - 1200)
    outside = (centre < RATE // 2 - 1200) | (centre > 3 * RATE // 2 + 1200)
    assert voiced[0, inside].all() and not voiced[0, outside].any()
    assert np.isnan(pitch[0, outside]).all()
    want = glide[centre[inside] - RATE // 2]
    np.testing.assert_allclose(pitch[0, inside], want, rtol=0.02)


def test_pyin_can_guess_everywhere(rng):
    guess = F.pyin(0.01 * rng.standard_normal(4000), RATE, 80, 600, 1024, fill_na=None)[0]
    assert np.isfinite(guess).all()
    silent = F.pyin(np.zeros(4000), RATE, 80, 600, 1024)
    assert not silent[1].any() and (silent[2] == 0).all()


@pytest.mark.parametrize("function", [F.yin, F.pyin])
def test_ranges_are_checked(function):
    for low, high, frame in ((0, 500, 2048), (500, 100, 2048), (65, 9000, 2048), (20, 500, 512)):
        with pytest.raises(ShapeError, match="f_min < f_max"):
            function(np.zeros(8000), RATE, low, high, frame)


@pytest.mark.parametrize("hz", [100.0, 250.0])
def test_detected_frequency(hz):
    x = tp.tensor(np.sin(2 * np.pi * hz * np.arange(RATE) / RATE), dtype=tp.float32)
    found = F.detect_pitch_frequency(x.expand(2, 3, -1), RATE)
    assert found.shape == (2, 3, 85) and found.dtype == tp.float32
    np.testing.assert_allclose(found.numpy(), hz, rtol=0.03)


def test_detected_frequency_equals_a_loop(rng):
    x, size, lags = rng.standard_normal(1600), 160, 40
    longer = np.concatenate([x, np.zeros(lags)])
    table = np.empty((10, lags))
    for i in range(10):
        a = longer[i * size : (i + 1) * size]
        for lag in range(1, lags + 1):
            b = longer[i * size + lag : i * size + lag + size]
            table[i, lag - 1] = (a @ b) / (a @ a) / (b @ b)
    least = math.ceil(RATE / 3400)
    whole, short = table[:, least:], table[:, least : lags // 2]
    near = short.max(1) > 0.99 * whole.max(1)
    want = np.where(near, short.argmax(1), whole.argmax(1)) + least + 1
    got = F.detect_pitch_frequency(x, RATE, win_length=1, freq_low=400)
    np.testing.assert_allclose(got, RATE / want, rtol=1e-6)


def test_detected_frequency_refuses():
    with pytest.raises(ShapeError, match="median over 30 frames"):
        F.detect_pitch_frequency(tp.zeros(1600), RATE)
    with pytest.raises(ShapeError, match="no lags"):
        F.detect_pitch_frequency(tp.zeros(16000), RATE, freq_low=3000)

"""Where a voice starts, on made-up vowels in quiet noise."""

import numpy as np
import pytest

from triptych_audio import functional as F

RATE = 16000


def recording(rng, start_s, channels=1, voiced=0):
    t = np.arange(3 * RATE) / RATE
    vowel = sum(np.sin(2 * np.pi * 130 * h * t) / h for h in range(1, 25)) * (t > start_s) * 0.2
    x = 0.002 * rng.standard_normal((channels, len(t)))
    x[voiced] += vowel
    return x.astype(np.float32)


@pytest.mark.parametrize("start_s", [1.0, 1.6])
def test_starts_with_the_voice(rng, start_s):
    x = recording(rng, start_s)
    part = F.vad(x, RATE)
    np.testing.assert_array_equal(part, x[:, x.shape[-1] - part.shape[-1] :])
    assert (x.shape[-1] - part.shape[-1]) / RATE == pytest.approx(start_s, abs=0.3)


def test_pre_trigger_time_keeps_more(rng):
    x = recording(rng, 1.5)[0]
    assert len(F.vad(x, RATE, pre_trigger_time=0.3)) - len(F.vad(x, RATE)) == 0.3 * RATE


def test_any_channel_will_do(rng):
    x = recording(rng, 1.2, 2, 1)
    assert F.vad(x, RATE).shape[0] == 2
    assert abs(F.vad(x, RATE).shape[1] - F.vad(x[1], RATE).shape[0]) <= RATE * 0.1


def test_nothing_without_a_voice(rng):
    x = recording(rng, 9.0)
    assert F.vad(x, RATE).shape == (1, 0)
    assert F.vad(x, RATE, pre_trigger_time=0.5).shape == (1, RATE // 2)
    assert F.vad(x[:, :10], RATE, pre_trigger_time=0.5).shape == (1, 10)


def test_silence_and_bursts(rng):
    x = recording(rng, 1.8)
    x[:, : RATE // 2] = 0
    x[:, RATE : RATE + RATE // 5] += recording(rng, 0.0)[:, : RATE // 5]
    long = F.vad(x, RATE, search_time=1.5, allowed_gap=1.5).shape[1]
    assert long > F.vad(x, RATE, search_time=0.2, allowed_gap=0.05).shape[1]


def test_warns_of_batches(rng):
    x = recording(rng, 1.0)
    with pytest.warns(UserWarning, match="once per recording"):
        got = F.vad(x[None], RATE)
    np.testing.assert_array_equal(got[0], F.vad(x, RATE))


def test_bands_that_are_empty(rng):
    with pytest.raises(ValueError, match="no cepstrum between"):
        F.vad(recording(rng, 1.0), RATE, hp_lifter_freq=2000.0, lp_lifter_freq=150.0)

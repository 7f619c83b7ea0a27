"""Onsets, tempo and beats of a metronome."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, DTypeError, ShapeError
from triptych_audio import functional as F

RATE = 22050


def metronome(bpm, seconds=10.0, start=0.3):
    x = np.zeros(int(RATE * seconds), np.float32)
    times = np.arange(start, seconds - 0.2, 60 / bpm)
    n = np.arange(2000)
    for t in times:
        x[int(t * RATE) :][:2000] += np.exp(-n / 400) * np.sin(2 * np.pi * 800 * n / RATE)
    return x, times


@pytest.mark.parametrize("bpm", [90, 120, 140])
def test_beats_of_a_metronome(bpm):
    x, times = metronome(bpm)
    speed, beats = F.beat_track(x, RATE, units="time")
    assert speed == pytest.approx(bpm, rel=0.04)
    assert F.tempo(x, RATE) == pytest.approx(bpm, rel=0.04)
    assert len(beats) >= len(times) - 4
    assert np.abs(beats[:, None] - times).min(1).max() < 0.08


def test_onsets_of_a_metronome():
    x, times = metronome(100)
    seconds = F.onset_detect(x, RATE, units="time")
    assert len(seconds) == len(times)
    np.testing.assert_allclose(seconds, times, atol=0.06)
    frames, samples = (F.onset_detect(x, RATE, units=u) for u in ("frames", "samples"))
    assert (samples == frames * 512).all()
    earlier = F.onset_detect(x, RATE, backtrack=True)
    assert (earlier <= frames).all() and (earlier < frames).any()


@pytest.mark.parametrize("aggregate", ["max", "mean", "median"])
def test_strength_rises_where_it_gets_louder(aggregate):
    x, times = metronome(100)
    strength = F.onset_strength(x[None], RATE, aggregate=aggregate)[0]
    assert len(strength) == 1 + len(x) // 512 and (strength >= 0).all()
    peaks = np.flatnonzero(strength > 0.5 * strength.max()) * 512 / RATE
    assert np.abs(peaks[:, None] - times).min(1).max() < 0.07


def test_strength_options():
    x, _ = metronome(100, 4.0)
    plain, late = (F.onset_strength(x, RATE, center=c) for c in (True, False))
    np.testing.assert_allclose(plain[2:], late[: len(plain) - 2])
    wide = F.onset_strength(x, RATE, lag=3)
    assert (wide[:5] == 0).all()
    steady = F.onset_strength(x, RATE, detrend=True)
    want = np.zeros_like(plain)
    for i in range(len(plain)):
        before = (plain[i - 1], want[i - 1]) if i else (0.0, 0.0)
        want[i] = plain[i] - before[0] + 0.99 * before[1]
    np.testing.assert_allclose(steady, want, atol=1e-4)


def test_strength_is_differentiable():
    x = tp.tensor(metronome(100, 1.0)[0], requires_grad=True)
    F.onset_strength(x, RATE).sum().backward()
    assert x.grad.isfinite().all()


def test_peaks_equal_a_loop(rng):
    """One after another, as Boeck et al. say it."""
    x = rng.random(400)
    x = (x - x.min()) / (x - x.min()).max()
    near, far, delta, wait = 5, 17, 0.07, 5  # 0.03 s and 0.1 s of 128 samples
    found, last = [], -99
    for i in range(400):
        loudest = x[i] == x[max(0, i - near) : i + 1].max()
        mean = x[max(0, i - far) : i + far + 1].mean()
        if loudest and x[i] >= mean + delta and i > last + wait:
            found.append(i)
            last = i
    assert F.onset_detect(None, RATE, 128, onset_envelope=x).tolist() == found


def test_tempogram_of_a_pulse():
    x = np.zeros(400)
    x[::20] = 1.0
    table = F.tempogram(x, 100)
    assert table.shape == (100, 400)
    np.testing.assert_allclose(table.max(0), 1.0)
    middle = table[:, 200]
    assert (middle[[20, 40, 60]] > 0.05).all() and np.abs(middle[[7, 31]]).max() < 1e-9
    assert F.tempogram(x, 100, center=False).shape == (100, 301)
    assert (F.tempogram(np.zeros(50), 10) == 0).all()


def test_silence_has_no_beat():
    speed, beats = F.beat_track(np.zeros(RATE * 2, np.float32), RATE)
    assert speed == 0.0 and len(beats) == 0
    assert len(F.onset_detect(np.zeros(RATE * 2, np.float32), RATE)) == 0


def test_given_tempo_and_weak_ends():
    envelope = np.zeros(400)
    envelope[40:360:20] = 1.0
    frame_rate = RATE / 512
    speed, beats = F.beat_track(None, RATE, onset_envelope=envelope, bpm=60 * frame_rate / 20)
    assert speed == pytest.approx(60 * frame_rate / 20)
    assert beats.tolist() == list(range(40, 360, 20))
    loose = F.beat_track(None, RATE, onset_envelope=envelope, bpm=speed, trim=False)[1]
    assert len(loose) >= len(beats)


def test_strength_that_only_fades_has_its_last_beat_at_the_end():
    fading = np.exp(-np.arange(200) / 10)
    beats = F.beat_track(None, RATE, onset_envelope=fading, bpm=120.0, trim=False)[1]
    assert beats[-1] >= 180


def test_limits_of_tempo():
    x, _ = metronome(160)
    assert F.tempo(x, RATE, max_tempo=None) == pytest.approx(160, rel=0.04)
    assert F.tempo(x, RATE, max_tempo=100.0) == pytest.approx(80, rel=0.04)
    assert F.tempo(x, RATE, start_bpm=60.0, std_bpm=0.2) == pytest.approx(160 / 3, rel=0.04)


def test_refuses():
    with pytest.raises(DTypeError, match="aggregate"):
        F.onset_strength(tp.ones(4000), RATE, aggregate="sum")
    with pytest.raises(ShapeError, match="lag > 0"):
        F.onset_strength(tp.ones(4000), RATE, lag=0)
    with pytest.raises(ShapeError, match="one channel"):
        F.beat_track(tp.ones(2, 4000), RATE)
    with pytest.raises(DTypeError, match="units"):
        F.onset_detect(tp.ones(4000), RATE, units="beats")
    with pytest.raises(DomainError, match="tightness"):
        F.beat_track(tp.ones(4000), RATE, tightness=0.0)
    with pytest.raises(DomainError, match="start_bpm"):
        F.tempo(tp.ones(40000), RATE, start_bpm=0.0)
    with pytest.raises(ShapeError, match="win_length > 0"):
        F.tempogram(tp.ones(40), 0)
    with pytest.raises(ShapeError, match="at least 50 frames"):
        F.tempogram(tp.ones(40), 50, center=False)
    with pytest.raises(ShapeError, match="got neither"):
        F.onset_detect(None, RATE, onset_envelope=None, energy=tp.ones(3))

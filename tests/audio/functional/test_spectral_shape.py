"""Shapes of spectra that are known: tones, noise, silence."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych_audio import functional as F

RATE, N_FFT, HOP = 16000, 512, 128
FRAME = (0, np.hanning(N_FFT + 1)[:-1], N_FFT, HOP, N_FFT)


def tones(*hz):
    t = np.arange(8000) / RATE
    return np.stack([np.sin(2 * np.pi * f * t) for f in hz])


def spectra(x, pad_mode="reflect"):
    rows = np.pad(x, [(0, 0), (N_FFT // 2, N_FFT // 2)], mode=pad_mode)
    frames = np.lib.stride_tricks.sliding_window_view(rows, N_FFT, -1)[:, ::HOP]
    return np.abs(np.fft.rfft(frames * FRAME[1])).swapaxes(-1, -2)  # (n, f, frames)


BINS = np.fft.rfftfreq(N_FFT, 1 / RATE)


def test_centroid_and_bandwidth_of_noise(rng):
    x = rng.standard_normal((2, 3000))
    s = spectra(x)
    weights = s / s.sum(1, keepdims=True)
    centroid = (BINS[:, None] * weights).sum(1)
    np.testing.assert_allclose(F.spectral_centroid(x, RATE, *FRAME), centroid)
    for p in (1.0, 2.0, 3.0):
        spread = (weights * np.abs(BINS[:, None] - centroid[:, None]) ** p).sum(1) ** (1 / p)
        np.testing.assert_allclose(F.spectral_bandwidth(x, RATE, *FRAME, p), spread)


def test_tones():
    x = tones(1000, 3000)
    centre = F.spectral_centroid(x, RATE, *FRAME)[:, 10:-10]
    np.testing.assert_allclose(centre, np.broadcast_to([[1000], [3000]], centre.shape), atol=2)
    rolled = F.spectral_rolloff(x, RATE, *FRAME)[:, 10:-10]
    np.testing.assert_allclose(rolled, np.broadcast_to([[1000], [3000]], rolled.shape), atol=40)
    assert F.spectral_flatness(x, *FRAME)[:, 10:-10].max() < 1e-3


def test_rolloff_equals_a_search(rng):
    x = rng.standard_normal((2, 3000))
    s = spectra(x, "constant")
    for share in (0.1, 0.5, 0.85):
        sums = np.cumsum(s, 1)
        first = (sums >= share * sums[:, -1:]).argmax(1)
        got = F.spectral_rolloff(x, RATE, *FRAME, share, pad_mode="constant")
        np.testing.assert_allclose(got, BINS[first])


def test_flatness_is_one_for_a_click_and_for_silence():
    click = np.zeros(4000)
    click[2000] = 1.0
    flat = F.spectral_flatness(click, *FRAME)
    assert flat[2000 // HOP] == pytest.approx(1.0, abs=1e-6)
    assert F.spectral_flatness(np.zeros(4000), *FRAME).min() == pytest.approx(1.0)


def test_contrast_equals_sorting(rng):
    x = rng.standard_normal((2, 3000))
    s = spectra(x)
    got = F.spectral_contrast(x, RATE, *FRAME, quantile=0.1, linear=True)
    assert got.shape == (2, 7, s.shape[-1])
    edges = [0, 200, 400, 800, 1600, 3200, 6400, 12800]
    for k in range(7):
        inside = np.flatnonzero((edges[k] <= BINS) & (edges[k + 1] >= BINS))
        first = inside[0] - (k > 0)
        last = len(BINS) if k == 6 else inside[-1]
        n = max(round(0.1 * (last + (k < 6) - first)), 1)
        ranked = np.sort(s[:, first:last], 1)
        np.testing.assert_allclose(got[:, k], ranked[:, -n:].mean(1) - ranked[:, :n].mean(1))
    decibels = F.spectral_contrast(x, RATE, *FRAME)
    assert (decibels >= 0).all() and decibels.max() < 80


def test_silence_has_no_width_and_nan_centroid():
    silent = tp.zeros(2000)
    frame = (0, tp.hann_window(N_FFT), N_FFT, HOP, N_FFT)
    assert (F.spectral_bandwidth(silent, RATE, *frame) == 0).all()
    assert (F.spectral_rolloff(silent, RATE, *frame) == 0).all()
    assert F.spectral_centroid(silent, RATE, *frame).isnan().all()


def test_refuses():
    x = np.zeros(2000)
    with pytest.raises(DomainError, match="roll_percent"):
        F.spectral_rolloff(x, RATE, *FRAME, 1.0)
    with pytest.raises(DomainError, match="quantile"):
        F.spectral_contrast(x, RATE, *FRAME, quantile=0.0)
    with pytest.raises(DomainError, match="amin"):
        F.spectral_flatness(x, *FRAME, amin=0.0)
    with pytest.raises(ShapeError, match="last octave"):
        F.spectral_contrast(x, RATE, *FRAME, n_bands=8)
    with pytest.raises(ShapeError, match="no bin"):
        F.spectral_contrast(x, RATE, 0, np.ones(32), 32, 16, 32, f_min=10.0, n_bands=3)

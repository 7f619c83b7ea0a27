"""Resampling: a naive twin, what must come out of a tone, and SciPy's filters."""

import math
import tracemalloc

import numpy as np
import pytest
import scipy.signal

import triptych as tp
from triptych_audio import functional as F
from triptych_audio import transforms as T
from triptych_audio.functional import resampling

RATES = [(16000, 8000), (8000, 16000), (44100, 16000), (16000, 44100), (48000, 44100), (7, 5)]
METHODS = ["sinc_interp_hann", "sinc_interp_kaiser", "soxr"]


def naive(x, orig, new, width=6, rolloff=0.99):
    """Each output sample as a windowed sinc sum over all of x."""
    divisor = math.gcd(orig, new)
    orig, new = orig // divisor, new // divisor
    cutoff = min(orig, new) * rolloff
    out = np.zeros(math.ceil(len(x) * new / orig))
    for i in range(len(out)):
        t = (np.arange(len(x)) / orig - i / new) * cutoff
        inside = np.abs(t) < width
        window = np.cos(t * np.pi / width / 2) ** 2
        out[i] = (x * np.sinc(t) * window * inside).sum() * cutoff / orig
    return out


@pytest.mark.parametrize(("orig", "new"), RATES)
@pytest.mark.parametrize("t", [1, 10, 700, 1023])
def test_naive_twin(rng, orig, new, t):
    x = rng.standard_normal(t)
    np.testing.assert_allclose(F.resample(x, orig, new), naive(x, orig, new), atol=1e-10)


ODD = [(16000, 15999), (19027, 16000), (16000, 44099)]


@pytest.mark.parametrize(("orig", "new"), ODD)
def test_naive_twin_of_odd_ratios(rng, orig, new):
    x = rng.standard_normal(300)
    np.testing.assert_allclose(F.resample(x, orig, new), naive(x, orig, new), atol=1e-10)


def test_odd_ratios_make_no_huge_filter(rng):
    x = rng.standard_normal((2, 16000)).astype(np.float32)
    tracemalloc.start()
    y = T.Resample(16000, 15999)(x)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert y.shape == (2, 15999)
    assert peak < 50e6  # the filters for all phases would take 2 GB


@pytest.mark.parametrize("method", METHODS[:2])
def test_both_ways_to_filter_agree(rng, method, monkeypatch):
    x = rng.standard_normal((2, 3, 1000))
    by_kernel = F.resample(x, 3, 2, 8, 0.9, method, None)
    monkeypatch.setattr(resampling, "LARGEST_KERNEL", 0)
    monkeypatch.setattr(resampling, "BLOCK", 100)
    np.testing.assert_allclose(F.resample(x, 3, 2, 8, 0.9, method, None), by_kernel, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("orig", "new"), [*RATES[:5], *ODD])
def test_a_tone_stays_a_tone(orig, new, method):
    x = np.sin(2 * np.pi * 440 * np.arange(orig) / orig)
    y = F.resample(x, orig, new, resampling_method=method)
    assert y.shape == (new,)
    want = np.sin(2 * np.pi * 440 * np.arange(new) / new)
    middle = slice(new // 10, -new // 10)
    np.testing.assert_allclose(y[middle], want[middle], atol=2e-3)


@pytest.mark.parametrize(("width", "loss_db"), [(6, 40), (64, 60)])
def test_what_cannot_be_kept_is_gone(width, loss_db):
    x = np.sin(2 * np.pi * 6500 * np.arange(16000) / 16000)
    y = F.resample(x, 16000, 8000, width)[500:-500]
    assert 20 * np.log10(np.std(y) / np.std(x)) < -loss_db


def test_kaiser_window_like_scipy():
    beta, width = 8.0, 16
    kernel = T.Resample(2, 1, "sinc_interp_kaiser", width, 0.9, beta, dtype=tp.float64).kernel
    taps = kernel.numpy()[0, 0]
    middle = (len(taps) - 2) // 2
    t = np.arange(-middle, middle + 2) / 2 * 0.9
    inside = np.abs(t) <= width
    assert np.abs(taps[~inside]).max(initial=0) < 1e-4
    i0 = scipy.special.i0
    window = i0(beta * np.sqrt(np.clip(1 - (t / width) ** 2, 0, None))) / i0(beta)
    np.testing.assert_allclose(taps[inside], (np.sinc(t) * window * 0.45)[inside], atol=1e-12)


def test_close_to_scipy_for_a_slow_signal(rng):
    slow = scipy.signal.resample(rng.standard_normal(40), 4000)
    got = F.resample(slow, 3, 2, 32)
    want = scipy.signal.resample_poly(slow, 2, 3)
    np.testing.assert_allclose(got[200:-200], want[200:-200], atol=5e-3)


@pytest.mark.parametrize("method", METHODS)
def test_leading_shape_and_batches(rng, method):
    x = rng.standard_normal((2, 3, 500)).astype(np.float32)
    y = F.resample(x, 16000, 11025, resampling_method=method)
    assert y.shape == (2, 3, math.ceil(500 * 11025 / 16000))
    assert y.dtype == np.float32
    alone = F.resample(x[1, 2], 16000, 11025, resampling_method=method)
    np.testing.assert_allclose(y[1, 2], alone, atol=1e-6)


def test_same_rate_changes_nothing(stereo):
    assert F.resample(stereo, 16000, 16000) is not None
    np.testing.assert_array_equal(F.resample(stereo, 16000, 16000), stereo)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_in_nothing_out(method):
    assert F.resample(np.zeros((2, 0)), 3, 2, resampling_method=method).shape == (2, 0)


@pytest.mark.parametrize(("orig", "new"), [(3, 2), (2, 3), (160, 147), (16000, 15999)])
def test_gradients(rng, orig, new):
    x = tp.tensor(rng.standard_normal((2, 50)), requires_grad=True)
    assert tp.autograd.gradcheck(lambda x: F.resample(x, orig, new), (x,))


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"orig_freq": 0}, ValueError, "positive whole numbers"),
        ({"new_freq": 0.5}, ValueError, "positive whole numbers"),
        ({"resampling_method": "linear"}, TypeError, "'soxr'"),
        ({"rolloff": 0.0}, ValueError, "rolloff"),
        ({"lowpass_filter_width": 0}, ValueError, "lowpass_filter_width > 0"),
        ({"waveform": np.zeros(9, np.int16)}, TypeError, "floating samples"),
    ],
)
def test_errors(options, error, text):
    arguments = {"waveform": np.zeros(9), "orig_freq": 3, "new_freq": 2, **options}
    with pytest.raises(error, match=text):
        F.resample(**arguments)


@pytest.mark.parametrize("options", [{"rolloff": 0.0}, {"lowpass_filter_width": 0}])
def test_transform_checks_when_it_is_made(options):
    with pytest.raises(ValueError, match="wanted lowpass_filter_width > 0"):
        T.Resample(3, 2, **options)
    with pytest.raises(TypeError, match="'soxr'"):
        T.Resample(3, 2, "linear")


def test_soxr_refuses_gradients():
    with pytest.raises(RuntimeError, match="no gradient"):
        F.resample(tp.zeros(9, requires_grad=True), 3, 2, resampling_method="soxr")

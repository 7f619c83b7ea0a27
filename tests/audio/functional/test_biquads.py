"""Second-order filters: what they do to a frequency, by the response SciPy computes."""

import numpy as np
import pytest
import scipy.signal

import triptych as tp
from triptych_audio import functional as F

RATE = 16000


def response(function, *args, freqs, rate=RATE, **options):
    """Complex gain at frequencies, measured on an impulse that dies away."""
    impulse = np.zeros(1 << 15)
    impulse[0] = 1.0
    h = function(impulse, rate, *args, clamp=False, **options)
    return np.exp(-2j * np.pi * np.outer(freqs, np.arange(len(h))) / rate) @ h


def decibels(*args, **options):
    return 20 * np.log10(np.abs(response(*args, **options)))


# function, its arguments, frequencies and the gain in dB wanted there
ROWS = {
    "lowpass": (F.lowpass_biquad, (1000.0, 2**-0.5), [1, 1000, 4000], [0, -3.0103, -28.06]),
    "highpass": (F.highpass_biquad, (1000.0, 2**-0.5), [8000, 1000, 100], [0, -3.0103, -40.2]),
    "bandpass": (F.bandpass_biquad, (1000.0, 2.0), [1000], [0]),
    "bandpass, skirt": (F.bandpass_biquad, (1000.0, 2.0, True), [1000], [6.0206]),
    "equalizer": (F.equalizer_biquad, (1000.0, 6.0, 1.0), [1000, 1, 8000], [6, 0, 0]),
    "bass": (F.bass_biquad, (6.0, 300.0), [0, 300, 8000], [6, 3, 0]),
    "treble": (F.treble_biquad, (-6.0, 2000.0), [8000, 2000, 0], [-6, -3, 0]),
    "allpass": (F.allpass_biquad, (1000.0, 1.5), [10, 1000, 5000], [0, 0, 0]),
}


@pytest.mark.parametrize("name", ROWS)
def test_gain(name):
    function, args, freqs, want = ROWS[name]
    np.testing.assert_allclose(decibels(function, *args, freqs=freqs), want, atol=0.2)


def test_allpass_turns_the_phase_by_half():
    assert np.allclose(response(F.allpass_biquad, 1000.0, 1.5, freqs=[1000]), -1, atol=1e-6)


def test_bandreject_takes_away():
    assert abs(response(F.bandreject_biquad, 1000.0, 2.0, freqs=[1000]))[0] < 1e-6
    np.testing.assert_allclose(decibels(F.bandreject_biquad, 1000.0, 2.0, freqs=[1]), 0, atol=1e-3)


def test_band_peaks_at_its_middle():
    around = decibels(F.band_biquad, 1000.0, 5.0, freqs=np.arange(500, 2000, 10))
    assert 500 + 10 * around.argmax() == pytest.approx(1000, abs=20)
    assert around.max() == pytest.approx(0, abs=0.1)


def test_band_for_noise_has_unit_power():
    """White noise through the filter has the power of before."""
    impulse = np.eye(1, 1 << 14)[0]
    h = F.band_biquad(impulse, RATE, 1000.0, 2.0, True, clamp=False)
    assert np.square(h).sum() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("rate", [44100, 48000, 88200, 96000])
def test_riaa(rate):
    """The published curve, in dB relative to 1 kHz; low rates have it less exactly."""
    got = decibels(F.riaa_biquad, freqs=[100, 1000, 10000], rate=rate)
    np.testing.assert_allclose(got, [13.09, 0, -13.73], atol=0.1 if rate > 50000 else 0.5)


@pytest.mark.parametrize("rate", [44100, 48000])
def test_deemphasis_of_discs(rate):
    """Time constants of 50 and 15 microseconds."""
    freqs = np.array([100.0, 3000.0, 10000.0])
    s = 2j * np.pi * freqs
    want = 20 * np.log10(np.abs((1 + 15e-6 * s) / (1 + 50e-6 * s)))
    np.testing.assert_allclose(decibels(F.deemph_biquad, freqs=freqs, rate=rate), want, atol=0.1)


def test_biquad_like_scipy(rng):
    x = 0.1 * rng.standard_normal((2, 3, 100))
    want = scipy.signal.lfilter([0.2, 0.3, 0.1], [1.5, -0.2, 0.1], x)
    np.testing.assert_allclose(F.biquad(x, 0.2, 0.3, 0.1, 1.5, -0.2, 0.1), want, atol=1e-12)


def test_limits():
    x = np.ones(100)
    assert F.bass_biquad(x, RATE, 12.0).max() == 1
    assert F.bass_biquad(x, RATE, 12.0, clamp=False).max() > 2


def test_designs_have_gradients(rng):
    x = tp.tensor(0.1 * rng.standard_normal(30), requires_grad=True)
    values = [tp.tensor(v, dtype=tp.float64, requires_grad=True) for v in (800.0, 3.0, 0.9)]
    assert tp.autograd.gradcheck(
        lambda x, f, g, q: F.equalizer_biquad(x, RATE, f, g, q), (x, *values), eps=1e-5
    )
    freq, gain, q = values
    for run in (
        lambda: F.bass_biquad(x, RATE, gain, freq, q),
        lambda: F.band_biquad(x, RATE, freq, q, True),
    ):
        for v in values:
            v.grad = None
        run().square().sum().backward()
        assert freq.grad.isfinite() and freq.grad != 0


def test_tensors_and_numbers_design_alike(rng):
    x = 0.1 * rng.standard_normal(200)
    want = F.lowpass_biquad(x, RATE, 500.0, 0.6)
    got = F.lowpass_biquad(tp.tensor(x), RATE, tp.tensor(500.0), tp.tensor(0.6))
    np.testing.assert_allclose(got.numpy(), want, atol=1e-7)


def test_errors():
    with pytest.raises(ValueError, match="44100"):
        F.deemph_biquad(np.ones(9), 16000)
    with pytest.raises(ValueError, match="96000"):
        F.riaa_biquad(np.ones(9), 16000)
    with pytest.raises(TypeError, match="full scale"):
        F.lowpass_biquad(np.ones(9, np.int32), RATE, 100.0)

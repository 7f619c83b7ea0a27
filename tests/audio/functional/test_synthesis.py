"""Oscillators and filters with numbers that can be learnt."""

import math

import numpy as np
import pytest
from scipy import signal

import triptych as tp
from triptych_audio import functional as F
from triptych_audio.prototype import functional as prototype


def test_oscillators_follow_their_frequencies(rng):
    rate, t = 8000, 400
    hertz = 100 + 900 * rng.random((2, t, 3))
    loud = rng.random((2, t, 3))
    got = F.oscillator_bank(tp.tensor(hertz), tp.tensor(loud), rate, "none").numpy()
    want = loud * np.sin(2 * np.pi * np.cumsum(hertz, 1) / rate)
    np.testing.assert_allclose(got, want, atol=1e-9)
    for reduction in ("sum", "mean"):
        got = F.oscillator_bank(tp.tensor(hertz), tp.tensor(loud), rate, reduction).numpy()
        np.testing.assert_allclose(got, getattr(want, reduction)(-1), atol=1e-9)


def test_phases_of_long_sounds_keep_their_precision():
    hertz = tp.full((160000, 1), 440.3)
    rate = 16000
    want = np.sin(2 * np.pi * float(np.float32(440.3)) / rate * np.arange(1, 160001))
    got = F.oscillator_bank(hertz, tp.ones(160000, 1), rate).numpy()
    assert np.abs(got - want).max() < 1e-3
    coarse = F.oscillator_bank(hertz, tp.ones(160000, 1), rate, dtype=None)
    assert np.abs(coarse.numpy() - want).max() > 1e-2


def test_oscillators_beyond_half_the_rate_are_silent():
    hertz = tp.tensor([[100.0, 600.0, -500.0]]).expand(5, 3)
    with pytest.warns(UserWarning, match="oscillator_bank: frequencies from half"):
        sound = F.oscillator_bank(hertz, tp.ones(5, 3), 1000, "none")
    assert sound[:, 1:].abs().max() == 0 < sound[:, 0].abs().max()


def test_an_envelope_has_its_five_parts():
    got = F.adsr_envelope(
        101, attack=0.1, hold=0.2, decay=0.3, sustain=0.5, release=0.2, n_decay=3
    ).numpy()
    t = np.arange(101.0)
    want = np.full(101, 0.5)
    want[:11], want[10:31] = t[:11] / 10, 1
    want[30:61] = 0.5 + 0.5 * (1 - t[:31] / 30) ** 3
    want[80:] = 0.5 * (1 - t[:21] / 20)
    np.testing.assert_allclose(got, want, atol=1e-6)
    assert F.adsr_envelope(3, dtype=tp.float64).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("pattern", [3, [1.0, 2.5], tp.tensor([0.5, 2.0])])
def test_overtones(pattern):
    base = tp.tensor([[100.0], [200.0]])
    factors = [1, 2, 3] if isinstance(pattern, int) else list(map(float, pattern))
    np.testing.assert_allclose(F.extend_pitch(base, pattern), np.outer([100, 200], factors))


@pytest.mark.parametrize("high_pass", [False, True])
def test_windowed_sinc(high_pass):
    got = F.sinc_impulse_response(tp.tensor([[0.2, 0.5]], dtype=tp.float64), 101, high_pass)
    assert got.shape == (1, 2, 101)
    for taps, cutoff in zip(got[0].numpy(), (0.2, 0.5), strict=True):
        low = signal.firwin(101, cutoff, window="hamming")
        want = (np.arange(101) == 50) - low if high_pass else low
        np.testing.assert_allclose(taps, want, atol=1e-12)


def test_filters_of_a_frequency_response(rng):
    wanted = 1 + np.sin(np.linspace(0, np.pi, 65)) + 0 * rng.random((2, 1))
    taps = F.frequency_impulse_response(tp.tensor(wanted)).numpy()
    assert taps.shape == (2, 128)
    got = np.abs(np.fft.rfft(taps))
    np.testing.assert_allclose(got[:, 4:-4], wanted[:, 4:-4], atol=0.01)
    with pytest.warns(UserWarning, match="magnitudes below 0"):
        F.frequency_impulse_response(tp.tensor([1.0, -1.0]))


@pytest.mark.parametrize(("t", "n", "taps"), [(60, 5, 4), (61, 5, 9), (20, 4, 30), (7, 1, 3)])
@pytest.mark.parametrize("delay", [-1, 0, 2])
def test_filters_take_turns(rng, t, n, taps, delay):
    wave, kernels = rng.standard_normal((2, t)), rng.standard_normal((2, n, taps))
    part = -(-t // n)
    want = np.zeros((2, t + taps - 1))
    for row in range(2):
        for i in range(t):
            want[row, i : i + taps] += wave[row, i] * kernels[row, i // part]
    start = taps // 2 if delay < 0 else delay
    want = np.pad(want, ((0, 0), (0, start)))[:, start : start + t]
    got = F.filter_waveform(tp.tensor(wave), tp.tensor(kernels), delay).numpy()
    np.testing.assert_allclose(got, want, atol=1e-10)
    shared = F.filter_waveform(tp.tensor(wave[0]), tp.tensor(kernels[0]), delay).numpy()
    np.testing.assert_allclose(shared, want[0], atol=1e-10)


def test_amplitudes_of_any_number():
    x = tp.tensor([-100.0, 0.0, 100.0], dtype=tp.float64)
    got = F.exp_sigmoid(x, exponent=4.0, max_value=3.0, threshold=0.1).tolist()
    assert got == pytest.approx([0.1, 3 * 0.5 ** math.log(4) + 0.1, 3.1])


def test_gradients(rng):
    def of(*shape):
        return tp.tensor(0.5 + rng.random(shape), requires_grad=True)

    def sines(f, a):
        return F.oscillator_bank(f, a, 10)

    assert tp.autograd.gradcheck(sines, (of(4, 2), of(4, 2)))
    assert tp.autograd.gradcheck(F.filter_waveform, (of(2, 7), of(2, 3)))
    assert tp.autograd.gradcheck(lambda c: F.sinc_impulse_response(c * 0.5, 5, True), (of(2),))
    assert tp.autograd.gradcheck(F.frequency_impulse_response, (of(2, 4),))
    assert tp.autograd.gradcheck(F.exp_sigmoid, (of(3),))
    assert tp.autograd.gradcheck(lambda b: F.extend_pitch(b, 3), (of(4, 1),))


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: F.oscillator_bank(tp.ones(3, 1), tp.ones(3, 2), 8), ValueError, "one shape"),
        (lambda: F.oscillator_bank(tp.ones(3, 1), tp.ones(3, 1), 8, "max"), TypeError, "'max'"),
        (lambda: F.adsr_envelope(9, attack=1.5), ValueError, "'attack': 1.5"),
        (lambda: F.adsr_envelope(9, attack=0.8, release=0.3), ValueError, "'release': 0.3"),
        (lambda: F.extend_pitch(tp.ones(3), 2), ValueError, r"wanted base \(..., t, 1\)"),
        (lambda: F.sinc_impulse_response(tp.ones(3), 4), ValueError, "odd window_size"),
        (lambda: F.frequency_impulse_response(tp.ones(1)), ValueError, "2 frequencies"),
        (lambda: F.filter_waveform(tp.ones(9), tp.ones(3)), ValueError, "wanted kernels"),
        (lambda: F.filter_waveform(tp.ones(9), tp.ones(3, 2), 2), ValueError, "below the 2 taps"),
        (lambda: F.filter_waveform(tp.ones(0), tp.ones(3, 2)), ValueError, "at least 1 sample"),
    ],
)
def test_refused(call, kind, text):
    with pytest.raises(kind, match=text):
        call()


def test_torchaudio_had_them_under_another_name():
    assert all(getattr(F, name) is getattr(prototype, name) for name in prototype.__all__)
    assert "oscillator_bank" in prototype.__all__

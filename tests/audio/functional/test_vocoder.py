"""Stretching and shifting: what is known of pure tones, and a plain loop beside the vocoder."""

import math
import time

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DTypeError, ShapeError
from triptych_audio import functional as F
from triptych_audio.functional.vocoder import phase_advance

RATE = 8000


def tone(hz, seconds=1.0):
    return np.sin(2 * np.pi * hz * np.arange(int(RATE * seconds)) / RATE)


def loudest(x):
    middle = x[..., 1000:-1000] * np.hanning(x.shape[-1] - 2000)
    return np.abs(np.fft.rfft(middle)).argmax(-1) * RATE / middle.shape[-1]


def plain_vocoder(spectra, rate, advance):
    """Frame by frame, after Flanagan and Golden."""
    f, frames = spectra.shape
    longer = np.concatenate([spectra, np.zeros((f, 2))], 1)
    phase, out = np.angle(spectra[:, 0]), []
    for step in np.arange(0, frames, rate):
        i, share = int(step), step % 1
        a, b = longer[:, i], longer[:, i + 1]
        out.append(((1 - share) * abs(a) + share * abs(b)) * np.exp(1j * phase))
        turned = np.angle(b) - np.angle(a) - advance
        phase = phase + turned - 2 * np.pi * np.round(turned / (2 * np.pi)) + advance
    return np.stack(out, 1)


@pytest.mark.parametrize("rate", [0.5, 0.8, 1.25, 3.0])
def test_vocoder_equals_the_loop(rng, rate):
    spectra = rng.standard_normal((9, 20)) + 1j * rng.standard_normal((9, 20))
    advance = np.linspace(0, np.pi * 4, 9)
    got = F.phase_vocoder(spectra[None], rate, advance[:, None])
    np.testing.assert_allclose(got[0], plain_vocoder(spectra, rate, advance), atol=1e-9)


def test_long_signals_stay_exact(rng):
    """Phases of a minute at 16 kHz are millions of radians."""
    spectra = (rng.standard_normal((1, 4000)) + 1j * rng.standard_normal((1, 4000))) * 10
    advance = np.array([[np.pi * 256]])
    single = F.phase_vocoder(spectra.astype(np.complex64), 1.25, advance.astype(np.float32))
    wanted = plain_vocoder(spectra, 1.25, advance[0])
    assert np.abs(single - wanted).max() < 0.08 * np.abs(wanted).max()


def test_rate_one_changes_nothing(rng):
    spectra = tp.tensor(rng.standard_normal((5, 6)) + 0j)
    assert F.phase_vocoder(spectra, 1.0, tp.zeros(5, 1)) is spectra


def test_vocoder_is_differentiable(rng):
    parts = tp.tensor(rng.standard_normal((2, 5, 8)), requires_grad=True)
    spectra = tp.complex(parts[0], parts[1])
    F.phase_vocoder(spectra, 1.3, phase_advance(5, 4)).abs().sum().backward()
    assert parts.grad.isfinite().all() and (parts.grad != 0).any()


@pytest.mark.parametrize("rate", [0.7, 1.6])
def test_stretched_tone_keeps_its_pitch(rate):
    out = F.time_stretch(tone(440), rate, 512)
    assert out.shape == (round(RATE / rate),)
    assert loudest(out) == pytest.approx(440, abs=3)


def test_odd_lengths_are_filled_up():
    assert F.pitch_shift(tone(440)[:601], RATE, -12).shape == (601,)


@pytest.mark.parametrize("n_steps", [-12, -3.5, 1, 7])
def test_shifted_tone_has_the_new_pitch(n_steps):
    x = np.stack([tone(440), tone(300)])
    out = F.pitch_shift(x, RATE, n_steps)
    assert out.shape == x.shape
    np.testing.assert_allclose(loudest(out), np.array([440, 300]) * 2 ** (n_steps / 12), atol=4)


def test_no_steps_give_the_waveform_back():
    np.testing.assert_allclose(F.pitch_shift(tone(440), RATE, 0), tone(440), atol=1e-6)


def test_awkward_ratios_are_no_slower():
    x = tone(440, 2.0).astype(np.float32)

    def seconds(n_steps):
        start = time.perf_counter()
        F.pitch_shift(x, 44100, n_steps)
        return time.perf_counter() - start

    F.pitch_shift(x, 44100, 1)
    assert min(seconds(4) for _ in range(3)) < 2.0  # 27781 to 22050 Hz; a kernel takes gigabytes


def test_phase_advance_is_even():
    steps = np.diff(phase_advance(201, 200).numpy()[:, 0])
    np.testing.assert_allclose(steps, math.pi, rtol=1e-4)


def test_refuses():
    spectra = tp.zeros(3, 4, dtype=tp.complex64)
    with pytest.raises(ShapeError, match="positive rate"):
        F.phase_vocoder(spectra, 0.0, tp.zeros(3, 1))
    with pytest.raises(DTypeError, match="complex"):
        F.phase_vocoder(tp.zeros(3, 4), 2.0, tp.zeros(3, 1))
    with pytest.raises(ShapeError, match="positive rate"):
        F.time_stretch(tp.zeros(4000), -1.0)
    with pytest.raises(ShapeError, match="octave"):
        F.pitch_shift(tp.zeros(4000), RATE, 1, 0)

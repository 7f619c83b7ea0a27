"""Spectrograms against SciPy and their definition; Griffin-Lim by what it must achieve."""

import numpy as np
import pytest
import scipy.signal

import triptych as tp
from triptych_audio import functional as F

WINDOW = tp.hann_window(400, dtype=tp.float64)
FRAME = (400, 160, 400)


def spectrogram(x, power=None, normalized=False, pad=0, **options):
    return F.spectrogram(x, pad, WINDOW, *FRAME, power, normalized, **options)


def test_parseval_of_every_frame(rng):
    x = rng.standard_normal(1600)
    power = spectrogram(x, 2.0, center=False, onesided=False)
    frames = np.lib.stride_tricks.sliding_window_view(x, 400)[::160] * WINDOW.numpy()
    np.testing.assert_allclose(power.sum(0) / 400, (frames**2).sum(1))


def test_powers_agree(rng):
    x = rng.standard_normal((2, 1600))
    magnitude = np.abs(spectrogram(x))
    for power in (1.0, 2.0, 1.5):
        np.testing.assert_allclose(spectrogram(x, power), magnitude**power, atol=1e-12)


def test_norms(rng):
    x = rng.standard_normal(1600)
    plain = spectrogram(x)
    energy = np.sqrt((WINDOW.numpy() ** 2).sum())
    np.testing.assert_allclose(spectrogram(x, normalized=True), plain / energy)
    np.testing.assert_allclose(spectrogram(x, normalized="window"), plain / energy)
    np.testing.assert_allclose(spectrogram(x, normalized="frame_length"), plain / 20)
    with pytest.raises(TypeError, match="'frame_length', got 'odd'"):
        spectrogram(x, normalized="odd")


def test_pad_is_silence_on_both_sides(rng):
    x = rng.standard_normal((2, 1600))
    want = spectrogram(np.pad(x, ((0, 0), (30, 30))))
    np.testing.assert_array_equal(spectrogram(x, pad=30), want)


def test_a_tone_is_one_bin():
    t = np.arange(16000) / 16000
    power = spectrogram(np.sin(2 * np.pi * 1000 * t), 2.0, center=False)
    assert (power.argmax(0) == 1000 * 400 / 16000).all()


@pytest.mark.parametrize("normalized", [False, True, "frame_length"])
@pytest.mark.parametrize("pad", [0, 50])
def test_inverse(rng, normalized, pad):
    x = rng.standard_normal((2, 3, 1601))
    spectrum = spectrogram(x, normalized=normalized, pad=pad)
    back = F.inverse_spectrogram(spectrum, 1601, pad, WINDOW, *FRAME, normalized)
    np.testing.assert_allclose(back, x, atol=1e-12)


def test_griffinlim_finds_the_tones():
    t = np.arange(8000) / 16000
    x = np.sin(2 * np.pi * 500 * t) + 0.5 * np.sin(2 * np.pi * 1700 * t)
    magnitude = spectrogram(x, 1.0)
    found = F.griffinlim(magnitude, WINDOW, *FRAME, 1.0, 60, 0.99, 8000, False)
    assert found.shape == (8000,)
    error = np.linalg.norm(spectrogram(found, 1.0) - magnitude) / np.linalg.norm(magnitude)
    assert error < 0.05


def test_griffinlim_is_repeatable_with_a_generator(rng):
    magnitude = np.abs(rng.standard_normal((2, 201, 11)))

    def run(seed):
        generator = tp.Generator().manual_seed(seed)
        return F.griffinlim(magnitude, WINDOW, *FRAME, 2.0, 2, 0.5, None, True, generator=generator)

    np.testing.assert_array_equal(run(1), run(1))
    assert np.abs(run(1) - run(2)).max() > 0


def test_gradients(rng):
    x = tp.tensor(rng.standard_normal(60), requires_grad=True)
    window = tp.hann_window(16, dtype=tp.float64)
    for power, normalized in ((2.0, True), (1.0, False), (3.0, "frame_length")):
        assert tp.autograd.gradcheck(
            lambda x, p=power, n=normalized: F.spectrogram(x, 2, window, 16, 8, 16, p, n), (x,)
        )


def test_like_scipy(rng):
    x = rng.standard_normal(2000)
    _, _, want = scipy.signal.spectrogram(
        x, 16000, "hann", 400, 240, detrend=False, scaling="spectrum", mode="magnitude"
    )
    got = spectrogram(x, 1.0, center=False) / WINDOW.numpy().sum()
    np.testing.assert_allclose(got, want, atol=1e-12)

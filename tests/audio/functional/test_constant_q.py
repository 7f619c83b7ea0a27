"""Constant-Q: tones in their bins, plain convolution beside the octaves, and the way back."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DTypeError, ShapeError
from triptych_audio import functional as F

RATE = 22050


def tone(hz, n=RATE, fade=True):
    x = np.sin(2 * np.pi * hz * np.arange(n) / RATE)
    return x * np.hanning(n) if fade else x


def plain_bin(x, hz, octave, hop, gamma=0.0):
    """One bin at the full rate: convolution with a windowed tone of sum one."""
    alpha = (4 ** (1 / octave) - 1) / (4 ** (1 / octave) + 1)
    length = RATE / alpha / (hz + gamma / alpha)
    n = np.arange(-length // 2, length // 2)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(len(n)) / len(n))
    wave = np.exp(2j * np.pi * hz * n / RATE) * window
    wave *= np.sqrt(length) / np.abs(wave).sum()
    half = int(n[-1])
    padded = np.pad(x, (half, len(n)))
    starts = np.arange(0, len(x) + 1, hop)
    return np.array([padded[s : s + len(n)] @ wave[::-1] for s in starts])


@pytest.mark.parametrize("k", [0, 7, 24, 40, 59])
@pytest.mark.parametrize("gamma", [0.0, 5.0])
def test_bins_equal_plain_convolution(rng, k, gamma):
    x = rng.standard_normal(RATE) * np.hanning(RATE)
    exact, fast = (F.vqt(x, RATE, h, 65.4, 60, gamma=gamma, sparsity=0.0) for h in (441, 512))
    want = plain_bin(x, 65.4 * 2 ** (k / 12), 12, 441, gamma)
    # the negative half of a filter's spectrum is left out, as in the paper
    np.testing.assert_allclose(exact[k], want, atol=1e-3 * np.abs(want).max())
    # at a lower rate, a filter is a whole number of longer samples
    want = np.abs(plain_bin(x, 65.4 * 2 ** (k / 12), 12, 512, gamma))
    np.testing.assert_allclose(np.abs(fast[k]), want, atol=0.05 * want.max())


@pytest.mark.parametrize("options", [{}, {"hop_length": 441}, {"bins_per_octave": 24}])
@pytest.mark.parametrize("transform", [F.cqt, F.vqt])
def test_tones_are_in_their_bins(transform, options):
    octave = options.get("bins_per_octave", 12)
    bins = [0, octave + 3, 3 * octave]
    x = np.stack([tone(55 * 2 ** (k / octave)) for k in bins])
    found = np.abs(transform(x, RATE, f_min=55.0, n_bins=4 * octave, **options))
    assert found.shape[:2] == (3, 4 * octave)
    assert found.mean(-1).argmax(-1).tolist() == bins


def test_low_transform_skips_rates():
    x = tone(110)
    direct = F.cqt(x, RATE, 512, 55.0, 48)
    low = F.cqt(x, RATE, 512, 55.0, 18)  # halved before the first octave
    np.testing.assert_allclose(
        np.abs(low), np.abs(direct)[:18], atol=0.015 * np.abs(direct[:18]).max()
    )
    unscaled = F.cqt(x, RATE, 512, 55.0, 18, scale=False)
    assert unscaled.shape == low.shape
    assert np.abs(unscaled).max() > np.abs(low).max()


def test_own_intervals():
    just = [1.0, 9 / 8, 5 / 4, 4 / 3, 3 / 2, 5 / 3, 15 / 8]
    found = np.abs(F.vqt(tone(220 * 1.5), RATE, f_min=110.0, n_bins=14, intervals=just))
    assert found.shape[0] == 14
    assert found.mean(-1).argmax() == 11


def test_single_bin():
    assert F.cqt(tone(100.0), RATE, f_min=100.0, n_bins=1).shape[0] == 1


@pytest.mark.parametrize("options", [{}, {"scale": False}, {"hop_length": 147}])
def test_there_and_back(options):
    x = np.stack([tone(220, fade=True) + 0.5 * tone(415), tone(880)])
    options = {"hop_length": 128, **options}
    spectra = F.cqt(x, RATE, f_min=55.0, n_bins=72, **options)
    back = F.icqt(spectra, RATE, f_min=55.0, length=RATE, **options)
    assert back.shape == x.shape
    error = ((back - x) ** 2).sum(-1) / (x**2).sum(-1)
    assert (error < 0.05).all()
    assert F.icqt(spectra, RATE, f_min=55.0, **options).ndim == 2


def test_double_and_gradient():
    x = tp.tensor(tone(220, 6000), requires_grad=True)
    out = F.cqt(x, RATE, f_min=110.0, n_bins=24)
    assert out.dtype == tp.complex128
    out.abs().sum().backward()
    assert x.grad.isfinite().all() and (x.grad != 0).any()
    assert F.cqt(x.detach().float(), RATE, f_min=110.0, n_bins=24).dtype == tp.complex64


def test_tuning_is_estimated():
    sharp = tone(440 * 2 ** (0.4 / 12))
    plain, tuned = (np.abs(F.cqt(sharp, RATE, tuning=t))[45].max() for t in (0.0, None))
    assert tuned > plain


def test_refuses():
    with pytest.raises(ShapeError, match="fewer bins"):
        F.cqt(np.zeros(9000), RATE, n_bins=120)
    with pytest.raises(ShapeError, match="hop_length > 0"):
        F.cqt(np.zeros(9000), RATE, hop_length=0)
    with pytest.raises(DTypeError, match="intervals"):
        F.vqt(np.zeros(9000), RATE, intervals="ji5")
    with pytest.raises(DTypeError, match="complex"):
        F.icqt(np.zeros((84, 10)), RATE)

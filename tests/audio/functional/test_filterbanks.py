"""Mel filters and the cosine transform: their definitions, and SciPy's DCT."""

import numpy as np
import pytest
import scipy.fft

from triptych_audio import functional as F


def naive_bank(n_freqs, f_min, f_max, n_mels, sample_rate, norm, mel_scale):
    """One filter and one bin at a time."""
    low, high = F.hz_to_mel(f_min, mel_scale), F.hz_to_mel(f_max, mel_scale)
    step = (high - low) / (n_mels + 1)
    corners = [F.mel_to_hz(low + i * step, mel_scale) for i in range(n_mels + 2)]
    bank = np.zeros((n_freqs, n_mels))
    for i in range(n_mels):
        left, peak, right = corners[i : i + 3]
        for k in range(n_freqs):
            f = k * (sample_rate / 2) / (n_freqs - 1)
            if left < f <= peak:
                bank[k, i] = (f - left) / (peak - left)
            elif peak < f < right:
                bank[k, i] = (right - f) / (right - peak)
        if norm == "slaney":
            bank[:, i] *= 2 / (right - left)
    return bank


@pytest.mark.parametrize("norm", [None, "slaney"])
@pytest.mark.parametrize("mel_scale", ["htk", "slaney"])
@pytest.mark.parametrize(("f_min", "f_max"), [(0.0, 8000.0), (60.0, 7600.0)])
def test_naive_twin(f_min, f_max, mel_scale, norm):
    row = (257, f_min, f_max, 40, 16000, norm, mel_scale)
    got = F.melscale_fbanks(*row)
    np.testing.assert_allclose(got.numpy(), naive_bank(*row), atol=1e-6)


def test_known_pitches():
    assert F.hz_to_mel(700.0) == pytest.approx(2595 * np.log10(2))
    assert F.hz_to_mel(500.0, "slaney") == pytest.approx(7.5)
    assert F.hz_to_mel(6400.0, "slaney") == pytest.approx(15 + 27)
    for scale in ("htk", "slaney"):
        for f in (0.0, 10.0, 999.0, 1000.0, 7000.0):
            assert F.mel_to_hz(F.hz_to_mel(f, scale), scale) == pytest.approx(f, abs=1e-9)


def test_slaney_filters_have_one_area():
    bank = F.melscale_fbanks(4001, 0.0, 8000.0, 20, 16000, "slaney").numpy()
    np.testing.assert_allclose(bank.sum(0) * (8000 / 4000), 1.0, atol=2e-3)


def test_linear_filters_add_up_to_one_inside():
    bank = F.linear_fbanks(801, 0.0, 8000.0, 19, 16000).numpy()
    edges = 8000 / 20
    frequencies = np.linspace(0, 8000, 801)
    inside = (frequencies >= edges) & (frequencies <= 8000 - edges)
    np.testing.assert_allclose(bank.sum(1)[inside], 1.0, atol=1e-5)


def test_too_many_filters_warn():
    with pytest.warns(UserWarning, match="of 128 filters are narrower than a bin"):
        F.melscale_fbanks(101, 0.0, 8000.0, 128, 16000)


@pytest.mark.parametrize("norm", [None, "ortho"])
def test_dct_like_scipy(rng, norm):
    bands = rng.standard_normal((5, 40)).astype(np.float32)
    got = bands @ F.create_dct(13, 40, norm).numpy()
    want = scipy.fft.dct(bands, type=2, norm=norm, axis=-1)[:, :13]
    np.testing.assert_allclose(got, want, atol=1e-4)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: F.melscale_fbanks(201, 0.0, 8000.0, 40, 16000, "ortho"), TypeError),
        (lambda: F.melscale_fbanks(201, 0.0, 8000.0, 40, 16000, None, "bark"), TypeError),
        (lambda: F.melscale_fbanks(201, 500.0, 500.0, 40, 16000), ValueError),
        (lambda: F.linear_fbanks(201, 0.0, 8000.0, 0, 16000), ValueError),
        (lambda: F.create_dct(13, 40, "odd"), TypeError),
    ],
)
def test_errors(call, error):
    with pytest.raises(error, match="got"):
        call()

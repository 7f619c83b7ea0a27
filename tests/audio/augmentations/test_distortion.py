"""Clipping, saturation, coarse bits and lossy codecs."""

import numpy as np
import pytest

from triptych_audio import augmentations as A


def test_bits_are_few(stereo):
    got = A.BitCrush(4, 4, p=1.0)(stereo.astype(np.float64))
    assert len(np.unique(got)) <= 2 * 9 + 1
    np.testing.assert_allclose(got, stereo, atol=0.5 / 9)


def test_share_of_clipped_samples(rng):
    x = rng.standard_normal(10000)
    got = A.ClippingDistortion(20, 20, p=1.0)(x)
    assert (got != x).mean() == pytest.approx(0.2, abs=0.01)
    assert (got == got.max()).mean() == pytest.approx(0.1, abs=0.01)


def test_saturation_keeps_the_loudness(stereo):
    got = A.TanhDistortion(0.9, 0.9, p=1.0)(stereo)
    assert np.square(got).mean() == pytest.approx(np.square(stereo).mean(), rel=1e-4)
    assert np.abs(got).max() < np.abs(stereo).max()
    assert (A.TanhDistortion(p=1.0)(np.zeros(9)) == 0).all()


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 17000, 96000])
def test_mp3_is_nearly_the_same(stereo, rate):
    got = A.Mp3Compression(32, 64, p=1.0)(stereo, rate)
    assert got.shape == stereo.shape
    assert 0.6 < np.corrcoef(got[0], stereo[0])[0, 1] < 0.99999


@pytest.mark.parametrize("format", ["ogg", "opus"])
def test_other_codecs_and_many_channels(rng, format):
    x = 0.1 * np.cumsum(rng.standard_normal((3, 8000)), -1).astype(np.float32)
    x -= x.mean(-1, keepdims=True)
    x /= 2 * np.abs(x).max()
    got = A.Mp3Compression(format=format, p=1.0)(x, 16000)
    assert got.shape == x.shape
    assert np.corrcoef(got[2], x[2])[0, 1] > 0.6


@pytest.mark.parametrize("rate", [8000, 12000, 16000, 22050, 32000, 44100])
@pytest.mark.parametrize("bitrate", [8, 32, 64])
@pytest.mark.parametrize("t", [3000, 4608])
def test_mp3_is_not_delayed(rng, rate, bitrate, t):
    x = 0.05 * np.cumsum(rng.standard_normal((1, t)), -1).astype(np.float32)
    x = (x - x.mean()) / (2 * np.abs(x).max())
    got = A.Mp3Compression(bitrate, bitrate, p=1.0)(x, rate)
    assert got.shape == x.shape
    assert np.abs(np.correlate(got[0], x[0], "full").argmax() - (t - 1)) <= 1


def test_lower_bitrates_lose_more(rng):
    x = (0.1 * rng.standard_normal((1, 16000))).astype(np.float32)
    errors = [np.square(A.Mp3Compression(b, b, p=1.0)(x, 16000) - x).mean() for b in (16, 128)]
    assert errors[0] > 1.2 * errors[1]


def test_aliasing_mirrors_a_tone():
    t = np.arange(16000) / 16000
    x = np.sin(2 * np.pi * 5000 * t)
    spectrum = np.abs(np.fft.rfft(A.Aliasing(8000, 8000, p=1.0)(x, 16000)))
    assert spectrum[2900:3100].max() > spectrum[4900:5100].max() > 0
    np.testing.assert_array_equal(A.Aliasing(30000, 30000, p=1.0)(x, 16000), x)

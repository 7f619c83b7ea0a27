"""Waveforms through codecs and back."""

import numpy as np
import pytest

import triptych as tp
from triptych_audio import functional as F


def test_lossless(stereo):
    np.testing.assert_allclose(F.apply_codec(stereo, 16000, "flac"), stereo, atol=2**-15)
    got = F.apply_codec(stereo, 16000, "wav", bits_per_sample=8)
    np.testing.assert_allclose(got, stereo, atol=2**-6)


def test_telephone(stereo):
    got = F.apply_codec(stereo, 8000, "wav", encoding="ULAW")
    want = F.mu_law_decoding(F.mu_law_encoding(stereo, 256), 256)
    np.testing.assert_allclose(got, want, atol=0.03)


@pytest.mark.parametrize("format", ["mp3", "ogg", "opus"])
def test_lossy(stereo, format):
    small = F.apply_codec(stereo, 16000, format, compression=0.9)
    assert small.shape == stereo.shape and small.dtype == stereo.dtype
    assert 0.7 < np.corrcoef(small[0], stereo[0])[0, 1] < 1


def test_channels_last_and_kinds(stereo):
    x = tp.tensor(stereo.T.astype(np.float64))
    got = F.apply_codec(x, 16000, "ogg", False)
    assert got.shape == x.shape and got.dtype == tp.float64
    assert F.apply_codec(tp.zeros(2, 0), 16000, "ogg").shape == (2, 0)


@pytest.mark.parametrize("channels_first", [True, False])
def test_codec_with_a_rate_of_its_own(stereo, channels_first, monkeypatch):
    import triptych_audio.io

    x = stereo if channels_first else np.ascontiguousarray(stereo.T)
    half = x[:, ::2] if channels_first else x[::2]
    answer = (tp.tensor(np.ascontiguousarray(half)), 8000)
    monkeypatch.setattr(triptych_audio.io, "load", lambda *args, **options: answer)
    assert F.apply_codec(x, 16000, "wav", channels_first).shape == x.shape


def test_errors(stereo):
    with pytest.raises(ValueError, match=r"wanted \(c, t\)"):
        F.apply_codec(stereo[0], 16000, "wav")
    with pytest.raises(ValueError, match="no format"):
        F.apply_codec(stereo, 16000, "xyz")

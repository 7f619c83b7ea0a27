"""Whisper's features: its filter bank by its own formula, and each step by hand."""

import hashlib

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DTypeError
from triptych_audio import functional as F
from triptych_audio.functional.whisper import whisper_filters

# sha256 of the arrays mel_80 and mel_128 in openai-whisper 20250625, assets/mel_filters.npz
HASHES = {
    80: "4f2701b1d287d74a0dc9871026e9519d98cb76426615f2539b0d151a0ae4ec2e",
    128: "2a5f9822897750e047c85dea37cc268d3be0ecfd23c28a5f10da129d99d05afe",
}


@pytest.mark.parametrize("n_mels", [80, 128])
def test_filters_are_whispers_to_the_bit(n_mels):
    bank = whisper_filters(n_mels).numpy()
    assert bank.shape == (n_mels, 201) and bank.dtype == np.float32
    assert hashlib.sha256(np.ascontiguousarray(bank).tobytes()).hexdigest() == HASHES[n_mels]


def test_features_step_by_step(rng):
    x = 0.1 * rng.standard_normal(1600)
    padded = np.pad(x, 200, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    frames = np.stack([padded[i : i + 400] for i in range(0, 1600, 160)])
    power = np.abs(np.fft.rfft(frames * window)) ** 2
    levels = np.log10(np.maximum(whisper_filters(80).numpy() @ power.T, 1e-10))
    want = (np.maximum(levels, levels.max() - 8) + 4) / 4
    np.testing.assert_allclose(F.log_mel_spectrogram(x), want, atol=1e-6)


def test_each_example_has_its_own_floor():
    loud = np.random.default_rng(0).standard_normal(1600).astype(np.float32)
    both = F.log_mel_spectrogram(np.stack([loud, loud * 1e-3]), 128)
    alone = F.log_mel_spectrogram(loud * 1e-3, 128)
    assert both.shape == (2, 128, 10)
    np.testing.assert_allclose(both[1], alone, atol=1e-5)


def test_padding():
    x = tp.ones(1600)
    assert F.log_mel_spectrogram(x, padding=1600).shape == (80, 20)
    assert F.pad_or_trim(x).shape == (480000,)
    assert F.pad_or_trim(tp.ones(3, 5), 2, 0).shape == (2, 5)
    assert F.pad_or_trim(tp.ones(3, 5), 4, 0).sum() == 15


def test_refuses():
    with pytest.raises(DTypeError, match="80 or 128"):
        F.log_mel_spectrogram(tp.zeros(1600), 64)

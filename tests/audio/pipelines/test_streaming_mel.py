"""Mel spectrograms piece by piece are those of the whole."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_audio.pipelines import StreamingMelSpectrogram
from triptych_audio.transforms import MelSpectrogram

OPTIONS = [
    {"n_fft": 400, "hop_length": 160},
    {"n_fft": 400, "hop_length": 390},
    {"n_fft": 401, "hop_length": 500, "win_length": 300},
    {"n_fft": 400, "hop_length": 160, "pad": 100, "norm": "slaney", "power": 1.0},
    {"n_fft": 400, "hop_length": 160, "pad_mode": "constant", "normalized": True},
    {"n_fft": 256, "hop_length": 128, "center": False},
]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("length", [450, 1000, 4000])
@pytest.mark.parametrize("sizes", [(1, 399), (7, 300, 33), (5000,)])
def test_like_the_whole(rng, options, length, sizes):
    mel = MelSpectrogram(16000, n_mels=20, **options)
    samples = rng.standard_normal((2, length)).astype(np.float32)
    want = mel(samples)
    streaming = StreamingMelSpectrogram(mel)
    for _ in range(2):  # it begins anew after the last piece
        ends = np.cumsum(np.resize(sizes, length))
        pieces = np.split(samples, ends[ends < length], axis=1)
        got = [streaming(p, last=i == len(pieces) - 1) for i, p in enumerate(pieces)]
        np.testing.assert_allclose(np.concatenate(got, -1), want, rtol=1e-4, atol=1e-5)


def test_a_frame_comes_as_soon_as_it_can():
    streaming = StreamingMelSpectrogram(MelSpectrogram(16000, n_fft=400, hop_length=160, n_mels=8))
    counts = [streaming(tp.zeros(40)).shape[-1] for _ in range(40)]
    total = np.cumsum(counts)
    for pieces, frames in enumerate(total, 1):
        # frame k needs the samples up to 160 k + 200, and one more so that the end could mirror it
        assert frames == max(0, (40 * pieces - 200) // 160 + 1 if pieces > 5 else 0)


def test_nothing_at_the_end_of_nothing():
    streaming = StreamingMelSpectrogram(MelSpectrogram(16000, n_fft=400, hop_length=160, n_mels=8))
    streaming(tp.zeros(1, 1000))
    assert streaming(tp.zeros(1, 0), last=True).shape == (1, 8, 7 - streaming_count(1000))


def streaming_count(samples):
    return (samples - 200) // 160 + 1


def test_refused():
    streaming = StreamingMelSpectrogram(MelSpectrogram(16000, n_mels=8))
    streaming(tp.zeros(2, 100))
    with pytest.raises(ShapeError, match=r"began with \(2,\) before the time, got \(\)"):
        streaming(tp.zeros(100))

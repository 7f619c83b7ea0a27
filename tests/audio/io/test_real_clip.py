"""One real clip in three codecs decodes to the same sound."""

import numpy as np
import pytest

import triptych_audio as audio
from triptych_datasets import Offline, fetch_all

pytestmark = pytest.mark.network
MP3_DELAY = 1105  # of its encoder and every decoder; this file has no tag that tells it
SNR_DB = {"ogg": 20.0, "mp3": 25.0}


@pytest.fixture(scope="module")
def clips():
    names = [f"house_lo.{kind}" for kind in ("wav", "ogg", "mp3")]
    try:
        return dict(zip(("wav", "ogg", "mp3"), fetch_all(names), strict=True))
    except Offline as error:
        pytest.skip(f"no package index can be reached: {error}")


def test_headers(clips):
    found = {kind: audio.info(path) for kind, path in clips.items()}
    assert found["wav"] == audio.AudioMetaData(11025, 78331, 1, 8, "PCM_U")
    assert found["ogg"] == audio.AudioMetaData(11025, 78331, 1, 0, "VORBIS")
    assert found["mp3"].sample_rate == 11025
    assert abs(found["mp3"].num_frames - MP3_DELAY - 78331) < 2 * 1152


@pytest.mark.parametrize(("kind", "delay"), [("ogg", 0), ("mp3", MP3_DELAY)])
def test_the_same_signal_within_the_codec(clips, kind, delay):
    want = audio.load(clips["wav"])[0].numpy()[0]
    got = audio.load(clips[kind])[0].numpy()[0, delay : delay + len(want)]
    want = want[: len(got)]
    spectrum = np.fft.rfft(got, 2 * len(got)).conj() * np.fft.rfft(want, 2 * len(want))
    assert np.argmax(np.fft.irfft(spectrum)) == 0  # best where it should be, to the sample
    gain = got @ want / (got @ got)
    assert 10 * np.log10((want**2).sum() / ((want - gain * got) ** 2).sum()) > SNR_DB[kind]


@pytest.mark.parametrize("kind", ["wav", "ogg", "mp3"])
def test_a_part_is_where_it_should_be(clips, kind):
    whole = audio.load(clips[kind])[0].numpy()
    for start in (0, 777, 40_000):
        part = audio.load(clips[kind], start, 5000)[0].numpy()
        np.testing.assert_allclose(part, whole[:, start : start + 5000], atol=1e-6)


def test_resampled_and_streamed(clips):
    whole = audio.load(clips["ogg"], sr=16000)[0].numpy()
    assert whole.shape[1] == -(-78331 * 16000 // 11025)
    blocks = [b.numpy() for b, rate in audio.stream(clips["ogg"], 4000, sr=16000)]
    np.testing.assert_allclose(np.concatenate(blocks, 1), whole, atol=1e-6)

"""Ten minutes go through resampling, a log-mel spectrogram and VAD in constant memory."""

import tracemalloc

import numpy as np
import pytest

import triptych_audio as audio
from triptych_audio.models import SileroVAD
from triptych_audio.pipelines import StreamingMelSpectrogram, VADIterator
from triptych_audio.transforms import MelSpectrogram

RATE, SECONDS = 22050, 600
BLOCK = 1 << 16


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Ten minutes of noise with pauses, 26 MB, written in blocks."""
    path = tmp_path_factory.mktemp("long") / "noise.wav"
    rng = np.random.default_rng(0)
    noise = (0.1 * rng.standard_normal((RATE * 10, 1))).astype(np.float32)
    noise[RATE * 5 :] *= 0.01
    writer = audio.io.StreamWriter(path)
    writer.add_audio_stream(RATE, 1)
    with writer.open():
        for _ in range(SECONDS // 10):
            writer.write_audio_chunk(0, noise)
    return path


class Quick:
    """A detector that takes no time: loudness in place of a network."""

    sample_rate, frame_length = SileroVAD.sample_rate, SileroVAD.frame_length

    def initial_state(self, batch_size=1):
        return None

    def advance(self, waveform, state=None):
        loudness = waveform.reshape(1, -1, self.frame_length).square().mean(-1).sqrt()
        return (loudness * 10).clamp(0, 1), None


def listened(path, seconds):
    """Frames of the log-mel spectrogram, and events, of the first so many seconds."""
    mel = StreamingMelSpectrogram(MelSpectrogram(16000, n_fft=400, hop_length=160, n_mels=80))
    decibels = audio.transforms.AmplitudeToDB()
    listener = VADIterator(Quick())
    frames, events, left = 0, [], seconds * 16000
    for block, rate in audio.stream(path, BLOCK, sr=16000, mono=True):
        assert rate == 16000
        samples = block[0, :left]
        left -= samples.shape[-1]
        frames += decibels(mel(samples, last=left <= 0)).shape[-1]
        events += listener.events(samples, last=left <= 0)
        if left <= 0:
            return frames, events
    raise AssertionError("the recording is shorter than it should be")


def peak_of(path, seconds):
    tracemalloc.start()
    result = listened(path, seconds)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return result, peak


def test_constant_memory(recording):
    listened(recording, 10)  # kernels, windows and filters are computed and kept
    _, short = peak_of(recording, 30)
    (frames, events), long = peak_of(recording, SECONDS)
    assert frames == SECONDS * 100 + 1
    assert [next(iter(event)) for event in events] == ["start", "end"] * (SECONDS // 10)
    starts = np.array([event["start"] for event in events[::2]]) / 16000
    np.testing.assert_allclose(starts, np.arange(0, SECONDS, 10), atol=0.1)
    assert long < 1.1 * short + 200_000
    assert long < 16_000_000  # the recording itself is 38 MB as float32 at 16 kHz


def test_the_network_as_well(recording):
    model = SileroVAD().eval()
    peaks = []
    for blocks in (4, 12):
        tracemalloc.start()
        listener = VADIterator(model, sampling_rate=RATE)
        for i, (block, _) in enumerate(audio.stream(recording, 1 << 14)):
            listener.events(block)
            if i == blocks:
                break
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]


def test_conversion(recording, tmp_path):
    """Reader and writer together."""
    tracemalloc.start()
    with audio.io.StreamReader(recording) as reader:
        reader.add_basic_audio_stream(BLOCK, sample_rate=16000)
        writer = audio.io.StreamWriter(tmp_path / "out.flac")
        writer.add_audio_stream(16000, 1)
        with writer.open():
            for (chunk,) in reader.stream():
                writer.write_audio_chunk(0, chunk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert audio.info(tmp_path / "out.flac").num_frames == SECONDS * 16000
    assert peak < 8_000_000
    tracemalloc.start()  # a part of ten minutes, without the rest
    part, _ = audio.load(tmp_path / "out.flac", 5_000_000, 1000)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
    assert part.shape == (1, 1000)

"""Ten minutes go through resampling, a log-mel spectrogram and VAD in constant memory."""

import gc
import tracemalloc

import numpy as np
import pytest

import triptych_audio as audio
from triptych_audio.models import SileroVAD
from triptych_audio.pipelines import SILERO_VAD, StreamingMelSpectrogram, VADIterator
from triptych_audio.transforms import MelSpectrogram
from triptych_datasets import FetchError

RATE, SECONDS = 22050, 600
BLOCK = 1 << 16


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Ten minutes, 26 MB, written in blocks: 5 s of a voice, 5 s of near silence, and again."""
    from scipy.signal import lfilter

    path = tmp_path_factory.mktemp("long") / "voice.wav"
    t = np.arange(RATE * 10) / RATE
    pulses = np.diff(np.floor(np.cumsum(120 + 40 * np.sin(4 * t)) / RATE), prepend=0)
    voice = np.zeros_like(pulses)
    for hertz, width, part in ((500, 60, 1), (1500, 90, 0.5), (2500, 120, 0.3)):  # of a vowel
        pole = np.exp(-np.pi * width / RATE)
        swing = [1, -2 * pole * np.cos(2 * np.pi * hertz / RATE), pole**2]
        voice += part * lfilter([1 - pole], swing, pulses)
    voice *= 0.5 + 0.5 * np.sin(8 * np.pi * t)  # four syllables a second
    voice *= 0.9 / np.abs(voice).max()
    voice[RATE * 5 :] = 1e-4 * np.random.default_rng(0).standard_normal(RATE * 5)
    writer = audio.io.StreamWriter(path)
    writer.add_audio_stream(RATE, 1)
    with writer.open():
        for _ in range(SECONDS // 10):
            writer.write_audio_chunk(0, voice.astype(np.float32)[:, None])
    return path


def listened(path, seconds, network):
    """Frames of the log-mel spectrogram, and events, of the first so many seconds."""
    mel = StreamingMelSpectrogram(MelSpectrogram(16000, n_fft=400, hop_length=160, n_mels=80))
    decibels = audio.transforms.AmplitudeToDB()
    listener = VADIterator(network, min_silence_duration_ms=600)
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


def peak_of(path, seconds, network):
    gc.collect()
    tracemalloc.start()
    result = listened(path, seconds, network)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return result, peak


def test_constant_memory(recording):
    """The whole network, whose numbers do not matter here."""
    network = SileroVAD().eval()
    listened(recording, 10, network)  # kernels, windows and filters are computed and kept
    _, short = peak_of(recording, 60, network)
    (frames, _), long = peak_of(recording, SECONDS, network)
    assert frames == SECONDS * 100 + 1
    assert long < 1.1 * short + 200_000
    assert long < 16_000_000  # the recording itself is 38 MB as float32 at 16 kHz


@pytest.mark.network
def test_ten_minutes_of_speech_and_pauses(recording):
    """The published network says the same of the last minute as of the first."""
    try:
        network = SILERO_VAD.get_model()
    except FetchError as error:
        pytest.skip(f"no source of the weights is in reach: {error}")
    _, events = listened(recording, SECONDS, network)
    assert [next(iter(event)) for event in events] == ["start", "end"] * (SECONDS // 10)
    starts = np.array([event["start"] for event in events[::2]]) / 16000
    ends = np.array([event["end"] for event in events[1::2]]) / 16000
    np.testing.assert_allclose(starts, np.arange(0, SECONDS, 10), atol=0.3)
    np.testing.assert_allclose(ends, np.arange(5, SECONDS, 10), atol=0.3)


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

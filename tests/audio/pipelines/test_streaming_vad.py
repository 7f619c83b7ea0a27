"""Speech told while it comes in: Silero's rules, pieces of any length, other rates."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_audio.models import SileroVAD
from triptych_audio.pipelines import VADIterator

FRAME = 512


class Loudness:
    """The probability of speech is the mean of a frame's magnitudes."""

    sample_rate = 16000
    frame_length = FRAME

    def initial_state(self, batch_size=1):
        return 0

    def advance(self, waveform, state=None):
        return waveform.reshape(1, -1, FRAME).abs().mean(-1), state + 1


def told_by_silero(probabilities, threshold=0.5, min_silence=1600, pad=480):
    """VADIterator of Silero VAD 6.2, written down from its description."""
    triggered, temp_end, now, out = False, 0, 0, []
    for p in probabilities:
        now += FRAME
        if p >= threshold and temp_end:
            temp_end = 0
        if p >= threshold and not triggered:
            triggered = True
            out.append(("start", max(0, now - pad - FRAME)))
            continue
        if p < threshold - 0.15 and triggered:
            temp_end = temp_end or now
            if now - temp_end >= min_silence:
                out.append(("end", temp_end + pad - FRAME))
                temp_end, triggered = 0, False
    return out


def told(events):
    return [pair for event in events if event for pair in event.items()]


@pytest.mark.parametrize("seed", range(12))
def test_silero_rules(seed):
    rng = np.random.default_rng(seed)
    probabilities = np.repeat(rng.uniform(0, 1, 12), rng.integers(1, 9, 12))
    samples = np.repeat(probabilities, FRAME).astype(np.float32)
    want = told_by_silero(probabilities)
    listener = VADIterator(Loudness())
    frames = samples.reshape(-1, FRAME)
    assert told(listener(frame) for frame in frames) == want
    for size in (100, 700, len(samples)):
        listener = VADIterator(Loudness())
        pieces = np.split(samples, range(size, len(samples), size))
        assert told(e for piece in pieces for e in listener.events(piece)) == want


def test_the_end_of_the_sound():
    loud, quiet = np.ones(FRAME * 3, np.float32), np.zeros(700, np.float32)
    listener = VADIterator(Loudness())
    assert listener.events(loud) == [{"start": 0}]
    assert listener.triggered
    assert listener.events(quiet, last=True) == [{"end": 3 * FRAME + 480}]
    assert not listener.triggered  # it has begun anew
    assert listener.events(loud[:100], last=True) == []
    assert listener.events(np.ones(800, np.float32), last=True) == [{"start": 0}, {"end": 800}]


def test_seconds_and_options():
    listener = VADIterator(Loudness(), threshold=0.9, min_silence_duration_ms=0, speech_pad_ms=0)
    samples = np.repeat([0.8, 1.0, 0.8, 0.7], FRAME).astype(np.float32)
    events = listener.events(tp.from_numpy(samples[None]), return_seconds=True, time_resolution=3)
    assert events == [{"start": 0.032}, {"end": 0.096}]


def test_another_rate():
    samples = np.concatenate([np.zeros(24000), np.tile([1.0, 1.0], 24000), np.zeros(48000)])
    listener = VADIterator(Loudness(), sampling_rate=48000)
    pieces = np.split(samples.astype(np.float32), range(1000, len(samples), 1000))
    start, end = told(e for p in pieces for e in listener.events(p))
    assert start[0] == "start" and abs(start[1] - (24000 - 1440)) <= 3 * FRAME
    assert end[0] == "end" and abs(end[1] - (72000 + 1440)) <= 3 * FRAME
    assert listener(np.zeros(1536, np.float32)) is None


def test_probabilities_are_those_of_the_model(rng):
    model = SileroVAD().eval()
    samples = rng.uniform(-1, 1, 8000).astype(np.float32)
    seen = []
    listener = VADIterator(model)
    listener._step = lambda p: seen.append(p)
    for piece in np.split(samples, range(333, 8000, 333)):
        listener.events(piece)
    listener.events(samples[:0], last=True)
    np.testing.assert_allclose(seen, model(samples), atol=1e-6)


def test_two_listeners_share_a_model(rng):
    model = SileroVAD().eval()
    one, two = VADIterator(model), VADIterator(model)
    sound = rng.uniform(-1, 1, (4, FRAME)).astype(np.float32)
    for frame in sound:
        one(frame)
        two(np.zeros_like(frame))
    alone = VADIterator(model)
    for frame in sound:
        alone(frame)
    for a, b in zip(one._state, alone._state, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_refused():
    listener = VADIterator(Loudness())
    with pytest.raises(ShapeError, match=r"at most 512 samples, got 513; events\(\)"):
        listener(np.zeros(513, np.float32))
    with pytest.raises(ShapeError, match=r"got \(2, 9\)"):
        listener(np.zeros((2, 9), np.float32))

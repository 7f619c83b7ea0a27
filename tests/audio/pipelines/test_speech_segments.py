"""From probabilities to stretches of speech."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import triptych as tp
from triptych_audio import functional as F
from triptych_audio.pipelines import get_speech_timestamps, speech_segments

PLAIN = {"min_speech": 0, "min_silence": 0, "speech_pad": 0}


def frames(pattern):
    """A probability per letter: S speech, - between the thresholds, . silence."""
    return [{"S": 0.9, "-": 0.4, ".": 0.1}[letter] for letter in pattern]


@pytest.mark.parametrize(
    ("pattern", "options", "want"),
    [
        ("......", PLAIN, []),
        ("..SS..", PLAIN, [(2, 4)]),
        ("SSSSSS", PLAIN, [(0, 6)]),
        ("..SS--..", PLAIN, [(2, 6)]),  # between the thresholds speech goes on
        ("..--SS..", PLAIN, [(4, 6)]),  # but does not begin
        ("S..S..", PLAIN, [(0, 1), (3, 4)]),
        ("S..S..", {**PLAIN, "min_silence": 1024}, [(0, 6)]),  # never silent for long enough
        ("S..S...", {**PLAIN, "min_silence": 1024}, [(0, 4)]),
        ("S.-.S...", {**PLAIN, "min_silence": 1536}, [(0, 8)]),
        (
            "S.-.....",
            {**PLAIN, "min_silence": 1536},
            [(0, 1)],
        ),  # the pause began at its first frame
        ("SS...S..", {**PLAIN, "min_speech": 512}, [(0, 2)]),
        ("SS...S..", {**PLAIN, "min_speech": 511}, [(0, 2), (5, 6)]),
        ("...SSS", {**PLAIN, "min_speech": 3 * 512}, []),
    ],
)
def test_by_hand(pattern, options, want):
    got = speech_segments(frames(pattern), len(pattern) * 512, **options)
    assert got == [(a * 512, b * 512) for a, b in want]


def test_speech_at_the_end_ends_with_the_sound():
    assert speech_segments(frames("..SSS"), 5 * 512 - 100, **PLAIN) == [(1024, 2460)]


def test_pads_and_shares_short_gaps():
    pattern = frames("SS..SS......SS")
    options = {**PLAIN, "speech_pad": 700}
    got = speech_segments(pattern, 14 * 512, **options)
    assert got == [(0, 1536), (1536, 3072 + 700), (6144 - 700, 7168)]


def test_neg_threshold():
    assert speech_segments([0.9, 0.36, 0.34, 0.1], 2048, **PLAIN) == [(0, 1024)]
    assert speech_segments([0.9, 0.36, 0.34, 0.1], 2048, neg_threshold=0.37, **PLAIN) == [(0, 512)]
    # near zero the lower threshold stays above zero, so speech can end
    assert speech_segments([0.9, 0.05, 0.001], 1536, threshold=0.1, **PLAIN) == [(0, 1024)]


def naive_segments(p, t, threshold, neg, min_speech, min_silence):
    """Asks of every frame where it belongs, looking at the whole recording each time."""
    found, k = [], 0
    while k < len(p):
        if p[k] < threshold:
            k += 1
            continue
        start, end, closed = k, None, False
        j = k + 1
        while j < len(p) and not closed:
            quiet = [i for i in range(start, j + 1) if p[i] >= threshold][-1]
            low = [i for i in range(quiet + 1, j + 1) if p[i] < neg]
            if low and p[j] < neg and (j - low[0]) * 512 >= min_silence:
                end, closed = low[0], True
            j += 1
        stop = end * 512 if closed else t
        if stop - start * 512 > min_speech:
            found.append((start * 512, stop))
        k = j if closed else len(p)
    return found


@given(
    st.lists(st.sampled_from([0.0, 0.3, 0.35, 0.4, 0.5, 0.9]), max_size=40),
    st.sampled_from([0, 512, 1600, 4000]),
    st.sampled_from([0, 512, 1600, 2048]),
    st.integers(0, 511),
)
def test_naive_twin(p, min_speech, min_silence, missing):
    t = max(len(p) * 512 - missing, 0)
    options = {"min_speech": min_speech, "min_silence": min_silence, "speech_pad": 0}
    want = naive_segments(p, t, 0.5, 0.35, min_speech, min_silence)
    assert speech_segments(p, t, **options) == want


@given(st.lists(st.floats(0, 1), max_size=60), st.integers(0, 2000))
def test_ordered_and_inside(p, pad):
    t = len(p) * 512
    flat = [x for segment in speech_segments(p, t, speech_pad=pad) for x in segment]
    assert flat == sorted(flat)
    assert all(0 <= x <= t for x in flat)


class Loudness:
    """A detector that hears everything above a level."""

    sample_rate = 16000
    frame_length = 512

    def __call__(self, waveform):
        assert not tp.is_grad_enabled()
        padded = np.pad(waveform.numpy(), (0, -waveform.shape[-1] % 512))
        return tp.tensor((np.abs(padded.reshape(-1, 512)).max(1) > 0.1).astype(np.float32))


@pytest.fixture
def burst():
    """2 s with a tone from 0.8 s to 1.4 s."""
    t = np.arange(32000) / 16000
    inside = (t >= 0.8) & (t < 1.4)
    return (np.sin(2 * np.pi * 300 * t) * inside).astype(np.float32)


def test_samples_and_seconds(burst):
    (samples,) = get_speech_timestamps(burst, Loudness())
    (seconds,) = get_speech_timestamps(burst[None], Loudness(), return_seconds=True)
    assert seconds == {key: value / 16000 for key, value in samples.items()}
    assert seconds["start"] == pytest.approx(0.8 - 0.03, abs=0.032)
    assert seconds["end"] == pytest.approx(1.4 + 0.03, abs=0.032)


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_other_rates(burst, rate):
    other = F.resample(burst, 16000, rate)
    (seconds,) = get_speech_timestamps(other, Loudness(), sample_rate=rate, return_seconds=True)
    (samples,) = get_speech_timestamps(tp.tensor(other), Loudness(), sample_rate=rate)
    assert seconds["start"] == pytest.approx(0.77, abs=0.04)
    assert seconds["end"] == pytest.approx(1.43, abs=0.04)
    assert samples["start"] == pytest.approx(seconds["start"] * rate, abs=1)


def test_options_are_in_milliseconds(burst):
    assert not get_speech_timestamps(burst, Loudness(), min_speech_duration_ms=700)
    (wide,) = get_speech_timestamps(burst, Loudness(), speech_pad_ms=200)
    (narrow,) = get_speech_timestamps(burst, Loudness(), speech_pad_ms=0)
    assert narrow["start"] - wide["start"] == wide["end"] - narrow["end"] == 3200


def test_ends_within_the_sound():
    loud = np.ones(16001, np.float32)
    assert get_speech_timestamps(loud, Loudness()) == [{"start": 0, "end": 16001}]
    (at_8k,) = get_speech_timestamps(loud[:8001], Loudness(), sample_rate=8000)
    assert at_8k == {"start": 0, "end": 8001}


@pytest.mark.parametrize("shape", [(2, 800), (0,), (1, 1, 800)])
def test_shapes_that_are_refused(shape):
    with pytest.raises(ValueError, match="mix channels down"):
        get_speech_timestamps(np.zeros(shape, np.float32), Loudness())

"""When things happen, and how fast."""

import numpy as np
import pytest

from triptych_audio import augmentations as A

X = np.arange(1.0, 11.0)


def test_duration():
    longer = A.AdjustDuration(13, p=1.0)
    np.testing.assert_array_equal(longer(X), [*X, 0, 0, 0])
    start = A.AdjustDuration(duration_seconds=0.013, padding_position="start", p=1.0)
    np.testing.assert_array_equal(start(X, 1000), [0, 0, 0, *X])
    wrap = A.AdjustDuration(25, padding_mode="wrap", p=1.0)
    np.testing.assert_array_equal(wrap(X), np.pad(X, (0, 15), "wrap"))
    for side, pads in (("end", (0, 25)), ("start", (25, 0))):
        mirrored = A.AdjustDuration(35, None, "reflect", side, p=1.0)
        np.testing.assert_array_equal(mirrored(X), np.pad(X, pads, "reflect"))
    starts = {A.AdjustDuration(4, p=1.0)(X)[0] for _ in range(100)}
    assert starts == set(range(1, 8))
    assert A.AdjustDuration(3, None, "reflect", p=1.0)(np.ones(1)).tolist() == [1, 1, 1]


def test_padding_replaces_an_end():
    np.testing.assert_array_equal(A.Padding("silence", 0.3, 0.3, p=1.0)(X), [*X[:7], 0, 0, 0])
    got = A.Padding("wrap", 0.3, 0.3, "start", p=1.0)(X)
    np.testing.assert_array_equal(got, [*X[-3:], *X[3:]])


def test_reverse():
    np.testing.assert_array_equal(A.Reverse(p=1.0)(X), X[::-1])


@pytest.mark.parametrize(
    ("unit", "amount"), [("samples", 3), ("fraction", 0.3), ("seconds", 0.003)]
)
def test_shift(unit, amount):
    def shift(by, **options):
        return A.Shift(by, by, unit, fade_duration=0.0, p=1.0, **options)(X, 1000)

    np.testing.assert_array_equal(shift(amount), np.roll(X, 3))
    np.testing.assert_array_equal(shift(-amount), np.roll(X, -3))
    np.testing.assert_array_equal(shift(amount, rollover=False), [0, 0, 0, *X[:7]])
    np.testing.assert_array_equal(shift(-amount, rollover=False), [*X[3:], 0, 0, 0])
    np.testing.assert_array_equal(shift(0.0), X)


def test_shift_out_of_sight():
    gone = A.Shift(10, 10, "samples", rollover=False, fade_duration=0.0, p=1.0)
    np.testing.assert_array_equal(gone(X), np.zeros(10))


def test_shift_fades_at_the_seam():
    got = A.Shift(0.5, 0.5, fade_duration=0.01, p=1.0)(np.ones(1000), 1000)
    assert got[499] == pytest.approx(0, abs=1e-9) and got[500] == pytest.approx(0, abs=1e-9)
    assert got[480] == got[520] == 1
    assert (np.diff(got[490:500]) < 0).all() and (np.diff(got[500:510]) > 0).all()


@pytest.mark.parametrize("place", ["start", "end", "random"])
def test_mask(place):
    augment = A.WaveTimeMask(0.3, 0.3, 0.01, place, p=1.0)
    got = augment(np.ones(1000), 1000)
    start = augment.drawn["start"]
    assert {"start": 0, "end": 700}.get(place, start) == start
    assert (got[start + 10 : start + 290] == 0).all()
    assert (got[:start] == 1).all() and (got[start + 300 :] == 1).all()
    assert 0 < got[start + 5] < 1 and 0 < got[start + 294] < 1
    hard = A.WaveTimeMask(0.3, 0.3, 0.0, place, p=1.0)(np.ones(1000))
    assert (hard == 0).sum() == 300


def pitch_of(x, rate):
    return np.abs(np.fft.rfft(x * np.hanning(len(x)))).argmax() * rate / len(x)


def test_stretch_keeps_the_pitch():
    x = np.sin(2 * np.pi * 500 * np.arange(16000) / 16000)
    got = A.WaveTimeStretch(0.8, 0.8, leave_length_unchanged=False, p=1.0)(x)
    assert got.shape == (20000,)
    assert pitch_of(got, 16000) == pytest.approx(500, abs=2)
    assert A.WaveTimeStretch(1.25, 1.25, p=1.0)(x).shape == (16000,)


def test_pitch_goes_up_an_octave():
    x = np.sin(2 * np.pi * 500 * np.arange(16000) / 16000)
    got = A.PitchShift(12.0, 12.0, p=1.0)(x, 16000)
    assert pitch_of(got, 16000) == pytest.approx(1000, abs=5)


def test_trim(stereo):
    x = np.pad(stereo, ((0, 0), (8192, 8192)))
    assert A.Trim(p=1.0)(x).shape[-1] < x.shape[-1] - 8192
    silence = np.zeros((2, 8192))
    np.testing.assert_array_equal(A.Trim(p=1.0)(silence), silence)


def test_repeats():
    options = {"crossfade_duration": 0.0, "min_part_duration": 0.003, "max_part_duration": 0.003}
    insert = A.RepeatPart(2, 2, **options, p=1.0)
    got = insert(X, 1000)
    start = insert.drawn["start"]
    part = X[start : start + 3]
    np.testing.assert_array_equal(got, [*X[: start + 3], *part, *part, *X[start + 3 :]])
    replace = A.RepeatPart(2, 2, mode="replace", **options, p=1.0)
    got = replace(X, 1000)
    start = replace.drawn["start"]
    part = X[start : start + 3]
    want = [*X[: start + 3], *part, *part, *X[start + 9 :]][:10]
    np.testing.assert_array_equal(got, want)

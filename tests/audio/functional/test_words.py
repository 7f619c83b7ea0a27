"""Words in time."""

import numpy as np
import pytest

import triptych as tp
from triptych_audio import functional as F

LABELS = ["-", "|", "a", "b", "c"]


def emission(path, labels=LABELS):
    """Frames in which the labels of the path are likely."""
    probs = np.full((len(path), len(labels)), 0.02)
    for t, label in enumerate(path):
        probs[t, labels.index(label)] = 0.9
    return np.log(probs / probs.sum(1, keepdims=True))


def times(spans):
    return [(s.word, s.start, s.end) for s in spans]


def test_words_of_a_text():
    spans = F.align_words(emission("-ab-||-cc-"), "AB c", LABELS)
    assert times(spans) == [("AB", 1, 3), ("c", 7, 9)]
    assert spans[0].score == pytest.approx(emission("a")[0, 2])


def test_kinds_of_arguments():
    frames = tp.tensor(emission("ab|c"))
    want = [("ab", 0, 2), ("c", 3, 4)]
    numbers = {label: i for i, label in enumerate(LABELS)}
    assert times(F.align_words(frames, ["ab", "c"], numbers)) == want
    assert times(F.align_words(frames.unsqueeze(0), "ab c", tuple(LABELS))) == want
    seconds = F.align_words(frames, "ab c", LABELS, seconds_per_frame=0.02)
    assert times(seconds) == [("ab", 0.0, 0.04), ("c", 0.06, 0.08)]


def test_without_separator():
    labels = ["-", "a", "b", "*"]
    frames = emission("a-b*", labels)
    assert times(F.align_words(frames, "a b?", labels)) == [("a", 0, 1), ("b?", 2, 4)]
    plain = F.align_words(frames, "a b?", labels, star=None)
    assert times(plain)[1][:2] == ("b?", 2)
    assert times(F.align_words(emission("a-b|"), "a b", LABELS, separator=None))[1][1] == 2


def test_merge_words():
    path = np.array([LABELS.index(c) for c in "-ab-||-cc-"])
    spans = F.merge_tokens(path, np.zeros(10))
    assert times(F.merge_words(spans, LABELS)) == [("ab", 1, 3), ("c", 7, 9)]
    assert F.merge_words([], LABELS) == []


def test_errors():
    frames = emission("ab")
    with pytest.raises(ValueError, match="no character of '!!'"):
        F.align_words(frames, "a !!", LABELS)
    with pytest.raises(ValueError, match="no words"):
        F.align_words(frames, " ", LABELS)
    with pytest.raises(ValueError, match="one by one"):
        F.align_words(np.stack([frames] * 2), "a", LABELS)
    with pytest.raises(ValueError, match="at least"):
        F.align_words(frames, "a b c", LABELS)

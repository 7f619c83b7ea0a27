"""Greedy decoding."""

import itertools

import numpy as np
import pytest

import triptych as tp
from triptych_audio.models.decoder import greedy_ctc_decode


def test_collapses(rng):
    log_probs = np.log(rng.dirichlet(np.ones(4), (3, 20)))
    for sequence, spans in zip(log_probs, greedy_ctc_decode(log_probs, blank=2), strict=True):
        path = sequence.argmax(-1)
        again = np.full(20, 2)
        for span in spans:
            again[span.start : span.end] = span.token
            assert span.score == pytest.approx(sequence[span.start : span.end].max(-1).mean())
        np.testing.assert_array_equal(again, path)
        labels = [(s.token, s.end) for s in spans]
        assert all(a != c or b < d for (a, b), (c, d) in itertools.pairwise(labels))


def test_lengths(rng):
    log_probs = tp.tensor(np.log(rng.dirichlet(np.ones(4), (2, 9))))
    answers = greedy_ctc_decode(log_probs, tp.tensor([9, 4]))
    assert answers[1] == greedy_ctc_decode(log_probs[1, :4])[0]
    assert greedy_ctc_decode(log_probs[:, :0]) == [[], []]


def test_errors():
    with pytest.raises(TypeError, match="floating"):
        greedy_ctc_decode(np.zeros((3, 4), int))
    with pytest.raises(ValueError, match="wanted"):
        greedy_ctc_decode(np.zeros(4))
    with pytest.raises(ValueError, match="lengths from 0 to 3"):
        greedy_ctc_decode(np.zeros((2, 3, 4)), np.array([4, 1]))

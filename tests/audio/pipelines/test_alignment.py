"""From words to spans of frames."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError, UnknownNameError
from triptych_audio.pipelines.alignment import Aligner, Tokenizer

NUMBERS = {"-": 0, "a": 1, "b": 2, "*": 3}


def test_tokenizer():
    tokenizer = Tokenizer(NUMBERS)
    assert tokenizer(["ab", "", "*"]) == [[1, 2], [], [3]]
    assert tokenizer("ab") == [[1, 2]]
    with pytest.raises(UnknownNameError, match=r"no label for \['A', 'c'\]"):
        tokenizer(["Abc"])


def emission(path, certain=0.9):
    """Log probabilities in which each frame says one label of four."""
    probabilities = np.full((len(path), 4), (1 - certain) / 3, np.float32)
    probabilities[np.arange(len(path)), path] = certain
    return np.log(probabilities)


@pytest.mark.parametrize("kind", [np.asarray, tp.tensor])
def test_spans_are_where_the_labels_were_said(kind):
    path = [0, 1, 1, 0, 2, 0, 0, 2, 2, 2, 0]
    words = Aligner(0)(kind(emission(path)), [[1, 2], [], [2]])
    assert [[(s.token, s.start, s.end) for s in word] for word in words] == [
        [(1, 1, 3), (2, 4, 5)],
        [],
        [(2, 7, 10)],
    ]
    assert all(s.score == pytest.approx(0.9, rel=1e-5) for word in words for s in word)


def test_refuses_a_batch():
    with pytest.raises(ShapeError, match=r"emission\[0\]"):
        Aligner(0)(emission([0, 1])[None], [[1]])

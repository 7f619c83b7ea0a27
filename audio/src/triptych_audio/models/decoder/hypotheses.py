"""What the decoder heard, and when."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

import triptych as tp
from triptych import Tensor
from triptych_audio.functional.words import WordSpan
from triptych_audio.models.decoder.beams import Path
from triptych_audio.models.decoder.dictionary import Dictionary

__all__ = ["CTCHypothesis", "hypothesis_of"]

Ints = npt.NDArray[np.int64]


class _Fields(NamedTuple):
    tokens: Tensor
    words: list[str]
    score: float
    timesteps: Tensor


class CTCHypothesis(_Fields):
    """One answer of `CTCDecoder`.

    Args:
        tokens: (l,) int64 labels without blanks and repeats. It begins and ends with silence, which
            the search assumes before the first and after the last frame.
        words: the words; empty without a lexicon.
        score: of the whole, higher is better.
        timesteps: (l,) int32, where each token begins: 0 for the silence before the first frame,
            k + 1 for frame k.

    Attributes:
        word_spans: for each word the frames it was heard in, counted from 0, and the mean log
            probability of their labels.
    """

    word_spans: tuple[WordSpan, ...] = ()


def hypothesis_of(path: Path, words: Dictionary | None, silence: int, blank: int) -> CTCHypothesis:
    """A path through the frames as an answer.

    Args:
        path: with a frame before the first and one after the last.
        words: of the lexicon; None without.
        silence: the label between words.
        blank: the label that stands for none.
    """
    tokens = path.tokens
    fresh = tokens != blank
    fresh[1:] &= tokens[1:] != tokens[:-1]
    steps = np.flatnonzero(fresh)
    ends = np.flatnonzero(path.words >= 0) if words is not None else steps[:0]
    names = [words.get_entry(int(path.words[end])) for end in ends] if words is not None else []
    answer = CTCHypothesis(
        tp.as_tensor(tokens[steps].astype(np.int64)),
        names,
        path.score,
        tp.as_tensor(steps.astype(np.int32)),
    )
    answer.word_spans = tuple(_spans(path, names, ends, steps, silence))
    return answer


def _spans(path: Path, names: list[str], ends: Ints, steps: Ints, silence: int) -> list[WordSpan]:
    spans, before = [], 0
    for name, end in zip(names, ends.tolist(), strict=True):
        own = steps[(steps > before) & (steps <= end)]
        heard = own[path.tokens[own] != silence]
        own = heard if len(heard) else own
        first, last = int(own[0]), int(own[-1])
        differs = np.flatnonzero(path.tokens[last:] != path.tokens[last])
        stop = last + int(differs[0]) if len(differs) else len(path.tokens)
        stop = min(stop, len(path.tokens) - 1)  # the frame after the last is none
        score = float(path.heard[first:stop].mean())
        spans.append(WordSpan(name, first - 1, stop - 1, score))  # frame 0 is step 1
        before = end
    return spans

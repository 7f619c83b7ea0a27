"""TER: how many edits, shifts of runs of words among them, make a text its reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .edits import edit_table, numbered
from .ngrams import paired_references, texts_of

__all__ = ["TERScore", "corpus_ter", "sentence_ter"]

# Limits of the search for shifts. Source: Snover's Tercom, as in sacrebleu.
MAX_SHIFT_SIZE = 10  # words
MAX_SHIFT_DISTANCE = 50  # words
MAX_CANDIDATES = 1000


@dataclass(frozen=True, slots=True)
class TERScore:
    """A TER score.

    Attributes:
        score: edits per 100 words of the references, 0 at best, without an upper bound.
        num_edits: insertions, deletions, substitutions and shifts.
        ref_length: words of the references, averaged where a text has several.
    """

    score: float
    num_edits: float
    ref_length: float


def corpus_ter(
    hypotheses: Sequence[str], references: Sequence[Any], *, case_sensitive: bool = False
) -> TERScore:
    """TER of texts, with sacrebleu's numbers; words are parted by white space.

    Args:
        hypotheses: n texts.
        references: n texts, or several lists of n texts.
        case_sensitive: tell capital letters from small ones.

    Returns:
        The score, 0 at best, and its parts.

    Raises:
        ShapeError: numbers of texts differ.
        DTypeError: one text in place of a list.

    Example:
        >>> corpus_ter(["mat the on cat"], ["the cat on mat"]).num_edits
        2.0

    Source: Snover et al. 2006; sacrebleu 2.6 is the reference in the tests. The distances here are
    exact, where sacrebleu looks only 25 words to either side.
    """
    rows = paired_references("corpus_ter", hypotheses, references)
    edits = length = 0.0
    for text, row in zip(hypotheses, rows, strict=True):
        words, *others = numbered(
            *((t if case_sensitive else t.lower()).split() for t in [text, *row])
        )
        edits += min(_edits(words, other) for other in others)
        length += sum(map(len, others)) / len(others)
    score = 100 * edits / length if length else 100.0 * bool(edits)
    return TERScore(score, edits, length)


def sentence_ter(hypothesis: str, references: Sequence[str], **kwargs: Any) -> TERScore:
    """TER of one text.

    Args:
        hypothesis: the text.
        references: one or more.
        **kwargs: case_sensitive of `corpus_ter`.

    Returns:
        The score by the reference that takes the fewest edits, 0 at best.

    Raises:
        DTypeError: the references are one text.

    Example:
        >>> sentence_ter("the cat", ["the dog", "a cat sat"]).num_edits
        1.0
    """
    texts_of("sentence_ter", references)
    return corpus_ter([hypothesis], [[reference] for reference in references], **kwargs)


def _edits(words: np.ndarray, reference: np.ndarray) -> int:
    if not len(reference):
        return len(words)
    shifts = checked = 0
    while True:
        gain, shifted, tried = _best_shift(words, reference, checked)
        checked += tried
        if checked >= MAX_CANDIDATES or gain <= 0:
            return shifts + int(edit_table(words, reference)[-1, -1])
        shifts, words = shifts + 1, shifted


def _best_shift(
    words: np.ndarray, reference: np.ndarray, checked: int
) -> tuple[int, np.ndarray, int]:
    """How many edits the best shift saves, the words after it, and how many were tried."""
    table = edit_table(words, reference)
    before = int(table[-1, -1])
    aligned, own_wrong, other_wrong = _alignment(table, words, reference)
    best: tuple[int, int, int, int] | None = None
    best_words, tried = words, 0
    for start, at, length in _runs(words, reference):
        if not own_wrong[start : start + length].any() or not other_wrong[at : at + length].any():
            continue
        if start <= aligned[at] < start + length:
            continue
        for target in _targets(aligned, at, length):
            shifted = _shift(words, start, length, target)
            tried += 1
            gain = before - int(edit_table(shifted, reference)[-1, -1])
            rank = (gain, length, -start, -target)
            if best is None or rank > best:
                best, best_words = rank, shifted
        if checked + tried >= MAX_CANDIDATES:
            break
    return (0 if best is None else best[0]), best_words, tried


def _alignment(
    table: np.ndarray, words: np.ndarray, reference: np.ndarray
) -> tuple[list[int], np.ndarray, np.ndarray]:
    """Place in the words of each word of the reference, and which words of both are edited."""
    i, j = len(words), len(reference)
    aligned = [0] * j
    own, other = np.ones(i, bool), np.ones(j, bool)
    while i or j:
        cost = int(table[i, j])
        same = bool(i and j and words[i - 1] == reference[j - 1])
        if i and j and table[i - 1, j - 1] + (not same) == cost:
            i, j = i - 1, j - 1
            aligned[j], own[i], other[j] = i, not same, not same
        elif i and table[i - 1, j] + 1 == cost:
            i -= 1
        else:
            j -= 1
            aligned[j] = i - 1
    return aligned, own, other


def _runs(words: np.ndarray, reference: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """(start, start in the reference, length) of runs of words that both have."""
    for start in range(len(words)):
        first = max(0, start - MAX_SHIFT_DISTANCE)
        near = reference[first : start + MAX_SHIFT_DISTANCE + 1]
        for at in (np.flatnonzero(near == words[start]) + first).tolist():
            most = min(MAX_SHIFT_SIZE, len(words) - start, len(reference) - at)
            same = words[start : start + most] == reference[at : at + most]
            run = most if same.all() else int(same.argmin())
            for length in range(1, run + 1):
                yield start, at, length


def _targets(aligned: list[int], at: int, length: int) -> Iterator[int]:
    last = -1
    for place in range(at - 1, min(at + length, len(aligned))):
        target = 0 if place == -1 else aligned[place] + 1
        if target != last:
            yield target
        last = target


def _shift(words: np.ndarray, start: int, length: int, target: int) -> np.ndarray:
    run, rest = words[start : start + length], np.delete(words, np.s_[start : start + length])
    if target > start + length:
        target -= length
    elif target > start:  # into the run itself: so many words later
        return np.concatenate([words[:start], words[start + length : length + target], run,
                               words[length + target :]])  # fmt: skip
    return np.concatenate([rest[:target], run, rest[target:]])

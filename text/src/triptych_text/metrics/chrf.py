"""chrF and chrF++: overlap of character n-grams."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .ngrams import at_least_one, count_ngrams, paired_references, texts_of

__all__ = ["CHRFScore", "corpus_chrf", "sentence_chrf"]

TINY = 1e-16  # stands for a precision or recall that is undefined


@dataclass(frozen=True, slots=True)
class CHRFScore:
    """A chrF score.

    Attributes:
        score: from 0 to 100.
        char_order: longest character n-gram.
        word_order: longest word n-gram.
        beta: how much recall counts.
    """

    score: float
    char_order: int
    word_order: int
    beta: float


def corpus_chrf(
    hypotheses: Sequence[str],
    references: Sequence[Any],
    *,
    char_order: int = 6,
    word_order: int = 0,
    beta: float = 2,
    lowercase: bool = False,
    whitespace: bool = False,
) -> CHRFScore:
    """chrF of texts, with sacrebleu's numbers.

    Args:
        hypotheses: n texts.
        references: n texts, or several lists of n texts.
        char_order: longest character n-gram.
        word_order: longest word n-gram; 2 gives chrF++.
        beta: how much recall counts beside precision.
        lowercase: compare in lower case.
        whitespace: count spaces as characters.

    Returns:
        The score, from 0 to 100, and what it was counted with.

    Raises:
        ShapeError: numbers of texts differ.
        DTypeError: one text in place of a list.
        DomainError: char_order is less than 1.

    Example:
        >>> round(corpus_chrf(["the cat sat"], ["the cat sits"]).score, 2)
        61.03

    Source: Popović 2015 and 2017; sacrebleu 2.6 is the reference in the tests.
    """
    at_least_one("corpus_chrf", char_order=char_order)
    rows = paired_references("corpus_chrf", hypotheses, references)
    totals = np.zeros((char_order + word_order, 3))
    for text, row in zip(hypotheses, rows, strict=True):
        grams = _grams(text, char_order, word_order, lowercase, whitespace)
        stats = [
            _matches(grams, _grams(r, char_order, word_order, lowercase, whitespace)) for r in row
        ]
        totals += max(stats, key=lambda s: _f_score(s, beta))  # the first of the best
    return CHRFScore(_f_score(totals, beta), char_order, word_order, beta)


def sentence_chrf(hypothesis: str, references: Sequence[str], **kwargs: Any) -> CHRFScore:
    """chrF of one text.

    Args:
        hypothesis: the text.
        references: one or more.
        **kwargs: char_order, word_order, beta, lowercase and whitespace of `corpus_chrf`.

    Returns:
        The best score over the references, from 0 to 100.

    Raises:
        DTypeError: the references are one text.

    Example:
        >>> sentence_chrf("the cat", ["a dog", "the cat"]).score
        100.0
    """
    texts_of("sentence_chrf", references)
    return corpus_chrf([hypothesis], [[reference] for reference in references], **kwargs)


def _grams(
    text: str, char_order: int, word_order: int, lowercase: bool, whitespace: bool
) -> list[Counter[Any]]:
    text = text.lower() if lowercase else text
    chars = text if whitespace else "".join(text.split())
    words = [part for word in text.split() for part in _parted(word)]
    return [
        *(count_ngrams(chars, n + 1) for n in range(char_order)),
        *(count_ngrams(words, n + 1) for n in range(word_order)),
    ]


def _parted(word: str) -> list[str]:
    """A word and the mark at its end, or else its beginning."""
    if len(word) == 1:
        return [word]
    if word[-1] in string.punctuation:
        return [word[:-1], word[-1]]
    return [word[0], word[1:]] if word[0] in string.punctuation else [word]


def _matches(grams: list[Counter[Any]], reference: list[Counter[Any]]) -> np.ndarray:
    """(orders, 3): n-grams of the hypothesis, of the reference, of both."""
    return np.array(
        [
            (own.total() if other else 0, other.total(), (own & other).total())
            for own, other in zip(grams, reference, strict=True)
        ],
        dtype=np.float64,
    )


def _f_score(stats: np.ndarray, beta: float) -> float:
    own, other, both = stats.T
    counted = (own > 0) & (other > 0)
    if not counted.any():
        return 0.0
    precision = float(np.where(counted, both / np.maximum(own, TINY), 0).sum() / counted.sum())
    recall = float(np.where(counted, both / np.maximum(other, TINY), 0).sum() / counted.sum())
    if precision + recall == 0:
        return 0.0
    factor = beta**2
    return 100 * (1 + factor) * precision * recall / (factor * precision + recall)

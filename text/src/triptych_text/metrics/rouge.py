"""ROUGE: overlap of summaries in n-grams and longest common subsequences."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from triptych.errors import ShapeError, UnknownNameError

from .ngrams import at_least_one, count_ngrams, texts_of

__all__ = ["ROUGEScore", "rouge", "rouge_l", "rouge_lsum", "rouge_n"]

NOT_A_WORD = re.compile(r"[^a-z0-9]+")
STEMMED = 3  # words of more letters are stemmed, as in rouge_score


class ROUGEScore(NamedTuple):
    """Overlap of a summary and a reference, each number from 0 to 1.

    Attributes:
        precision: share of the summary that is in the reference.
        recall: share of the reference that is in the summary.
        fmeasure: harmonic mean of both.
    """

    precision: float
    recall: float
    fmeasure: float


def _words(text: str, stemmer: bool = False) -> list[str]:
    words = NOT_A_WORD.sub(" ", text.lower()).split()
    if not stemmer:
        return words
    from ..analysis.stemming import stem

    return [stem(word) if len(word) > STEMMED else word for word in words]


def _score(hits: float, predicted: int, wanted: int) -> ROUGEScore:
    if not predicted or not wanted:
        return ROUGEScore(0.0, 0.0, 0.0)
    precision, recall = hits / predicted, hits / wanted
    mean = 2 * precision * recall / (precision + recall) if hits else 0.0
    return ROUGEScore(precision, recall, mean)


def rouge_n(prediction: str, reference: str, n: int = 1, stemmer: bool = False) -> ROUGEScore:
    """Overlap in n-grams.

    Args:
        prediction: a summary.
        reference: the wanted one.
        n: length of the n-grams, in words of a to z and 0 to 9.
        stemmer: compare stems of words.

    Returns:
        Precision, recall and F-measure, all 0 where one of the two has no n-gram.

    Raises:
        DomainError: n is less than 1.

    Example:
        >>> rouge_n("the cat sat", "the cat sits", 1).fmeasure
        0.6666666666666666

    Source: Lin 2004.
    """
    at_least_one("rouge_n", n=n)
    own = count_ngrams(_words(prediction, stemmer), n)
    wanted = count_ngrams(_words(reference, stemmer), n)
    return _score((own & wanted).total(), own.total(), wanted.total())


def rouge_l(prediction: str, reference: str, stemmer: bool = False) -> ROUGEScore:
    """Overlap in the longest common subsequence of words.

    Args:
        prediction: a summary.
        reference: the wanted one.
        stemmer: compare stems of words.

    Example:
        >>> rouge_l("the cat sat down", "the cat then sat").recall
        0.75

    Source: Lin 2004, section 3.1.
    """
    own, wanted = _words(prediction, stemmer), _words(reference, stemmer)
    return _score(int(_lcs_table(wanted, own)[-1, -1]), len(own), len(wanted))


def rouge_lsum(prediction: str, reference: str, stemmer: bool = False) -> ROUGEScore:
    """As `rouge_l`, over summaries of several sentences, one a line.

    For each sentence of the reference, the words count that are in a longest common subsequence
    with any sentence of the prediction; no word counts more often than it occurs.

    Args:
        prediction: a summary.
        reference: the wanted one.
        stemmer: compare stems of words.

    Source: Lin 2004, section 3.2.
    """
    own = [_words(line, stemmer) for line in prediction.split("\n") if line]
    wanted = [_words(line, stemmer) for line in reference.split("\n") if line]
    left = Counter(word for line in own for word in line)
    left_wanted = Counter(word for line in wanted for word in line)
    lengths = left.total(), left_wanted.total()
    hits = 0
    for line in wanted:
        places = {place for other in own for place in _lcs_places(line, other)}
        for place in sorted(places):
            word = line[place]
            if left[word] > 0 and left_wanted[word] > 0:
                left[word] -= 1
                left_wanted[word] -= 1
                hits += 1
    return _score(hits, *lengths)


def _lcs_table(first: Sequence[str], second: Sequence[str]) -> np.ndarray:
    """(len(first) + 1, len(second) + 1): longest common subsequences of all beginnings."""
    number = {word: i for i, word in enumerate(dict.fromkeys([*first, *second]))}
    other = np.array([number[w] for w in second], np.int64)
    table = np.zeros((len(first) + 1, len(second) + 1), np.int64)
    for i, word in enumerate(first):
        row = np.maximum(table[i, 1:], table[i, :-1] + (other == number[word]))
        table[i + 1, 1:] = np.maximum.accumulate(row)
    return table


def _lcs_places(first: Sequence[str], second: Sequence[str]) -> list[int]:
    """Places in the first of one longest common subsequence."""
    table = _lcs_table(first, second)
    i, j = len(first), len(second)
    places = []
    while i and j:
        if first[i - 1] == second[j - 1]:
            places.append(i - 1)
            i, j = i - 1, j - 1
        elif table[i, j - 1] > table[i - 1, j]:
            j -= 1
        else:
            i -= 1
    return places


KINDS: dict[str, Callable[[str, str, bool], ROUGEScore]] = {
    "rouge1": lambda p, r, s: rouge_n(p, r, 1, s),
    "rouge2": lambda p, r, s: rouge_n(p, r, 2, s),
    "rougeL": rouge_l,
    "rougeLsum": rouge_lsum,
}


def rouge(
    predictions: Sequence[str],
    references: Sequence[str],
    kinds: Sequence[str] = ("rouge1", "rouge2", "rougeL", "rougeLsum"),
    stemmer: bool = False,
) -> dict[str, float]:
    """Mean F-measures of summaries.

    Args:
        predictions: n summaries.
        references: n wanted ones.
        kinds: of "rouge1", "rouge2", "rougeL", "rougeLsum".
        stemmer: compare stems of words.

    Returns:
        kind -> mean, from 0 to 1.

    Raises:
        ShapeError: numbers differ, or there are none.
        DTypeError: one text in place of a list.
        UnknownNameError: there is no such kind.
    """
    texts_of("rouge", predictions)
    texts_of("rouge", references)
    if len(predictions) != len(references) or not predictions:
        raise ShapeError(f"rouge: {len(predictions)} predictions, {len(references)} references")
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise UnknownNameError(f"rouge: no kind {unknown[0]!r}; there are {list(KINDS)}")
    pairs = list(zip(predictions, references, strict=True))
    return {
        kind: float(np.mean([KINDS[kind](p, r, stemmer).fmeasure for p, r in pairs]))
        for kind in kinds
    }

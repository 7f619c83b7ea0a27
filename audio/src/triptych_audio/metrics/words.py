"""Errors of transcripts: what was said and what was written, aligned word by word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from triptych.errors import ShapeError
from triptych_audio.functional.distances import numbered

__all__ = [
    "Alignment",
    "align",
    "character_error_rate",
    "match_error_rate",
    "word_error_rate",
]


class Alignment(NamedTuple):
    """How a hypothesis differs from its reference.

    Args:
        hits: elements that are the same.
        substitutions: elements that were replaced.
        deletions: elements that are missing.
        insertions: elements that are too many.
        pairs: places in the reference and in the hypothesis that belong together; None on the
            side that has nothing there.
    """

    hits: int
    substitutions: int
    deletions: int
    insertions: int
    pairs: list[tuple[int | None, int | None]]

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions together."""
        return self.substitutions + self.deletions + self.insertions


def _step(reference: np.ndarray, hypothesis: np.ndarray) -> int:
    """What an edit costs where a hit earns one: fewest edits first, then most hits."""
    return min(len(reference), len(hypothesis)) + 1


def _costs(reference: np.ndarray, hypothesis: np.ndarray) -> np.ndarray:
    """(n + 1, m + 1) least costs between beginnings."""
    n, m, step = len(reference), len(hypothesis), _step(reference, hypothesis)
    places = np.arange(m + 1) * step
    table = np.empty((n + 1, m + 1), np.int64)
    table[0] = places
    for i in range(n):
        below = table[i + 1]
        below[0] = (i + 1) * step
        matched = table[i, :-1] + np.where(hypothesis == reference[i], -1, step)
        below[1:] = np.minimum(table[i, 1:] + step, matched)
        below[:] = np.minimum.accumulate(below - places) + places
    return table


def _walk(
    table: np.ndarray, reference: np.ndarray, hypothesis: np.ndarray
) -> list[tuple[int | None, int | None]]:
    """The pairs along a cheapest way; hits and replacements before deletions."""
    i, j, step = len(reference), len(hypothesis), _step(reference, hypothesis)
    pairs: list[tuple[int | None, int | None]] = []
    while i or j:
        diagonal = i > 0 and j > 0
        cost = -1 if diagonal and reference[i - 1] == hypothesis[j - 1] else step
        if diagonal and table[i, j] == table[i - 1, j - 1] + cost:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif i and table[i, j] == table[i - 1, j] + step:
            i -= 1
            pairs.append((i, None))
        else:
            j -= 1
            pairs.append((None, j))
    return pairs[::-1]


def align(reference: Sequence[Any], hypothesis: Sequence[Any]) -> Alignment:
    """Match two sequences with as few edits as possible, and then with as many hits as possible.

    Args:
        reference: what is right: words, letters or anything else.
        hypothesis: what was recognised.

    Returns:
        Counts and pairs.

    Example:
        >>> align("the cat sat".split(), "the cat sat down".split()).insertions
        1

    Source: Wagner and Fischer 1974.
    """
    first, second = numbered(reference, hypothesis)
    pairs = _walk(_costs(first, second), first, second)
    matched = [(i, j) for i, j in pairs if i is not None and j is not None]
    hits = sum(first[i] == second[j] for i, j in matched)
    deletions = sum(j is None for _, j in pairs)
    counts = (int(hits), len(matched) - int(hits), deletions)
    return Alignment(*counts, len(pairs) - len(matched) - deletions, pairs)


def _alignments(
    name: str,
    reference: str | Sequence[str],
    hypothesis: str | Sequence[str],
    cut: Callable[[str], Sequence[str]],
) -> list[Alignment]:
    if isinstance(reference, str) != isinstance(hypothesis, str):
        raise ShapeError(f"{name}: wanted two strings or two lists of strings, got one of each")
    wanted = [reference] if isinstance(reference, str) else list(reference)
    got = [hypothesis] if isinstance(hypothesis, str) else list(hypothesis)
    if len(wanted) != len(got) or not wanted:
        raise ShapeError(
            f"{name}: wanted as many references as hypotheses, at least one, got {len(wanted)} and "
            f"{len(got)}"
        )
    return [align(cut(a), cut(b)) for a, b in zip(wanted, got, strict=True)]


def _rate(name: str, alignments: list[Alignment]) -> float:
    errors = sum(a.errors for a in alignments)
    length = sum(a.hits + a.substitutions + a.deletions for a in alignments)
    if not length:
        raise ShapeError(f"{name}: all references are empty, so there is no rate")
    return errors / length


def word_error_rate(reference: str | Sequence[str], hypothesis: str | Sequence[str]) -> float:
    """Edits per word of the reference. Above 1 where much is inserted.

    Args:
        reference: a transcript, or a list of them; words are parted by white space.
        hypothesis: what was recognised, as many.

    Returns:
        The rate over all words together.

    Raises:
        ShapeError: numbers of transcripts differ, or the references have no words.

    Example:
        >>> word_error_rate("the cat sat on the mat", "the cat sat on mat")
        0.16666666666666666
    """
    name = "word_error_rate"
    return _rate(name, _alignments(name, reference, hypothesis, str.split))


def character_error_rate(reference: str | Sequence[str], hypothesis: str | Sequence[str]) -> float:
    """Edits per character of the reference, spaces included.

    Args:
        reference: a transcript, or a list of them.
        hypothesis: what was recognised, as many.

    Returns:
        The rate over all characters together.

    Raises:
        ShapeError: numbers of transcripts differ, or the references are empty.

    Example:
        >>> character_error_rate("abcd", "abxd")
        0.25
    """
    name = "character_error_rate"
    return _rate(name, _alignments(name, reference, hypothesis, tuple))


def match_error_rate(reference: str | Sequence[str], hypothesis: str | Sequence[str]) -> float:
    """The share of aligned words that are wrong: from 0 to 1, unlike `word_error_rate`.

    Of several alignments with as few edits, that with most hits counts.

    Args:
        reference: a transcript, or a list of them.
        hypothesis: what was recognised, as many.

    Returns:
        The rate over all words together.

    Raises:
        ShapeError: numbers of transcripts differ, or there are no words at all.

    Example:
        >>> match_error_rate("a b", "a b c d")
        0.5

    Source: Morris, Maier and Green 2004.
    """
    name = "match_error_rate"
    alignments = _alignments(name, reference, hypothesis, str.split)
    errors, total = sum(a.errors for a in alignments), sum(len(a.pairs) for a in alignments)
    if not total:
        raise ShapeError(f"{name}: there are no words at all, so there is no rate")
    return errors / total

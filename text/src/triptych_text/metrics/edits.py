"""Edit distances, and the error rates made of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np

from triptych.errors import ShapeError

__all__ = [
    "character_error_rate",
    "edit_distance",
    "edit_table",
    "numbered",
    "word_error_rate",
]


def numbered(*rows: Sequence[Hashable]) -> list[np.ndarray]:
    """Rows of things as rows of numbers, the same number for what is equal.

    Args:
        *rows: sequences of anything that can be a key of a dict.
    """
    known: dict[Hashable, int] = {}
    return [np.array([known.setdefault(x, len(known)) for x in row], np.int64) for row in rows]


def edit_table(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Edit distances of all beginnings.

    Args:
        first: (n,) numbers.
        second: (m,) numbers.

    Returns:
        (n + 1, m + 1) int64.

    Source: Wagner and Fischer 1974, a row at a time.
    """
    places = np.arange(len(second) + 1)
    table = np.empty((len(first) + 1, len(second) + 1), np.int64)
    table[0] = places
    for i, element in enumerate(first):
        above, row = table[i], table[i + 1]
        row[0] = i + 1
        np.minimum(above[1:] + 1, above[:-1] + (second != element), out=row[1:])
        # Insertions come from the left: the least of (cost - place), plus the place.
        np.minimum.accumulate(row - places, out=row)
        row += places
    return table


def edit_distance(first: Sequence[Hashable], second: Sequence[Hashable]) -> int:
    """The least number of insertions, deletions and substitutions from one to the other.

    Args:
        first: a text, or a list of anything that can be compared.
        second: another.

    Example:
        >>> edit_distance("kitten", "sitting")
        3
    """
    return int(edit_table(*numbered(first, second))[-1, -1])


def word_error_rate(reference: str | Sequence[str], hypothesis: str | Sequence[str]) -> float:
    """Edits per word of the references; above 1 where much is inserted.

    Args:
        reference: a text, or a list of them; words are parted by white space.
        hypothesis: what was recognised, as many.

    Raises:
        ShapeError: numbers of texts differ, or the references have no words.

    Example:
        >>> word_error_rate("the cat sat", "the cat sat down")
        0.3333333333333333
    """
    return _rate("word_error_rate", reference, hypothesis, str.split)


def character_error_rate(reference: str | Sequence[str], hypothesis: str | Sequence[str]) -> float:
    """Edits per character of the references, spaces included.

    Args:
        reference: a text, or a list of them.
        hypothesis: what was recognised, as many.

    Example:
        >>> character_error_rate("abcd", "abxd")
        0.25
    """
    return _rate("character_error_rate", reference, hypothesis, list)


def _rate(
    name: str,
    reference: str | Sequence[str],
    hypothesis: str | Sequence[str],
    cut: Callable[[str], list[str]],
) -> float:
    wanted = [reference] if isinstance(reference, str) else reference
    got = [hypothesis] if isinstance(hypothesis, str) else hypothesis
    if len(wanted) != len(got):
        raise ShapeError(f"{name}: {len(wanted)} references, {len(got)} hypotheses")
    length = sum(len(cut(text)) for text in wanted)
    if not length:
        raise ShapeError(f"{name}: the references are empty, so there is no rate")
    return sum(edit_distance(cut(a), cut(b)) for a, b in zip(wanted, got, strict=True)) / length

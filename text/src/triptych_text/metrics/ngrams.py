"""What the overlap metrics share: counted n-grams and checked corpora."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any

from triptych.errors import DTypeError, ShapeError

__all__ = ["count_ngrams", "paired_references"]


def count_ngrams(tokens: Sequence[Hashable], n: int) -> Counter[tuple[Hashable, ...]]:
    """How often each run of n tokens occurs.

    Example:
        >>> count_ngrams("aab", 2)[("a", "a")]
        1
    """
    return Counter(zip(*(tokens[i:] for i in range(n)), strict=False))


def paired_references(name: str, hypotheses: Any, references: Any) -> list[list[str]]:
    """The references of each hypothesis, from one list or several.

    Args:
        name: of the metric, for errors.
        hypotheses: n texts.
        references: n texts, or lists of n texts each, as sacrebleu takes them: first all first
            references, then all second ones.

    Returns:
        n lists; the None and absent references of a text are left out.

    Raises:
        DTypeError: the hypotheses are one text.
        ShapeError: numbers differ, or a text has no reference.
    """
    if isinstance(hypotheses, str):
        raise DTypeError(f"{name}: wanted a list of texts, got one text; put it in a list")
    streams = [references] if references and isinstance(references[0], str) else references
    if not streams or any(len(stream) != len(hypotheses) for stream in streams):
        counts = [len(stream) for stream in streams]
        raise ShapeError(f"{name}: {len(hypotheses)} hypotheses, but references number {counts}")
    rows = [[text for text in row if text is not None] for row in zip(*streams, strict=True)]
    if not all(rows):
        raise ShapeError(f"{name}: hypothesis {rows.index([])} has no reference")
    return rows

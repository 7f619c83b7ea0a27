"""What the overlap metrics share: counted n-grams and checked corpora."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any

from triptych.errors import DomainError, DTypeError, ShapeError

__all__ = ["at_least_one", "count_ngrams", "paired_references", "texts_of"]


def count_ngrams(tokens: Sequence[Hashable], n: int) -> Counter[tuple[Hashable, ...]]:
    """How often each run of n tokens occurs.

    Args:
        tokens: in order.
        n: length of the runs, from 1.

    Example:
        >>> count_ngrams("aab", 2)[("a", "a")]
        1
    """
    return Counter(zip(*(tokens[i:] for i in range(n)), strict=False))


def texts_of(name: str, texts: Any) -> Any:
    """The texts themselves.

    Args:
        name: of the metric, for errors.
        texts: a list of texts.

    Raises:
        DTypeError: one text in place of a list, whose characters would count as texts.
    """
    if isinstance(texts, str):
        raise DTypeError(f"{name}: wanted a list of texts, got one text; put it in a list")
    return texts


def at_least_one(name: str, **sizes: int) -> None:
    """Check sizes such as the length of n-grams.

    Args:
        name: of the metric, for errors.
        **sizes: numbers from 1.

    Raises:
        DomainError: one is less than 1.
    """
    for argument, size in sizes.items():
        if size < 1:
            raise DomainError(f"{name}: wanted {argument} of 1 or more, got {size}")


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
        DTypeError: the hypotheses or the references are one text.
        ShapeError: numbers differ, or a text has no reference.
    """
    texts_of(name, hypotheses)
    texts_of(name, references)
    streams = [references] if references and isinstance(references[0], str) else references
    if not streams or any(len(stream) != len(hypotheses) for stream in streams):
        counts = [len(stream) for stream in streams]
        raise ShapeError(f"{name}: {len(hypotheses)} hypotheses, but references number {counts}")
    rows = [[text for text in row if text is not None] for row in zip(*streams, strict=True)]
    if not all(rows):
        raise ShapeError(f"{name}: hypothesis {rows.index([])} has no reference")
    return rows

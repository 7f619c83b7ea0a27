"""Precision, recall and F1 over named spans, as seqeval and conlleval count them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from triptych.errors import ShapeError, UnknownNameError

__all__ = ["SpanScore", "get_spans", "seqeval_f1"]

Span = tuple[str, int, int]  # name, first token, token behind the last
Tag = tuple[str, str]  # mark, name

OUTSIDE: Tag = ("O", "")
STRANGE = "?"  # stands for marks that no scheme has
# Marks of BILOU (L last, U unit) and BMEWO (M middle, W whole) in those of IOBES.
SAME_MARKS = {"L": "E", "U": "S", "M": "I", "W": "S"}


class SpanScore(NamedTuple):
    """How many spans are right.

    Attributes:
        precision: share of the predicted spans that are right, from 0 to 1.
        recall: share of the wanted spans that were found, from 0 to 1.
        f1: harmonic mean of both.
        support: number of wanted spans.
    """

    precision: float
    recall: float
    f1: float
    support: int


def _split(tag: str) -> Tag:
    mark, _, name = tag.partition("-")
    if mark == "O":
        return OUTSIDE
    return SAME_MARKS.get(mark, mark) if len(mark) == 1 else STRANGE, name or "_"


def _starts_iob1(before: Tag, tag: Tag) -> bool:
    return before[1] != tag[1] or tag[0] == "B"


def _starts_iob2(before: Tag, tag: Tag) -> bool:
    return tag[0] == "B"


def _starts_iobes(before: Tag, tag: Tag) -> bool:
    return tag[0] in "BS"


def _starts_leniently(before: Tag, tag: Tag) -> bool:
    """As conlleval: any mark of IOB or IOBES, taken to begin a span where none goes on."""
    return before[1] != tag[1] or tag[0] in "BS" or before[0] in "ES"


# scheme -> (whether a tag begins a span, its marks)
SCHEMES: dict[str, tuple[Callable[[Tag, Tag], bool], str]] = {
    "lenient": (_starts_leniently, "IBES"),
    "IOB1": (_starts_iob1, "IB"),
    "IOB2": (_starts_iob2, "IB"),
    "IOBES": (_starts_iobes, "IBES"),
}


def get_spans(tags: Sequence[str], scheme: str = "lenient") -> list[Span]:
    """Spans that tags stand for.

    Args:
        tags: l tags such as "B-PER", "I-PER", "O".
        scheme: "IOB1" (B only between two spans of one name), "IOB2" (every span starts with B),
            "IOBES" (E at the end, S for one token; BILOU is read as the same): what does not fit
            the scheme is no span. "lenient" makes the most of any of them, as conlleval.

    Returns:
        (name, first token, token behind the last) of each.

    Raises:
        UnknownNameError: there is no such scheme.

    Example:
        >>> get_spans(["B-PER", "I-PER", "O", "B-LOC"])
        [('PER', 0, 2), ('LOC', 3, 4)]
    """
    if scheme not in SCHEMES:
        raise UnknownNameError(f"get_spans: no scheme {scheme!r}; there are {list(SCHEMES)}")
    starts, marks = SCHEMES[scheme]
    spans: list[Span] = []
    before, begin = OUTSIDE, -1  # begin: first token of the span on its way, or -1
    for i, tag in enumerate([*map(_split, tags), OUTSIDE]):
        new = tag is not OUTSIDE and tag[0] in marks and starts(before, tag)
        goes_on = begin >= 0 and not new and _goes_on(scheme, before, tag)
        if begin >= 0 and not goes_on:
            if _ends_well(scheme, before, i - begin):
                spans.append((before[1], begin, i))
            begin = -1
        if new:
            begin = i
        before = tag
    return spans


def _goes_on(scheme: str, before: Tag, tag: Tag) -> bool:
    """Whether a tag can continue the span of the one before it."""
    if scheme == "IOBES" and (before[0] not in "BI" or tag[0] not in "IE"):
        return False
    return tag is not OUTSIDE and tag[1] == before[1] and tag[0] in SCHEMES[scheme][1]


def _ends_well(scheme: str, last: Tag, length: int) -> bool:
    if scheme != "IOBES":
        return True
    return last[0] == ("S" if length == 1 else "E")


def seqeval_f1(
    predictions: Sequence[Sequence[str]],
    references: Sequence[Sequence[str]],
    scheme: str = "lenient",
) -> dict[str, SpanScore]:
    """Scores of tagged texts: a span is right if its name, first and last token are.

    Args:
        predictions: n lists of tags.
        references: n lists of tags of the same lengths.
        scheme: as in `get_spans`.

    Returns:
        name -> score, sorted, and "micro" (over all spans), "macro" (mean over names) and
        "weighted" (mean by support).

    Raises:
        ShapeError: numbers of texts or tags differ.

    Example:
        >>> scores = seqeval_f1([["B-PER", "O"]], [["B-PER", "B-LOC"]])
        >>> scores["micro"].precision, scores["micro"].recall
        (1.0, 0.5)

    Source: Ramshaw and Marcus 1995; the conlleval script of CoNLL-2000.
    """
    if [len(row) for row in predictions] != [len(row) for row in references]:
        raise ShapeError("seqeval_f1: predictions and references differ in their numbers of tags")
    got: dict[str, set[tuple[int, Span]]] = defaultdict(set)
    wanted: dict[str, set[tuple[int, Span]]] = defaultdict(set)
    for found, rows in ((got, predictions), (wanted, references)):
        for text, tags in enumerate(rows):
            for span in get_spans(tags, scheme):
                found[span[0]].add((text, span))
    names = sorted({*got, *wanted})
    counts = [(len(got[n] & wanted[n]), len(got[n]), len(wanted[n])) for n in names]
    scores = dict(zip(names, (_score(*count) for count in counts), strict=True))
    found_scores = list(scores.values())
    totals = [sum(column) for column in zip(*counts, strict=True)] or [0, 0, 0]
    weights = [row.support for row in found_scores]
    return {
        **scores,
        "micro": _score(*totals),
        "macro": _mean(found_scores, [1] * len(found_scores)),
        "weighted": _mean(found_scores, weights),
    }


def _score(right: int, predicted: int, wanted: int) -> SpanScore:
    precision = right / predicted if predicted else 0.0
    recall = right / wanted if wanted else 0.0
    f1 = 2 * right / (predicted + wanted) if right else 0.0
    return SpanScore(precision, recall, f1, wanted)


def _mean(rows: Sequence[SpanScore], weights: Sequence[int]) -> SpanScore:
    total = sum(weights) or 1
    precision, recall, f1 = (
        sum(w * row[i] for w, row in zip(weights, rows, strict=True)) / total for i in range(3)
    )
    return SpanScore(precision, recall, f1, sum(row.support for row in rows))

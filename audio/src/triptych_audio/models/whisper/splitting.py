"""Ids to words: where letters end, and where words begin."""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["split_on_spaces", "split_on_unicode"]

REPLACEMENT = "\ufffd"  # what a cut letter decodes to


def split_on_unicode(
    ids: Sequence[int], decode: Callable[[list[int]], str]
) -> tuple[list[str], list[list[int]]]:
    """Cut where letters are whole.

    Args:
        ids: of a text.
        decode: their text.

    Returns:
        The texts of the pieces, and their ids.
    """
    whole = decode(list(ids))
    words, groups = list[str](), list[list[int]]()
    waiting, offset = list[int](), 0
    for i in ids:
        waiting.append(i)
        text = decode(waiting)
        cut = text.find(REPLACEMENT)
        # a replacement sign that the whole text has at this place as well is no cut letter
        if cut < 0 or whole[offset + cut : offset + cut + 1] == REPLACEMENT:
            words.append(text)
            groups.append(waiting)
            waiting, offset = [], offset + len(text)
    return words, groups


def split_on_spaces(
    pieces: Sequence[str], groups: Sequence[list[int]], eot: int, punctuation: str
) -> tuple[list[str], list[list[int]]]:
    """Join pieces to words: a word begins with a space, a sign or a special token.

    Args:
        pieces, groups: of `split_on_unicode`.
        eot: the first special id.
        punctuation: signs that are words of their own.

    Returns:
        Words, and their ids.

    Example:
        >>> split_on_spaces([" a", "b", "!", " c"], [[1], [2], [3], [4]], 9, "!")
        ([' ab', '!', ' c'], [[1, 2], [3], [4]])
    """
    words, joined = list[str](), list[list[int]]()
    for text, ids in zip(pieces, groups, strict=True):
        begins = ids[0] >= eot or text.startswith(" ") or text.strip() in punctuation
        if begins or not words:
            words.append(text)
            joined.append(list(ids))
        else:
            words[-1] += text
            joined[-1].extend(ids)
    return words, joined

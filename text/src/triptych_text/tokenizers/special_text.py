"""Special tokens that stand in a text: found, let through, or refused."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from typing import Literal

from triptych.errors import DomainError

__all__ = ["Specials", "allowed_names", "literals", "refuse_special", "split_at"]

Specials = Literal["all"] | Collection[str]


def allowed_names(special: Iterable[str], allowed: Specials) -> frozenset[str]:
    """Names of the special tokens that a call lets through.

    Args:
        special: all of the tokenizer's.
        allowed: "all" or some of them; what is none of them is passed over.

    Raises:
        DomainError: a text other than "all".
    """
    if isinstance(allowed, str):
        if allowed != "all":
            raise DomainError(
                f'allowed_special, disallowed_special: "all" or a set of tokens, got {allowed!r}; '
                f"write {{{allowed!r}}}"
            )
        return frozenset(special)
    return frozenset(special) & frozenset(allowed)


def refuse_special(
    text: str, special: Iterable[str], allowed: frozenset[str], disallowed: Specials
) -> None:
    """Raise when a text holds a special token that it must not hold.

    Args:
        text: as the tokenizer sees it.
        special: all of the tokenizer's special tokens.
        allowed: those let through.
        disallowed: those refused; "all" refuses every one that is not let through.

    Raises:
        DomainError: one of the refused stands in the text.
    """
    everything = disallowed == "all"
    refused = allowed_names(special, disallowed) - (allowed if everything else frozenset())
    found = literals(refused).search(text) if refused else None
    if found is not None:
        raise DomainError(
            f"encode: the text holds the special token {found[0]!r} at character {found.start()}; "
            f"to let it through, pass allowed_special={{{found[0]!r}}}; to read it as plain text, "
            "pass disallowed_special=()"
        )


@lru_cache(maxsize=128)
def literals(names: frozenset[str]) -> re.Pattern[str]:
    """Pattern that finds any of some texts, the longest where several fit.

    Args:
        names: at least one.
    """
    ordered = sorted(names, key=lambda name: (-len(name), name))
    starts = sorted({name[:3] for name in names})  # few, where names are many: <|a|>, <|b|>, ...
    either, ahead = ("|".join(map(re.escape, texts)) for texts in (ordered, starts))
    return re.compile(f"(?={ahead})(?:{either})")


def split_at(text: str, names: frozenset[str]) -> Iterator[tuple[int, str, bool]]:
    """Parts of a text between special tokens, and these themselves.

    Args:
        text: any.
        names: of the special tokens.

    Yields:
        Where a part starts, the part, and whether it is a special token; no part is empty.

    Example:
        >>> list(split_at("a<s>b", frozenset({"<s>"})))
        [(0, 'a', False), (1, '<s>', True), (4, 'b', False)]
    """
    at = 0
    if names:
        for found in literals(names).finditer(text):
            if found.start() > at:
                yield at, text[at : found.start()], False
            yield found.start(), found[0], True
            at = found.end()
    if at < len(text):
        yield at, text[at:], False

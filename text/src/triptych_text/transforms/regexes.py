"""Tokens by replacing patterns and splitting at spaces."""

from __future__ import annotations

import re
from collections.abc import Sequence

from triptych.errors import DomainError

from .per_text import PerText

__all__ = ["RegexTokenizer"]


class RegexTokenizer(PerText):
    """Apply replacements one after the other, then split at spaces.

    Args:
        patterns_list: (pattern, replacement) pairs in the syntax of Python's `re`. torchtext used
            RE2, whose patterns are a part of it.

    Raises:
        DomainError: a pattern is none.

    Example:
        >>> RegexTokenizer([(r"[,._+ ]+", r" ")])("Basic.Regex,Tokenization_for+a..Line")
        ['Basic', 'Regex', 'Tokenization', 'for', 'a', 'Line']
    """

    def __init__(self, patterns_list: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.patterns_list = list(patterns_list)
        try:
            self._compiled = [(re.compile(p), r) for p, r in self.patterns_list]
        except re.error as error:
            raise DomainError(
                f"RegexTokenizer: {error.pattern!r} is no pattern: {error}"
            ) from error

    def encode_one(self, text: str) -> list[str]:
        """Tokens of one text."""
        for pattern, replacement in self._compiled:
            text = pattern.sub(replacement, text)
        return [token for token in text.split(" ") if token]

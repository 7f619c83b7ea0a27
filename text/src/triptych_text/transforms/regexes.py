"""Tokens by replacing patterns and splitting at spaces."""

from __future__ import annotations

import re
from collections.abc import Sequence

from triptych.errors import DomainError

from .per_text import PerText

__all__ = ["RegexTokenizer"]


class RegexTokenizer(PerText):
    r"""Apply replacements one after the other, then split at spaces.

    Args:
        patterns_list: (pattern, replacement) pairs in the syntax of Python's `re`. torchtext used
            RE2, whose patterns are a part of it, but whose \w, \d and \s are ASCII only: write
            (?a) in front of a pattern for that.

    Raises:
        DomainError: a pattern is none, or a replacement names a group that is not there.

    Example:
        >>> RegexTokenizer([(r"[,._+ ]+", r" ")])("Basic.Regex,Tokenization_for+a..Line")
        ['Basic', 'Regex', 'Tokenization', 'for', 'a', 'Line']
    """

    def __init__(self, patterns_list: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.patterns_list = list(patterns_list)
        try:
            self._compiled = [(re.compile(p), r) for p, r in self.patterns_list]
            for pattern, replacement in self._compiled:
                pattern.sub(replacement, "")  # reads the replacement, although nothing matches
        except (re.error, IndexError) as error:
            told = getattr(error, "pattern", self.patterns_list)
            raise DomainError(
                f"RegexTokenizer: {told!r} is no pattern or replacement: {error}"
            ) from error

    def encode_one(self, text: str) -> list[str]:
        """Tokens of one text.

        Args:
            text: one text.
        """
        for pattern, replacement in self._compiled:
            text = pattern.sub(replacement, text)
        return [token for token in text.split(" ") if token]

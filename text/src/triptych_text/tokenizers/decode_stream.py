"""Ids to text while they arrive: no half characters, and nothing is said twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["DecodeStream"]

BROKEN = "\N{REPLACEMENT CHARACTER}"
KEPT = 6  # ids before the new ones that are decoded along, so that spaces come out right
LONGEST_WAIT = 16  # ids after which broken bytes are taken for what they are


class DecodeStream:
    """Text of a growing row of ids, piece by piece.

    The pieces put together are what `decode` says of all the ids, and no piece ends within a
    character of several tokens.

    Args:
        tokenizer: with `decode(ids, skip_special_tokens=)`.
        skip_special_tokens: leave [SEP], <|endoftext|> and the like out.

    Example:
        >>> from triptych_text.tokenizers import BytePairEncoding, Tokenizer
        >>> raw = BytePairEncoding("bytes", {bytes([i]): i for i in range(256)}, "gpt2")
        >>> stream = DecodeStream(Tokenizer.from_encoding(raw))
        >>> [stream.step(index) for index in "aé".encode()]
        ['a', None, 'é']
    """

    def __init__(self, tokenizer: Any, *, skip_special_tokens: bool = True) -> None:
        self.tokenizer, self.skip = tokenizer, skip_special_tokens
        self._ids: list[int] = []  # some that were said, then those that were not
        self._said = 0  # how many of them were said

    def step(self, token: int) -> str | None:
        """Take one more id.

        Args:
            token: the id.

        Returns:
            What it adds to the text; None when it adds nothing yet.
        """
        self._ids.append(int(token))
        before, now = self._text(self._ids[: self._said]), self._text(self._ids)
        waiting = len(self._ids) - self._said
        if now.endswith(BROKEN) and waiting < LONGEST_WAIT:
            return None  # perhaps the first bytes of a character
        if len(now) <= len(before) or not now.startswith(before):
            return None
        self._say_up_to_here()
        return now[len(before) :]

    def finish(self) -> str:
        """What was held back; the stream is empty afterwards.

        Returns:
            The rest of the text; broken characters in it are U+FFFD.
        """
        before, now = self._text(self._ids[: self._said]), self._text(self._ids)
        self._ids, self._said = [], 0
        return now[len(before) :]

    def stream(self, tokens: Iterable[int]) -> Iterator[str]:
        """Pieces of text of ids that arrive one after the other, the rest included.

        Args:
            tokens: the ids.
        """
        for token in tokens:
            piece = self.step(token)
            if piece is not None:
                yield piece
        rest = self.finish()
        if rest:
            yield rest

    def _say_up_to_here(self) -> None:
        """Keep a few ids as context: at a place where their text starts with a whole character."""
        self._said = len(self._ids)
        if self._said > 8 * KEPT:
            tail = self._ids[-KEPT:]
            if not self._text(tail).startswith(BROKEN):
                self._ids, self._said = tail, KEPT

    def _text(self, ids: list[int]) -> str:
        if not ids:
            return ""
        text: str = self.tokenizer.decode(ids, skip_special_tokens=self.skip)
        return text

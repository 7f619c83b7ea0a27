"""What a `Segmented` backend needs of an encoding, and how byte pair encodings give it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from .byte_pair_encoding import BytePairEncoding
from .byte_pairs import printable
from .special_text import split_at

__all__ = ["ByteSegmenter", "Segmenter", "Segments"]


@dataclass(slots=True)
class Segments:
    """Tokens of one text: lists of length l.

    Args:
        ids: of the tokens.
        offsets: (start, end) in characters.
        words: number of the word that each token is part of; a special token is a word.
    """

    ids: list[int] = field(default_factory=list)
    offsets: list[tuple[int, int]] = field(default_factory=list)
    words: list[int] = field(default_factory=list)

    def add(
        self, at: int, ids: Sequence[int], offsets: Sequence[tuple[int, int]], word: int
    ) -> None:
        """Append tokens of one word.

        Args:
            at: first character of the word.
            ids: of its tokens.
            offsets: (start, end) in characters of the word.
            word: its number.
        """
        self.ids += ids
        self.offsets += [(at + start, at + end) for start, end in offsets]
        self.words += [word] * len(ids)


class Segmenter(ABC):
    """Text to ids and back, one text at a time, without frames, padding or truncation."""

    special: dict[str, int]  # text -> id of tokens that a text may hold as such

    @property
    @abstractmethod
    def vocab(self) -> dict[str, int]:
        """token -> id, special tokens included."""

    @abstractmethod
    def segments(self, text: str, allowed: frozenset[str]) -> Segments:
        """Tokens of a text with their places; `allowed` names special tokens that count."""

    @abstractmethod
    def ids(self, text: str, allowed: frozenset[str]) -> list[int]:
        """Ids alone."""

    @abstractmethod
    def decode(self, ids: list[int]) -> str:
        """Text of ids."""

    @cached_property
    def tokens(self) -> dict[int, str]:
        """id -> token."""
        return {index: token for token, index in self.vocab.items()}


class ByteSegmenter(Segmenter):
    """A byte pair encoding.

    Args:
        encoding: the encoding.
    """

    def __init__(self, encoding: BytePairEncoding) -> None:
        self.encoding = encoding
        self.special = encoding.special_tokens

    @cached_property
    def vocab(self) -> dict[str, int]:
        """Bytes are written in GPT-2's visible alphabet."""
        ranks = {printable(token): rank for token, rank in self.encoding.ranks.items()}
        return ranks | self.special

    def segments(self, text: str, allowed: frozenset[str]) -> Segments:
        """Tokens with their places; a word is a match of the encoding's pattern."""
        out, word = Segments(), 0
        for start, part, special in split_at(text, allowed):
            if special:
                out.add(start, [self.special[part]], [(0, len(part))], word)
                word += 1
                continue
            for at, (ids, offsets) in self.encoding.pieces(part):
                out.add(start + at, ids, offsets, word)
                word += 1
        return out

    def ids(self, text: str, allowed: frozenset[str]) -> list[int]:
        """Ids alone."""
        return self.encoding.encode(text, allowed_special=allowed, disallowed_special=())

    def decode(self, ids: list[int]) -> str:
        """Text; bytes that are no UTF-8 become U+FFFD."""
        return self.encoding.decode(ids)

"""What a tokenizer says about one text: ids, and where each of them came from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from triptych.errors import BoundsError

__all__ = ["Encoding"]


@dataclass(frozen=True, slots=True)
class Encoding:
    """One text, or one pair of texts, as tokens.

    All lists have length l, one entry for each token, special and padding tokens included.

    Args:
        ids: the numbers that a model takes.
        tokens: the same tokens as text, `##ing` and the like included.
        offsets: (start, end) of each token in characters of its own text; (0, 0) for tokens that
            were added.
        attention_mask: 1 for tokens of the text and special ones, 0 for padding.
        type_ids: which segment of a pair a token belongs to, as the model was trained.
        special_tokens_mask: 1 for tokens that were added, padding included.
        word_ids: which word of its text a token is part of; None for added tokens.
        sequence_ids: 0 for the text, 1 for its pair; None for added tokens.
        overflowing: further pieces of a text that was truncated with a stride.

    Example:
        >>> cat = Encoding([7, 9], ["cat", "##s"], [(0, 3), (3, 4)], [1, 1], [0, 0], [0, 0])
        >>> len(cat), cat.char_to_token(3), cat.token_to_chars(0)
        (2, 1, (0, 3))
    """

    ids: list[int]
    tokens: list[str]
    offsets: list[tuple[int, int]]
    attention_mask: list[int]
    type_ids: list[int]
    special_tokens_mask: list[int]
    word_ids: list[int | None] = field(default_factory=list)
    sequence_ids: list[int | None] = field(default_factory=list)
    overflowing: list[Encoding] = field(default_factory=list)

    @classmethod
    def from_backend(cls, encoding: Any) -> Encoding:
        """Copy an encoding of the `tokenizers` library.

        Args:
            encoding: a `tokenizers.Encoding`.
        """
        return cls(
            encoding.ids,
            encoding.tokens,
            encoding.offsets,
            encoding.attention_mask,
            encoding.type_ids,
            encoding.special_tokens_mask,
            encoding.word_ids,
            encoding.sequence_ids,
            [cls.from_backend(piece) for piece in encoding.overflowing],
        )

    def __len__(self) -> int:
        return len(self.ids)

    def char_to_token(self, position: int, sequence: int = 0) -> int | None:
        """Token that a character went into.

        Args:
            position: index of the character in its text.
            sequence: 0 for the text, 1 for its pair.

        Returns:
            Index of the token; None for a space, or a character that was cut off.
        """
        own = self._tokens_of(sequence)
        at = bisect_right(own, position, key=lambda i: self.offsets[i][0]) - 1
        if at < 0 or position >= self.offsets[own[at]][1]:
            return None
        return own[at]

    def token_to_chars(self, index: int) -> tuple[int, int] | None:
        """Characters that a token stands for.

        Args:
            index: of the token, 0 <= index < l.

        Returns:
            (start, end) in the token's own text; None for a token that was added.

        Raises:
            BoundsError: there is no such token.
        """
        if not 0 <= index < len(self):
            raise BoundsError(f"token_to_chars: index {index}, the encoding has {len(self)} tokens")
        return None if self.special_tokens_mask[index] else self.offsets[index]

    def word_to_tokens(self, word: int, sequence: int = 0) -> tuple[int, int] | None:
        """Tokens that a word became.

        Args:
            word: index of the word, as in `word_ids`.
            sequence: 0 for the text, 1 for its pair.

        Returns:
            (start, end) of the tokens, end excluded; None when there is no such word.
        """
        own = [i for i in self._tokens_of(sequence) if self.word_ids[i] == word]
        return (own[0], own[-1] + 1) if own else None

    def token_to_word(self, index: int) -> int | None:
        """Word that a token is part of; None for added tokens.

        Args:
            index: of a token, from 0.

        Raises:
            BoundsError: there is no such token.
        """
        self.token_to_chars(index)
        return self.word_ids[index] if self.word_ids else None

    def token_to_sequence(self, index: int) -> int | None:
        """Which text of a pair a token is from; None for added tokens.

        Args:
            index: of a token, from 0.

        Raises:
            BoundsError: there is no such token.
        """
        self.token_to_chars(index)
        return self.sequence_ids[index] if self.sequence_ids else None

    def word_to_chars(self, word: int, sequence: int = 0) -> tuple[int, int] | None:
        """Characters of a word: (start, end); None when there is no such word.

        Args:
            word: index of the word, as in `word_ids`.
            sequence: 0 for the text, 1 for its pair.
        """
        tokens = self.word_to_tokens(word, sequence)
        if tokens is None:
            return None
        return self.offsets[tokens[0]][0], self.offsets[tokens[1] - 1][1]

    def char_to_word(self, position: int, sequence: int = 0) -> int | None:
        """Word that a character is in; None for a space or a character that was cut off.

        Args:
            position: index of the character in its text.
            sequence: 0 for the text, 1 for its pair.
        """
        token = self.char_to_token(position, sequence)
        return None if token is None else self.token_to_word(token)

    def moved(
        self, places: Sequence[int] | None, pair_places: Sequence[int] | None = None
    ) -> Encoding:
        """The same with offsets of another spelling of the texts.

        Args:
            places: where each character of the text stands in the other one, the end included;
                None leaves the offsets as they are.
            pair_places: the same for the second text.
        """
        tables = {0: places, 1: pair_places}
        if places is None and pair_places is None:
            return self

        def other(index: int, span: tuple[int, int]) -> tuple[int, int]:
            sequence = self.sequence_ids[index] if self.sequence_ids else 0
            table = None if sequence is None else tables[sequence]
            return span if table is None else (table[span[0]], table[span[1]])

        offsets = [other(i, span) for i, span in enumerate(self.offsets)]
        pieces = [piece.moved(places, pair_places) for piece in self.overflowing]
        return replace(self, offsets=offsets, overflowing=pieces)

    def _tokens_of(self, sequence: int) -> Sequence[int]:
        """Indices of the tokens that one of the two texts became."""
        if not self.sequence_ids:
            return [i for i, added in enumerate(self.special_tokens_mask) if not added]
        return [i for i, which in enumerate(self.sequence_ids) if which == sequence]

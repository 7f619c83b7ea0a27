"""What `tokenizer(texts)` returns: arguments of a model, and where the tokens came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from triptych.errors import UnknownNameError

from .encoding import Encoding

__all__ = ["BatchEncoding"]


class BatchEncoding(dict[str, Any]):
    """A dict of arrays for `model(**batch)`, which also answers questions about places.

    Args:
        data: "input_ids", "attention_mask" and so on.
        encodings: of the n rows; None when places were not asked for.

    Example:
        >>> batch = BatchEncoding({"input_ids": [[7]]})
        >>> batch["input_ids"] == batch.input_ids
        True
    """

    def __init__(
        self, data: Mapping[str, Any], encodings: Sequence[Encoding] | None = None
    ) -> None:
        super().__init__(data)
        self.encodings = None if encodings is None else list(encodings)

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        raise AttributeError(f"BatchEncoding has no {name!r}; it has {', '.join(self)}")

    def to(self, *args: Any, **kwargs: Any) -> BatchEncoding:
        """The same with every tensor moved, as `Tensor.to` does it.

        Args:
            *args: a device or a type, as of `Tensor.to`.
            **kwargs: device= and dtype=.
        """
        moved = {k: v.to(*args, **kwargs) if hasattr(v, "to") else v for k, v in self.items()}
        return BatchEncoding(moved, self.encodings)

    def tokens(self, row: int = 0) -> list[str]:
        """Tokens of a row as text.

        Args:
            row: number of the text in the batch.
        """
        return self._row(row).tokens

    def word_ids(self, row: int = 0) -> list[int | None]:
        """Word of each token of a row; None for added tokens.

        Args:
            row: number of the text in the batch.
        """
        return self._row(row).word_ids

    def sequence_ids(self, row: int = 0) -> list[int | None]:
        """Which text of a pair each token of a row is from; None for added tokens.

        Args:
            row: number of the text in the batch.
        """
        return self._row(row).sequence_ids

    def char_to_token(self, row: int, position: int, sequence: int = 0) -> int | None:
        """As `Encoding.char_to_token`, of a row.

        Args:
            row: number of the text in the batch.
            position: of a character in the text, from 0.
            sequence: 0 for the first text of a pair, 1 for the second.
        """
        return self._row(row).char_to_token(position, sequence)

    def token_to_chars(self, row: int, index: int) -> tuple[int, int] | None:
        """As `Encoding.token_to_chars`, of a row.

        Args:
            row: number of the text in the batch.
            index: of a token in the row, from 0.
        """
        return self._row(row).token_to_chars(index)

    def word_to_tokens(self, row: int, word: int, sequence: int = 0) -> tuple[int, int] | None:
        """As `Encoding.word_to_tokens`, of a row.

        Args:
            row: number of the text in the batch.
            word: number of a word, from 0.
            sequence: 0 for the first text of a pair, 1 for the second.
        """
        return self._row(row).word_to_tokens(word, sequence)

    def word_to_chars(self, row: int, word: int, sequence: int = 0) -> tuple[int, int] | None:
        """As `Encoding.word_to_chars`, of a row.

        Args:
            row: number of the text in the batch.
            word: number of a word, from 0.
            sequence: 0 for the first text of a pair, 1 for the second.
        """
        return self._row(row).word_to_chars(word, sequence)

    def token_to_word(self, row: int, index: int) -> int | None:
        """As `Encoding.token_to_word`, of a row.

        Args:
            row: number of the text in the batch.
            index: of a token in the row, from 0.
        """
        return self._row(row).token_to_word(index)

    def token_to_sequence(self, row: int, index: int) -> int | None:
        """As `Encoding.token_to_sequence`, of a row.

        Args:
            row: number of the text in the batch.
            index: of a token in the row, from 0.
        """
        return self._row(row).token_to_sequence(index)

    def char_to_word(self, row: int, position: int, sequence: int = 0) -> int | None:
        """As `Encoding.char_to_word`, of a row.

        Args:
            row: number of the text in the batch.
            position: of a character in the text, from 0.
            sequence: 0 for the first text of a pair, 1 for the second.
        """
        return self._row(row).char_to_word(position, sequence)

    def _row(self, row: int) -> Encoding:
        if self.encodings is None:
            raise UnknownNameError(
                "BatchEncoding: places were not kept; call the tokenizer with return_offsets=True"
            )
        return self.encodings[row]

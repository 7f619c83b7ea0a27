"""Fields of fields: texts as words, and each word as characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import triptych as tp

from .field import Field

__all__ = ["NestedField"]


class NestedField(Field):
    """A text is a list of what another field makes of its tokens.

    Args:
        nesting_field: field of a token, such as of characters; it is batch first, and pads tokens
            to one length over the batch.
        **kwargs: as in `Field`; its pad, init and end tokens are rows of the nested field.

    Example:
        >>> field = NestedField(Field(tokenize=list))
        >>> texts = [field.preprocess("a cat"), field.preprocess("at")]
        >>> field.build_vocab(texts)
        >>> tuple(field.process(texts).shape)
        (2, 2, 3)
    """

    def __init__(self, nesting_field: Field, **kwargs: Any) -> None:
        kwargs = {"pad_token": nesting_field.pad_token, **kwargs, "batch_first": True}
        super().__init__(unk_token=nesting_field.unk_token, **kwargs)
        self.nesting_field = nesting_field
        nesting_field.batch_first = True

    def preprocess(self, x: Any) -> Any:
        """Tokens of a text, each as its own list.

        Args:
            x: a text, or its tokens.
        """
        return [self.nesting_field.preprocess(token) for token in super().preprocess(x)]

    def pad(self, minibatch: Iterable[Any]) -> Any:
        """(n, l, k) nested lists; with include_lengths, and numbers of rows and of entries.

        Args:
            minibatch: n lists of lists of tokens.
        """
        texts = [list(text) for text in minibatch]
        nested = self.nesting_field
        ends = (nested.init_token is not None) + (nested.eos_token is not None)
        longest = max((len(t) for text in texts for t in text), default=0) + ends
        width = longest if nested.fix_length is None else nested.fix_length
        rows = [self._rows(text, width) for text in texts]
        out = super().pad(rows)
        filled, lengths = out if self.include_lengths else (out, None)
        blank = [nested.pad_token] * width
        table = [[self._row(entry, width, blank) for entry in text] for text in filled]
        if lengths is None:
            return table
        return table, lengths, [[self._count(entry) for entry in text] for text in table]

    def _rows(self, text: list[Any], width: int) -> list[list[Any]]:
        nested = self.nesting_field
        before, nested.fix_length = nested.fix_length, width
        lengths, nested.include_lengths = nested.include_lengths, False
        try:
            return list(nested.pad(text))
        finally:
            nested.fix_length, nested.include_lengths = before, lengths

    def _row(self, entry: Any, width: int, blank: list[Any]) -> list[Any]:
        if isinstance(entry, list):
            return entry
        return blank if entry == self.pad_token else self._rows([[entry]], width)[0]

    def _count(self, row: list[Any]) -> int:
        return sum(token != self.nesting_field.pad_token for token in row)

    def build_vocab(self, *args: Any, **kwargs: Any) -> None:
        """Number the entries of all rows; both fields get the vocabulary.

        Args:
            *args: datasets, or iterables of rows.
            **kwargs: as of `Field.build_vocab`.
        """
        counter: Counter[Any] = Counter()
        for text in self._values(args):
            for row in text:
                counter.update(row)
        nested = self.nesting_field
        ends = [t for t in (nested.init_token, nested.eos_token) if t is not None]
        self._number(counter, **{**kwargs, "specials": [*ends, *kwargs.get("specials", ())]})
        nested.vocab = self.vocab

    def numericalize(self, arr: Any, device: Any = None) -> Any:
        """(n, l, k) numbers; with include_lengths, and (n,) and (n, l) lengths.

        Args:
            arr: what `pad` gave.
            device: of the tensors.
        """
        table, *lengths = arr if self.include_lengths else (arr,)
        numbers = [[self.nesting_field.vocab(row) for row in text] for text in table]
        if self.postprocessing is not None:
            numbers = self.postprocessing(numbers, self.vocab)
        out = tp.tensor(numbers, dtype=self.dtype, device=device)
        return (out, *(tp.tensor(n, device=device) for n in lengths)) if lengths else out

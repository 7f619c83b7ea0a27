"""What the tokenizers share: one text or a list of texts in, the same nesting out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from triptych import nn
from triptych.errors import DTypeError

from ..tokenizers.well_formed import well_formed

__all__ = ["PerText"]


class PerText(nn.Module):
    """A transform of texts; a subclass writes `encode_one`."""

    def encode_one(self, text: str) -> list[Any]:
        """Tokens or ids of one text.

        Args:
            text: one text.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define encode_one")

    def forward(self, input: str | Sequence[str]) -> list[Any]:
        """Tokens or ids of a text, or a list of them for a list of texts.

        Lone surrogates, which no UTF-8 has, are read as U+FFFD.

        Args:
            input: one text, or a list.

        Raises:
            DTypeError: neither a text nor a list of texts.
        """
        if isinstance(input, str):
            return self.encode_one(well_formed(input))
        if isinstance(input, list | tuple) and all(isinstance(text, str) for text in input):
            return [self.encode_one(well_formed(text)) for text in input]
        raise DTypeError(
            f"{type(self).__name__}: wanted a text or a list of texts, got {input!r:.80}"
        )

"""Texts translated to another language and back."""

from __future__ import annotations

from collections.abc import Callable

from triptych import Generator

from .drawing import Augmentation, chances

__all__ = ["BackTranslation"]

Translate = Callable[[list[str]], list[str]]


class BackTranslation(Augmentation):
    """Replace texts by their translation there and back.

    Args:
        there: translates a list of texts; a model's or your own.
        back: translates them back.
        p: probability that a text is replaced.
        generator: draws; default the global one.

    Example:
        >>> turned = lambda texts: [text[::-1] for text in texts]
        >>> BackTranslation(turned, turned, p=1.0)("abc")
        'abc'
    """

    def __init__(
        self,
        there: Translate,
        back: Translate,
        p: float = 0.5,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(p, generator=generator)
        self.there, self.back = there, back

    def change(self, text: str) -> str:
        """The text, or its translation there and back.

        Args:
            text: a text.
        """
        if not chances(1, self.p, self.generator)[0]:
            return text
        return self.back(self.there([text]))[0]

"""Random choices from a generator, and the base of the augmentations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import triptych as tp
from triptych import Generator, nn
from triptych.errors import DomainError, DTypeError

__all__ = ["Augmentation", "chances", "check_share", "choose", "sample"]

T = TypeVar("T")


def choose(options: Sequence[T], generator: Generator | None) -> T:
    """One of the options."""
    return options[int(tp.randint(0, len(options), (), generator=generator).item())]


def sample(n: int, k: int, generator: Generator | None) -> list[int]:
    """min(n, k) different numbers below n, in random order."""
    return tp.randperm(n, generator=generator).tolist()[:k] if n else []


def chances(n: int, p: float, generator: Generator | None) -> list[bool]:
    """n times true with probability p."""
    return [draw < p for draw in tp.rand((n,), generator=generator).tolist()] if n else []


def check_share(what: str, p: float) -> None:
    """Raise a DomainError unless 0 <= p <= 1."""
    if not 0 <= p <= 1:
        raise DomainError(f"{what}: wanted a share from 0 to 1, got {p}")


class Augmentation(nn.Module):
    """A random change of texts; a subclass writes `change`.

    Args:
        p: share that is changed, from 0 to 1; of words or characters, as the subclass says.
        generator: draws; default the global one.

    Raises:
        DomainError: p is no share.
    """

    def __init__(self, p: float, *, generator: Generator | None = None) -> None:
        super().__init__()
        check_share(type(self).__name__, p)
        self.p, self.generator = p, generator

    def change(self, text: str) -> str:
        """A variant of one text.

        Args:
            text: a text.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define change")

    def forward(self, input: str | Sequence[str]) -> str | list[str]:
        """A variant of a text, or of each text of a list.

        Args:
            input: one text, or a list.

        Raises:
            DTypeError: neither a text nor a list of texts.
        """
        if isinstance(input, str):
            return self.change(input)
        if isinstance(input, list | tuple) and all(isinstance(text, str) for text in input):
            return [self.change(text) for text in input]
        raise DTypeError(
            f"{type(self).__name__}: wanted a text or a list of texts, got {input!r:.80}"
        )

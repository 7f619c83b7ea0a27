"""Small tools for lists of tokens, under torchtext's names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import triptych as tp
from triptych import Generator, Tensor
from triptych.errors import BoundsError

from ..tokenizers.basic_english import get_tokenizer

__all__ = [
    "RandomShuffler",
    "dtype_to_attr",
    "get_tokenizer",
    "interleave_keys",
    "is_tokenizer_serializable",
    "ngrams_iterator",
]

T = TypeVar("T")
KEY_BITS = 16


def ngrams_iterator(token_list: Sequence[str], ngrams: int) -> Iterator[str]:
    """The tokens, then their runs of two, of three and so on, joined by spaces.

    Args:
        token_list: tokens of a text.
        ngrams: longest run.

    Example:
        >>> list(ngrams_iterator(["here", "we", "are"], 2))
        ['here', 'we', 'are', 'here we', 'we are']
    """
    yield from token_list
    for n in range(2, ngrams + 1):
        for start in range(len(token_list) - n + 1):
            yield " ".join(token_list[start : start + n])


def interleave_keys(a: int, b: int) -> int:
    """One sort key from two: their bits in turn, so that what is near in both stays near.

    Args:
        a: such as a length, 0 <= a < 2 ** 16.
        b: likewise.

    Raises:
        BoundsError: a number is outside.

    Example:
        >>> interleave_keys(0b11, 0b01)
        11
    """
    for key in (a, b):
        if not 0 <= key < 1 << KEY_BITS:
            raise BoundsError(f"interleave_keys: wanted 0 <= key < {1 << KEY_BITS}, got {key}")
    pairs = zip(f"{a:0{KEY_BITS}b}", f"{b:0{KEY_BITS}b}", strict=True)
    return int("".join(x + y for x, y in pairs), base=2)


def dtype_to_attr(dtype: Any) -> str:
    """Name of a type, such as "int32".

    Args:
        dtype: such as `triptych.int32`.

    Example:
        >>> dtype_to_attr(tp.int32)
        'int32'
    """
    return str(dtype).rpartition(".")[2]


def is_tokenizer_serializable(tokenizer: Any, language: str) -> bool:
    """Whether the tokenizer `get_tokenizer` gives for these can be pickled.

    Args:
        tokenizer: as in `get_tokenizer`.
        language: as in `get_tokenizer`.
    """
    return bool(tokenizer != "spacy")


class RandomShuffler:
    """Shuffles lists with a random state of its own.

    Args:
        random_state: to start from, as `random_state` gives it; default drawn from the generator.
        generator: draws the state to start from; default the global one.

    Example:
        >>> first = RandomShuffler(generator=tp.Generator().manual_seed(0))
        >>> second = RandomShuffler(first.random_state)
        >>> first("abcdef") == second("abcdef")
        True
    """

    def __init__(
        self, random_state: Tensor | None = None, *, generator: Generator | None = None
    ) -> None:
        self._generator = Generator()
        if random_state is None:
            seed = int(tp.randint(0, (1 << 63) - 1, (), generator=generator).item())
            self._generator.manual_seed(seed)
        else:
            self._generator.set_state(random_state)

    @property
    def random_state(self) -> Tensor:
        """A copy of the state; set it to go back."""
        return self._generator.get_state().clone()

    @random_state.setter
    def random_state(self, state: Tensor) -> None:
        self._generator.set_state(state)

    @contextmanager
    def use_internal_state(self) -> Iterator[Generator]:
        """The generator with the state, to draw other things from."""
        yield self._generator

    def __call__(self, data: Sequence[T]) -> list[T]:
        """The rows in random order, in a new list."""
        order = tp.randperm(len(data), generator=self._generator).tolist()
        return [data[i] for i in order]

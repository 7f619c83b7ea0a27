"""Functions behind the transforms, with torchtext's names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError, ShapeError

__all__ = ["add_token", "str_to_int", "to_tensor", "truncate"]

T = TypeVar("T")
R = TypeVar("R")


def to_tensor(
    input: Sequence[int] | Sequence[Sequence[int]],
    padding_value: int | None = None,
    dtype: Any = tp.int64,
) -> Tensor:
    """Ids as a tensor; rows are filled up to the longest.

    Args:
        input: l ids, or n rows of them.
        padding_value: what shorter rows are filled up with, at the end; None when all are
            equally long.
        dtype: of the result.

    Returns:
        (l,) or (n, l).

    Raises:
        ShapeError: rows differ in length and there is no `padding_value`.
        DTypeError: what should be ids are no whole numbers, or ids and rows are mixed.

    Example:
        >>> to_tensor([[1, 2, 3], [4]], padding_value=0).tolist()
        [[1, 2, 3], [4, 0, 0]]
    """
    if not is_batch(input):
        return tp.tensor(_ids(input), dtype=dtype)
    rows = [_ids(row) for row in input]
    lengths = [len(row) for row in rows]
    if padding_value is None and len(set(lengths)) > 1:
        raise ShapeError(
            f"to_tensor: rows of {min(lengths)} to {max(lengths)} ids make no tensor; pass "
            "padding_value= to fill them up"
        )
    out = np.full((len(lengths), max(lengths)), padding_value or 0, dtype=np.int64)
    for filled, row in zip(out, rows, strict=True):
        filled[: len(row)] = row
    return tp.tensor(out, dtype=dtype)


def _ids(row: Any) -> np.ndarray:
    """(l,) int64."""
    if len(row) == 0:
        return np.empty(0, np.int64)
    try:
        ids = np.asarray(row)
    except ValueError:  # lists among the numbers
        ids = np.empty((0, 0))
    if ids.ndim != 1 or ids.dtype.kind not in "biu":
        raise DTypeError(
            f"to_tensor: wanted ids, which are whole numbers, got {row!r:.80}; texts of digits "
            "become numbers by str_to_int"
        )
    return ids.astype(np.int64)


def truncate(input: Sequence[Any], max_seq_len: int) -> list[Any]:
    """The first tokens of each text.

    Args:
        input: tokens or ids of one text, or a list of such lists.
        max_seq_len: how many to keep at most.

    Returns:
        New lists in the nesting of the input.

    Raises:
        ValueError: max_seq_len is negative.

    Example:
        >>> truncate([["a", "b", "c"], ["d"]], 2)
        [['a', 'b'], ['d']]
    """
    if max_seq_len < 0:
        raise ValueError(f"truncate: max_seq_len must not be negative, got {max_seq_len}")
    return on_each(input, lambda row: list(row[:max_seq_len]))


def add_token(input: Sequence[Any], token_id: Any, begin: bool = True) -> list[Any]:
    """One more token in each text.

    Args:
        input: tokens or ids of one text, or a list of such lists.
        token_id: the token or id.
        begin: put it first, else last.

    Returns:
        New lists in the nesting of the input.

    Raises:
        DTypeError: a token for a list of ids, or an id for a list of tokens.

    Example:
        >>> add_token([[5, 6], [7]], 1)
        [[1, 5, 6], [1, 7]]
    """

    def longer(row: Sequence[Any]) -> list[Any]:
        if row and isinstance(row[0], str) != isinstance(token_id, str):
            raise DTypeError(
                f"add_token: {token_id!r} does not go with {row[0]!r}; wanted both to be tokens, "
                "or both ids"
            )
        return [token_id, *row] if begin else [*row, token_id]

    return on_each(input, longer)


def str_to_int(input: Sequence[str] | Sequence[Sequence[str]]) -> list[Any]:
    """Digits to numbers.

    Args:
        input: texts such as "17", or a list of lists of them.

    Returns:
        The numbers, in the nesting of the input.

    Raises:
        ValueError: a text is no number.

    Example:
        >>> str_to_int([["1", "22"], ["3"]])
        [[1, 22], [3]]
    """
    return on_each(input, lambda row: [int(text) for text in row])


def is_batch(input: Any) -> bool:
    """Whether the input is a list of lists rather than one list.

    Args:
        input: a list or tuple.

    Raises:
        DTypeError: not a list or tuple at all, or one that mixes lists and single elements.
    """
    if isinstance(input, str) or not isinstance(input, list | tuple):
        raise DTypeError(
            f"text transform: wanted a list of tokens or a list of such lists, got a "
            f"{type(input).__name__}"
        )
    kinds = {issubclass(kind, list | tuple) for kind in set(map(type, input))}
    if len(kinds) > 1:
        raise DTypeError(
            "text transform: wanted a list of tokens or a list of such lists, got both in one: "
            f"{input!r:.80}"
        )
    return kinds == {True}


def on_each(input: Sequence[Any], function: Callable[[Any], list[Any]]) -> list[Any]:
    """Apply a function to a list of tokens, or to each of a list of such lists.

    Args:
        input: a list or tuple of tokens, or of such lists.
        function: of one list.

    Raises:
        DTypeError: as `is_batch`.
    """
    if is_batch(input):
        return [function(row) for row in input]
    return function(input)

"""Rows of ids of different lengths to rectangular arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import ShapeError

__all__ = ["Padding", "padded_length", "to_batch"]

Padding = bool | int | str | None
Rows = list[list[int]]

CONVERTERS: dict[str, Callable[[np.ndarray], Any]] = {
    "tp": tp.from_numpy,
    "np": lambda array: array,
}


def padded_length(
    padding: Padding, lengths: Sequence[int], max_length: int | None, default: int | None
) -> int | None:
    """Length that the rows of a batch are filled up to.

    Args:
        padding: "longest" or True; "max_length"; a number of tokens; None or False for nothing.
        lengths: of the rows, in tokens.
        max_length: what the caller gave, in tokens.
        default: the tokenizer's own maximum.

    Returns:
        In tokens, never below the longest row; None when nothing is filled up.

    Raises:
        ValueError: `padding` is none of the above, or "max_length" and no length is known.

    Example:
        >>> padded_length("longest", [3, 5], None, None), padded_length(8, [3, 5], None, None)
        (5, 8)
    """
    longest = max(lengths, default=0)
    if padding is None or padding is False:
        return None
    if padding is True or padding == "longest":
        return longest
    if padding == "max_length":
        padding = default if max_length is None else max_length
    if not isinstance(padding, int) or padding < 0:
        raise ValueError(
            'Tokenizer: padding is None, "longest", a number of tokens, or "max_length" with '
            f"max_length= given; got {padding!r}"
        )
    return max(longest, padding)


def to_batch(
    ids: Rows,
    type_ids: Rows,
    length: int | None,
    fill: tuple[int, int, bool],
    return_tensors: str | None,
) -> dict[str, Any]:
    """Rows of ids to the arguments of a model.

    Args:
        ids: n rows of token ids.
        type_ids: n rows of segments, as long as those of `ids`.
        length: l, tokens that every row is filled up to; None to leave the rows as they are.
        fill: id of the padding token, its segment, and whether padding goes to the left.
        return_tensors: "tp", "np" or None.

    Returns:
        "input_ids", "token_type_ids", "attention_mask": (n, l) int64, or lists of lists.

    Raises:
        ShapeError: arrays were asked for, `length` is None and the rows differ in length.
        ValueError: `return_tensors` is none of the above.
    """
    if return_tensors is None:
        return _as_lists(ids, type_ids, length, fill)
    if return_tensors not in CONVERTERS:
        raise ValueError(f'Tokenizer: return_tensors is "tp", "np" or None, got {return_tensors!r}')
    arrays = _as_arrays(ids, type_ids, length, fill)
    return {name: CONVERTERS[return_tensors](array) for name, array in arrays.items()}


def _as_arrays(
    ids: Rows, type_ids: Rows, length: int | None, fill: tuple[int, int, bool]
) -> dict[str, np.ndarray]:
    lengths = [len(row) for row in ids]
    if length is None:
        if len(set(lengths)) > 1:
            raise ShapeError(
                f"Tokenizer: rows of {min(lengths)} to {max(lengths)} tokens make no array; pass "
                'padding="longest", or return_tensors=None for lists'
            )
        length = max(lengths, default=0)
    pad_id, pad_type_id, left = fill
    columns = np.arange(length)
    counts = np.asarray(lengths, dtype=np.int64)[:, None]
    real = columns >= length - counts if left else columns < counts  # (n, l)
    return {
        "input_ids": _spread(ids, real, pad_id),
        "token_type_ids": _spread(type_ids, real, pad_type_id),
        "attention_mask": real.astype(np.int64),
    }


def _spread(rows: Rows, real: np.ndarray, fill: int) -> np.ndarray:
    """(n, l) int64 with the rows where `real` is true, in order, and `fill` elsewhere."""
    out = np.full(real.shape, fill, dtype=np.int64)
    out[real] = np.asarray(list(chain.from_iterable(rows)), dtype=np.int64)
    return out


def _as_lists(
    ids: Rows, type_ids: Rows, length: int | None, fill: tuple[int, int, bool]
) -> dict[str, Rows]:
    pad_id, pad_type_id, left = fill
    masks = [[1] * len(row) for row in ids]

    def extended(rows: Rows, value: int) -> Rows:
        if length is None:
            return rows
        pads = [[value] * (length - len(row)) for row in rows]
        return [pad + row if left else row + pad for row, pad in zip(rows, pads, strict=True)]

    return {
        "input_ids": extended(ids, pad_id),
        "token_type_ids": extended(type_ids, pad_type_id),
        "attention_mask": extended(masks, 0),
    }

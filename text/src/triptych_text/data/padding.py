"""Rows of different lengths to arrays, and what collators read from features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError, ShapeError

from ..tokenizers.encoding import Encoding

__all__ = ["IGNORED", "Side", "as_feature", "pad_rows", "stack_features"]

IGNORED = -100  # label that losses leave out: the default ignore_index of cross_entropy
Side = Literal["left", "right"]

# name in an Encoding -> name in a feature, and what fills it up (None: the padding token)
OF_ENCODING = {
    "ids": "input_ids",
    "attention_mask": "attention_mask",
    "type_ids": "token_type_ids",
    "special_tokens_mask": "special_tokens_mask",
    "word_ids": "word_ids",
}
FILLERS = {
    "attention_mask": 0,
    "token_type_ids": 0,
    "special_tokens_mask": 1,
    "labels": IGNORED,
    "word_ids": -1,
}


def as_feature(sample: Any) -> dict[str, Any]:
    """A sample as a dict with "input_ids" at least.

    Args:
        sample: a dict, an `Encoding`, or a list or tensor of ids.

    Raises:
        DTypeError: something else.
    """
    if isinstance(sample, Mapping):
        return dict(sample)
    if isinstance(sample, Encoding):
        return {name: getattr(sample, field) for field, name in OF_ENCODING.items()}
    if isinstance(sample, list | tuple | np.ndarray | Tensor):
        return {"input_ids": sample}
    raise DTypeError(
        f"data collator: wanted dicts, encodings or lists of ids, got {type(sample).__name__}"
    )


def _row(values: Any) -> list[Any]:
    values = values.tolist() if hasattr(values, "tolist") else list(values)
    return [-1 if v is None else v for v in values]


def pad_rows(
    rows: Sequence[Any],
    filler: float,
    *,
    length: int | None = None,
    multiple: int | None = None,
    side: Side = "right",
) -> np.ndarray:
    """Rows in one array, shorter ones filled up.

    Args:
        rows: n lists of numbers.
        filler: number to fill up with.
        length: l; default that of the longest row.
        multiple: round l up to a multiple of this.
        side: where the filling goes.

    Returns:
        (n, l) int64, or float32 where a row holds fractions.

    Raises:
        ShapeError: a row is longer than length.
    """
    listed = [_row(row) for row in rows]
    longest = max((len(row) for row in listed), default=0)
    length = longest if length is None else length
    if multiple:
        length = -(-length // multiple) * multiple
    if longest > length:
        raise ShapeError(f"data collator: a row of {longest} does not fit max_length={length}")
    fractions = any(isinstance(v, float) for row in listed for v in row[:1])
    out = np.full((len(listed), length), filler, np.float32 if fractions else np.int64)
    for filled, row in zip(out, listed, strict=True):
        if row:
            filled[slice(None, len(row)) if side == "right" else slice(-len(row), None)] = row
    return out


def stack_features(
    features: Sequence[Mapping[str, Any]], pad_id: int, **how: Any
) -> dict[str, Tensor]:
    """Features of a batch as tensors, by name.

    Args:
        features: dicts with the same names; lists are padded, numbers stacked.
        pad_id: fills up "input_ids" and what has no filler of its own.
        **how: as in `pad_rows`.

    Returns:
        name -> (n, l) for lists, (n,) for numbers; "attention_mask" is added where it lacks, and
        "label" is renamed "labels".

    Raises:
        ShapeError: names differ between features, or there are none.
    """
    rows = [dict(f) for f in features]
    if not rows:
        raise ShapeError("data collator: wanted at least one sample, got an empty batch")
    for row in rows:
        if "attention_mask" not in row and "input_ids" in row:
            row["attention_mask"] = [1] * len(row["input_ids"])
        if "label" in row:
            row["labels"] = row.pop("label")
    if len({frozenset(row) for row in rows}) > 1:
        raise ShapeError(
            "data collator: samples have different names: "
            f"{sorted({tuple(sorted(row)) for row in rows})}"
        )
    batch: dict[str, Tensor] = {}
    for name, first in rows[0].items():
        column = [row[name] for row in rows]
        if np.ndim(first) == 0:
            batch[name] = tp.tensor([c.item() if hasattr(c, "item") else c for c in column])
        else:
            batch[name] = tp.from_numpy(pad_rows(column, FILLERS.get(name, pad_id), **how))
    return batch

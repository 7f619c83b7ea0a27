"""One number for every spatial dim, or a number per dim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import ShapeError

Sizes = int | Sequence[int]


def ntuple(name: str, argument: str, value: Any, ndim: int) -> tuple[int, ...]:
    """`value` per dim: an int is repeated, a sequence must have the right length.

    Raises:
        ShapeError: the sequence has another length.
    """
    if isinstance(value, int):
        return (value,) * ndim
    values = tuple(value)
    if len(values) == 1:
        values *= ndim
    if len(values) != ndim:
        raise ShapeError(f"{name}: {argument} wants one int or {ndim}, got {value!r}")
    return values

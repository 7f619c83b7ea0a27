"""Causal masks by name."""

from __future__ import annotations

import enum

from ...ops.creation import ones
from ...ops.shape import tril
from ...tensor import Tensor

__all__ = ["CausalVariant", "causal_lower_right", "causal_upper_left"]


class CausalVariant(enum.IntEnum):
    """Which corner of (l, s) scores the diagonal of a causal mask starts from."""

    UPPER_LEFT = 1
    LOWER_RIGHT = 2


def causal_upper_left(*size: int) -> Tensor:
    """(l, s) boolean, True where query i may see key j: j <= i.

    Example:
        >>> causal_upper_left(2, 3).tolist()
        [[True, False, False], [True, True, False]]
    """
    return tril(ones(*size)).bool()


def causal_lower_right(*size: int) -> Tensor:
    """(l, s) boolean, True where query i may see key j: the last query sees all keys.

    Example:
        >>> causal_lower_right(2, 3).tolist()
        [[True, True, False], [True, True, True]]
    """
    return tril(ones(*size), size[1] - size[0]).bool()

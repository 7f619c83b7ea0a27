"""The numbers that layers are made with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..functional.arguments import per_axis

Sizes = int | Sequence[int]


def counts(name: str, **values: Any) -> tuple[int, ...]:
    """The numbers of features and the like that a layer is made with.

    Raises:
        DTypeError: one is no integer.
        ShapeError: one is negative.
    """
    return tuple(per_axis(name, label, value, 1, 0)[0] for label, value in values.items())

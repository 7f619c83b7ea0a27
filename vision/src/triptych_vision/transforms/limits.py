"""Ranges of random draws."""

from __future__ import annotations

from collections.abc import Sequence

from triptych.errors import BoundsError, ShapeError

__all__ = ["checked_range", "two_ways"]


def checked_range(
    name: str,
    value: float | Sequence[float],
    least: float = float("-inf"),
    most: float = float("inf"),
) -> tuple[float, float]:
    """(low, high) from a pair, or from one number that is both.

    Args:
        name: class and argument, for the text of errors.
        value: a number or a pair.
        least, most: what both must lie between.

    Returns:
        The pair.

    Raises:
        ShapeError: not one or two numbers.
        BoundsError: beyond, or in falling order.
    """
    pair = (value, value) if isinstance(value, int | float) else tuple(value)
    if len(pair) != 2:
        raise ShapeError(f"{name} is a number or (least, most), got {value!r}")
    if not least <= pair[0] <= pair[1] <= most:
        raise BoundsError(f"{name} is from {least} to {most}, the lesser first, got {value!r}")
    return pair[0], pair[1]


def two_ways(name: str, value: float | Sequence[float]) -> tuple[float, float]:
    """(low, high) from a pair; a number v stands for (-v, v)."""
    return checked_range(
        name, (-abs(value), abs(value)) if isinstance(value, int | float) else value
    )

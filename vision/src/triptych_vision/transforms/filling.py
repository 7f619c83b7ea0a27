"""What comes in from outside of an image: one value, one per channel, or one for each kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from triptych.errors import DTypeError

from .sampling import Fill

__all__ = ["FillByKind", "checked_fill_by_kind", "fill_for"]

FillByKind = Fill | Mapping[Any, Fill]


def checked_fill_by_kind(name: str, fill: FillByKind) -> FillByKind:
    """fill itself.

    Args:
        name: of the transform, for the text of errors.
        fill: a number, a sequence of one per channel, None, or a dict of these by type, in which
            "others" stands for all types that are not named.

    Raises:
        DTypeError: something else.
    """
    for value in fill.values() if isinstance(fill, Mapping) else (fill,):
        numbers = value if isinstance(value, Sequence) else (value,)
        if isinstance(value, str) or not all(isinstance(v, int | float | None) for v in numbers):
            raise DTypeError(
                f"{name}: fill is a number, a sequence of one per channel, None, or a dict of "
                f"these by type, got {fill!r}"
            )
    return fill


def fill_for(fill: FillByKind, inpt: object) -> Fill:
    """The fill for a part of a sample: that of its class or the nearest base, or of "others".

    Example:
        >>> fill_for({int: 3, "others": 5}, True), fill_for({int: 3, "others": 5}, "text")
        (3, 5)
    """
    if not isinstance(fill, Mapping):
        return fill
    named = next((cls for cls in type(inpt).__mro__ if cls in fill), "others")
    return fill.get(named)

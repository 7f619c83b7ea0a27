"""Arguments that are one of a few texts."""

from __future__ import annotations

from collections.abc import Collection, Iterable

__all__ = ["iterable_to_str", "verify_str_arg"]


def iterable_to_str(iterable: Iterable[object]) -> str:
    """The items in quotes, with commas between them."""
    return ", ".join(f"'{item}'" for item in iterable)


def verify_str_arg(
    value: str,
    arg: str | None = None,
    valid_values: Collection[str] | None = None,
    custom_msg: str | None = None,
) -> str:
    """A text that an argument may be.

    Args:
        value: what was given.
        arg: the argument's name, for the error.
        valid_values: what it may be; default any text.
        custom_msg: in place of the error's text.

    Returns:
        The value.

    Raises:
        ValueError: it is no text, or none of the valid ones.

    Example:
        >>> verify_str_arg("val", "split", ("train", "val"))
        'val'
    """
    name = f"argument {arg}" if arg else "the argument"
    if not isinstance(value, str):
        raise ValueError(f"{name}: wanted a str, got {value!r} of type {type(value).__name__}")
    if valid_values is not None and value not in valid_values:
        raise ValueError(
            custom_msg
            or f"unknown value {value!r} for {name}; valid values are "
            f"{{{iterable_to_str(valid_values)}}}"
        )
    return value

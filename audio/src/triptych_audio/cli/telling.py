"""Errors in the words of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from triptych.errors import TriptychError

__all__ = ["told_as"]


@contextmanager
def told_as(command: str, names: dict[str, str] | None = None) -> Iterator[None]:
    """Let errors inside begin with the subcommand instead of the function that it calls.

    Args:
        command: name of the subcommand.
        names: for what nobody has written, such as a temporary file's name, what to say instead.

    Raises:
        TriptychError: as inside, and so are ValueError and FileNotFoundError.

    Example:
        >>> with told_as("vad"):
        ...     raise ValueError("info: cannot decode 'a.wav'")
        Traceback (most recent call last):
        ValueError: vad: cannot decode 'a.wav'
    """
    try:
        yield
    except (TriptychError, ValueError, FileNotFoundError) as error:
        text = str(error)
        for wrong, right in (names or {}).items():
            text = text.replace(wrong, right)
        caller, _, rest = text.partition(": ")
        if not rest or " " in caller:  # no function's name
            raise
        raise type(error)(f"{command}: {rest}") from error

"""Where the commands get their texts."""

from __future__ import annotations

import argparse
import sys

from triptych.errors import DomainError

__all__ = ["lines_of", "texts_of"]


def texts_of(arguments: argparse.Namespace) -> list[str]:
    """The texts of the command line, or else the lines of standard input.

    Args:
        arguments: `texts`.

    Raises:
        DomainError: there are none at all.
    """
    texts = list(arguments.texts) or [line for line in _lines(sys.stdin) if line]
    if not texts:
        raise DomainError("no text: give one as an argument, or lines on standard input")
    return texts


def lines_of(path: str | None) -> list[str]:
    """The lines of a file, or of standard input, that hold something.

    Args:
        path: None for standard input.

    Raises:
        DomainError: there are none.
        OSError: the file cannot be read.
        ValueError: it is not UTF-8.
    """
    if path is None:
        found = _lines(sys.stdin)
    else:
        with open(path, encoding="utf-8") as stream:
            found = _lines(stream)
    lines = [line for line in found if line.strip()]
    if not lines:
        raise DomainError(f"{path or 'standard input'}: no lines of text in it")
    return lines


def _lines(stream: object) -> list[str]:
    return [str(line).rstrip("\r\n") for line in stream]  # type: ignore[attr-defined]

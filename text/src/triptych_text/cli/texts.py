"""Where the commands get their texts."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from typing import TextIO

from triptych.errors import DomainError, FileFormatError

__all__ = ["argument", "lines_of", "numbered_lines", "texts_of"]

UNDECODED = re.compile("[\udc80-\udcff]")  # how Python keeps bytes that it cannot read


def texts_of(arguments: argparse.Namespace) -> list[str]:
    """The texts of the command line, or else the lines of standard input.

    Args:
        arguments: `texts`.

    Raises:
        DomainError: there are none at all.
        FileFormatError: an argument or standard input is not UTF-8.
    """
    given = [argument(text) for text in arguments.texts]
    texts = given or [line for line in _lines(sys.stdin, "standard input") if line]
    if not texts:
        raise DomainError("no text: give one as an argument, or lines on standard input")
    return texts


def argument(text: str) -> str:
    """A text of the command line, if it is one.

    Args:
        text: as Python read it.

    Raises:
        FileFormatError: it was not UTF-8.
    """
    if UNDECODED.search(text):
        raise FileFormatError(f"{text.encode(errors='backslashreplace').decode()}: not UTF-8")
    return text


def numbered_lines(path: str | None) -> list[tuple[int, str]]:
    """The lines of a file, or of standard input, that hold something, and their numbers from 1.

    Args:
        path: None for standard input.

    Raises:
        DomainError: there are none.
        FileFormatError: it is not UTF-8.
        OSError: the file cannot be read.
    """
    found = _lines(sys.stdin, "standard input") if path is None else lines_of(path)
    lines = [(i, line) for i, line in enumerate(found, 1) if line.strip()]
    if not lines:
        raise DomainError(f"{path or 'standard input'}: no lines of text in it")
    return lines


def lines_of(path: str) -> Iterator[str]:
    """The lines of a file without their ends.

    Args:
        path: of a text file.

    Raises:
        FileFormatError: it is not UTF-8.
        OSError: it cannot be read.
    """
    with open(path, encoding="utf-8") as stream:
        yield from _lines(stream, path)


def _lines(stream: TextIO, name: str) -> Iterator[str]:
    try:
        for number, line in enumerate(stream, 1):
            if UNDECODED.search(line):
                raise FileFormatError(f"{name}: line {number} is not text in UTF-8")
            # Windows begins files with a mark that belongs to no text.
            yield (line.removeprefix("\ufeff") if number == 1 else line).rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{name}: not text in UTF-8: {error}") from error

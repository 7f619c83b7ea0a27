"""Records of files, each with the place it stands in, and decoders that make rows of them.

A reader yields `(place, record)`, where a place is a file's name and a line's number from 1; a
decoder makes a row of a record. What a decoder cannot read becomes an error that names the place.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, NamedTuple

from triptych.errors import FileFormatError

from .streams import text_of

__all__ = ["Decode", "Place", "Record", "blocks", "decoded", "document", "json_lines", "lines",
           "list_of", "table"]  # fmt: skip

LONGEST_CELL = 1 << 27  # characters; csv's own bound of 128 Ki is below some news and answers
WRONG = (ValueError, KeyError, IndexError, TypeError)


class Place(NamedTuple):
    """Where a record stands."""

    name: str
    number: int
    unit: str = "line"

    def __str__(self) -> str:
        return f"{self.name}, {self.unit} {self.number}"


Record = tuple[Place, Any]
Decode = Callable[[Any], Any]


def lines(
    stream: IO[bytes], name: str, *, keep_end: bool = False, newline: str | None = None
) -> Iterator[Record]:
    """The lines of a text.

    Args:
        stream: of the file.
        name: for places.
        keep_end: leave the newline at the end of each.
        newline: what ends a line, as of `open`; "\\n" where a carriage return may stand in a line.
    """
    number = 0
    try:
        with text_of(stream, newline) as text:
            for number, line in enumerate(text, 1):
                yield Place(name, number), line if keep_end else line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{name}, after line {number}: no text in UTF-8 ({error})") from error


def table(
    stream: IO[bytes], name: str, *, delimiter: str = ",", quoted: bool = True, skip: int = 0
) -> Iterator[Record]:
    """The rows of a table, as lists of cells.

    Args:
        stream: of the file.
        name: for places, whose numbers are those of a row's last line.
        delimiter: between cells.
        quoted: whether '"' may enclose a cell, with line breaks in it.
        skip: rows at the top to leave out.
    """
    source = lines(stream, name, keep_end=quoted)
    rows = _quoted(source, name, delimiter) if quoted else _plain(source, delimiter)
    for count, record in enumerate(rows):
        if count >= skip and record[1]:
            yield record


def _plain(source: Iterator[Record], delimiter: str) -> Iterator[Record]:
    for place, line in source:
        yield place, line.split(delimiter) if line else []


def _quoted(source: Iterator[Record], name: str, delimiter: str) -> Iterator[Record]:
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_CELL))
    reader = csv.reader((line for _, line in source), delimiter=delimiter)
    try:
        for cells in reader:
            yield Place(name, reader.line_num), cells
    except csv.Error as error:
        raise FileFormatError(f"{Place(name, reader.line_num)}: {error}") from error


def json_lines(stream: IO[bytes], name: str) -> Iterator[Record]:
    """The values of a file with one in JSON on each line; empty lines are left out."""
    for place, line in lines(stream, name):
        if line.strip():
            try:
                yield place, json.loads(line)
            except (ValueError, RecursionError) as error:
                raise FileFormatError(f"{place}: no JSON ({error})") from error


def list_of(values: Iterable[Any], name: str, unit: str = "entry") -> Iterator[Record]:
    """Values that are there already, with places by their number."""
    for number, value in enumerate(values, 1):
        yield Place(name, number, unit), value


def blocks(stream: IO[bytes], name: str) -> Iterator[Record]:
    """Lines up to the next empty one, as lists; sentences with one word on each line."""
    block: list[str] = []
    place = Place(name, 1)
    for place, line in lines(stream, name):
        if line.strip():
            block.append(line.strip())
        elif block:
            yield place, block
            block = []
    if block:
        yield place, block


def document(stream: IO[bytes], name: str) -> Iterator[Record]:
    """One record with the name and the text of a whole file."""
    try:
        with text_of(stream) as text:
            content = text.read()
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{name}: no text in UTF-8 ({error})") from error
    yield Place(name, 1), (name, content)


def decoded(dataset: str, decode: Decode, record: Record) -> Any:
    """A record as a row; None means to leave it out.

    Args:
        dataset: for the error.
        decode: makes a row of what the record holds.
        record: and its place.

    Raises:
        FileFormatError: the record is not of the form that the decoder reads.
    """
    place, content = record
    try:
        return decode(content)
    except WRONG as error:
        raise FileFormatError(
            f"{dataset}: {place}: malformed: {str(content)[:80]!r} "
            f"({type(error).__name__}: {error})"
        ) from error

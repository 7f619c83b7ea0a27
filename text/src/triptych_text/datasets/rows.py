"""Decoders: from the cells or the text of a record to a row."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["labelled_cells", "Numbered", "Picked", "story", "summary", "Tagged"]


def labelled_cells(cells: list[str]) -> tuple[int, str]:
    """(label, text) of a row whose other cells are put together, as in the sets of Zhang et al."""
    return int(cells[0]), " ".join(_all(cells[1:]))


def _all(cells: list[str]) -> list[str]:
    if not cells:
        raise ValueError("wanted a label and a text")
    return cells


@dataclass(frozen=True)
class Picked:
    """Some cells of a row, or of an object, converted.

    Args:
        cells: which, and what converts each; None leaves the text as it is.
        count: how many cells a row has; others are an error, or left out with skip_others.
        skip_others: leave out rows with another number of cells.
        only: a cell, and the values for which to take the row; others are left out.
    """

    cells: tuple[tuple[Any, Callable[[Any], Any] | None], ...]
    count: int | tuple[int, ...] | None = None
    skip_others: bool = False
    only: tuple[Any, frozenset[str]] | None = None

    def __call__(self, row: Any) -> tuple[Any, ...] | None:
        counts = (self.count,) if isinstance(self.count, int) else self.count
        if counts is not None and len(row) not in counts:
            if self.skip_others:
                return None
            raise ValueError(f"wanted {' or '.join(map(str, counts))} cells, got {len(row)}")
        if self.only is not None and row[self.only[0]] not in self.only[1]:
            return None
        return tuple(row[at] if convert is None else convert(row[at]) for at, convert in self.cells)


@dataclass(frozen=True)
class Numbered:
    """A name as its number."""

    numbers: Mapping[str, int]

    def __call__(self, name: str) -> int:
        if name not in self.numbers:
            raise ValueError(f"wanted one of {', '.join(self.numbers)}, got {name!r}")
        return self.numbers[name]


@dataclass(frozen=True)
class Tagged:
    """Columns of a sentence with one word on each line, as lists.

    Args:
        separator: between a word and its tags; None is white space.
        columns: how many there are; any number if None.
        skip: a first word that makes the block no sentence.
    """

    separator: str | None = None
    columns: int | None = None
    skip: str = ""

    def __call__(self, block: list[str]) -> list[list[str]] | None:
        cells = [line.split(self.separator) for line in block]
        if self.skip and cells[0][0] == self.skip:
            return None
        widths = {len(line) for line in cells}
        if len(widths) > 1 or (self.columns is not None and widths != {self.columns}):
            raise ValueError(f"wanted {self.columns or 'as many'} columns on each line")
        return [list(column) for column in zip(*cells, strict=True)]


# Marks that end a sentence. Source: abisee/cnn-dailymail, make_datafiles.py, as in torchtext.
SENTENCE_ENDS = (".", "!", "?", "...", "'", "`", '"', "\u2019", "\u201d", ")", "\n")


def story(named: tuple[str, str]) -> tuple[str, str]:
    """(article, abstract) of a story of CNN or the Daily Mail.

    Lines that end without a mark get " ."; the line after "@highlight" is one of the abstract.
    """
    article: list[str] = []
    highlights: list[str] = []
    into = article
    for line in named[1].split("\n"):
        line = line.strip()
        if line.startswith("@highlight"):
            into = highlights
        elif line:
            into.append(
                line if line.endswith(SENTENCE_ENDS) or "@highlight" in line else f"{line} ."
            )
    return " ".join(article), " ".join(highlights)


# What BBC pages say around an article. Source: the loader of the Hugging Face data set "xsum".
PAGE_WORDS = frozenset(
    [
        "Share this with",
        "Email",
        "Facebook",
        "Messenger",
        "Twitter",
        "Pinterest",
        "WhatsApp",
        "Linkedin",
        "LinkedIn",
        "Copy this link",
        "These are external links and will open in a new window",
    ]
)
SECTION = re.compile(r"\[SN\](.+?)\[SN\]")


def summary(named: tuple[str, str]) -> tuple[str, str]:
    """(document, summary) of an article of XSum, whose parts have headings such as [SN]URL[SN]."""
    kept = [line for line in named[1].split("\n") if line.strip() and line not in PAGE_WORDS]
    pieces = SECTION.split("\n".join(kept))
    parts = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    return parts["RESTBODY"].strip(), parts["FIRST-SENTENCE"].strip()

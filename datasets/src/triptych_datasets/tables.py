"""Tables of text."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["print_table"]


def print_table(rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()) -> None:
    """Print rows under each other.

    Args:
        rows: cells; the first row is the head.
        numbers: columns that are flush right.

    Example:
        >>> print_table([("NAME", "SIZE"), ("a", "7"), ("b", "12")], numbers=[1])
        NAME  SIZE
        a        7
        b       12
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(width) if place in numbers else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())

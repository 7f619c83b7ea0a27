"""Measurements side by side."""

from __future__ import annotations

from collections.abc import Iterable

from .measurement import Measurement, seconds

__all__ = ["Compare"]


class Compare:
    """A table per label, with a row per sub_label and a column per description.

    Args:
        results: measurements; those of the same thing are merged.

    Example:
        >>> made = [Measurement(1, [t], label="add", sub_label="n=8", description=d)
        ...         for t, d in ((2e-6, "ours"), (4e-6, "theirs"))]
        >>> print(Compare(made))
        add
              ours  theirs
        n=8   2 us    4 us
    """

    def __init__(self, results: Iterable[Measurement]) -> None:
        self._results = list(results)
        self._digits: int | None = None
        self._mark = False

    def extend_results(self, results: Iterable[Measurement]) -> None:
        """Add measurements."""
        self._results += results

    def trim_significant_figures(self) -> None:
        """Show only the digits that mean something."""
        self._digits = 0

    def highlight_fastest(self) -> None:
        """Mark the fastest of each row with a star."""
        self._mark = True

    def print(self) -> None:
        """Print all tables."""
        print(self)

    def __str__(self) -> str:
        tables: dict[str, list[Measurement]] = {}
        for m in Measurement.merge(self._results):
            tables.setdefault(m.label or m.title, []).append(m)
        return "\n\n".join(self._table(title, found) for title, found in tables.items())

    def _table(self, title: str, found: list[Measurement]) -> str:
        columns = list(dict.fromkeys(_column(m) for m in found))
        rows: dict[str, dict[str, Measurement]] = {}
        for m in found:
            rows.setdefault(_row(m), {})[_column(m)] = m
        lines = [["", *columns]]
        for name, cells in rows.items():
            best = min(m.median for m in cells.values())
            lines.append([name, *(self._cell(cells.get(c), best) for c in columns)])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        texts = [
            "  ".join(
                c.ljust(w + 1) if i == 0 else c.rjust(w)
                for i, (c, w) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        ]
        return "\n".join([title, *texts])

    def _cell(self, m: Measurement | None, best: float) -> str:
        if m is None:
            return ""
        star = "*" if self._mark and m.median == best else ""
        return star + seconds(m.median, 4 if self._digits is None else m.significant_figures)


def _row(m: Measurement) -> str:
    threads = f" ({m.num_threads} threads)" if m.num_threads > 1 else ""
    return (m.sub_label or m.stmt.strip()) + threads


def _column(m: Measurement) -> str:
    return " ".join(t for t in (m.description, m.env) if t) or "time"

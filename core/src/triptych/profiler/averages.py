"""Events summed up by name, and their table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .events import Event

__all__ = ["EventList", "FunctionEventAvg"]


class FunctionEventAvg:
    """The sum of all events of one name (and, if asked for, one list of shapes or one stack).

    Times are in microseconds, memory in bytes.

    Attributes:
        key: the name.
        category: of the events.
        count: how many events.
        cpu_time_total, self_cpu_time_total: with and without the events inside.
        cpu_memory_usage, self_cpu_memory_usage: bytes held more at the end than at the start.
        peak_memory: the most that was held in between, over what was held at the start.
        flops: floating-point operations of contractions.
        input_shapes, stack: those that all have in common, if the sums were made by them.
    """

    def __init__(self, first: Event) -> None:
        self.key, self.category, self.count = first.name, first.category, 0
        self.cpu_time_total = self.self_cpu_time_total = 0.0
        self.cpu_memory_usage = self.self_cpu_memory_usage = self.peak_memory = self.flops = 0
        self.input_shapes, self.stack = first.shapes, first.stack or ()

    @property
    def cpu_time(self) -> float:
        """Microseconds per call."""
        return self.cpu_time_total / self.count

    def add(self, event: Event) -> None:
        """Take in one more event."""
        self.count += 1
        self.cpu_time_total += event.duration / 1e3
        self.self_cpu_time_total += event.self_time / 1e3
        self.cpu_memory_usage += event.memory or 0
        self.self_cpu_memory_usage += event.self_memory
        self.peak_memory = max(self.peak_memory, event.peak or 0)
        self.flops += event.flops or 0

    def __repr__(self) -> str:
        return f"FunctionEventAvg({self.key!r}, {self.count} calls, {self.cpu_time_total:.1f} us)"


Cell = Callable[[FunctionEventAvg, float], str]
# heading: (the text of a cell from the sum and the total time, whether the column is of interest)
_COLUMNS: dict[str, tuple[Cell, Callable[[FunctionEventAvg], Any]]] = {
    "Self %": (lambda a, total: f"{a.self_cpu_time_total / total:.1%}", lambda a: True),
    "Self time": (lambda a, total: _time(a.self_cpu_time_total), lambda a: True),
    "Total time": (lambda a, total: _time(a.cpu_time_total), lambda a: True),
    "Per call": (lambda a, total: _time(a.cpu_time), lambda a: True),
    "Calls": (lambda a, total: str(a.count), lambda a: True),
    "Self memory": (lambda a, total: _bytes(a.self_cpu_memory_usage), lambda a: a.peak_memory),
    "Peak": (lambda a, total: _bytes(a.peak_memory), lambda a: a.peak_memory),
    "FLOP": (
        lambda a, total: _scaled(a.flops, 1000, ("", " K", " M", " G", " T")),
        lambda a: a.flops,
    ),
}


class EventList(list[FunctionEventAvg]):
    """Sums of events; prints as a table."""

    def table(
        self,
        sort_by: str | None = None,
        row_limit: int = 100,
        max_name_column_width: int = 55,
        max_shapes_column_width: int = 80,
    ) -> str:
        """The sums as text, a row each.

        Args:
            sort_by: an attribute of `FunctionEventAvg` such as "self_cpu_time_total" or
                "self_cpu_memory_usage", largest first; None for the order of first calls.
            row_limit: rows to show; -1 for all.
            max_name_column_width, max_shapes_column_width: longer texts are cut.

        Raises:
            ValueError: there is no such attribute to sort by.
        """
        rows = self._sorted(sort_by)
        shown = rows if row_limit < 0 else rows[:row_limit]
        total = sum(a.self_cpu_time_total for a in self) or 1.0
        heads = [h for h, (_, relevant) in _COLUMNS.items() if any(map(relevant, self))]
        lines = [["Name", *heads]]
        with_shapes = any(a.input_shapes is not None and a.input_shapes for a in self)
        if with_shapes:
            lines[0].append("Input shapes")
        for a in shown:
            line = [_cut(a.key, max_name_column_width), *(_COLUMNS[h][0](a, total) for h in heads)]
            if with_shapes:
                line.append(
                    _cut(str(list(map(list, a.input_shapes or ()))), max_shapes_column_width)
                )
            lines.append(line)
        text = _aligned(lines)
        hidden = len(rows) - len(shown)
        more = f"... and {hidden} more\n" if hidden else ""
        return f"{text}{more}Total: {_time(total)} in operations and ranges\n"

    def _sorted(self, sort_by: str | None) -> list[FunctionEventAvg]:
        if sort_by is None:
            return list(self)
        if self and not isinstance(getattr(self[0], sort_by, None), (int, float)):
            known = sorted(k for k, v in vars(self[0]).items() if isinstance(v, (int, float)))
            raise ValueError(f"table: cannot sort by {sort_by!r}; choose from {', '.join(known)}")
        return sorted(self, key=lambda a: getattr(a, sort_by), reverse=True)

    def total_average(self) -> FunctionEventAvg | None:
        """Everything in one sum; None if there are no events."""
        if not self:
            return None
        whole = FunctionEventAvg(Event("Total", "cpu_op", None))
        for a in self:
            whole.count += a.count
            for name in ("self_cpu_time_total", "self_cpu_memory_usage", "flops"):
                setattr(whole, name, getattr(whole, name) + getattr(a, name))
        whole.cpu_time_total, whole.cpu_memory_usage = (
            whole.self_cpu_time_total,
            whole.self_cpu_memory_usage,
        )
        whole.peak_memory = max(a.peak_memory for a in self)
        return whole

    def __str__(self) -> str:
        return self.table()


def averages(events: Iterable[Event], by_shape: bool, stack_depth: int) -> EventList:
    """Events summed up by name, and by shapes or the innermost frames if asked for."""
    found: dict[Any, FunctionEventAvg] = {}
    for event in events:
        stack = (event.stack or ())[:stack_depth]
        key = (event.name, event.category, event.shapes if by_shape else None, stack)
        if key not in found:
            made = found[key] = FunctionEventAvg(event)
            made.input_shapes, made.stack = key[2], stack
        found[key].add(event)
    return EventList(found.values())


def _aligned(lines: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = "  ".join("-" * w for w in widths)
    texts = [
        "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(pairs))
        for pairs in (list(zip(line, widths, strict=True)) for line in lines)
    ]
    return "\n".join([rule, texts[0], rule, *texts[1:], rule]) + "\n"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


def _time(us: float) -> str:
    return (
        f"{us / 1e6:.3f} s" if us >= 1e6 else f"{us / 1e3:.3f} ms" if us >= 1e3 else f"{us:.1f} us"
    )


def _bytes(n: int) -> str:
    return _scaled(n, 1024, (" B", " KiB", " MiB", " GiB", " TiB"))


def _scaled(n: float, step: int, units: tuple[str, ...]) -> str:
    for unit in units[:-1]:
        if abs(n) < step:
            return f"{n:.4g}{unit}"
        n /= step
    return f"{n:.4g}{units[-1]}"

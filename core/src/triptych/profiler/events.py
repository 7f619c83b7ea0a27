"""What a profile records: one event per operation, range and step; and the trace that does it."""

from __future__ import annotations

import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

from ..callsite import is_ours
from ..prims.table import Prim
from ..prims.trace import Trace
from ..tensor import Symbol

__all__ = ["Event", "Recorder"]


class Event:
    """One operation or range.

    Attributes:
        name: of the primitive, or what the range was called.
        category: "cpu_op" or "user_annotation".
        start, duration: in nanoseconds of `time.perf_counter_ns`.
        parent: the event around this one, or None.
        depth: how many events are around it.
        thread: identifier of the thread.
        shapes: of the inputs, one tuple each (() for numbers); None unless recorded.
        stack: "file:line function", innermost first; None unless recorded.
        memory: bytes that are held more at the end than at the start; None unless recorded.
        peak: bytes held in between, over what was held at the start; None unless recorded.
        flops: floating-point operations of a contraction; 0 for others, None unless recorded.
        children_time, children_memory: sums over the events directly inside.
    """

    __slots__ = (
        "category",
        "children_memory",
        "children_time",
        "depth",
        "duration",
        "flops",
        "memory",
        "name",
        "parent",
        "peak",
        "shapes",
        "stack",
        "start",
        "thread",
    )

    def __init__(self, name: str, category: str, parent: Event | None) -> None:
        self.name, self.category, self.parent = name, category, parent
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.thread, self.start, self.duration = threading.get_ident(), 0, 0
        self.shapes: tuple[tuple[int, ...], ...] | None = None
        self.stack: tuple[str, ...] | None = None
        self.memory: int | None = None
        self.peak: int | None = None
        self.flops: int | None = None
        self.children_time = self.children_memory = 0

    @property
    def self_time(self) -> int:
        """Nanoseconds outside the events inside this one."""
        return self.duration - self.children_time

    @property
    def self_memory(self) -> int:
        """Bytes held more, but for those of the events inside this one."""
        return (self.memory or 0) - self.children_memory

    def __repr__(self) -> str:
        return f"Event({self.name!r}, {self.duration / 1e3:.1f} us)"


class Recorder(Trace):
    """Times every primitive while it is active, in the thread that entered it.

    Args:
        shapes, memory, stacks, flops: what to record besides the time.
    """

    alters = False

    def __init__(self, shapes: bool, memory: bool, stacks: bool, flops: bool) -> None:
        self.shapes, self.memory, self.stacks, self.flops = shapes, memory, stacks, flops
        self.events: list[Event] = []
        self.timeline: list[tuple[int, int]] = []  # (nanoseconds, bytes held)
        self.open: list[Event] = []

    def key(self) -> Any:
        """Graphs run as such: a replay is not what is looked at."""
        return None

    def process(self, prim: Prim, raw: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Compute a primitive and note how long it took."""
        event = self.begin(prim.name, "cpu_op")
        if self.shapes:
            event.shapes = tuple(tuple(getattr(x, "shape", ())) for x in raw)
        try:
            out = super().process(prim, raw, params)
        finally:
            self.end(event)
        if self.flops:
            from .flops import flops_of

            first = out[0] if prim.outputs > 1 else out
            event.flops = 0 if isinstance(first, Symbol) else flops_of(prim, raw, params, first)
        return out

    def around_backward(self, run: Callable[[], Any]) -> Any:
        """A pass over the tape is a range of its own."""
        event = self.begin("backward", "user_annotation")
        try:
            return super().around_backward(run)
        finally:
            self.end(event)

    def begin(self, name: str, category: str) -> Event:
        """Open an event inside those that are open."""
        event = Event(name, category, self.open[-1] if self.open else None)
        self.open.append(event)
        if self.stacks:
            event.stack = user_stack()
        if self.memory:
            event.memory = event.peak = self._look_at_memory()
        event.start = time.perf_counter_ns()
        return event

    def end(self, event: Event) -> None:
        """Close an event, which is the last that is open."""
        event.duration = time.perf_counter_ns() - event.start
        if self.memory:
            held, before = self._look_at_memory(), event.memory or 0
            event.memory, event.peak = held - before, (event.peak or 0) - before
            self.timeline.append((event.start + event.duration, held))
        self.open.pop()
        if event.parent is not None:
            event.parent.children_time += event.duration
            event.parent.children_memory += event.memory or 0
        self.events.append(event)

    def _look_at_memory(self) -> int:
        """Bytes held now; open events, whose `peak` is absolute, hear of the peak since last."""
        held, peak = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for event in self.open:
            event.peak = max(event.peak or 0, peak)
        return held


def user_stack() -> tuple[str, ...]:
    """The frames outside the five packages, innermost first."""
    frame, found = sys._getframe(1), []
    while frame is not None:
        if not is_ours(frame.f_globals):
            code = frame.f_code
            found.append(f"{code.co_filename}:{frame.f_lineno} {code.co_name}")
        frame = frame.f_back  # type: ignore[assignment]
    return tuple(found)

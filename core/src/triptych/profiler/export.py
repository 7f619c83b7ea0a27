"""Profiles as files: a Chrome trace, folded stacks, memory over time."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..serialization.atomic import atomic_write
from .events import Event

__all__ = ["write_chrome_trace", "write_memory_timeline", "write_stacks"]


def write_chrome_trace(
    path: str | os.PathLike[str],
    events: Sequence[Event],
    timeline: Sequence[tuple[int, int]],
    metadata: dict[str, str],
) -> None:
    """The events for chrome://tracing or ui.perfetto.dev; a name that ends in .gz is compressed.

    Source: the Trace Event Format: complete events ("X"), counters ("C"), metadata ("M").
    """
    pid = os.getpid()
    records: list[dict[str, Any]] = [
        {"ph": "M", "name": "process_name", "pid": pid, "tid": 0, "args": {"name": "triptych"}}
    ]
    for event in sorted(events, key=lambda e: e.start):
        record = {"ph": "X", "cat": event.category, "name": event.name, "pid": pid}
        record |= {"tid": event.thread, "ts": event.start / 1e3, "dur": event.duration / 1e3}
        records.append(record | {"args": _arguments(event)})
    for moment, held in timeline:
        counter = {"ph": "C", "name": "memory", "pid": pid, "tid": 0, "ts": moment / 1e3}
        records.append(counter | {"args": {"bytes": held}})
    _write("export_chrome_trace", path, json.dumps({"traceEvents": records, **metadata}))


def _arguments(event: Event) -> dict[str, Any]:
    named = {
        "Input Dims": event.shapes and [list(s) for s in event.shapes],
        "Call stack": event.stack and "\n".join(event.stack),
        "Bytes held more": event.memory,
        "Peak bytes": event.peak,
        "FLOP": event.flops,
    }
    return {k: v for k, v in named.items() if v}


def write_stacks(path: str | os.PathLike[str], events: Sequence[Event], metric: str) -> None:
    """One line per stack, "outermost;...;innermost microseconds", for flame graphs.

    Raises:
        ValueError: metric is unknown, or no stacks were recorded.
    """
    if metric not in ("self_cpu_time_total", "self_cuda_time_total"):
        raise ValueError(f"export_stacks: metric should be 'self_cpu_time_total', got {metric!r}")
    totals: Counter[str] = Counter()
    for event in events:
        if event.stack:
            frames = [frame.replace(";", ",") for frame in reversed(event.stack)]
            totals[";".join([*frames, event.name])] += event.self_time // 1000
    if not totals:
        raise ValueError("export_stacks: no stacks were recorded; use profile(with_stack=True)")
    _write("export_stacks", path, "".join(f"{stack} {us}\n" for stack, us in totals.items() if us))


def write_memory_timeline(
    path: str | os.PathLike[str], timeline: Sequence[tuple[int, int]]
) -> None:
    """Bytes held after each operation, as JSON: {"ns": [...], "bytes": [...]}.

    Raises:
        ValueError: no memory was recorded.
    """
    if not timeline:
        raise ValueError(
            "export_memory_timeline: no memory was recorded; use profile(profile_memory=True)"
        )
    moments, held = zip(*timeline, strict=True)
    _write("export_memory_timeline", path, json.dumps({"ns": moments, "bytes": held}))


def _write(caller: str, path: str | os.PathLike[str], text: str) -> None:
    data = text.encode()
    with atomic_write(path, caller) as file:
        file.write(gzip.compress(data) if str(path).endswith(".gz") else data)

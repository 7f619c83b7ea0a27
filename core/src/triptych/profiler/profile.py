"""`profile`, the context in which operations are recorded, and `record_function`, a named range."""

from __future__ import annotations

import enum
import functools
import os
import socket
import time
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import TriptychError
from ..prims.trace import chain
from .averages import EventList, averages
from .events import Event, Recorder
from .export import write_chrome_trace, write_memory_timeline, write_stacks
from .schedule import ProfilerAction

__all__ = [
    "ProfilerActivity",
    "profile",
    "record_function",
    "supported_activities",
    "tensorboard_trace_handler",
]

Handler = Callable[["profile"], None]


class ProfilerActivity(enum.Enum):
    """What can be recorded. Kernels on a GPU are timed where they are launched."""

    CPU = 0
    CUDA = 1


def supported_activities() -> set[ProfilerActivity]:
    """What `profile` records: calls, on the processor."""
    return {ProfilerActivity.CPU}


class profile:  # noqa: N801 -- torch's spelling
    """Inside, every operation of this thread is recorded: name, time, and what else is asked for.

    Times are those of the kernels, without the few microseconds of dispatch, which is slower while
    profiling.

    Args:
        activities: accepted for compatibility; see `supported_activities`.
        schedule: which steps to record, as `schedule` makes it; default all.
        on_trace_ready: called with the profile at the end of each recorded cycle.
        record_shapes: keep the shapes of inputs.
        profile_memory: keep how much memory each operation takes, and needs in between. Python's
            `tracemalloc` counts it, which slows allocation down.
        with_stack: keep the user's frames.
        with_flops: count the operations of matrix products and convolutions.
        with_modules: record a range for each module that is called.
        acc_events: keep events of earlier cycles, too.

    Example:
        >>> with profile(record_shapes=True) as prof:
        ...     _ = triptych.ones(3, 4) @ triptych.ones(4, 5)
        >>> [(e.name, e.shapes) for e in prof.events() if e.name == "matmul"]
        [('matmul', ((3, 4), (4, 5)))]
    """

    def __init__(
        self,
        *,
        activities: Iterable[ProfilerActivity] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Handler | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
        acc_events: bool = False,
    ) -> None:
        self._schedule = schedule or (lambda step: ProfilerAction.RECORD)
        self._by_steps = schedule is not None
        self._ready, self._accumulate = on_trace_ready, acc_events
        self._options = (record_shapes, profile_memory, with_stack, with_flops)
        self._memory, self._modules = profile_memory, with_modules
        self.step_num, self._events, self._timeline = 0, list[Event](), list[tuple[int, int]]()
        self._recorder: Recorder | None = None
        self._metadata: dict[str, str] = {}
        self._started_tracing, self._hooks = False, list[Any]()
        self._step_event: Event | None = None

    # The life of a profile

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin with the first step."""
        if self._memory and not tracemalloc.is_tracing():
            tracemalloc.start()
            self._started_tracing = True
        if self._modules:
            self._hooks = _watch_modules(self)
        self._enter_step()

    def stop(self) -> None:
        """End the last step."""
        recorded = self._recorder is not None
        self._leave_step()
        if recorded and self._ready is not None:
            self._ready(self)
        for handle in self._hooks:
            handle.remove()
        if self._started_tracing:
            tracemalloc.stop()
            self._started_tracing = False

    def step(self) -> None:
        """The loop begins its next step."""
        before = self._schedule(self.step_num)
        self._leave_step()
        if before is ProfilerAction.RECORD_AND_SAVE and self._ready is not None:
            self._ready(self)
        self.step_num += 1
        self._enter_step()

    def _enter_step(self) -> None:
        recording = self._schedule(self.step_num).value >= ProfilerAction.RECORD.value
        if not recording:
            return
        first = self.step_num == 0 or not self._recorded_before()
        if first and not self._accumulate:
            self._events, self._timeline = [], []
        self._recorder = Recorder(*self._options)
        self._recorder.__enter__()
        if self._by_steps or self.step_num:
            name = f"ProfilerStep#{self.step_num}"
            self._step_event = self._recorder.begin(name, "user_annotation")

    def _recorded_before(self) -> bool:
        return self._schedule(self.step_num - 1) is ProfilerAction.RECORD

    def _leave_step(self) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            return
        if self._step_event is not None:
            recorder.end(self._step_event)
            self._step_event = None
        recorder.__exit__(None, None, None)
        self._events += recorder.events
        self._timeline += recorder.timeline

    # What was recorded

    def events(self) -> list[Event]:
        """All events, in the order in which they began."""
        return sorted(self._events, key=lambda e: e.start)

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0
    ) -> EventList:
        """Events summed up by name.

        Args:
            group_by_input_shape: and by the shapes of inputs (needs record_shapes).
            group_by_stack_n: and by this many of the innermost frames (needs with_stack).
        """
        return averages(self.events(), group_by_input_shape, group_by_stack_n)

    def export_chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Write the events for chrome://tracing or ui.perfetto.dev (compressed, with .gz)."""
        write_chrome_trace(path, self._events, self._timeline, self._metadata)

    def export_stacks(
        self, path: str | os.PathLike[str], metric: str = "self_cpu_time_total"
    ) -> None:
        """Write folded stacks with times in microseconds, for flame graphs."""
        write_stacks(path, self._events, metric)

    def export_memory_timeline(
        self, path: str | os.PathLike[str], device: str | None = None
    ) -> None:
        """Write the bytes held after each operation as JSON; device is there for compatibility."""
        write_memory_timeline(path, self._timeline)

    def add_metadata(self, key: str, value: str) -> None:
        """Add a text to the Chrome trace."""
        self._metadata[key] = value


def recorders() -> list[Recorder]:
    """The recorders that are active in this thread."""
    return [trace for trace in chain() if isinstance(trace, Recorder)]


class record_function:  # noqa: N801 -- torch's spelling
    """A named range: a context or a decorator. Without an active profile it does nothing.

    Args:
        name: what to call it.
        args: a text for the reader; it is put behind the name.

    Example:
        >>> @record_function("load")
        ... def load():
        ...     return triptych.ones(3)
        >>> with profile() as prof:
        ...     _ = load()
        >>> "load" in [e.name for e in prof.events()]
        True
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name if args is None else f"{name}: {args}"
        self._open: list[list[tuple[Recorder, Event]]] = []

    def __enter__(self) -> record_function:
        began = [
            (recorder, recorder.begin(self.name, "user_annotation")) for recorder in recorders()
        ]
        self._open.append(began)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for recorder, event in self._open.pop():
            if event in recorder.open:
                recorder.end(event)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with record_function(self.name):
                return function(*args, **kwargs)

        return wrapped


def _watch_modules(owner: profile) -> list[Any]:
    """Hooks that record a range for each call of a module."""
    from ..nn.modules.module import (
        register_module_forward_hook,
        register_module_forward_pre_hook,
    )

    ranges: list[record_function] = []

    def before(module: Any, args: Any) -> None:
        ranges.append(record_function(f"nn.{type(module).__name__}").__enter__())

    def after(module: Any, args: Any, output: Any) -> None:
        ranges.pop().__exit__(None, None, None)

    return [
        register_module_forward_pre_hook(before),
        register_module_forward_hook(after, always_call=True),
    ]


def tensorboard_trace_handler(
    dir_name: str | os.PathLike[str], worker_name: str | None = None, use_gzip: bool = False
) -> Handler:
    """A handler for ``on_trace_ready`` that writes a Chrome trace per cycle into a folder.

    Args:
        dir_name: is made if missing.
        worker_name: begins the file names; default host and process.
        use_gzip: compress.

    Raises:
        TriptychError: the folder is a file.
    """
    folder = Path(dir_name)
    if folder.exists() and not folder.is_dir():
        raise TriptychError(f"tensorboard_trace_handler: {folder} is a file; give a folder")
    name = worker_name or f"{socket.gethostname()}_{os.getpid()}"

    def handle(prof: profile) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        suffix = ".gz" if use_gzip else ""
        prof.export_chrome_trace(folder / f"{name}.{time.time_ns()}.pt.trace.json{suffix}")

    return handle

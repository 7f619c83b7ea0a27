"""cupy.cuda: devices, streams, events and memory, of which there is nothing behind."""

from __future__ import annotations

import contextlib
import threading
import time
from types import SimpleNamespace
from typing import Any, ClassVar

from .capture import Graph
from .counts import COUNTS


class _Current(threading.local):
    device = 0

    def __init__(self) -> None:
        self.streams: dict[int, Any] = {}  # by device


CURRENT = _Current()
DEVICES = 2


class CUDARuntimeError(RuntimeError):
    """cupy.cuda.runtime.CUDARuntimeError."""


class Device:
    """cupy.cuda.Device: a context that makes a device current for this thread."""

    def __init__(self, device: Any = None) -> None:
        self.id = CURRENT.device if device is None else int(getattr(device, "id", device))
        if not 0 <= self.id < DEVICES:
            raise CUDARuntimeError("cudaErrorInvalidDevice: invalid device ordinal")
        self._before: list[int] = []

    def __enter__(self) -> Device:
        self._before.append(CURRENT.device)
        CURRENT.device = self.id
        return self

    def __exit__(self, *error: object) -> None:
        CURRENT.device = self._before.pop()

    def use(self) -> None:
        """Make it current from now on."""
        CURRENT.device = self.id

    def synchronize(self) -> None:
        """Wait for all work of the device."""
        COUNTS.synchronizations += 1

    def __int__(self) -> int:
        return self.id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and self.id == other.id

    def __hash__(self) -> int:
        return self.id

    def __repr__(self) -> str:
        return f"<CUDA Device {self.id}>"


class Event:
    """cupy.cuda.Event."""

    def __init__(
        self, block: bool = False, disable_timing: bool = False, interprocess: bool = False
    ) -> None:
        self.done, self.reached, self.device_id = True, 0.0, CURRENT.device

    def record(self, stream: Any = None) -> None:
        where = CURRENT.device if stream is None or stream.device_id < 0 else stream.device_id
        if where != self.device_id:
            raise CUDARuntimeError("cudaErrorInvalidResourceHandle: invalid resource handle")
        self.reached = time.perf_counter()

    def synchronize(self) -> None:
        COUNTS.synchronizations += 1


class Stream:
    """cupy.cuda.Stream: work is done when it is queued."""

    null: ClassVar[Stream]

    def __init__(
        self,
        null: bool = False,
        non_blocking: bool = False,
        ptds: bool = False,
        priority: Any = None,
    ) -> None:
        self.ptr, self.done = (0 if null else id(self)), True
        self.device_id = -1 if null else CURRENT.device
        self._before: list[tuple[int, Any]] = []

    def __enter__(self) -> Stream:
        self._before.append((CURRENT.device, CURRENT.streams.get(CURRENT.device)))
        return self.use()

    def __exit__(self, *error: object) -> None:
        device, stream = self._before.pop()
        CURRENT.streams[device] = stream

    def use(self) -> Stream:
        if self.device_id not in (-1, CURRENT.device):
            raise RuntimeError(
                f"The device that the stream is created on ({self.device_id}) does not match with "
                f"the current device ({CURRENT.device})"
            )
        CURRENT.streams[CURRENT.device] = self
        return self

    def record(self, event: Event | None = None) -> Event:
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """Later work waits for the event."""

    def begin_capture(self, mode: Any = None) -> None:
        if self is Stream.null:
            raise RuntimeError("cannot capture on the default (legacy) stream")
        Graph.running = Graph()

    def end_capture(self) -> Graph:
        graph, Graph.running = Graph.running, None
        if graph is None:
            raise CUDARuntimeError("cudaErrorIllegalState: no capture on this stream")
        graph.finish()
        return graph

    def is_capturing(self) -> bool:
        return Graph.running is not None

    def synchronize(self) -> None:
        COUNTS.synchronizations += 1


Stream.null = Stream(null=True)


class MemoryHook:
    """cupy.cuda.MemoryHook: never called, as nothing is allocated."""

    def __enter__(self) -> MemoryHook:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing to undo."""


class MemoryPool:
    """cupy.cuda.MemoryPool."""

    def malloc(self, size: int) -> Any:
        raise NotImplementedError("arrays of the double do not come from its pools")

    def set_limit(self, size: Any = None, fraction: Any = None) -> None:
        """Nothing is held, so nothing is too much."""

    def used_bytes(self) -> int:
        return 0

    def total_bytes(self) -> int:
        return 0

    def free_all_blocks(self, stream: Any = None) -> None:
        """Nothing is held."""


def get_current_stream(device_id: int = -1) -> Stream:
    """cupy.cuda.get_current_stream."""
    found = CURRENT.streams.get(CURRENT.device if device_id < 0 else device_id)
    return Stream.null if found is None else found


def get_elapsed_time(start_event: Event, end_event: Event) -> float:
    """cupy.cuda.get_elapsed_time, in milliseconds."""
    return (end_event.reached - start_event.reached) * 1000


class PinnedMemoryPointer(bytearray):
    """cupy.cuda.PinnedMemoryPointer: memory with the buffer protocol."""


def alloc_pinned_memory(size: int) -> PinnedMemoryPointer:
    """cupy.cuda.alloc_pinned_memory."""
    return PinnedMemoryPointer(size)


class OutOfMemoryError(MemoryError):
    """cupy.cuda.memory.OutOfMemoryError."""


def _properties(device: int) -> dict[str, Any]:
    return {
        "name": b"NumPy in place of a GPU",
        "major": 9,
        "minor": 0,
        "totalGlobalMem": 4 << 30,
        "multiProcessorCount": 2,
        "warpSize": 32,
    }


def make_cuda() -> SimpleNamespace:
    """The namespace cupy.cuda."""
    runtime = SimpleNamespace(
        CUDARuntimeError=CUDARuntimeError,
        deviceCanAccessPeer=lambda a, b: int(a != b),
        getDeviceCount=lambda: DEVICES,
        getDeviceProperties=_properties,
        memGetInfo=lambda: (4 << 30, 4 << 30),
    )
    return SimpleNamespace(
        Device=Device,
        Event=Event,
        MemoryHook=MemoryHook,
        MemoryPool=MemoryPool,
        Stream=Stream,
        alloc_pinned_memory=alloc_pinned_memory,
        memory=SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
        using_allocator=lambda allocator: contextlib.nullcontext(),
        get_current_stream=get_current_stream,
        get_elapsed_time=get_elapsed_time,
        runtime=runtime,
    )

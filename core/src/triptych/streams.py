"""CUDA streams and events, through CuPy."""

from __future__ import annotations

from typing import Any

from .backends import Device, backend_for
from .errors import DTypeError
from .state import state

__all__ = [
    "Event",
    "Stream",
    "StreamContext",
    "current_stream",
    "default_stream",
    "set_stream",
    "stream",
]


def _cuda() -> Any:
    return backend_for(Device("cuda")).xp.cuda


def device_index(device: Any) -> int:
    """The index of a GPU, given as a number, a name or a device; None is the current one."""
    if device is None:
        return state.gpu
    where = Device(device)
    if where.type != "cuda":
        raise DTypeError(f"cuda: wanted a CUDA device, got {where}")
    return state.gpu if where.index is None else where.index


def _go_to(index: int) -> None:
    """Make a GPU the current one: CuPy takes streams and events of no other."""
    _cuda().Device(index).use()
    state.gpu = index


class Stream:
    """A queue of work on a GPU; streams run side by side. A context manager that makes it and its
    GPU current.

    Args:
        device: the GPU; default the current one.
        priority: lower numbers go first; default 0.
    """

    def __init__(self, device: Any = None, priority: int = 0, *, _queue: Any = None) -> None:
        cuda = _cuda()
        self.device_index = device_index(device)
        if _queue is None:
            with cuda.Device(self.device_index):
                _queue = cuda.Stream(non_blocking=True, priority=priority)
        self._queue = _queue
        self._before: list[int] = []  # GPUs to go back to

    @property
    def device(self) -> Device:
        """The GPU it belongs to."""
        return Device("cuda", self.device_index)

    @property
    def cuda_stream(self) -> int:
        """CUDA's handle."""
        return int(self._queue.ptr)

    def query(self) -> bool:
        """Whether all work queued here is done."""
        return bool(self._queue.done)

    def synchronize(self) -> None:
        """Wait until all work queued here is done."""
        self._queue.synchronize()

    def record_event(self, event: Event | None = None) -> Event:
        """Mark this point of the queue by an event, and return it."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """Let work queued from here on wait for an event; does not block."""
        self._queue.wait_event(event._made())

    def wait_stream(self, stream: Stream) -> None:
        """Let work queued from here on wait for all that is queued in another stream now."""
        self.wait_event(stream.record_event())

    def __enter__(self) -> Stream:
        self._before.append(state.gpu)
        _go_to(self.device_index)
        self._queue.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._queue.__exit__(*error)
        _go_to(self._before.pop())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and (self.device_index, self.cuda_stream) == (
            other.device_index,
            other.cuda_stream,
        )

    def __hash__(self) -> int:
        return hash((self.device_index, self.cuda_stream))

    def __repr__(self) -> str:
        return f"<triptych.cuda.Stream device={self.device} cuda_stream={self.cuda_stream:#x}>"


class Event:
    """A mark in a stream, to wait for or to measure time between.

    Args:
        enable_timing: keep the time at which it is reached.
        blocking: let `synchronize` sleep and not spin.
        interprocess: other processes may wait for it.
    """

    def __init__(
        self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False
    ) -> None:
        self._options = {
            "block": blocking,
            "disable_timing": not enable_timing,
            "interprocess": interprocess,
        }
        self._event: Any = None

    def _made(self) -> Any:
        if self._event is None:
            self._event = _cuda().Event(**self._options)
        return self._event

    def record(self, stream: Stream | None = None) -> None:
        """Put the mark into a stream; default the current one."""
        stream = current_stream() if stream is None else stream
        with _cuda().Device(stream.device_index):  # an event belongs to the GPU it is made on
            self._made().record(stream._queue)

    def query(self) -> bool:
        """Whether the mark was reached."""
        return bool(self._made().done)

    def synchronize(self) -> None:
        """Wait until the mark is reached."""
        self._made().synchronize()

    def wait(self, stream: Stream | None = None) -> None:
        """Let work queued in a stream from here on wait for the mark."""
        queue = _cuda().get_current_stream() if stream is None else stream._queue
        queue.wait_event(self._made())

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds from this mark to another; both with timing, recorded and reached."""
        return float(_cuda().get_elapsed_time(self._made(), end_event._made()))


def current_stream(device: Any = None) -> Stream:
    """The stream that work on a GPU is queued in now."""
    cuda, index = _cuda(), device_index(device)
    with cuda.Device(index):
        return Stream(index, _queue=cuda.get_current_stream())


def default_stream(device: Any = None) -> Stream:
    """The stream that work on a GPU is queued in unless told otherwise."""
    return Stream(device, _queue=_cuda().Stream.null)


def set_stream(stream: Stream | None) -> None:
    """Queue work in a stream, on its GPU, from now on; None changes nothing."""
    if stream is not None:
        _go_to(stream.device_index)
        stream._queue.use()


class StreamContext:
    """A context in which work is queued in a stream; None changes nothing."""

    def __init__(self, stream: Stream | None) -> None:
        self.stream = stream

    def __enter__(self) -> Stream | None:
        return self.stream if self.stream is None else self.stream.__enter__()

    def __exit__(self, *error: Any) -> None:
        if self.stream is not None:
            self.stream.__exit__(*error)


def stream(stream: Stream | None) -> StreamContext:
    """``with stream(s):`` queues the work of a block in s."""
    return StreamContext(stream)

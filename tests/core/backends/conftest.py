"""A CuPy for the tests of its backend: a strict double unless TRIPTYCH_GPU says otherwise."""

import pytest
from gpu.double.device import Stream
from gpu.fixtures import CHOICE, cupy

import triptych as tp
from triptych.state import state

__all__ = ["cupy"]


class Queue:
    """cupy.cuda.Stream and Event: notes what is asked of it."""

    null: "Queue"
    log: list = []  # noqa: RUF012 -- one log for all
    current: "Queue"

    def __init__(self, **options):
        self.options, self.ptr, self.done = options, id(self), True

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args: Queue.log.append((name, self, *args))

    def use(self):
        Queue.current = self

    def __enter__(self):
        self.before, Queue.current = Queue.current, self

    def __exit__(self, *error):
        Queue.current = self.before

    begin_capture, end_capture = Stream.begin_capture, Stream.end_capture
    is_capturing = Stream.is_capturing


class Pool:
    """cupy's default memory pool, with a hook that is told of every block."""

    used, held, hooks = 100, 300, ()

    def used_bytes(self):
        return Pool.used

    def total_bytes(self):
        return Pool.held


class Hook:
    """cupy.cuda.MemoryHook."""

    def __enter__(self):
        Pool.hooks = (*Pool.hooks, self)


FOUND = {
    "name": b"Imaginary",
    "major": 8,
    "minor": 6,
    "totalGlobalMem": 1 << 30,
    "multiProcessorCount": 4,
    "warpSize": 32,
}


@pytest.fixture
def gpu(cupy, monkeypatch):
    """The double, with streams that note what is asked of them and a pool with known counts."""
    if CHOICE != "double":
        pytest.skip("looks at what the double was asked for, which CuPy does not tell")
    Queue.null = Queue.current = Queue()
    Queue.log.clear()
    replaced = {
        "Stream": Queue,
        "Event": Queue,
        "get_current_stream": lambda: Queue.current,
        "get_elapsed_time": lambda a, b: 2.5,
        "MemoryHook": Hook,
    }
    for name, value in replaced.items():
        monkeypatch.setattr(cupy.cuda, name, value)
    monkeypatch.setattr(cupy.cuda.runtime, "getDeviceProperties", lambda index: FOUND)
    monkeypatch.setattr(cupy.cuda.runtime, "memGetInfo", lambda: (7, 9))
    monkeypatch.setattr(cupy, "get_default_memory_pool", lambda: Pool())
    monkeypatch.setattr(cupy, "Queue", Queue, raising=False)  # for tests to look at
    monkeypatch.setattr(cupy, "Pool", Pool, raising=False)
    yield cupy
    cupy.cuda.Device(0).use()
    state.gpu = 0
    tp.set_default_device(None)
    tp.use_deterministic_algorithms(False)

"""Streams, events, memory and the current GPU, over the stand-in for CuPy with what they need."""

import pytest

import triptych as tp
from triptych import device_memory
from triptych.state import state


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


@pytest.fixture
def gpu(cupy, monkeypatch):
    Queue.null = Queue.current = Queue()
    Queue.log.clear()
    for name, fake in {
        "Stream": Queue,
        "Event": Queue,
        "get_current_stream": lambda: Queue.current,
        "get_elapsed_time": lambda a, b: 2.5,
        "MemoryHook": Hook,
    }.items():
        monkeypatch.setattr(cupy.cuda, name, fake)
    monkeypatch.setattr(cupy, "get_default_memory_pool", lambda: Pool())
    device_memory._peaks.cache_clear()
    found = {
        "name": b"Imaginary",
        "major": 8,
        "minor": 6,
        "totalGlobalMem": 1 << 30,
        "multiProcessorCount": 4,
        "warpSize": 32,
    }
    monkeypatch.setattr(cupy.cuda.runtime, "getDeviceProperties", lambda index: found)
    monkeypatch.setattr(cupy.cuda.runtime, "memGetInfo", lambda: (7, 9))
    yield cupy
    cupy.cuda.Device(0).use()
    state.gpu = 0
    device_memory._peaks.cache_clear()
    tp.set_default_device(None)
    tp.use_deterministic_algorithms(False)


def test_the_current_gpu_is_what_cuda_means(gpu):
    with tp.cuda.device(1):
        assert str(tp.zeros(1, device="cuda").device) == "cuda:1"
        assert tp.cuda.current_device() == 1
    assert tp.zeros(1, device="cuda").device.index == 0
    with tp.cuda.device(-1), tp.cuda.device(None):
        assert tp.cuda.current_device() == 0
    tp.cuda.set_device("cuda:1")
    assert tp.accelerator.current_device_index() == 1
    x = tp.ones(1, device="cuda:0")
    with tp.cuda.device_of(x):
        assert tp.cuda.current_device() == 0
    with pytest.raises(tp.DeviceError, match="2 CUDA device"):
        tp.cuda.set_device(5)


def test_tensors_are_made_on_the_default_device(gpu):
    tp.set_default_device("cuda:1")
    assert str(tp.tensor([1.0]).device) == str(tp.rand(2).device) == "cuda:1"
    with tp.device("cpu"):
        assert str(tp.ones(1).device) == "cpu"
    assert str(tp.arange(2).device) == "cuda:1"


def test_streams_make_themselves_current(gpu):
    s = tp.cuda.Stream()
    assert tp.cuda.current_stream() == tp.cuda.default_stream() != s
    with s:
        assert tp.cuda.current_stream() == s
    with tp.cuda.stream(s), tp.cuda.stream(None):
        assert tp.cuda.current_stream() == s
    assert tp.cuda.current_stream() == tp.cuda.default_stream()
    tp.cuda.set_stream(s)
    assert tp.cuda.current_stream() == s and s.query() and s.device == tp.device("cuda:0")


def test_events_are_recorded_and_waited_for(gpu):
    s, event = tp.cuda.Stream(), tp.cuda.Event(enable_timing=True)
    event.record(s)
    event.wait()
    s.wait_stream(tp.cuda.default_stream())
    names = [entry[0] for entry in Queue.log]
    assert names == ["record", "wait_event", "record", "wait_event"]
    assert event.elapsed_time(s.record_event()) == 2.5
    assert event._made().options["disable_timing"] is False


def test_memory_and_its_peak(gpu):
    assert (tp.cuda.memory_allocated(), tp.cuda.memory_reserved()) == (100, 300)
    Pool.used = 900
    Pool.hooks[-1].malloc_postprocess(device_id=0)
    Pool.used = 100
    assert tp.cuda.max_memory_allocated() == 900 and tp.cuda.max_memory_allocated(1) == 100
    tp.cuda.reset_peak_memory_stats()
    assert tp.cuda.max_memory_allocated() == 100 and tp.cuda.max_memory_reserved() == 300
    assert tp.cuda.mem_get_info() == (7, 9)


def test_what_the_gpu_is(gpu):
    assert tp.cuda.get_device_name(1) == "Imaginary"
    assert tp.cuda.get_device_capability() == (8, 6)
    assert tp.cuda.get_device_properties().total_memory == 1 << 30
    assert tp.cuda.is_bf16_supported(including_emulation=False)
    found = tp.accelerator.current_accelerator()
    assert found.type == "cuda" and found.index is None
    with pytest.raises(tp.DTypeError, match="wanted a CUDA device, got cpu"):
        tp.cuda.get_device_name("cpu")


def test_sums_into_places_are_refused_when_asked_to_be_deterministic(gpu):
    x = tp.zeros(2, device="cuda")
    places, ones = tp.tensor([0, 0], device="cuda"), tp.ones(2, device="cuda")
    tp.use_deterministic_algorithms(True)
    with pytest.raises(RuntimeError, match="scatter: not deterministic on a GPU"):
        x.scatter_add(0, places, ones)
    assert (x + ones).cpu().tolist() == [1, 1]
    tp.use_deterministic_algorithms(True, warn_only=True)
    with pytest.warns(UserWarning, match="not deterministic"):
        assert x.scatter_add(0, places, ones).cpu().tolist() == [2, 0]


def test_pinned_memory_is_a_copy(gpu, monkeypatch):
    class PinnedMemoryPointer(bytearray):
        pass

    monkeypatch.setattr(gpu.cuda, "alloc_pinned_memory", PinnedMemoryPointer)
    x = tp.arange(6.0).reshape(2, 3)
    pinned = x.pin_memory()
    assert pinned.is_pinned() and not x.is_pinned() and tp.equal(pinned, x)
    assert pinned.pin_memory() is pinned


def test_without_a_gpu_questions_have_answers_and_work_has_errors():
    assert not tp.cuda.is_available() and not tp.accelerator.is_available()
    assert tp.cuda.memory_allocated() == tp.cuda.max_memory_reserved() == 0
    assert tp.accelerator.current_accelerator() is None
    tp.cuda.reset_peak_memory_stats()
    for call in (tp.cuda.Stream, tp.cuda.current_stream, tp.cuda.get_device_name, tp.cuda.init):
        with pytest.raises(tp.MissingDependencyError, match="CuPy"):
            call()
    with pytest.raises(tp.DeviceError, match="accelerator: this machine has none"):
        tp.accelerator.synchronize()

"""A stand-in for CuPy that computes with NumPy and refuses to mix with it, as CuPy does."""

import contextlib
import operator
import sys
import types

import numpy as np
import pytest

import triptych as tp
from triptych import backends
from triptych.state import state

MIXED = "Implicit conversion to a NumPy array is not allowed. Please use `.get()`."


def unwrapped(value):
    """NumPy values of what an operation takes; NumPy arrays themselves are refused."""
    if isinstance(value, DeviceArray):
        return value.host
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}")
    if isinstance(value, (tuple, list)):
        return type(value)(unwrapped(v) for v in value)
    return value


def wrapped(value, device):
    if isinstance(value, (np.ndarray, np.generic)):
        return DeviceArray(np.asarray(value), device)
    if isinstance(value, tuple):
        return tuple(wrapped(v, device) for v in value)
    return value


def _devices(*values):
    found = set()
    for v in values:
        if isinstance(v, DeviceArray):
            found.add(v.device.id)
        elif isinstance(v, (tuple, list)):
            found |= _devices(*v)
    return found


class Tape:
    """What a stream that is being captured was asked to do, to be done again on the same memory."""

    running: "Tape | None" = None

    def __init__(self):
        self.calls, self.before = [], []

    def end(self):
        """Undo what was written meanwhile: a GPU records kernels, and does not run them."""
        for array, values in reversed(self.before):
            array[...] = values

    def launch(self, stream):
        for function, args, kwargs, result in self.calls:
            again = function(*unwrapped(args), **{k: unwrapped(v) for k, v in kwargs.items()})
            for old, new in zip(_arrays(result), _arrays(again), strict=True):
                if not np.shares_memory(old, new):
                    old[...] = new


def _arrays(value):
    if isinstance(value, tuple):
        return [array for v in value for array in _arrays(v)]
    host = value.host if isinstance(value, DeviceArray) else value
    return [host if isinstance(host, np.ndarray) else np.asarray(host)]


def taped(function, args, kwargs, result):
    """The result; while a stream is captured, the call is noted as well."""
    if Tape.running is not None and result is not None:
        Tape.running.calls.append((function, args, kwargs, result))
    return result


def about_to_write(array):
    if Tape.running is not None:
        Tape.running.before.append((array.host, array.host.copy()))


def on_device(function):
    def call(*args, **kwargs):
        used = _devices(*args, *kwargs.values())
        assert len(used) <= 1, "arrays of two devices met in one kernel"
        device = Device(used.pop()) if used else Device()
        if isinstance(kwargs.get("out"), DeviceArray):
            about_to_write(kwargs["out"])
            function(*unwrapped(args), **{k: unwrapped(v) for k, v in kwargs.items()})
            return taped(function, args, kwargs, kwargs["out"])
        result = function(*unwrapped(args), **{k: unwrapped(v) for k, v in kwargs.items()})
        return taped(function, args, kwargs, wrapped(result, device))

    return call


class Device:
    """cupy.cuda.Device: a context that makes a device current."""

    current = 0

    def __init__(self, index=None):
        self.id = Device.current if index is None else index

    def __enter__(self):
        self.before, Device.current = Device.current, self.id
        return self

    def __exit__(self, *error):
        Device.current = self.before

    def synchronize(self):
        """Nothing is queued here."""


class DeviceArray:
    """cupy.ndarray."""

    __array_priority__ = 100

    def __init__(self, host, device=None):
        self.host, self.device = host, device or Device()

    def __array__(self, *args, **kwargs):
        raise TypeError(MIXED)

    def get(self, out=None, blocking=True):
        if out is None:
            return self.host.copy()
        out[...] = self.host
        return out

    def set(self, array):
        assert isinstance(array, np.ndarray) and array.flags.c_contiguous
        self.host[...] = array

    @property
    def base(self):
        return self.host.base

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self.host, name)
        if callable(found):
            return lambda *args, **kwargs: on_device(lambda _, *a, **k: found(*a, **k))(
                self, *args, **kwargs
            )
        return wrapped(found, self.device)

    @property
    def data(self):
        return types.SimpleNamespace(ptr=self.host.ctypes.data)

    def __getitem__(self, key):
        return on_device(operator.getitem)(self, key)

    def __setitem__(self, key, value):
        about_to_write(self)
        taped(_set, (self, key, value), {}, self)
        self.host[unwrapped(key)] = unwrapped(value)

    def __len__(self):
        return len(self.host)

    def __bool__(self):
        return bool(self.host)

    def __int__(self):
        return int(self.host)

    def __float__(self):
        return float(self.host)


def _set(host, key, value):
    host[key] = value
    return host


BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
BITWISE = ("and", "or", "xor", "lshift", "rshift")


def _install_operators():
    for name in BINARY + BITWISE:
        op = getattr(operator, f"{name}_" if name in ("and", "or") else name)
        setattr(DeviceArray, f"__{name}__", on_device(op))
        setattr(DeviceArray, f"__r{name}__", on_device(lambda a, b, op=op: op(b, a)))
        setattr(DeviceArray, f"__i{name}__", _in_place(op))
    for name in ["eq", "ne", "lt", "le", "gt", "ge", "neg", "invert", "abs"]:
        setattr(DeviceArray, f"__{name}__", on_device(getattr(operator, name)))


def _in_place(op):
    def call(self, other):
        about_to_write(self)
        self.host[...] = op(self.host, unwrapped(other))
        return taped(op, (self, other), {}, self)

    return call


_install_operators()


class Namespace(types.ModuleType):
    """A module of NumPy's functions over device arrays."""

    def __init__(self, name, numpy_module):
        super().__init__(name)
        self._numpy = numpy_module

    def __getattr__(self, name):
        found = getattr(self._numpy, name)
        if isinstance(found, type) and issubclass(found, np.generic):
            return found
        if isinstance(found, types.ModuleType):
            return Namespace(f"{self.__name__}.{name}", found)
        if isinstance(found, np.ufunc):
            return Kernel(found)
        return on_device(found) if callable(found) else found


class Kernel:
    """A ufunc with `at` and `accumulate`."""

    def __init__(self, ufunc):
        self.ufunc = ufunc

    def __call__(self, *args, **kwargs):
        return on_device(self.ufunc)(*args, **kwargs)

    def at(self, target, key, *values):
        self.ufunc.at(target.host, unwrapped(key), *unwrapped(values))

    def accumulate(self, *args, **kwargs):
        return on_device(self.ufunc.accumulate)(*args, **kwargs)


class Generator:
    """cupy.random.Generator."""

    def __init__(self, bits):
        self.numpy = np.random.Generator(bits)

    def __getattr__(self, name):
        return on_device(getattr(self.numpy, name))


def make_cupy(device_count=2):
    cupy = Namespace("cupy", np)
    cupy.ndarray = DeviceArray
    cupy.asarray = lambda data, dtype=None: (
        DeviceArray(np.array(data, dtype))
        if isinstance(data, (np.ndarray, np.generic))
        else DeviceArray(np.asarray(unwrapped(data), dtype), Device())
    )
    cupy.asnumpy = lambda array: array.get()
    cupy.byte_bounds = lambda array: np.lib.array_utils.byte_bounds(array.host)
    runtime = types.SimpleNamespace(
        getDeviceCount=lambda: device_count,
        CUDARuntimeError=type("CUDARuntimeError", (Exception,), {}),
    )
    memory = types.SimpleNamespace(OutOfMemoryError=type("OutOfMemoryError", (MemoryError,), {}))
    cupy.cuda = types.SimpleNamespace(Device=Device, runtime=runtime, memory=memory)
    cupy.random = types.SimpleNamespace(Generator=Generator, Philox4x3210=np.random.Philox)
    return cupy


@pytest.fixture
def cupy(monkeypatch):
    """The stand-in, found by `import cupy` for the length of a test."""
    fake = make_cupy()
    monkeypatch.setitem(sys.modules, "cupy", fake)
    monkeypatch.setattr(backends, "_BY_TYPE", dict(backends._BY_TYPE))
    monkeypatch.setattr(backends, "_BY_DEVICE", dict(backends._BY_DEVICE))
    return fake


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

    def is_capturing(self):
        return Tape.running is not None

    def begin_capture(self):
        Tape.running = Tape()

    def end_capture(self):
        tape, Tape.running = Tape.running, None
        tape.end()
        return tape


class PinnedMemoryPointer(bytearray):
    """What cupy.cuda.alloc_pinned_memory gives."""


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


class MemoryPool:
    """cupy.cuda.MemoryPool, by which the memory of a CUDA graph stays its own."""

    def malloc(self, count):
        raise NotImplementedError


@pytest.fixture
def gpu(cupy, monkeypatch):
    Queue.null = Queue.current = Queue()
    Queue.log.clear()
    cupy.cuda.Stream = cupy.cuda.Event = Queue
    cupy.cuda.get_current_stream = lambda: Queue.current
    cupy.cuda.get_elapsed_time = lambda a, b: 2.5
    cupy.cuda.MemoryHook = Hook
    cupy.Queue, cupy.Pool = Queue, Pool  # for tests to look at
    cupy.cuda.MemoryPool = MemoryPool
    cupy.cuda.using_allocator = lambda malloc: contextlib.nullcontext()
    cupy.cuda.alloc_pinned_memory = lambda count: PinnedMemoryPointer(count)
    cupy.get_default_memory_pool = lambda: Pool()
    found = {
        "name": b"Imaginary",
        "major": 8,
        "minor": 6,
        "totalGlobalMem": 1 << 30,
        "multiProcessorCount": 4,
        "warpSize": 32,
    }
    cupy.cuda.runtime.getDeviceProperties = lambda index: found
    cupy.cuda.runtime.memGetInfo = lambda: (7, 9)
    monkeypatch.setattr(
        cupy.cuda.Device, "use", lambda self: setattr(type(self), "current", self.id), raising=False
    )
    yield cupy
    cupy.cuda.Device.current = state.gpu = 0
    tp.set_default_device(None)
    tp.use_deterministic_algorithms(False)

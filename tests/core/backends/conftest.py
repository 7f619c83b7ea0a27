"""A stand-in for CuPy that computes with NumPy and refuses to mix with it, as CuPy does."""

import operator
import sys
import types

import numpy as np
import pytest

from triptych import backends

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


def on_device(function):
    def call(*args, **kwargs):
        used = _devices(*args, *kwargs.values())
        assert len(used) <= 1, "arrays of two devices met in one kernel"
        device = Device(used.pop()) if used else Device()
        if isinstance(kwargs.get("out"), DeviceArray):
            function(*unwrapped(args), **{k: unwrapped(v) for k, v in kwargs.items()})
            return kwargs["out"]
        result = function(*unwrapped(args), **{k: unwrapped(v) for k, v in kwargs.items()})
        return wrapped(result, device)

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

    def __getitem__(self, key):
        return wrapped(self.host[unwrapped(key)], self.device)

    def __setitem__(self, key, value):
        self.host[unwrapped(key)] = unwrapped(value)

    def __len__(self):
        return len(self.host)

    def __bool__(self):
        return bool(self.host)

    def __int__(self):
        return int(self.host)

    def __float__(self):
        return float(self.host)


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
        self.host[...] = op(self.host, unwrapped(other))
        return self

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

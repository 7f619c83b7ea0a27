"""The module that `import cupy` finds: NumPy's functions behind the names that CuPy has."""

from __future__ import annotations

import types
from typing import Any

import numpy as np

from .array import NAMES, call, host_key, host_of, ndarray
from .capture import about_to_write, done
from .counts import COUNTS
from .device import Device, MemoryPool, make_cuda
from .kernels import ElementwiseKernel, RawModule

# NumPy's place of a function where it is another one.
ELSEWHERE = {"byte_bounds": np.lib.array_utils.byte_bounds}
# The dtypes that `add.at` takes.
ADDED = ("int32", "int64", "float16", "float32", "float64", "uint32", "uint64")
SUBMODULES = {
    "fft": np.fft,
    "lib": np.lib,
    "lib.stride_tricks": np.lib.stride_tricks,
    "linalg": np.linalg,
}


class Ufunc:
    """cupy.ufunc: `at` for a few, no `where`, and methods as NumPy's."""

    def __init__(self, name: str) -> None:
        self.name, self._numpy = name, getattr(np, name)

    def __call__(self, *args: Any, **params: Any) -> Any:
        return call(self.name, self.name, self._numpy, args, params)

    def at(self, target: ndarray, indices: Any, values: Any) -> None:
        """Adds (and the like) by atomics, so that every one of several writes to a place counts."""
        if self.name == "add" and target.dtype.name not in ADDED:
            raise TypeError(f"cupy.add.at only supports {', '.join(ADDED)} as data type")
        COUNTS.launches += 1
        keys = indices if isinstance(indices, tuple) else (indices,)
        about_to_write([host_of(target)])

        def again() -> None:
            key = host_key(keys, target.shape)
            self._numpy.at(host_of(target), key, host_of(values))

        again()
        done(again)

    def accumulate(self, array: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
        params = {"axis": axis, "dtype": dtype, "out": out}
        return call("accumulate", "ufunc.accumulate", self._numpy.accumulate, (array,), params)

    def reduce(self, array: Any, **params: Any) -> Any:
        return call("reduce", "ufunc.reduce", self._numpy.reduce, (array,), params)


class Namespace(types.ModuleType):
    """A module of CuPy: what the snapshot does not name is not there."""

    def __init__(self, path: str, numpy_module: Any) -> None:
        super().__init__(f"cupy.{path}" if path else "cupy")
        self._path, self._numpy = path, numpy_module

    def __getattr__(self, name: str) -> Any:
        path = f"{self._path}.{name}" if self._path else name
        if path in SUBMODULES:
            return Namespace(path, SUBMODULES[path])
        entry = NAMES.get(path)
        if entry is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        found = ELSEWHERE.get(path) or getattr(self._numpy, name)
        if entry.kind == "ufunc":
            return Ufunc(name)
        if entry.kind in ("type", "value"):
            return found
        return lambda *args, **params: call(name, path, found, args, params)


class Generator:
    """cupy.random.Generator, with the methods that CuPy's has."""

    def __init__(self, bits: Any) -> None:
        self._numpy = np.random.Generator(bits)

    def __getattr__(self, name: str) -> Any:
        path = f"random.Generator.{name}"
        if path not in NAMES:
            raise AttributeError(f"'Generator' object has no attribute {name!r}")
        method = getattr(self._numpy, name)
        return lambda *args, **params: call(name, path, method, args, params)


def asarray(a: Any, dtype: Any = None, order: Any = None, copy: Any = None, blocking: Any = False):
    """cupy.asarray: from the host it copies, which a GPU's user waits for."""
    if isinstance(a, ndarray):
        if (dtype is not None and a.dtype != dtype) or copy:
            return a.astype(a.dtype if dtype is None else dtype, order=order or "K")
        return a if a.device.id == Device().id else a.copy()
    if isinstance(a, (list, tuple)) and any(isinstance(v, ndarray) for v in a):
        return call("stack", "stack", np.stack, (list(a),), {})
    host = np.array(a, dtype=dtype, order=order or "C")
    if host.dtype.kind in "OSUMm":
        raise ValueError(f"Unsupported dtype {host.dtype}")
    COUNTS.to_device += 1
    return ndarray(host)


def asnumpy(a: Any, stream: Any = None, order: str = "C", out: Any = None, **params: Any) -> Any:
    """cupy.asnumpy."""
    return a.get(order=order, out=out) if isinstance(a, ndarray) else np.asarray(a)


def from_dlpack(array: Any, **params: Any) -> ndarray:
    """cupy.from_dlpack: shares memory with another array of a device."""
    if isinstance(array, ndarray):
        return array
    raise BufferError("from_dlpack: the array is not on a device")


def make_cupy() -> types.ModuleType:
    """A fresh module."""
    cupy = Namespace("", np)
    pool = MemoryPool()
    cupy.__dict__.update(
        ElementwiseKernel=ElementwiseKernel,
        RawModule=RawModule,
        array=lambda a, dtype=None, copy=True, **params: asarray(a, dtype, copy=copy, **params),
        asarray=asarray,
        ascontiguousarray=lambda a, dtype=None: ndarray(
            np.ascontiguousarray(host_of(a), dtype), a.device
        ),
        asnumpy=asnumpy,
        cuda=make_cuda(),
        from_dlpack=from_dlpack,
        get_default_memory_pool=lambda: pool,
        ndarray=ndarray,
        random=types.SimpleNamespace(Generator=Generator, Philox4x3210=np.random.Philox),
    )
    cupy.__version__ = NAMES["__version__"].params[0] if NAMES["__version__"].params else ""
    return cupy

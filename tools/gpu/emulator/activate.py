"""Points an imported CuPy at the emulator: its compiler, and libraries that have no emulation.

The process must have been started with the emulator's libraries on LD_LIBRARY_PATH, as
`tools/gpu/ladder.py` does.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from .toolchain import CompileError, compile_kernels

LINALG = (
    *(
        "cholesky",
        "det",
        "eigh",
        "eigvalsh",
        "inv",
        "lstsq",
        "matrix_rank",
        "pinv",
        "qr",
        "slogdet",
    ),
    *("solve", "svd"),
)
FFT = tuple(f"{i}{r}fft{n}" for i in ("", "i") for r in ("", "r") for n in ("", "2", "n"))


class Counts(ctypes.Structure):
    """What the runtime did since `reset`."""

    _fields_ = [
        (name, ctypes.c_longlong)
        for name in (
            *("to_device", "to_host", "within", "synchronizations", "launches", "allocations"),
            *("fills", "modules"),
        )
    ]


def _runtime_counts() -> Counts:
    library = ctypes.CDLL("libamdhip64.so.7")
    library.emulator_counts.restype = ctypes.POINTER(Counts)
    return library.emulator_counts().contents


def counts() -> dict[str, int]:
    """Transfers, synchronisations, launches and so on since the last `reset`."""
    found = _runtime_counts()
    return {name: getattr(found, name) for name, _ in Counts._fields_}


def reset() -> None:
    """Count from zero."""
    found = _runtime_counts()
    for name, _ in Counts._fields_:
        setattr(found, name, 0)


def _compile(
    source: str,
    options: tuple[str, ...] = (),
    arch: Any = None,
    filename: str = "kernel.cu",
    name_expressions: Any = None,
    *unused: Any,
    **also_unused: Any,
) -> tuple[bytes, dict[str, str]]:
    """In place of `cupy.cuda.compiler.compile_using_nvrtc`."""
    from cupy.cuda import compiler

    if os.environ.get("GPU_COMPILER") == "nvrtc":
        from ..ptx.compile import compile_through_ptx as compile_source
    else:
        compile_source = compile_kernels
    try:
        return compile_source(source, options, name_expressions)
    except CompileError as error:
        raise compiler.CompileException(
            str(error), source, filename, tuple(options), "the emulator"
        ) from None


def _on_host(cupy: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of libraries that are not emulated, computed by NumPy: not what is under test."""

    def call(*args: Any, **params: Any) -> Any:
        host = [x.get() if isinstance(x, cupy.ndarray) else x for x in args]
        found = function(*host, **params)
        if isinstance(found, tuple):
            return tuple(map(cupy.asarray, found))
        return cupy.asarray(found)

    return call


def _view(address: int, dtype: Any, shape: Any) -> np.ndarray:
    """Memory of the emulated device, as NumPy sees it."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer((ctypes.c_char * size).from_address(address), dtype=dtype).reshape(shape)


def _sort(dtype: Any, data: int, keys: int, shape: Any) -> None:
    _view(data, dtype, shape).sort(axis=-1, kind="stable")


def _argsort(dtype: Any, index: int, data: int, keys: int, shape: Any) -> None:
    values = _view(data, dtype, shape)
    order = np.argsort(values, axis=-1, kind="stable")
    _view(index, np.intp, shape)[...] = order
    values[...] = np.take_along_axis(values.copy(), order, -1)


def _lexsort(dtype: Any, index: int, keys: int, count: int, length: int) -> None:
    _view(index, np.intp, (length,))[...] = np.lexsort(_view(keys, dtype, (count, length)))


def activate() -> Any:
    """The CuPy module, running on the emulator."""
    import cupy
    from cupy import _environment
    from cupy.cuda import compiler, thrust

    compiler.compile_using_nvrtc = _compile
    compiler._preprocess_hiprtc = lambda source, options: "emulator"
    _environment._get_hipcc_include_dirs = lambda: ()
    compiler._environment._get_hipcc_include_dirs = lambda: ()
    if os.environ.get("GPU_GUARD"):
        cupy.cuda.set_allocator(None)  # no pool: every array is an allocation with its own guards
    # Compiled device code of the wheel, which only a GPU runs.
    thrust.sort, thrust.argsort, thrust.lexsort = _sort, _argsort, _lexsort
    for name in LINALG:
        setattr(cupy.linalg, name, _on_host(cupy, getattr(np.linalg, name)))
    for name in FFT:
        setattr(cupy.fft, name, _on_host(cupy, getattr(np.fft, name)))
    return cupy

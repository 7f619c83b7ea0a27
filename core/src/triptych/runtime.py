"""What a program sets once: the default device, threads, determinism, precision."""

from __future__ import annotations

import ctypes
import functools
import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from .backends import Device, all_loaded, backend_for, default_device
from .backends.native import instruction_set, native, why_absent
from .errors import DTypeError, MissingDependencyError, ShapeError
from .state import state

__all__ = [
    "are_deterministic_algorithms_enabled",
    "get_default_device",
    "get_deterministic_debug_mode",
    "get_float32_matmul_precision",
    "get_num_interop_threads",
    "get_num_threads",
    "is_deterministic_algorithms_warn_only_enabled",
    "set_default_device",
    "set_deterministic_debug_mode",
    "set_float32_matmul_precision",
    "set_num_interop_threads",
    "set_num_threads",
    "show_config",
    "use_deterministic_algorithms",
]

# Devices


def get_default_device() -> Device:
    """Where functions such as `zeros` and `tensor` make tensors when no device is given."""
    return default_device()


def set_default_device(device: Any) -> None:
    """Set where tensors are made when no device is given, for this thread; None is the CPU.

    ``with device("cuda"):`` does the same for a block.

    Raises:
        DeviceError: there is no such device.
        MissingDependencyError: its library is not installed.
    """
    where = Device("cpu" if device is None else device)
    backend_for(where)
    state.home = where


# Threads


def get_num_threads() -> int:
    """How many threads the native kernels use; without them, NumPy's matrix products.

    At first it is OMP_NUM_THREADS, or else the number of processors this process may use.
    """
    if native is not None:
        return int(native.num_threads())
    control = _blas_threads()
    return int(control[0]()) if control else _processors()


def set_num_threads(num: int) -> None:
    """Set how many threads the native kernels and NumPy's matrix products use.

    Raises:
        ShapeError: num is not positive.
        MissingDependencyError: there are no native kernels, and NumPy was built with another BLAS
            than the OpenBLAS of its wheels; set that one's environment variable, such as
            MKL_NUM_THREADS, before Python starts.
    """
    if not isinstance(num, int) or num < 1:
        raise ShapeError(f"set_num_threads: wanted a positive number, got {num!r}")
    control = _blas_threads()
    if control is None and native is None:
        raise MissingDependencyError(
            "set_num_threads: NumPy's BLAS here is not the OpenBLAS of its wheels; set its own "
            "environment variable (OPENBLAS_NUM_THREADS, MKL_NUM_THREADS) before Python starts"
        )
    if control is not None:
        control[1](num)
    if native is not None:
        native.set_num_threads(num)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@functools.cache
def _blas_threads() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """The functions of NumPy's OpenBLAS that read and set its threads."""
    from pathlib import Path

    package = Path(np.__file__).parent
    for folder in (package.parent / "numpy.libs", package / ".dylibs"):
        for file in sorted(folder.glob("*openblas*")):
            library = ctypes.CDLL(str(file))
            for name in ("scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads64_"):
                if hasattr(library, name.format("get")):
                    return getattr(library, name.format("get")), getattr(
                        library, name.format("set")
                    )
    return None


def get_num_interop_threads() -> int:
    """One: independent operations run one after the other."""
    return 1


def set_num_interop_threads(num: int) -> None:
    """Accept one, which is how it is.

    Raises:
        ShapeError: any other number.
    """
    if num != 1:
        raise ShapeError(
            f"set_num_interop_threads: operations run one after the other, wanted 1, got {num!r}"
        )


# Determinism

_MODES = ("default", "warn", "error")
_deterministic = 0  # an index into _MODES


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Refuse operations whose results may differ from run to run.

    On the CPU all operations are deterministic. On a GPU sums into places that indices name add in
    the order in which threads happen to run. Where there is a kernel that sorts the places first
    (float32 and float64, along one axis) it is taken; others raise, or warn with warn_only.

    Args:
        mode: whether to refuse.
        warn_only: warn in place of an error.
    """
    global _deterministic
    _deterministic = 0 if not mode else 1 if warn_only else 2


def are_deterministic_algorithms_enabled() -> bool:
    """Whether operations that are not deterministic are refused or warned of."""
    return _deterministic > 0


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether they are only warned of."""
    return _deterministic == 1


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """`use_deterministic_algorithms` by a word or its number: "default" (0) allows all operations,
    "warn" (1) warns, "error" (2) refuses.

    Raises:
        DTypeError: it is another word or number.
    """
    global _deterministic
    if debug_mode in _MODES:
        _deterministic = _MODES.index(debug_mode)
    elif debug_mode in (0, 1, 2):
        _deterministic = int(debug_mode)
    else:
        raise DTypeError(
            f"set_deterministic_debug_mode: wanted one of {_MODES}, got {debug_mode!r}"
        )


def get_deterministic_debug_mode() -> int:
    """0 default, 1 warn, 2 error."""
    return _deterministic


def check_deterministic(name: str) -> None:
    """Called by backends before an operation that is not deterministic there.

    Raises:
        RuntimeError: deterministic algorithms were asked for.
    """
    if not _deterministic:
        return
    text = (
        f"{name}: not deterministic on a GPU, where sums into indexed places add in any order; run "
        "it on the CPU, or call use_deterministic_algorithms(False)"
    )
    if _deterministic == 2:
        raise RuntimeError(text)
    warnings.warn(text, stacklevel=4)


# Precision

_PRECISIONS = ("highest", "high", "medium")
_precision = "highest"


def set_float32_matmul_precision(precision: str) -> None:
    """Say how exact products of float32 matrices must at least be.

    "high" and "medium" allow fewer bits than float32 has: GPUs from compute capability 8.0 then
    round the inputs to TF32, which has 10 bits and float32's range. On the CPU products always use
    all bits.

    Raises:
        DTypeError: it is not "highest", "high" or "medium".
    """
    global _precision
    if precision not in _PRECISIONS:
        raise DTypeError(
            f"set_float32_matmul_precision: wanted one of {_PRECISIONS}, got {precision!r}"
        )
    _precision = precision
    for backend in all_loaded():
        backend.use_precision(precision)


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` was last given; "highest" at first."""
    return _precision


# What is built in


def show_config() -> None:
    """Print which kernels and libraries operations on the CPU run on."""
    for name, value in config().items():
        print(f"{name}: {value}")


def config() -> dict[str, str]:
    """What `show_config` prints, by name."""
    if native is None:
        kernels = f"none, operations run over NumPy ({why_absent})"
        memory = "NumPy's"
    else:
        threads = get_num_threads()
        kernels = f"{instruction_set()}, {threads} thread{'s' * (threads > 1)}"
        turned_off = os.environ.get("TRIPTYCH_ALLOCATOR") == "0"
        memory = "NumPy's (TRIPTYCH_ALLOCATOR=0)" if turned_off else "kept for the next arrays"
    built: Any = np.show_config(mode="dicts")
    blas = built.get("Build Dependencies", {}).get("blas", {})
    return {
        "native kernels": kernels,
        "memory of arrays": memory,
        "NumPy": np.__version__,
        "BLAS": f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip(),
    }

"""The GPU of this machine, whatever its kind: CUDA through CuPy, or none."""

from __future__ import annotations

from typing import Any

from . import cuda
from .backends import Device
from .device_memory import (
    max_memory_allocated,
    max_memory_reserved,
    memory_allocated,
    memory_reserved,
    reset_peak_memory_stats,
)
from .errors import DeviceError
from .streams import current_stream, set_stream

__all__ = [
    "current_accelerator",
    "current_device_idx",
    "current_device_index",
    "current_stream",
    "device_count",
    "device_index",
    "empty_cache",
    "is_available",
    "max_memory_allocated",
    "max_memory_reserved",
    "memory_allocated",
    "memory_reserved",
    "reset_peak_memory_stats",
    "set_device_idx",
    "set_device_index",
    "set_stream",
    "synchronize",
]

device_count, empty_cache, is_available = cuda.device_count, cuda.empty_cache, cuda.is_available
device_index = cuda.device


def current_accelerator(check_available: bool = False) -> Device | None:
    """The kind of accelerator, without an index, or None if this machine has none.

    Args:
        check_available: taken for torch's sake; here a kind always is one that is there.
    """
    if not is_available():
        return None
    found = Device("cuda")
    found.index = None
    return found


def _there() -> None:
    if not is_available():
        raise DeviceError("accelerator: this machine has none that Triptych can use")


def current_device_index() -> int:
    """The index of the current accelerator.

    Raises:
        DeviceError: there is none.
    """
    _there()
    return cuda.current_device()


def set_device_index(device: Any) -> None:
    """Make an accelerator the current one; a negative index changes nothing.

    Raises:
        DeviceError: there is no such.
    """
    _there()
    if not isinstance(device, int) or device >= 0:
        cuda.set_device(device)


current_device_idx, set_device_idx = current_device_index, set_device_index


def synchronize(device: Any = None) -> None:
    """Wait until all work queued on an accelerator is done.

    Raises:
        DeviceError: there is none.
    """
    _there()
    cuda.synchronize(device)

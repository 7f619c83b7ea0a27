"""CUDA devices, through CuPy. Asking never fails on a machine without a GPU."""

from __future__ import annotations

from typing import Any

from .backends import Device, backend_for
from .errors import TriptychError

__all__ = ["current_device", "device_count", "empty_cache", "is_available", "synchronize"]


def _cupy() -> Any:
    return backend_for(Device("cuda")).xp


def is_available() -> bool:
    """Whether CuPy is installed and finds a GPU."""
    return device_count() > 0


def device_count() -> int:
    """The number of GPUs; zero without CuPy or a driver."""
    try:
        return int(_cupy().cuda.runtime.getDeviceCount())
    except TriptychError:
        return 0


def current_device() -> int:
    """The index of the current GPU."""
    return int(_cupy().cuda.Device().id)


def synchronize(device: Any = None) -> None:
    """Wait until all work queued on a GPU is done."""
    _cupy().cuda.Device(None if device is None else Device(device).index).synchronize()


def empty_cache() -> None:
    """Give memory that CuPy's pool holds but nothing uses back to the GPU."""
    if is_available():
        _cupy().get_default_memory_pool().free_all_blocks()

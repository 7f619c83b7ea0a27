"""How much memory of a GPU is in use, through CuPy's pool. Without a GPU all counts are zero."""

from __future__ import annotations

import functools
from typing import Any

from .backends import Device, backend_for
from .errors import DomainError, TriptychError
from .streams import device_index

__all__ = [
    "max_memory_allocated",
    "max_memory_reserved",
    "mem_get_info",
    "memory_allocated",
    "memory_reserved",
    "reset_peak_memory_stats",
    "set_per_process_memory_fraction",
]


def _pool(device: Any) -> Any:
    """The memory pool of a GPU, or None without one."""
    try:
        cupy = backend_for(Device("cuda")).xp
    except TriptychError:
        return None
    return _Pool(cupy, device_index(device))


class _Pool:
    """CuPy's default memory pool as one GPU sees it."""

    def __init__(self, cupy: Any, index: int) -> None:
        self.cupy, self.index = cupy, index
        self.peaks = _peaks(cupy)

    def used(self) -> int:
        with self.cupy.cuda.Device(self.index):
            return int(self.cupy.get_default_memory_pool().used_bytes())

    def held(self) -> int:
        with self.cupy.cuda.Device(self.index):
            return int(self.cupy.get_default_memory_pool().total_bytes())


@functools.cache
def _peaks(cupy: Any) -> dict[tuple[str, int], int]:
    """The most bytes seen per GPU, kept up to date by a hook that the pool calls."""
    peaks: dict[tuple[str, int], int] = {}
    pool = cupy.get_default_memory_pool

    class Watch(cupy.cuda.MemoryHook):  # type: ignore[misc]
        name = "triptych peak memory"

        def malloc_postprocess(self, **block: Any) -> None:
            index = block["device_id"]
            for what, now in (("used", pool().used_bytes()), ("held", pool().total_bytes())):
                peaks[what, index] = max(peaks.get((what, index), 0), int(now))

    Watch().__enter__()
    return peaks


def memory_allocated(device: Any = None) -> int:
    """Bytes that arrays on a GPU take; default the current one."""
    pool = _pool(device)
    return 0 if pool is None else pool.used()


def memory_reserved(device: Any = None) -> int:
    """Bytes that the pool holds on a GPU, in use or kept for later."""
    pool = _pool(device)
    return 0 if pool is None else pool.held()


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes that arrays on a GPU took at once since `reset_peak_memory_stats`, or since a
    function of this module was first called, as the thread saw it that called it: CuPy tells a
    thread of its own allocations only.
    """
    pool = _pool(device)
    return 0 if pool is None else max(pool.used(), pool.peaks.get(("used", pool.index), 0))


def max_memory_reserved(device: Any = None) -> int:
    """The most bytes that the pool held on a GPU at once; counted as `max_memory_allocated`."""
    pool = _pool(device)
    return 0 if pool is None else max(pool.held(), pool.peaks.get(("held", pool.index), 0))


def reset_peak_memory_stats(device: Any = None) -> None:
    """Count `max_memory_allocated` and `max_memory_reserved` from now on."""
    pool = _pool(device)
    if pool is not None:
        pool.peaks.pop(("used", pool.index), None)
        pool.peaks.pop(("held", pool.index), None)


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """(free, total) bytes of a GPU, as the driver sees it.

    Raises:
        MissingDependencyError: CuPy is not installed.
        DeviceError: there is no GPU.
    """
    cupy = backend_for(Device("cuda")).xp
    with cupy.cuda.Device(device_index(device)):
        free, total = cupy.cuda.runtime.memGetInfo()
    return int(free), int(total)


def set_per_process_memory_fraction(fraction: float, device: Any = None) -> None:
    """Let the pool take at most this fraction of a GPU's memory; 0 or 1 sets no limit.

    Raises:
        DomainError: the fraction is not from 0 to 1.
        MissingDependencyError: CuPy is not installed.
        DeviceError: there is no GPU.
    """
    if not 0 <= fraction <= 1:
        raise DomainError(
            f"set_per_process_memory_fraction: wanted a fraction from 0 to 1, got {fraction}"
        )
    cupy = backend_for(Device("cuda")).xp
    with cupy.cuda.Device(device_index(device)):
        if fraction in (0, 1):
            cupy.get_default_memory_pool().set_limit(size=0)
        else:
            cupy.get_default_memory_pool().set_limit(fraction=fraction)

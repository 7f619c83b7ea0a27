"""Memory of tensors on the CPU, and the kernels that work there.

With the extension `triptych._native`, arrays of triptych and NumPy lie on borders of 64 bytes, in
memory that is kept when an array goes and given to the next one of about its size: fresh memory
costs a page fault for each page, several times as long as computing what goes in.
TRIPTYCH_ALLOCATOR=0 in the environment leaves NumPy's own allocation as it is.
"""

from __future__ import annotations

from .backends.native import native
from .errors import ShapeError

__all__ = [
    "empty_cache",
    "max_memory_allocated",
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "reset_peak_memory_stats",
    "set_memory_limit",
]


def memory_stats() -> dict[str, int]:
    """What the allocator has done so far; empty without the extension.

    Returns:
        In bytes: `allocated` of blocks in use, `reserved` of those and of blocks that wait,
        `max_allocated` the most that was ever in use, `limit` how much may wait. In blocks:
        `reused` handed out that had waited, `fresh` that came from the system.
    """
    return {} if native is None else dict(native.memory_stats())


def memory_allocated() -> int:
    """Bytes of arrays in use; 0 without the extension."""
    return memory_stats().get("allocated", 0)


def memory_reserved() -> int:
    """Bytes of arrays in use and of memory that waits for the next ones."""
    return memory_stats().get("reserved", 0)


def max_memory_allocated() -> int:
    """The most bytes in use at any time since the start or `reset_peak_memory_stats`."""
    return memory_stats().get("max_allocated", 0)


def reset_peak_memory_stats() -> None:
    """Let `max_memory_allocated` start again from what is in use now."""
    if native is not None:
        native.reset_peak_memory_stats()


def set_memory_limit(num_bytes: int) -> None:
    """Set how much memory may wait for the next arrays; what has waited longest goes first.

    At first it is an eighth of the machine's memory, 2 GB at most. Without the extension nothing
    waits.

    Raises:
        ShapeError: num_bytes is negative.
    """
    if num_bytes < 0:
        raise ShapeError(f"set_memory_limit: wanted bytes, 0 or more, got {num_bytes}")
    if native is not None:
        native.set_memory_limit(num_bytes)


def empty_cache() -> None:
    """Give the memory that waits back to the system."""
    if native is not None:
        native.empty_cache()

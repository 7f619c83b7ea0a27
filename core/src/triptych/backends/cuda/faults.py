"""Indices out of range, told by kernels without making anyone wait for them.

A kernel that meets one reads or writes nothing there and notes it in page-locked memory of the
host, which a GPU writes to directly (unified addressing). Whoever waits for the GPU anyway, to copy
a result to the CPU, looks there.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from ...errors import BoundsError

REPORT = r"""
// Notes that `index` does not fit an axis of `length`; see faults.py for what is at the address.
__device__ __forceinline__ bool outside(
    long long index, long long length, unsigned long long address, long long call)
{
    if (index >= -length && index < length) return false;
    volatile long long *note = (volatile long long *)address;
    note[1] = index;
    note[2] = length;
    note[3] = call;
    note[0] = 1;
    return true;
}
"""
CALLS = ("gather", "scatter", "indexing")

_notes: dict[int, tuple[Any, np.ndarray]] = {}  # by id of the module: its memory, as an array
_lock = threading.Lock()


def address(cupy: Any) -> np.uint64:
    """Where kernels note a fault, as the argument that `outside` takes."""
    return np.uint64(_note(cupy).ctypes.data)


def code(call: str) -> np.int64:
    """What stands for the name of a call."""
    return np.int64(CALLS.index(call))


def _note(cupy: Any) -> np.ndarray:
    with _lock:
        if id(cupy) not in _notes:
            block = cupy.cuda.alloc_pinned_memory(4 * 8)
            note = np.frombuffer(block, np.int64, 4)
            note[:] = 0
            _notes[id(cupy)] = block, note
        return _notes[id(cupy)][1]


def check(cupy: Any) -> None:
    """Raise what kernels have noted; to be called when the GPU was waited for.

    Raises:
        BoundsError: an index was out of range.
    """
    if id(cupy) not in _notes:
        return
    note = _note(cupy)
    if note[0]:
        _, index, length, call = map(int, note)
        note[0] = 0
        raise BoundsError(
            f"{CALLS[call]}: index {index} is out of range for a dim of length {length}; found "
            "when the CPU waited for the GPU, so the call may be an earlier one than this"
        )

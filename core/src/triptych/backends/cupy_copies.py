"""Copies between main memory and a GPU through CuPy that do not make the caller wait."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

import numpy as np

from .base import in_pinned_memory


class Copies:
    """Starts copies on the current stream, and holds their pinned memory until they are done.

    The driver reads and writes page-locked memory while Python goes on: were it given back to
    CuPy's pool in the meantime, the next `pin_memory` would write into a copy under way.

    Args:
        cupy: the library.
    """

    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy
        self._under_way: deque[tuple[Any, np.ndarray]] = deque()
        self._lock = threading.Lock()

    def pinned(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """An array in page-locked memory, not filled."""
        size = int(np.prod(shape, dtype=np.int64))
        block = self._cupy.cuda.alloc_pinned_memory(max(size * dtype.itemsize, 1))
        return np.frombuffer(block, dtype, size).reshape(shape)

    def upload(self, array: np.ndarray) -> Any:
        """A copy on the current GPU. From pinned memory it comes straight; other memory is first
        copied into a pinned block by CuPy, so that the caller may change it at once.
        """
        if not in_pinned_memory(array) or not array.flags.c_contiguous:
            return self._cupy.asarray(array)
        out = self._cupy.empty(array.shape, array.dtype)
        out.set(array)
        self._hold(array)
        return out

    def download(self, array: Any) -> np.ndarray:
        """A copy in pinned memory, which is filled when the current stream gets there."""
        out = self.pinned(array.shape, array.dtype)
        array.get(out=out, blocking=False)
        self._hold(out)
        return out

    def _hold(self, array: np.ndarray) -> None:
        done = self._cupy.cuda.Event(disable_timing=True)
        done.record()
        with self._lock:
            self._under_way.append((done, array))
            while self._under_way and self._under_way[0][0].done:
                self._under_way.popleft()

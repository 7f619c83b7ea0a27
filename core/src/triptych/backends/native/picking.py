"""Picking, adding and writing along one axis by int64 indices."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

LEAST = 64  # numbers, below which NumPy's way is as fast


def overrides(native: ModuleType) -> dict[str, tuple[Any, int]]:
    """By primitive: the function, and the size of the first input from which on it is taken."""

    def index(x: Any, *indices: Any, key: Any) -> Any:
        axis = _axis(indices, key)
        return NotImplemented if axis is None else native.index(x, indices[0], axis)

    def unindex(g: Any, *indices: Any, shape: Any, key: Any) -> Any:
        axis = _axis(indices, key)
        if axis is None:
            return NotImplemented
        return native.unindex(_packed(g), indices[0], tuple(shape), axis)

    def index_put(x: Any, v: Any, *indices: Any, key: Any, accumulate: bool) -> Any:
        axis = _axis(indices, key) if accumulate else None
        return NotImplemented if axis is None else native.index_add(x, v, indices[0], axis)

    def gather(x: Any, idx: Any, *, axis: int) -> Any:
        return native.gather(x, _packed(idx), axis=axis)

    def ungather(g: Any, idx: Any, *, shape: Any, axis: int) -> Any:
        return native.ungather(_packed(g), _packed(idx), shape=tuple(shape), axis=axis)

    def scatter(x: Any, idx: Any, src: Any, *, axis: int, accumulate: bool) -> Any:
        given = _packed(idx), _packed(src)
        return native.scatter(x, *given, axis=axis, accumulate=accumulate)

    found = (index, unindex, index_put, gather, ungather, scatter)
    return {f.__name__: (f, LEAST) for f in found}


def _axis(indices: tuple[Any, ...], key: Any) -> int | None:
    """The axis of which one array of integers picks slices; None for all other keys."""
    if len(indices) != 1 or indices[0].dtype != np.int64 or not indices[0].ndim:
        return None
    picks = [i for i, k in enumerate(key) if type(k) is not slice or k != slice(None)]
    return picks[0] if len(picks) == 1 else None


def _packed(x: Any) -> Any:
    """Gradients and indices often come expanded."""
    return x if x.flags.c_contiguous else np.ascontiguousarray(x)

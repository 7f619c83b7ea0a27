"""Kernels where NumPy's own function takes many times longer than the work needs."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import ml_dtypes
import numpy as np

# The dtypes that powers by multiplication are for, and those they are computed in.
_COMPUTED_IN = {
    np.dtype(ml_dtypes.bfloat16): np.float32,
    np.dtype(np.float16): np.float32,
    np.dtype(np.float32): np.float32,
    np.dtype(np.float64): np.float64,
}


def _whole_power(x: np.ndarray, n: int) -> Any:
    """x ** n for n >= 2, by squaring: one step for each bit of n after the first."""
    out = x * x
    for place, bit in enumerate(f"{n:b}"[1:]):
        if place:
            out *= out
        if bit == "1":
            out *= x
    return out


# Up to 8, the roundings of the steps add up to no more than 3.5 units in the last place.
_POWERS: dict[float, Callable[[np.ndarray], Any]] = {
    n: partial(_whole_power, n=n) for n in range(2, 9)
} | {
    -2: lambda x: np.reciprocal(x * x),
    -1: np.reciprocal,
    -0.5: lambda x: np.reciprocal(np.sqrt(x)),
    0.5: np.sqrt,
}


def _general_power(a: Any, b: Any) -> Any:
    """`numpy.power`, and integers to negative integers of a tensor as quotients cut to integers."""
    try:
        return np.power(a, b)
    except ValueError:
        if not isinstance(b, np.ndarray):
            raise
    down = b < 0
    flipped = np.where(a == -1, 1 - 2 * (b & 1), a == 1)  # all others are below one, or 1 / 0
    return np.where(down, flipped, np.power(a, np.where(down, 0, b))).astype(b.dtype)


def power(a: Any, b: Any) -> Any:
    """`numpy.power`, but common exponents by multiplications and roots, as torch has them: up to
    300 times as fast.
    """
    steps = _POWERS.get(b) if type(b) is int or type(b) is float else None
    wide = _COMPUTED_IN.get(a.dtype) if steps is not None else None
    if steps is None or wide is None:
        return _general_power(a, b)
    return steps(a) if a.dtype == wide else steps(a.astype(wide)).astype(a.dtype)


PRODUCTS = 1 << 15  # of numbers, that take longer than to look at all of them


def matmul(a: np.ndarray, b: np.ndarray) -> Any:
    """`numpy.matmul`, but through BLAS also for half types, in float32, and for integers so small
    that floats hold every sum without rounding.
    """
    dtype = a.dtype
    if dtype.kind in "iu" and a.size * b.shape[-1] >= PRODUCTS and a.ndim > 1:
        wide = _exact_in(a, b)
        found = np.matmul(a.astype(wide), b.astype(wide))
        return found.astype(np.int64, copy=False).astype(dtype, copy=False)  # wraps as integers do
    wide = _COMPUTED_IN.get(dtype, dtype)
    if wide == dtype:
        return np.matmul(a, b)
    return np.matmul(a.astype(wide), b.astype(wide)).astype(dtype)


def _exact_in(a: np.ndarray, b: np.ndarray) -> Any:
    """The fastest dtype in which the product of integer matrices is exact, or wraps around."""
    largest = [max(-int(x.min()), int(x.max())) if x.size else 0 for x in (a, b)]
    bound = a.shape[-1] * math.prod(largest)
    return np.float32 if bound <= 1 << 24 else np.float64 if bound <= 1 << 53 else a.dtype


SMALL = 1000  # elements that are added before a better way is planned
WIDE = 256  # elements of a row that are worth a call of their own
CHUNK = 1 << 16  # indices at a time, so that they stay in the cache


def add_at(memory: np.ndarray, key: tuple[Any, ...], values: np.ndarray) -> None:
    """`numpy.add.at`: memory[key] += values, where places may repeat. Where one index array picks
    slices, it adds row by row, or along one vector, three to eight times as fast. Halves are added
    in float32 and rounded once: a long sum of them would stop growing.
    """
    if memory.dtype.itemsize == 2 and memory.dtype.kind not in "iu" and values.size > 1:
        _add_halves_at(memory, key, values)
        return
    axis = _sliced_axis(memory, key) if values.size >= SMALL else None
    if axis is None:
        if values.size == 1 or memory.ndim > 1 or memory[key].shape == values.shape:
            np.add.at(memory, key, values)
        else:  # NumPy 2.4 reads past the end of values that are to be repeated
            np.add.at(memory, key, np.broadcast_to(values, memory[key].shape))
        return
    places, length = key[axis], memory.shape[axis]
    shape = (*memory.shape[:axis], *places.shape, *memory.shape[axis + 1 :])
    lead, width = math.prod(memory.shape[:axis]), math.prod(memory.shape[axis + 1 :])
    rows = np.arange(lead)[:, None] * length + places.reshape(-1) % length
    fitting: Any = values.reshape(values.shape[-len(shape) :])  # more, in front, have length one
    given = np.broadcast_to(fitting, shape).reshape(rows.size, width)
    _add_rows(memory.reshape(lead * length, width), rows.reshape(-1), given)


def _add_halves_at(memory: np.ndarray, key: tuple[Any, ...], values: np.ndarray) -> None:
    """Over float32 of all the memory, or of the few slices that are added to."""
    part: tuple[Any, ...] = (...,)
    axis = _sliced_axis(memory, key) if values.size < memory.size // 4 else None
    if axis is not None:
        places, inverse = np.unique(key[axis] % memory.shape[axis], return_inverse=True)
        before, after = key[:axis], key[axis + 1 :]
        part = (*before, places, *after)
        key = (*before, inverse.reshape(key[axis].shape), *after)
    sums = memory[part].astype(np.float32, order="C")
    add_at(sums, key, values.astype(np.float32))
    memory[part] = sums.astype(memory.dtype)


def _sliced_axis(memory: np.ndarray, key: tuple[Any, ...]) -> int | None:
    """The axis where integers in range pick whole slices of packed memory; None for other keys."""
    picks = [i for i, k in enumerate(key) if not isinstance(k, slice) or k != slice(None)]
    if len(picks) != 1 or not memory.flags.c_contiguous:
        return None
    places = key[picks[0]]
    if not isinstance(places, np.ndarray) or places.dtype.kind not in "iu" or not places.size:
        return None
    length = memory.shape[picks[0]]
    return picks[0] if -length <= places.min() and places.max() < length else None


def _add_rows(memory: np.ndarray, rows: np.ndarray, values: np.ndarray) -> None:
    """memory (m, width), rows (n,), values (n, width)."""
    width = memory.shape[1]
    if width >= WIDE:
        for row, numbers in zip(rows.tolist(), values, strict=True):
            memory[row] += numbers
        return
    flat, columns, step = memory.reshape(-1), np.arange(width), max(CHUNK // width, 1)
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        places = rows[part, None] * width + columns
        np.add.at(flat, places.reshape(-1), values[part].reshape(-1))

"""Tensors made by rule: Vandermonde matrices, ranges with their end, memory in a given order."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..avals import integers
from ..errors import FileFormatError, ShapeError
from ..prims import elementwise as ew
from ..tensor import Tensor, box
from .creation import DeviceLike, DTypeLike, _dtype, _finish, _numbers, as_tensor, zeros
from .shape import cat, permute, unsqueeze
from .strided import as_strided

__all__ = ["empty_permuted", "empty_strided", "from_file", "range", "vander"]


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The Vandermonde matrix: each row the powers of an element.

    Args:
        x: (n,).
        N: how many powers; default n.
        increasing: begin with the power 0; else end with it.

    Returns:
        (n, N).

    Raises:
        ShapeError: x is no vector, or N is negative.

    Example:
        >>> vander(as_tensor([2, 3]), 3).tolist()
        [[4, 2, 1], [9, 3, 1]]
    """
    count = x.shape[0] if x.ndim == 1 and N is None else N
    if x.ndim != 1 or count is None or count < 0:
        raise ShapeError(f"vander: wanted a vector and N >= 0, got {tuple(x.shape)} and N = {N}")
    column = unsqueeze(x if dtypes.is_inexact(x._data.dtype) else x.long(), 1)
    powers = [ew.fill_like(column.detach(), value=1)]
    while len(powers) < count:
        powers.append(ew.mul(powers[-1], column))
    kept = powers[:count] if increasing else powers[:count][::-1]
    return cat(kept, 1) if kept else column[:, :0]


def range(
    start: float,
    end: float | None = None,
    step: float = 1,
    *,
    dtype: DTypeLike = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from start to end, end included, by step; `arange` leaves the end out.

    Raises:
        ShapeError: step is zero or leads away from end, or a number is not finite.
    """
    if end is None:
        start, end = 0, start
    start, end, step = _numbers("range", start, end, step)
    if not all(map(math.isfinite, (start, end, step))):
        raise ShapeError(f"range: wanted finite numbers, got {start} to {end} by {step}")
    if step == 0 or (end - start) / step < 0:
        raise ShapeError(f"range: step {step} does not lead from {start} to {end}")
    count = math.floor((end - start) / step) + 1
    values = (start + np.arange(count, dtype=np.float64) * step).astype(_dtype(dtype))
    return _finish(as_tensor(values, device=device), requires_grad)


def empty_strided(
    size: Sequence[int],
    stride: Sequence[int],
    *,
    dtype: DTypeLike = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor to be overwritten (here zeros) whose neighbours along each axis are `stride`
    elements apart in memory.

    Raises:
        ShapeError: size and stride differ in length, or hold a negative number.
    """
    size, stride = integers("empty_strided", size), integers("empty_strided", stride)
    if len(size) != len(stride) or any(n < 0 for n in (*size, *stride)):
        raise ShapeError(
            f"empty_strided: wanted a length and a step >= 0 for each axis, got size {size} and "
            f"stride {stride}"
        )
    last = sum(s * (n - 1) for s, n in zip(stride, size, strict=True)) if 0 not in size else -1
    memory = zeros(last + 1, dtype=dtype, device=device)
    return _finish(_forgotten(as_strided(memory, size, stride)), requires_grad)


def _forgotten(view: Tensor) -> Tensor:
    """A view as a tensor of its own: nothing else looks at the memory."""
    return box(view._data)


def empty_permuted(
    size: Sequence[int],
    physical_layout: Sequence[int],
    *,
    dtype: DTypeLike = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor to be overwritten (here zeros) without gaps in memory, its axes there in the order
    of physical_layout, the slowest first.

    Raises:
        ShapeError: physical_layout is no ordering of the axes.
    """
    size, order = integers("empty_permuted", size), integers("empty_permuted", physical_layout)
    if sorted(order) != list(_axes(size)):
        raise ShapeError(f"empty_permuted: {order} is no ordering of the axes of {size}")
    memory = zeros([size[a] for a in order], dtype=dtype, device=device)
    return _finish(
        _forgotten(permute(memory, [order.index(a) for a in _axes(size)])), requires_grad
    )


def _axes(size: Sequence[int]) -> Any:
    return np.arange(len(size)).tolist()


def from_file(
    filename: str | os.PathLike[str],
    shared: bool | None = None,
    size: int = 0,
    *,
    dtype: DTypeLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """A vector over the bytes of a file, mapped into memory and not read.

    Args:
        filename: the file.
        shared: writes go to the file, which is made or grown to fit; else they stay in memory.
        size: how many elements.
        dtype: of the elements; default the default floating dtype.
        requires_grad: record operations on it.

    Raises:
        FileFormatError: without shared, the file is shorter than size elements.
    """
    kind = _dtype(dtype)
    (size,) = integers("from_file", (size,))
    wanted = size * kind.itemsize
    if shared:
        with open(filename, "ab") as file:
            file.truncate(max(wanted, os.path.getsize(filename)))
    elif os.path.getsize(filename) < wanted:
        raise FileFormatError(
            f"from_file: {os.fspath(filename)!r} has {os.path.getsize(filename)} bytes, {size} "
            f"elements of {dtypes.from_numpy_dtype(kind)} need {wanted}"
        )
    if not size:
        return _finish(zeros(0, dtype=kind), requires_grad)
    mapped = np.memmap(filename, kind, mode="r+" if shared else "c", shape=(size,))
    return _finish(box(np.asarray(mapped)), requires_grad)

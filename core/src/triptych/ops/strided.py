"""Views by strides, and complex numbers as pairs of real ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..avals import integers
from ..backends import backend_of
from ..errors import BoundsError, CaptureError, ShapeError
from ..prims import index as ix
from ..prims import movement as mv
from ..prims import strided as sd
from ..prims.index import Slot
from ..tensor import Symbol, Tensor
from .creation import as_tensor

__all__ = [
    "as_strided",
    "as_strided_scatter",
    "view_as_complex",
    "view_as_real",
]


def memory_of(array: Any) -> Any:
    """The array that an array is a view of, down to the first that owns or borrows its memory."""
    root, below = array, array
    while (below := getattr(below, "base", None)) is not None:
        if isinstance(below, type(array)):
            root = below
    return root


def _first_address(array: Any) -> int:
    """Where the element with all indices zero lies."""
    low = backend_of(array).span(array)[0]
    back = sum(s * (n - 1) for s, n in zip(array.strides, array.shape, strict=True) if s < 0)
    return low - back if array.size else low


def address_of(self: Tensor) -> int:
    """The address of the first element in memory."""
    return _first_address(self._data)


def offset_of(array: Any) -> int:
    """How many elements after the start of its memory an array begins."""
    root = memory_of(array)
    start = backend_of(root).span(root)[0]
    return (_first_address(array) - start) // array.itemsize


def strides_of(x: Tensor) -> tuple[int, ...]:
    """Steps in memory along each axis, in elements.

    Raises:
        CaptureError: the tensor is traced and its layout not known.
    """
    data = x._data
    if not isinstance(data, Symbol):
        return tuple(s // data.itemsize for s in data.strides)
    if data.layout != "packed":
        raise CaptureError(
            "as_strided: the strides of a traced tensor that is permuted or sliced are not known; "
            "call contiguous() first"
        )
    return row_major(data.shape)


def _geometry(
    name: str, input: Tensor, size: Any, stride: Any, storage_offset: int | None
) -> dict[str, Any]:
    """The parameters of the primitive.

    Raises:
        ShapeError: size and stride differ in length, or a length is negative.
        BoundsError: an element would lie outside the memory of input.
    """
    size, stride = integers(name, size), integers(name, stride)
    if len(size) != len(stride) or any(n < 0 for n in (*size, *stride)):
        raise ShapeError(
            f"{name}: wanted a length and a step >= 0 for each axis, got size {size} and stride "
            f"{stride}"
        )
    data, own = input._data, strides_of(input)
    traced = isinstance(data, Symbol)
    here = 0 if traced else offset_of(data)
    start = here if storage_offset is None else integers(name, (storage_offset,))[0]
    last = start + sum(s * (n - 1) for s, n in zip(stride, size, strict=True))
    room = data.size if traced else _elements(data)
    if 0 not in size and not 0 <= start <= last < room:
        raise BoundsError(
            f"{name}: size {size}, stride {stride} and offset {start} reach from element {start} "
            f"to {last}, but the memory of this tensor has {room} elements"
        )
    source = sd.significant(tuple(data.shape), own)
    return {"size": size, "strides": stride, "shift": start - here, "source": source}


def _elements(array: Any) -> int:
    low, high = backend_of(array).span(memory_of(array))
    return (high - low) // array.itemsize


def as_strided(
    input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> Tensor:
    """The memory of a tensor under other lengths and steps: a view.

    Args:
        input: any tensor.
        size: lengths of the axes.
        stride: steps in memory between neighbours along each axis, in elements, >= 0; steps may be
            zero or overlap.
        storage_offset: where in memory the view begins, in elements; default where input does.

    Returns:
        A view. Its gradient adds up where elements overlap.

    Raises:
        BoundsError: an element would lie outside the memory of input.
        ShapeError: size and stride differ in length, or hold a negative number.

    Example:
        >>> from triptych import arange
        >>> as_strided(arange(5), (3, 3), (1, 1)).tolist()
        [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    """
    return sd.as_strided(input, **_geometry("as_strided", input, size, stride, storage_offset))


def as_strided_scatter(
    input: Tensor,
    src: Tensor,
    size: Sequence[int],
    stride: Sequence[int],
    storage_offset: int | None = None,
) -> Tensor:
    """A copy with src written where `as_strided` with these arguments looks.

    Raises:
        ShapeError: src has another shape than size.
        BoundsError: an element would lie outside the memory of input.
    """
    part = _geometry("as_strided_scatter", input, size, stride, storage_offset)
    src = as_tensor(src, dtype=input.dtype, device=input.device)
    if tuple(src.shape) != part["size"]:
        raise ShapeError(
            f"as_strided_scatter: src has shape {tuple(src.shape)}, wanted {part['size']}"
        )
    own_shape = tuple(input.shape)
    if part["source"] == sd.significant(own_shape, row_major(own_shape)):
        step = (sd.as_strided.prim, part)  # type: ignore[attr-defined]
        return mv.write_view(input, src, chain=(step,))
    own = sd.positions(tuple(input.shape), part["source"], 0)
    out = sd.positions(part["size"], part["strides"], part["shift"])
    order = np.argsort(own, kind="stable")
    rank = np.minimum(np.searchsorted(own, out, sorter=order), max(own.size - 1, 0))
    held = own[order[rank]] == out if own.size else np.zeros(out.shape, bool)
    here, there = (
        as_tensor(places, device=input.device)
        for places in (np.flatnonzero(held), order[rank[held]])
    )
    picked = ix.index(mv.reshape(src, shape=(out.size,)), here, key=(Slot(0),))
    flat = mv.reshape(input, shape=(own.size,))
    put = ix.index_put(flat, picked, there, key=(Slot(0),), accumulate=False)
    return mv.reshape(put, shape=tuple(input.shape))


def row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of a tensor in row-major order without gaps, in elements."""
    steps, step = [], 1
    for n in reversed(shape):
        steps.append(step)
        step *= max(n, 1)
    return tuple(reversed(steps))


def view_as_real(input: Tensor) -> Tensor:
    """Complex numbers (...) as pairs of real ones (..., 2): a view.

    Raises:
        DTypeError: elements are not complex.
    """
    return sd.view_as_real(input)


def view_as_complex(input: Tensor) -> Tensor:
    """Pairs of real numbers (..., 2) as complex ones (...): a view.

    Raises:
        DTypeError: elements are not float32 or float64.
        ShapeError: the last dim is not of length 2, or the pairs do not lie side by side.
    """
    data = input._data
    known = not isinstance(data, Symbol)
    if data.ndim and data.shape[-1] == 2 and known and not sd.paired(data):
        raise ShapeError(
            f"view_as_complex: the pairs of this tensor (strides {data.strides} bytes) do not lie "
            "in memory as complex numbers do; use contiguous() first"
        )
    return sd.view_as_complex(input)

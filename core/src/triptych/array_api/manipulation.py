"""Shapes, joins and selections."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from .. import dtypes
from ..avals import normalize_axis
from ..errors import BoundsError, ShapeError
from ..ops import index as index_ops
from ..ops import pieces
from ..ops import shape as ops
from ..ops.creation import cast_to
from ..ops.pieces import broadcast_shapes
from ..ops.shape import moveaxis
from ..tensor import Tensor
from .arguments import Axes, one_axis
from .data_types import result_type

__all__ = [
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "concat",
    "expand_dims",
    "flip",
    "matrix_transpose",
    "moveaxis",
    "permute_dims",
    "repeat",
    "reshape",
    "roll",
    "squeeze",
    "stack",
    "take",
    "take_along_axis",
    "tile",
    "unstack",
]


def broadcast_arrays(*arrays: Tensor) -> list[Tensor]:
    """All arrays in the shape they broadcast to together."""
    shape = broadcast_shapes(*(a.shape for a in arrays))
    return [ops.broadcast_to(a, shape) for a in arrays]


def broadcast_to(x: Tensor, /, shape: tuple[int, ...]) -> Tensor:
    """The array in a larger shape, without a copy."""
    return ops.broadcast_to(x, shape)


def promoted(arrays: Sequence[Tensor]) -> list[Tensor]:
    """The arrays in the dtype that they combine to."""
    wanted = dtypes.to_numpy_dtype(result_type(*arrays))
    return [cast_to(a, wanted) for a in arrays]


def concat(arrays: Sequence[Tensor], /, *, axis: int | None = 0) -> Tensor:
    """Arrays one after another along an axis; with None, all flat."""
    arrays = promoted(arrays)
    return (
        ops.concat([a.reshape(-1) for a in arrays], 0) if axis is None else ops.concat(arrays, axis)
    )


def stack(arrays: Sequence[Tensor], /, *, axis: int = 0) -> Tensor:
    """Arrays of one shape along a new axis."""
    return ops.stack(promoted(arrays), axis)


def unstack(x: Tensor, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """The pieces along an axis, without it."""
    return tuple(ops.unbind(x, axis))


def expand_dims(x: Tensor, /, axis: int = 0) -> Tensor:
    """A new axis of length one at a place from -x.ndim - 1 to x.ndim.

    Raises:
        BoundsError: axis is outside that range.
    """
    if not -x.ndim - 1 <= axis <= x.ndim:
        raise BoundsError(f"expand_dims: axis should be from {-x.ndim - 1} to {x.ndim}, got {axis}")
    return ops.unsqueeze(x, axis)


def squeeze(x: Tensor, /, axis: int | tuple[int, ...]) -> Tensor:
    """Without axes of length one.

    Raises:
        ShapeError: an axis is longer.
    """
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    for a in axes:
        if x.shape[normalize_axis("squeeze", a, x.ndim, x)] != 1:
            raise ShapeError(f"squeeze: axis {a} of shape {tuple(x.shape)} is not of length one")
    return ops.squeeze(x, axes)


def flip(x: Tensor, /, *, axis: Axes = None) -> Tensor:
    """In reverse order along axes; by default along all."""
    axes = tuple(builtins.range(x.ndim)) if axis is None else axis
    return ops.flip(x, axes if isinstance(axes, tuple) else (axes,))


def roll(x: Tensor, /, shift: int | tuple[int, ...], *, axis: Axes = None) -> Tensor:
    """Moved along axes; what leaves at the end comes in at the front. Without axes, as if flat."""
    if isinstance(shift, int) and isinstance(axis, tuple):
        shift = (shift,) * len(axis)
    if isinstance(shift, tuple) and isinstance(axis, int):
        axis = (axis,) * len(shift)
    return ops.roll(x, shift, axis)


def permute_dims(x: Tensor, /, axes: tuple[int, ...]) -> Tensor:
    """The axes in another order."""
    return ops.permute(x, *axes)


def matrix_transpose(x: Tensor, /) -> Tensor:
    """(..., m, n) matrices as (..., n, m).

    Raises:
        ShapeError: there are fewer than two axes.
    """
    return x.mT


def reshape(x: Tensor, /, shape: tuple[int, ...], *, copy: bool | None = None) -> Tensor:
    """The elements in another shape: copy=True always copies, False never does.

    Raises:
        ValueError: copy=False, but memory does not hold the elements in that order.
    """
    if copy is False:
        return x.view(*shape) if x.ndim else ops.broadcast_to(x, shape)
    made = ops.reshape(x, shape)
    return ops.clone(made) if copy else made


def repeat(x: Tensor, repeats: int | Tensor, /, *, axis: int | None = None) -> Tensor:
    """Each element along an axis several times in a row; without an axis, as if flat."""
    return pieces.repeat_interleave(x, repeats, axis)


def tile(x: Tensor, repetitions: tuple[int, ...], /) -> Tensor:
    """Copies of the array side by side along each axis."""
    return ops.tile(x, tuple(repetitions))


def take(x: Tensor, indices: Tensor, /, *, axis: int | None = None) -> Tensor:
    """The elements of an axis at indices.

    Raises:
        ShapeError: there are several axes, and none is named.
        BoundsError: an index is outside the axis.
    """
    if axis is None and x.ndim != 1:
        raise ShapeError(f"take: shape {tuple(x.shape)} has several axes; say which with axis=")
    place = normalize_axis("take", 0 if axis is None else axis, x.ndim, x)
    key: tuple[Any, ...] = (slice(None),) * place + (indices,)
    return index_ops.getitem(x, key)


def take_along_axis(x: Tensor, indices: Tensor, /, *, axis: int = -1) -> Tensor:
    """The elements of an axis at indices of the same number of axes, which broadcast with x."""
    x, place = one_axis("take_along_axis", x, axis)
    length = x.shape[place]
    return index_ops.take_along_dim(x, (indices + length * (indices < 0)).to(dtypes.int64), place)

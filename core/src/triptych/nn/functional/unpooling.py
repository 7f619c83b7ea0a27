"""The partial inverse of max pooling."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...errors import BoundsError, ShapeError
from ...ops.named import keeps_names
from ...prims import index as ix
from ...prims import movement as mv
from ...state import state
from ...tensor import Tensor
from .arguments import Ints
from .pooling import Size, Window

__all__ = ["max_unpool1d", "max_unpool2d", "max_unpool3d"]


def _space(w: Window, space: Ints, wanted: Sequence[int] | None) -> Ints:
    """The lengths that pooling came from: the least, or those asked for if they pool alike."""
    sides = zip(space, w.size, w.stride, w.padding, strict=True)
    least = tuple((n - 1) * s + k - 2 * p for n, k, s, p in sides)
    if wanted is None:
        return least
    asked = tuple(wanted)[-len(space) :]
    room = zip(asked, least, w.stride, strict=True)
    if len(wanted) < len(space) or any(not n - s < a < n + s for a, n, s in room):
        raise ShapeError(
            f"{w.name}: output_size {tuple(wanted)} is not within one stride {w.stride} of {least}"
        )
    return asked


def _unpool(w: Window, wanted: Sequence[int] | None, input: Tensor, indices: Tensor) -> Tensor:
    dims = len(w.size)
    if input.ndim not in (dims + 1, dims + 2) or input.shape != indices.shape:
        raise ShapeError(
            f"{w.name}: wanted input and indices of one shape with {dims} space axes, got "
            f"{tuple(input.shape)} and {tuple(indices.shape)}"
        )
    lead, space = tuple(input.shape[:-dims]), tuple(input.shape[-dims:])
    out = _space(w, space, wanted)
    _check_places(w.name, indices, math.prod(out), out)
    flat = (*lead, math.prod(space))
    blank = input.new_zeros((*lead, math.prod(out)))
    places, values = (mv.reshape(t, shape=flat) for t in (indices, input))
    spread = ix.scatter(blank, places, values, axis=len(lead), accumulate=False)
    return mv.reshape(spread, shape=(*lead, *out))


def _check_places(name: str, indices: Tensor, count: int, out: Ints) -> None:
    if state.trace is not None or indices.device.type != "cpu" or not indices._data.size:
        return
    low, high = int(indices._data.min()), int(indices._data.max())
    if low < 0 or high >= count:
        raise BoundsError(
            f"{name}: indices go from {low} to {high}, but an output of {out} has {count} places; "
            "are kernel_size, stride and padding those of the pooling?"
        )


def _call(
    dims: int,
    input: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    output_size: Sequence[int] | None,
) -> Tensor:
    w = Window(f"max_unpool{dims}d", dims, kernel_size, stride, padding)
    return _unpool(w, output_size, input, indices)


@keeps_names
def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Maxima put back where `max_pool1d` found them; see `max_unpool2d`."""
    return _call(1, input, indices, kernel_size, stride, padding, output_size)


@keeps_names
def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Maxima put back where `max_pool2d` found them, zeros elsewhere.

    Args:
        input: (n, c, h, w) maxima, or one sample (c, h, w).
        indices: their positions, from ``max_pool2d(..., return_indices=True)``.
        kernel_size, stride, padding: of that pooling.
        output_size: (h', w') when several sizes pool alike; may have leading axes, too.

    Returns:
        (n, c, h', w').

    Raises:
        ShapeError: shapes differ, or output_size cannot have been.
        BoundsError: an index is outside the output.
    """
    return _call(2, input, indices, kernel_size, stride, padding, output_size)


@keeps_names
def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Maxima put back where `max_pool3d` found them; see `max_unpool2d`."""
    return _call(3, input, indices, kernel_size, stride, padding, output_size)

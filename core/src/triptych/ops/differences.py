"""Derivatives of sampled functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import dtypes
from ..avals import normalize_axis
from ..errors import DTypeError, ShapeError
from ..prims import elementwise as ew
from ..tensor import Tensor
from .creation import cast_to
from .shape import cat, narrow, reshape

__all__ = ["gradient"]


def gradient(
    input: Tensor,
    *,
    spacing: Any = None,
    dim: int | Sequence[int] | None = None,
    edge_order: int = 1,
) -> tuple[Tensor, ...]:
    """The derivative of a function given by its values on a grid, along each axis.

    Args:
        input: (...) values; integers are taken as the default floating type.
        spacing: the distance of neighbours, one per axis of dim, or for each a vector of
            coordinates; default 1.
        dim: an axis or several; default all.
        edge_order: 1 or 2, the accuracy of the one-sided differences at the ends.

    Returns:
        A tensor in the shape of input per axis: central differences of second order inside.

    Raises:
        ShapeError: an axis has fewer than edge_order + 1 elements, or spacing does not fit.
        DTypeError: edge_order is neither 1 nor 2, or elements are booleans.

    Example:
        >>> from triptych import tensor
        >>> gradient(tensor([0.0, 1.0, 4.0, 9.0]))[0].tolist()
        [1.0, 2.0, 4.0, 5.0]

    Source: Fornberg 1988, table 2, for two intervals of different length.
    """
    if edge_order not in (1, 2):
        raise DTypeError(f"gradient: edge_order is 1 or 2, got {edge_order!r}")
    if input._data.dtype == dtypes.BOOL and input.ndim:
        raise DTypeError("gradient: booleans have no differences; convert with .float()")
    if input._data.dtype.kind in "iu":
        input = cast_to(input, dtypes.get_default_dtype().dtype)
    axes = _axes(input, dim)
    steps = _steps(spacing, len(axes))
    return tuple(
        _along(input, axis, step, edge_order) for axis, step in zip(axes, steps, strict=True)
    )


def _axes(input: Tensor, dim: Any) -> list[int]:
    if dim is None:
        return list(range(input.ndim))
    several = [dim] if isinstance(dim, int) else list(dim)
    axes = [normalize_axis("gradient", d, input.ndim, input) for d in several]
    if len(set(axes)) != len(axes):
        raise ShapeError(f"gradient: dims {tuple(several)} name one axis twice")
    return axes if input.ndim else []


def _steps(spacing: Any, count: int) -> list[Any]:
    spacing = 1 if spacing is None else spacing
    if isinstance(spacing, Tensor) and spacing.ndim:
        spacing = [spacing]
    if isinstance(spacing, (tuple, list)):
        if len(spacing) != count:
            raise ShapeError(f"gradient: {len(spacing)} spacings for {count} dims")
        return list(spacing)
    return [spacing] * count


def _along(x: Tensor, axis: int, step: Any, edge_order: int) -> Tensor:
    length = x.shape[axis]
    if length <= edge_order:
        raise ShapeError(
            f"gradient: wanted at least {edge_order + 1} elements along dim {axis}, got shape "
            f"{tuple(x.shape)}"
        )
    if isinstance(step, Tensor) and step.ndim:
        return _uneven(x, axis, step, edge_order)
    inside = ew.div(ew.sub(_from(x, axis, 2, length), _from(x, axis, 0, length - 2)), 2 * step)
    ends = [_end(x, axis, places, step, edge_order) for places in ((0, 1, 2), (-1, -2, -3))]
    return cat([ends[0], inside, ew.neg(ends[1])], axis)


def _from(x: Tensor, axis: int, start: int, stop: int) -> Tensor:
    return narrow(x, axis, start, max(stop - start, 0))


def _end(x: Tensor, axis: int, places: Any, step: Any, edge_order: int) -> Tensor:
    """The one-sided difference at the first of three places, in the direction of the others."""
    a, b = (narrow(x, axis, p, 1) for p in places[:2])
    if edge_order == 1:
        return ew.div(ew.sub(b, a), step)
    c = narrow(x, axis, places[2], 1)
    return ew.div(ew.sub(ew.sub(ew.mul(b, 4), ew.mul(a, 3)), c), 2 * step)


def _uneven(x: Tensor, axis: int, coordinates: Tensor, edge_order: int) -> Tensor:
    length = x.shape[axis]
    if tuple(coordinates.shape) != (length,):
        raise ShapeError(
            f"gradient: wanted {length} coordinates along dim {axis}, got a tensor of shape "
            f"{tuple(coordinates.shape)}"
        )
    at = reshape(coordinates, tuple(-1 if i == axis else 1 for i in range(x.ndim)))
    gaps = ew.sub(_from(at, axis, 1, length), _from(at, axis, 0, length - 1))
    slopes = ew.div(ew.sub(_from(x, axis, 1, length), _from(x, axis, 0, length - 1)), gaps)
    h1, h2 = _from(gaps, axis, 0, length - 2), _from(gaps, axis, 1, length - 1)
    s1, s2 = _from(slopes, axis, 0, length - 2), _from(slopes, axis, 1, length - 1)
    # The slope of the parabola through three points, at the middle one.
    inside = ew.div(ew.add(ew.mul(s1, h2), ew.mul(s2, h1)), ew.add(h1, h2))
    first, last = (_uneven_end(slopes, gaps, axis, p, edge_order) for p in ((0, 1), (-1, -2)))
    return cat([first, inside, last], axis)


def _uneven_end(slopes: Tensor, gaps: Tensor, axis: int, places: Any, edge_order: int) -> Tensor:
    """The slope of the line or parabola through the points at an end, there."""
    near = narrow(slopes, axis, places[0], 1)
    if edge_order == 1:
        return near
    far = narrow(slopes, axis, places[1], 1)
    h1, h2 = (narrow(gaps, axis, p, 1) for p in places)
    bend = ew.div(ew.sub(near, far), ew.add(h1, h2))
    return ew.add(near, ew.mul(bend, h1))

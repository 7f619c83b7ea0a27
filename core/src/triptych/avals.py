"""Abstract values: the shape and dtype of an array without its numbers, and rules over shapes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from operator import index
from typing import Any

import numpy as np

from .errors import DTypeError, NamesError, ShapeError

Shape = tuple[int, ...]


class Aval:
    """What shape and dtype rules take and give. Arrays have the same names and serve as well."""

    __slots__ = ("dtype", "shape")

    def __init__(self, shape: Sequence[int], dtype: np.dtype) -> None:
        self.shape, self.dtype = tuple(shape), dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def __repr__(self) -> str:
        return f"{self.dtype}{list(self.shape)}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Aval):
            return NotImplemented
        return (self.shape, self.dtype) == (other.shape, other.dtype)

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))


def shape_of(x: Any) -> Shape:
    """The shape of an array, an aval or a Python scalar."""
    return getattr(x, "shape", ())


def broadcast_shapes(name: str, *shapes: Shape) -> Shape:
    """The common shape of several, aligned at the last axis.

    Raises:
        ShapeError: two lengths differ and neither is 1.
    """
    ndim = max(map(len, shapes))
    out = [1] * ndim
    for shape in shapes:
        for axis, length in enumerate(shape, ndim - len(shape)):
            if out[axis] == 1:
                out[axis] = length
            elif length not in (1, out[axis]):
                text = " and ".join(str(s) for s in shapes)
                raise ShapeError(
                    f"{name}: shapes {text} do not broadcast: {out[axis]} against {length} at axis "
                    f"{axis - ndim}; use unsqueeze, expand or permute to line the axes up"
                )
    return tuple(out)


def integers(name: str, values: Iterable[Any]) -> tuple[int, ...]:
    """Lengths or axes as Python ints, from anything that counts as one: NumPy's, 0-d tensors.

    Raises:
        DTypeError: a value is no integer, even if it is a whole number such as 2.0.
    """
    values = tuple(values)
    try:
        return tuple(map(index, values))
    except TypeError:
        raise DTypeError(f"{name}: wanted integers, got {_listed(values)}") from None


def _listed(values: tuple[Any, ...]) -> str:
    return repr(values[0]) if len(values) == 1 else repr(values)


def normalize_axis(name: str, axis: Any, ndim: int, of: Any = None) -> int:
    """A non-negative axis.

    Args:
        name: what was called, for errors.
        axis: an int, negative to count from the end, or the name of a dim.
        ndim: how many axes there are.
        of: the tensor whose dims may be called by name.

    Raises:
        ShapeError: the axis is out of range.
        NamesError: no dim of the tensor has this name.
        DTypeError: the axis is neither an integer nor a name.
    """
    if type(axis) is not int:
        if isinstance(axis, str):
            return _named_axis(name, axis, of)
        (axis,) = integers(name, (axis,))
    span = max(ndim, 1)  # a 0-d tensor takes axis 0 and -1, as in torch
    if not -span <= axis < span:
        raise ShapeError(
            f"{name}: dim {axis} is out of range for {ndim} dims; wanted {-span} to {span - 1}"
        )
    return axis % span


def _named_axis(call: str, name: str, of: Any) -> int:
    if of is None:
        raise NamesError(f"{call}: dim {name!r} is a name, and this call wants an int")
    names = getattr(of, "_names", None)
    if names is None:
        raise NamesError(
            f"{call}: dim {name!r} is called by name, but the dims have no names; use an int, or "
            "name them with refine_names()"
        )
    if name not in names:
        raise NamesError(f"{call}: no dim is named {name!r}; the tensor has names {names}")
    place: int = names.index(name)
    return place


_ALL = [tuple(range(ndim)) for ndim in range(65)]  # NumPy has at most 64 axes


def _one_or_several(name: str, axes: Any) -> Any:
    """An int of NumPy's or a 0-d array as Python's; other sequences as they are."""
    if isinstance(axes, str):
        return (axes,)
    several = hasattr(axes, "__len__") and getattr(axes, "ndim", 1) > 0
    return axes if several else integers(name, (axes,))[0]


def normalize_axes(name: str, axes: Any, ndim: int, of: Any = None) -> tuple[int, ...]:
    """Sorted non-negative axes of ints or names (see `normalize_axis`); None and () mean all.

    Raises:
        ShapeError: an axis is out of range or named twice.
        NamesError: no dim has this name.
    """
    if axes is None:
        return _ALL[ndim]
    if not isinstance(axes, (int, tuple, list)):
        axes = _one_or_several(name, axes)
    if not isinstance(axes, int) and len(axes) == 0:
        return _ALL[ndim]
    if isinstance(axes, int):
        return (normalize_axis(name, axes, ndim),) if ndim else (normalize_axis(name, axes, 0),)[:0]
    out = sorted(normalize_axis(name, a, ndim, of) for a in axes)
    if len(set(out)) != len(out):
        raise ShapeError(f"{name}: dims {tuple(axes)} name one axis twice")
    return tuple(out) if ndim else ()


def reduced_shape(shape: Shape, axes: tuple[int, ...], keepdim: bool) -> Shape:
    """The shape left when axes are summed away."""
    if keepdim:
        return tuple(1 if i in axes else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in axes)

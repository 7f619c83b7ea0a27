"""Methods that look at or write single elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import DeviceError, DTypeError, GradError, ShapeError
from ..tensor import Tensor, current_edge
from .creation import as_tensor
from .index import getitem
from .inplace import overwrite
from .shape import expand
from .strided import as_strided, strides_of

__all__: list[str] = []


def fill_diagonal_(self: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Write a number along the main diagonal; returns self.

    Args:
        fill_value: a number.
        wrap: for a matrix with more rows than columns, begin again below the last column, leaving
            one row out.

    Raises:
        ShapeError: fewer than two axes; or more, of different length.
    """
    if self.ndim < 2 or (self.ndim > 2 and len(set(self.shape)) > 1):
        raise ShapeError(
            "fill_diagonal_: wanted a matrix, or more axes of one length, got shape "
            f"{tuple(self.shape)}"
        )
    if self._data.size == 0:
        return self
    steps = strides_of(self)
    count, step = min(self.shape), sum(steps)
    if wrap and self.ndim == 2 and self.shape[0] > self.shape[1]:
        _fill_wrapped(self, fill_value)
        return self
    if step < 0 or min(steps) < 0:
        self[(as_tensor(np.arange(count), device=self.device),) * self.ndim] = fill_value
        return self
    as_strided(self, (count,), (step,)).fill_(fill_value)
    return self


def _fill_wrapped(self: Tensor, fill_value: Any) -> None:
    height, width = self.shape
    places = np.arange(0, height * width, width + 1)
    rows, columns = (as_tensor(p, device=self.device) for p in np.divmod(places, width))
    self[rows, columns] = fill_value


def index(self: Tensor, indices: Any) -> Tensor:
    """``self[i, j, ...]`` for a sequence of index tensors; None takes all of an axis."""
    return getitem(self, tuple(slice(None) if i is None else i for i in indices))


def _on_cpu(name: str, *tensors: Tensor) -> None:
    for t in tensors:
        if not isinstance(t, Tensor):
            raise DTypeError(f"{name}: wanted a tensor, got {type(t).__name__}")
        if t.device.type != "cpu":
            raise DeviceError(f"{name}: calls a Python function per element; move it to the CPU")
        if current_edge(t) is not None:
            raise GradError(f"{name}: a Python function per element has no gradient; use detach()")


def apply_(self: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Replace every element by what a Python function makes of it; slow. Returns self.

    Raises:
        DeviceError: the tensor is not on the CPU.
        GradError: it requires grad.
    """
    return _mapped("apply_", callable, self)


def map_(self: Tensor, tensor: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
    """Replace every element by what a Python function makes of it and the element of another
    tensor, which broadcasts; slow. Returns self.

    Raises:
        DeviceError: a tensor is not on the CPU.
        GradError: a tensor requires grad.
    """
    return _mapped("map_", callable, self, tensor)


def map2_(self: Tensor, x: Tensor, y: Tensor, callable: Callable[[Any, Any, Any], Any]) -> Tensor:
    """`map_` with two further tensors."""
    return _mapped("map2_", callable, self, x, y)


def _mapped(name: str, function: Callable[..., Any], self: Tensor, *others: Tensor) -> Tensor:
    _on_cpu(name, self, *others)
    columns = (expand(t, self.shape).numpy().reshape(-1).tolist() for t in (self, *others))
    made = [function(*numbers) for numbers in zip(*columns, strict=True)]
    array = np.array(made).astype(self._data.dtype) if made else np.empty(0, self._data.dtype)
    return overwrite(self, as_tensor(array.reshape(tuple(self.shape))), name)

"""Changing in place how a tensor looks at its memory, not what is there."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ..avals import integers
from ..backends import backend_of
from ..errors import CaptureError, DTypeError, GradError, ShapeError
from ..state import state
from ..tensor import Symbol, Tensor, current_edge, set_edge
from . import shape, strided
from .inplace import after_write, before_write
from .storage import UntypedStorage, elements_of, geometry_view

__all__: list[str] = []


def _reshaped(name: str, view: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The method ``name``: the tensor becomes the view that `view` gives of it."""

    def method(self: Tensor, *args: Any, **options: Any) -> Tensor:
        if state.trace is not None and not isinstance(self._data, Symbol):
            raise CaptureError(
                f"{name}: a tensor from outside cannot change its shape while a function is "
                f"traced; use the out-of-place {name.strip('_')}"
            )
        before_write(self, current_edge(self), name)
        seen, before = self._view, self._edge
        out = view(self, *args, **options)
        if out is not self:
            self._data, self._names = out._data, out._names
            self._view = out._view if seen is not None else None
        edge = out._edge if out is not self else before
        if seen is None:
            after_write(self, edge, name)
        else:  # the history of the view follows; its base is as it was
            set_edge(self, edge)
            self._cell[0] += 1
            self._view.version = self._cell[0]  # type: ignore[union-attr]
        return self

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{name.strip('_')}` of the tensor itself, in place; returns self."
    return method


def _strided(self: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    return strided.as_strided(self, size, stride, storage_offset)


squeeze_ = _reshaped("squeeze_", shape.squeeze)
unsqueeze_ = _reshaped("unsqueeze_", shape.unsqueeze)
t_ = _reshaped("t_", shape.t)
transpose_ = _reshaped("transpose_", shape.transpose)
swapaxes_ = _reshaped("swapaxes_", shape.transpose)
swapdims_ = _reshaped("swapdims_", shape.transpose)
as_strided_ = _reshaped("as_strided_", _strided)


def _check_plain(self: Tensor, name: str) -> None:
    """Refuse to exchange the memory of a tensor that has a history or is being traced."""
    if state.trace is not None:
        raise CaptureError(f"{name}: not possible while a function is traced; make a new tensor")
    if current_edge(self) is not None:
        raise GradError(f"{name}: the tensor requires grad; use detach() first")


def resize_(self: Tensor, *sizes: Any, memory_format: Any = None) -> Tensor:
    """Give the tensor another shape; returns self.

    Args:
        sizes: lengths, or one tuple of them. The elements are those in memory, in row-major order;
            if there are too few, they move to new memory with zeros behind them.
        memory_format: only row-major order is known here.

    Raises:
        GradError: the tensor requires grad.
        ShapeError: a length is negative.
    """
    _check_plain(self, "resize_")
    size = integers("resize_", shape._lengths("resize_", sizes))
    if any(n < 0 for n in size):
        raise ShapeError(f"resize_: lengths must not be negative, got {size}")
    if size == tuple(self.shape):
        return self
    count, data = math.prod(size), self._data
    start = strided.offset_of(data)
    if start + count <= elements_of(data):
        self._data = geometry_view(data, size, strided.row_major(size), 0)
    else:
        memory = geometry_view(data, (elements_of(data) - start,), (1,), 0)
        self._data = _grown(memory, size, count)
        self._cell = [0]
    self._view = self._names = None
    self._cell[0] += 1
    return self


def _grown(memory: Any, size: tuple[int, ...], count: int) -> Any:
    backend = backend_of(memory)
    with backend.on(backend.device_of(memory)):
        wide = backend.xp.zeros(count, memory.dtype)
        wide[: memory.size] = memory
        return wide.reshape(size)


def resize_as_(self: Tensor, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
    """`resize_` to the shape of another tensor; returns self."""
    return resize_(self, tuple(the_template.shape))


def set_(
    self: Tensor,
    source: Tensor | UntypedStorage | None = None,
    storage_offset: int = 0,
    size: Sequence[int] | None = None,
    stride: Sequence[int] | None = None,
) -> Tensor:
    """Make the tensor look at other memory; returns self.

    Args:
        source: a tensor, or the memory of one; None for no elements.
        storage_offset: where to begin, in elements; with a size.
        size: lengths; default those of source.
        stride: steps in elements; default row-major order.

    Raises:
        GradError: the tensor requires grad.
        DTypeError: source is a tensor of another dtype, or no source.
        BoundsError: an element would lie outside the memory.
    """
    _check_plain(self, "set_")
    if source is None:
        source = shape.narrow(Tensor().to(self.dtype), 0, 0, 0)
    if isinstance(source, UntypedStorage):
        source = source.as_tensor(self.dtype)
    if not isinstance(source, Tensor) or source.dtype is not self.dtype:
        kind = source.dtype if isinstance(source, Tensor) else type(source).__name__
        raise DTypeError(f"set_: wanted a {self.dtype} tensor or its memory, got {kind}")
    if size is not None:
        steps = strided.row_major(tuple(size)) if stride is None else stride
        source = strided.as_strided(source.detach(), size, steps, storage_offset)
    self._data, self._cell, self._view = source._data, source._cell, None
    self._names = source._names
    return self

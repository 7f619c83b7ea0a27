"""Writing into tensors.

An in-place operation computes its result out of place, records it as any other operation, and then
puts the numbers into the tensor's memory. The version cell that the tensor shares with its views
counts the write, so backward can tell when a saved value is gone, and views know to rebuild their
history from their base.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from .. import dtypes
from ..autograd.node import Leaf, Node
from ..errors import DTypeError, GradError, ShapeError
from ..prims import movement as mv
from ..state import run_kernel, state
from ..tensor import Tensor, current_edge
from .creation import cast_to

_PACKAGE = __name__.rpartition(".ops")[0]


def overwrite(target: Tensor, value: Tensor, name: str) -> Tensor:
    """Give target the numbers and the history of value, and return it.

    Raises:
        GradError: target is a leaf whose gradient is wanted, or a view of one.
        ShapeError: value has another shape.
        DTypeError: value would lose its kind (float into int).
    """
    if tuple(value._data.shape) != tuple(target._data.shape):
        raise ShapeError(
            f"{name}: the result has shape {tuple(value.shape)}, the tensor {tuple(target.shape)}; "
            "an in-place operation cannot change the shape, use the out-of-place form"
        )
    value = _to_dtype(target, value, name)
    edge = current_edge(value) if state.grad else None
    _check_leaf(target, name)
    _store(target, value)
    _bump(target, name)
    if target._view is None:
        if state.grad:
            target._edge = edge
    else:
        _rebase(target, edge)
    return target


def write_through(part: Tensor, value: Tensor, name: str) -> None:
    """`overwrite` for a view that was made only to be written to."""
    overwrite(part, value, name)


def _to_dtype(target: Tensor, value: Tensor, name: str) -> Tensor:
    have, want = value._data.dtype, target._data.dtype
    if have == want:
        return value
    ranks = [
        0 if d == dtypes.BOOL else 1 if d.kind in "iu" else 3 if d.kind == "c" else 2
        for d in (have, want)
    ]
    if ranks[0] > ranks[1]:
        raise DTypeError(
            f"{name}: the result is {value.dtype}, which a {target.dtype} tensor cannot hold; "
            "use the out-of-place form"
        )
    return cast_to(value, want)


def _check_leaf(target: Tensor, name: str) -> None:
    if not state.grad:
        return
    owner = target if target._view is None else target._view.base
    if isinstance(owner._edge, Leaf):
        kind = "a leaf" if owner is target else "a view of a leaf"
        raise GradError(
            f"{name}: cannot write into {kind} that requires grad (shape {tuple(target.shape)}); "
            "write inside no_grad(), or into a clone()"
        )


def _store(target: Tensor, value: Tensor) -> None:
    trace = state.trace
    if trace is not None and trace.write(target, value):
        return
    run_kernel(_assign, target._data, value._data)


def _assign(memory: Any, numbers: Any) -> None:
    if memory is not numbers:
        memory[...] = numbers


def _bump(target: Tensor, name: str) -> None:
    cell = target._cell
    cell[0] += 1
    cell[1:] = [f"{name} at {_caller()}"]


def _caller() -> str:
    """``file:line`` outside this package, cheaply."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_PACKAGE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _rebase(target: Tensor, edge: Any) -> None:
    """After a write through a view: the base's history is its old one with this part replaced."""
    view = target._view
    base = view.base  # type: ignore[union-attr]
    if state.grad and (base._edge is not None or edge is not None):
        prim = mv.write_view.prim  # type: ignore[attr-defined]
        shapes = (tuple(base._data.shape), tuple(target._data.shape))
        params = {"chain": view.chain}  # type: ignore[union-attr]
        base._edge = Node(prim, params, (base._edge, edge), (None, None), None, (), shapes)


def inplace(name: str, function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The method ``name``: computes `function` and writes the result into its first argument."""

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return overwrite(self, function(self, *args, **kwargs), name)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"In-place form of `{name.strip('_')}`; returns self."
    return method


def copy_(self: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """Write the elements of src, which broadcasts and is converted; returns self."""
    from .creation import as_tensor
    from .shape import expand

    src = src if isinstance(src, Tensor) else as_tensor(src)
    if src.device != self.device:
        src = src.to(self.device)
    value = expand(cast_to(src, self._data.dtype), self.shape)
    return overwrite(self, value, "copy_")


def fill_(self: Tensor, value: Any) -> Tensor:
    """Write one value everywhere; returns self."""
    from ..prims.elementwise import fill_like

    if isinstance(value, Tensor):
        return copy_(self, value)
    return overwrite(self, fill_like(self.detach(), value=value), "fill_")


def zero_(self: Tensor) -> Tensor:
    """Write zeros everywhere; returns self."""
    return fill_(self, 0)


def detach(input: Tensor) -> Tensor:
    """The same memory without history: no gradient flows through the result."""
    from ..tensor import box

    trace = state.trace
    out = box(input._data if trace is None else trace.enter(input))
    out._cell = input._cell
    return out


def detach_(self: Tensor) -> Tensor:
    """Cut this tensor off from its history; returns self.

    Raises:
        GradError: it is a view, whose base would keep the history.
    """
    if self._view is not None:
        raise GradError("detach_: the tensor is a view; use detach()")
    self._edge = None
    return self

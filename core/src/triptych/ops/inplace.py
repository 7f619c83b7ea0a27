"""Writing into tensors.

An in-place operation computes its result out of place, records it as any other operation, and then
puts the numbers into the tensor's memory; or gives the tensor the result's memory where nothing
else holds either. The version cell that the tensor shares with its views
counts the write, so backward can tell when a saved value is gone, and views know to rebuild their
history from their base.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from .. import dtypes
from ..autograd.node import Leaf, Node
from ..autograd.saved import PackedValues
from ..backends import copied, write
from ..callsite import user_line
from ..errors import DTypeError, GradError, ReadOnlyError, ShapeError
from ..holders import ALONE, HELD, owns_memory
from ..prims import movement as mv
from ..prims.naming import dims_of, unify
from ..prims.table import Prim
from ..state import run_kernel, state
from ..tensor import Alias, Symbol, Tensor, View, box, current_edge, set_edge
from .creation import cast_to


def overwrite(target: Tensor, value: Tensor, name: str) -> Tensor:
    """Give target the numbers and the history of value, and return it.

    Raises:
        GradError: target is a leaf whose gradient is wanted, or a view that may not be written to.
        ShapeError: value has another shape, or several elements of target are one number.
        DTypeError: value would lose its kind (float into int).
        NamesError: dims of value have other names.
    """
    if tuple(value._data.shape) != tuple(target._data.shape):
        raise ShapeError(
            f"{name}: the result has shape {tuple(value.shape)}, the tensor {tuple(target.shape)}; "
            "an in-place operation cannot change the shape, use the out-of-place form"
        )
    value = _to_dtype(target, value, name)
    if value._names is not None:
        target._names = unify(name, dims_of(target), dims_of(value))
    trace = state.trace
    if trace is not None and trace.overwrite(target, value, name):
        return target
    edge = current_edge(value) if state.grad else None
    before_write(target, edge, name)
    if state.grad and edge is None and target._view is None and target._edge is not None:
        value = mv.write_view(target, value, chain=())  # a constant now, and still on the tape
        edge = value._edge
    if not (sys.getrefcount(value) == ALONE and _exchange(target, value, edge)):
        if type(edge) is Node:
            _keep_apart(target, edge)
        _spare(target)
        _store(target, value, name)
    after_write(target, edge, name)
    return target


def _exchange(target: Tensor, value: Tensor, edge: Any) -> bool:
    """Give target the memory of a value that is to be dropped, if nothing can tell."""
    if type(edge) is not Node or state.trace is not None or target._view is not None:
        return False
    saved = edge.y is value._data
    if sys.getrefcount(target._data) != HELD or sys.getrefcount(value._data) != HELD + saved:
        return False
    if not owns_memory(target._data) or not owns_memory(value._data):
        return False
    if saved:  # the result is the target from now on
        kept = tuple(c for c in edge.cells if c[0] is not value._cell)
        edge.cells = (*kept, (target._cell, target._cell[0] + 1))
    target._data = value._data
    return True


def _spare(target: Tensor) -> None:
    """Copy what a node saved of the memory that target got in exchange, before a write to it."""
    owner = target if target._view is None else target._view.base
    node = owner._edge
    if type(node) is not Node or node.y is not owner._data:
        return
    if any(cell is owner._cell and version > 0 for cell, version in node.cells):
        node.y = copied(node.y)
        node.cells = tuple(c for c in node.cells if c[0] is not owner._cell)


def before_write(target: Tensor, edge: Any, name: str) -> None:
    """Refuse a write that the tape cannot express; edge is the history of what is written."""
    if not state.grad:
        return
    view = target._view
    shared = view is not None and type(view) is not Alias
    owner = view.base if shared else target  # type: ignore[union-attr]
    if isinstance(owner._edge, Leaf):
        kind = "a view of a leaf" if shared else "a leaf"
        raise GradError(
            f"{name}: cannot write into {kind} that requires grad (shape {tuple(target.shape)}); "
            "write inside no_grad(), or into a clone()"
        )
    if shared and not view.tracked and (owner._edge is not None or edge is not None):  # type: ignore[union-attr]
        raise GradError(
            f"{name}: cannot record a write into a view that was made under no_grad(); make the "
            "view outside no_grad(), or write inside it"
        )


def after_write(target: Tensor, edge: Any, name: str) -> None:
    """Count the write and put its history, edge, where it belongs."""
    shared = sys.getrefcount(target._cell) > HELD  # by a view too, or by what saved the numbers
    cell, view = target._cell, target._view
    cell[0] += 1
    if shared:
        cell[1:] = [f"{name} at {user_line()}"]
    if view is None or type(view) is Alias:
        if state.grad:
            set_edge(target, edge)
    elif state.grad and (view.base._edge is not None or edge is not None):
        _rebase(target, view, edge)
    fresh = edge is not None or (isinstance(target._data, Symbol) and not state.grad)
    if view is not None and fresh:
        view.version = cell[0]


def _keep_apart(target: Tensor, node: Node) -> None:
    """Copy what the operation saved of the memory that its own result is about to replace."""
    if node.xs is None:
        return
    if isinstance(node.xs, PackedValues):
        if not isinstance(target._data, Symbol):
            node.xs.keep_apart(target._data)
        return
    if not any(x is target._data for x in node.xs):
        return
    apart = target._data if isinstance(target._data, Symbol) else copied(target._data)
    node.xs = tuple(apart if x is target._data else x for x in node.xs)
    node.cells = tuple(saved for saved in node.cells if saved[0] is not target._cell)


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


def _store(target: Tensor, value: Tensor, name: str) -> None:
    trace = state.trace
    if trace is not None and trace.write(target, value):
        return
    check_memory(target._data, name)
    run_kernel(_assign, target._data, value._data)


def check_memory(array: Any, name: str) -> None:
    """Refuse arrays that cannot be written to, or where a number stands for several elements.

    Raises:
        ShapeError: elements share memory, as in the result of expand().
        ReadOnlyError: the memory is read-only.
    """
    flags = array.flags
    if not getattr(flags, "writeable", True):
        raise ReadOnlyError(
            f"{name}: the memory of this tensor (shape {tuple(array.shape)}) is read-only, as that "
            "of bytes or of a NumPy array that is not writeable; write into a clone()"
        )
    if not flags.c_contiguous and _overlaps_itself(array):
        raise ShapeError(
            f"{name}: several elements of this tensor (shape {tuple(array.shape)}, strides "
            f"{array.strides} bytes) are one place in memory, as after expand() or unfold(); "
            "write into a clone()"
        )


def _overlaps_itself(array: Any) -> bool:
    """Whether an axis steps by less than the axes with smaller steps reach."""
    reach = array.itemsize
    for step, length in sorted(zip(map(abs, array.strides), array.shape, strict=True)):
        if length > 1:
            if step < reach:
                return array.size > 0
            reach += step * (length - 1)
    return False


def _assign(memory: Any, numbers: Any) -> None:
    if memory is not numbers:
        write(memory, ..., numbers)


def _rebase(target: Tensor, view: View, edge: Any) -> None:
    """After a write through a view: the base's history is its old one with this part replaced."""
    base = view.base
    prim = mv.write_view.prim  # type: ignore[attr-defined]
    shapes = (tuple(base._data.shape), tuple(target._data.shape))
    node = Node(prim, {"chain": view.chain}, (base._edge, edge), (None, None), None, (), shapes)
    trace = state.trace
    if trace is not None:
        trace.changing(base)
        trace.recorded(node)
    set_edge(base, node)
    if edge is not None:
        view.edge = node
        set_edge(target, edge)


def inplace(name: str, function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The method ``name``: computes `function` and writes the result into its first argument."""

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return overwrite(self, function(self, *args, **kwargs), name)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"In-place form of `{name.strip('_')}`; returns self."
    return method


def ending_in(
    step: Callable[..., Tensor],
    name: str,
    operand: Callable[..., Any],
    function: Callable[..., Any],
) -> Callable[..., Tensor]:
    """The method ``name`` of a `function` that ends in ``step(self, operand(self, ...))``, an
    elementwise primitive: where nothing is recorded, its kernel writes straight into the memory.
    """
    prim: Prim = step.prim  # type: ignore[attr-defined]
    recorded = inplace(name, function)

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if state.run is None or self._names is not None or self._data.dtype.kind not in "fc":
            return recorded(self, *args, **kwargs)
        other = operand(self, *args, **kwargs)
        if other is NotImplemented:
            return recorded(self, *args, **kwargs)
        tensor = isinstance(other, Tensor)
        special = tensor and other._names is not None
        if special or (state.grad and (_has_history(self) or (tensor and _has_history(other)))):
            return overwrite(self, step(self, other), name)
        raw = other._data if tensor else other
        into = prim.into(self._data)
        if into is None or not _fits(raw, self._data):
            return overwrite(self, step(self, other), name)
        check_memory(self._data, name)
        _spare(self)
        state.run(into, self._data, raw)
        after_write(self, None, name)
        return self

    method.__name__ = method.__qualname__ = name
    method.__doc__ = recorded.__doc__
    return method


def over(target: Tensor, step: Any, name: str) -> Tensor:
    """Write ``step(target)`` over target and return it; `step` is an elementwise primitive of one
    input, whose kernel writes straight into the memory where nothing is recorded.
    """
    run = state.run
    if run is None or target._names is not None or target._data.dtype.kind != "f":
        return overwrite(target, step(target), name)
    into = None if state.grad and _has_history(target) else step.prim.into(target._data)
    if into is None:
        return overwrite(target, step(target), name)
    check_memory(target._data, name)
    run(into, target._data)
    after_write(target, None, name)
    return target


def _has_history(x: Tensor) -> bool:
    """Whether a write to x, or from it, is to be recorded."""
    return current_edge(x) is not None or (x._view is not None and x._view.base._edge is not None)


def _fits(raw: Any, memory: Any) -> bool:
    """Whether a kernel may combine raw with memory in place: one dtype, and no longer shape."""
    if type(raw) is not type(memory):
        return type(raw) in (int, float)
    if raw.dtype is not memory.dtype:
        return False
    return raw.shape in (memory.shape, ()) or _stretches(raw.shape, memory.shape)


def _stretches(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Whether a shape broadcasts to another one, which stays as it is."""
    last = len(target) - len(shape)
    return last >= 0 and all(n in (1, m) for n, m in zip(shape, target[last:], strict=True))


def copy_(self: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """Write the elements of src, which broadcasts and is converted; returns self."""
    from .creation import as_tensor
    from .shape import expand

    src = src if isinstance(src, Tensor) else as_tensor(src, dtype=self.dtype)
    if src.device != self.device:
        src = src.to(self.device, non_blocking=non_blocking)
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
    trace = state.trace
    out = box(input._data if trace is None else trace.detached(input))
    out._cell = input._cell
    if input._names is not None:
        out._names = input._names
    if isinstance(out._data, Symbol):
        out._view = Alias(input, input._cell[0])
    return out


def detach_(self: Tensor) -> Tensor:
    """Cut this tensor off from its history; returns self.

    Raises:
        GradError: it is a view, whose base would keep the history.
    """
    if self._view is not None and type(self._view) is not Alias:
        raise GradError("detach_: the tensor is a view; use detach()")
    if state.trace is not None:
        state.trace.changing(self)
    set_edge(self, None)
    return self

"""Capture: run a function once on symbols and record the primitives it applies.

Forward, backward and optimiser updates are captured alike. A tensor from outside (a parameter, a
buffer, an optimiser's momentum) becomes state; an in-place write to it becomes an extra output,
which the replay puts back. Nothing outside changes while capturing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.node import Node
from ..backends import Device, backend_of
from ..errors import CaptureError
from ..prims.promotion import SCALARS
from ..prims.table import Prim
from ..prims.trace import Trace
from ..tensor import Symbol, Tensor, box
from ..tree import flatten, tree_map
from .ir import Equation, Graph, Slot


class Capture(Trace):
    """Records what runs while it is active."""

    def __init__(self) -> None:
        self.graph = Graph()
        self.owned: set[Symbol] = set()
        self._now: dict[int, Symbol] = {}  # the current value of each tensor from outside, by id
        self._written: dict[int, Tensor] = {}
        self._constants: dict[int, Symbol] = {}
        self._kept: list[Any] = []  # arrays whose id is a key above stay alive
        self._cells: dict[int, tuple[list[Any], list[Any]]] = {}
        self._grads: dict[int, tuple[Tensor, Tensor | None]] = {}

    def symbol(self, shape: Any, dtype: Any, device: Device) -> Symbol:
        """A new symbol of this capture."""
        made = Symbol(tuple(shape), dtype, device)
        self.owned.add(made)
        return made

    def symbol_like(self, array: Any) -> Symbol:
        """A symbol with the shape, dtype and device of an array."""
        return self.symbol(array.shape, array.dtype, backend_of(array).device_of(array))

    def enter(self, tensor: Tensor) -> Symbol:
        """The symbol for a tensor; one from outside becomes state when first met."""
        data = tensor._data
        if isinstance(data, Symbol):
            if data not in self.owned:
                raise CaptureError(
                    "a traced tensor of another capture was used; return it from there instead"
                )
            return data
        found = self._now.get(id(tensor))
        if found is None:
            found = self._now[id(tensor)] = self.symbol_like(data)
            self.graph.state.append((Slot(tensor, "data"), found))
        return found

    def process(self, prim: Prim, raw: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Record the primitive; gives symbols."""
        inputs = tuple(self._operand(x) for x in raw)
        avals = prim.aval(*inputs, **params)
        device = next((x.device for x in inputs if isinstance(x, Symbol)), params.get("device"))
        device = params["device"] if prim.name == "transfer" else device
        listed = avals if prim.outputs > 1 else (avals,)
        outputs = tuple(self.symbol(a.shape, a.dtype, device) for a in listed)
        if prim.view:
            outputs[0].layout = _layout(prim, inputs[0])
        self.graph.equations.append(Equation(prim, inputs, params, outputs))
        return outputs if prim.outputs > 1 else outputs[0]

    def _operand(self, x: Any) -> Any:
        if isinstance(x, (Symbol, *SCALARS)):
            return x
        if id(x) not in self._constants:
            self._constants[id(x)] = self.symbol_like(x)
            self._kept.append(x)
            self.graph.constants.append((self._constants[id(x)], x))
        return self._constants[id(x)]

    def write(self, tensor: Tensor, value: Tensor) -> bool:
        """Note an in-place write: from here on the tensor stands for another symbol."""
        symbol = self.enter(value)
        if self.enter(tensor).layout == "unknown":
            raise CaptureError(
                "an in-place write to a reshape of a permuted or sliced tensor: whether it writes "
                "through depends on the memory layout, which a capture does not know; use the "
                "out-of-place form"
            )
        self._save_cell(tensor)
        if isinstance(tensor._data, Symbol):
            tensor._data = symbol
        else:
            self.enter(tensor)
            self._now[id(tensor)] = symbol
            self._written[id(tensor)] = tensor
        return True

    def _save_cell(self, tensor: Tensor) -> None:
        cell = tensor._cell
        self._cells.setdefault(id(cell), (cell, list(cell)))

    def touched_grad(self, tensor: Tensor) -> None:
        """Remember the gradient a tensor had before the capture; its data becomes state."""
        if id(tensor) in self._grads:
            return
        before = tensor._grad
        self._grads[id(tensor)] = (tensor, before)
        if before is None:
            self.graph.without_grad.append(tensor)
        elif not isinstance(before._data, Symbol) and id(before) not in self._now:
            self._now[id(before)] = self.symbol_like(before._data)
            self.graph.state.append((Slot(tensor, "grad"), self._now[id(before)]))

    def recorded(self, node: Node) -> None:
        """Tape nodes need nothing here: the primitives they call are recorded when they run."""

    def finish(self, result: Any) -> Graph:
        """Close the graph over the result, and put everything outside back as it was."""
        leaves, self.graph.out_spec = flatten(result)
        self.graph.outputs = [self.enter(x) if isinstance(x, Tensor) else x for x in leaves]
        for key, tensor in self._written.items():
            self.graph.writes.append((Slot(tensor, "data"), self._now[key]))
        for tensor, _ in self._grads.values():
            final = None if tensor._grad is None else self.enter(tensor._grad)
            if tensor._grad is self._grads[id(tensor)][1] and id(tensor._grad) not in self._written:
                continue  # read, not changed
            self.graph.writes.append((Slot(tensor, "grad"), final))
        return self.graph

    def restore(self) -> None:
        """Undo what the capture did to objects outside: gradients and version counts."""
        for tensor, before in self._grads.values():
            tensor._grad = before
        for cell, content in self._cells.values():
            cell[:] = content


def _layout(prim: Prim, x: Any) -> str:
    if prim.name != "reshape":
        return "strided"
    return "packed" if x.layout == "packed" else "unknown"


def capture(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Graph:
    """The graph of ``fn(*args, **kwargs)``: tensors among the arguments become its inputs.

    Raises:
        CaptureError: fn needs the value of a traced tensor, for an `if` or an `item()`.
    """
    leaves, _ = flatten((args, kwargs))
    tensors = [x for x in leaves if isinstance(x, Tensor)]
    trace = Capture()
    with trace:
        traced = [_traced(trace, t) for t in tensors]
        swapped = {id(t): s for t, s in zip(tensors, traced, strict=True)}
        call_args, call_kwargs = _replace((args, kwargs), swapped)
        try:
            return trace.finish(fn(*call_args, **call_kwargs))
        finally:
            trace.restore()


def _traced(trace: Capture, t: Tensor) -> Tensor:
    symbol = trace.symbol_like(t._data)
    trace.graph.inputs.append(symbol)
    out = box(symbol)
    return out.requires_grad_() if t.requires_grad else out


def _replace(value: Any, swapped: dict[int, Tensor]) -> Any:
    return tree_map(lambda x: swapped[id(x)] if isinstance(x, Tensor) else x, value)

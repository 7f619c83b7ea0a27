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
from ..prims import movement as mv
from ..prims.compute import check_same_device
from ..prims.promotion import SCALARS
from ..prims.table import Prim
from ..prims.trace import Trace
from ..tensor import Symbol, Tensor, View, box, refresh
from ..tree import flatten, tree_map
from .ir import Equation, Graph, Slot
from .overlap import check_overlap


class Capture(Trace):
    """Records what runs while it is active."""

    def __init__(self) -> None:
        self.graph = Graph()
        self.arguments: list[tuple[Tensor, Tensor]] = []  # (the caller's, what fn gets)
        self.owned: set[Symbol] = set()
        self._now: dict[int, Symbol] = {}  # the current value of each tensor from outside, by id
        self._views: dict[int, tuple[int, Symbol]] = {}  # likewise, with the version it is of
        self._written: dict[int, Tensor] = {}
        self._constants: dict[int, Symbol] = {}
        self._kept: list[Any] = []  # objects whose id is a key above stay alive
        self._cells: dict[int, tuple[list[Any], list[Any]]] = {}
        self._histories: dict[int, tuple[Tensor, Any, Any]] = {}
        self._grads: dict[int, tuple[Tensor, Tensor | None]] = {}
        self._swapped: list[tuple[Tensor, list[Any], View | None]] = []

    def symbol(self, shape: Any, dtype: Any, device: Device) -> Symbol:
        """A new symbol of this capture."""
        made = Symbol(tuple(shape), dtype, device)
        self.owned.add(made)
        return made

    def symbol_like(self, array: Any) -> Symbol:
        """A symbol with the shape, dtype, device and layout of an array."""
        made = self.symbol(array.shape, array.dtype, backend_of(array).device_of(array))
        made.layout = "packed" if array.flags.c_contiguous else "strided"
        return made

    def argument(self, t: Tensor) -> Tensor:
        """What the function gets in place of a tensor among its arguments."""
        symbol = self.symbol_like(t._data)
        self.graph.inputs.append(symbol)
        out = box(symbol)
        if t._names is not None:
            out._names = t._names
        self.arguments.append((t, out))
        return out.requires_grad_() if t.requires_grad else out

    # What primitives meet

    def enter(self, tensor: Tensor) -> Symbol:
        """The symbol for a tensor; one from outside becomes state when first met."""
        view = tensor._view
        if view is not None and view.version != tensor._cell[0]:
            refresh(tensor, view)
        data = tensor._data
        if isinstance(data, Symbol):
            if data not in self.owned:
                raise CaptureError(
                    "a traced tensor of another capture was used; return it from there instead"
                )
            return data
        if view is not None and view.base._cell is tensor._cell:
            return self._outside_view(tensor, view)
        found = self._now.get(id(tensor))
        if found is None:
            found = self._now[id(tensor)] = self.symbol_like(data)
            slot = Slot(tensor, "data", required=tensor.requires_grad)
            self.graph.state.append((slot, found))
        return found

    def detached(self, tensor: Tensor) -> Symbol:
        return self.enter(tensor)

    def _outside_view(self, tensor: Tensor, view: View) -> Symbol:
        """A view made before the capture: looked up in its base, which may have been written to."""
        version, symbol = self._views.get(id(tensor), (None, None))
        if symbol is None or version != tensor._cell[0]:
            symbol = mv.follow(view.chain, self.enter(view.base))
            self._views[id(tensor)] = (tensor._cell[0], symbol)
            self._kept.append(tensor)
        return symbol

    def process(self, prim: Prim, raw: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Record the primitive; gives symbols."""
        inputs = tuple(self._operand(x) for x in raw)
        avals = prim.aval(*inputs, **params)
        device = self._device(prim, inputs, params)
        listed = avals if prim.outputs > 1 else (avals,)
        outputs = tuple(self.symbol(a.shape, a.dtype, device) for a in listed)
        if prim.view:
            outputs[0].layout = mv.layout_after(prim, inputs[0], outputs[0].shape)
        self.graph.equations.append(Equation(prim, inputs, params, outputs))
        return outputs if prim.outputs > 1 else outputs[0]

    @staticmethod
    def _device(prim: Prim, inputs: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Where the outputs are."""
        devices = [x.device for x in inputs if isinstance(x, Symbol)]
        for other in devices[1:]:
            check_same_device(prim.name, devices[0], other)
        return params["device"] if "device" in params else devices[0]

    def _operand(self, x: Any) -> Any:
        if isinstance(x, (Symbol, *SCALARS)):
            return x
        if id(x) not in self._constants:
            self._constants[id(x)] = self.symbol_like(x)
            self._kept.append(x)
            self.graph.constants.append((self._constants[id(x)], x))
        return self._constants[id(x)]

    # What changes things outside

    def write(self, tensor: Tensor, value: Tensor) -> bool:
        """Note an in-place write: from here on the tensor stands for another symbol, and so does
        every tensor whose memory it looks into.
        """
        symbol = self.enter(value)
        if self.enter(tensor).layout == "unknown":
            raise CaptureError(
                "an in-place write to a reshape of a permuted or sliced tensor: whether it writes "
                "through depends on the memory layout, which a capture does not know; use the "
                "out-of-place form"
            )
        cell = tensor._cell
        self._cells.setdefault(id(cell), (cell, list(cell)))
        self._assign(tensor, symbol)
        return True

    def _assign(self, tensor: Tensor, symbol: Symbol) -> None:
        self.changing(tensor)
        view = tensor._view
        linked = view is not None and view.base._cell is tensor._cell
        if isinstance(tensor._data, Symbol):
            tensor._data = symbol
        elif linked:
            self._views[id(tensor)] = (tensor._cell[0] + 1, symbol)  # of the version to come
            self._kept.append(tensor)
        else:
            self._now[id(tensor)] = symbol
            self._written[id(tensor)] = tensor
        if linked:
            base, chain = view.base, view.chain  # type: ignore[union-attr]
            whole = mv.write_view(self.enter(base), symbol, chain=chain) if chain else symbol
            self._assign(base, whole)

    def replace(self, tensor: Tensor, value: Tensor) -> bool:
        """``tensor.data = value``: the replay writes the numbers, so they must fit."""
        one, two = self.enter(tensor), self.enter(value)
        if (one.shape, one.dtype) != (two.shape, two.dtype):
            raise CaptureError(
                f"data: setting {one.dtype}{list(one.shape)} to {two.dtype}{list(two.shape)} while "
                "a graph is captured; do this outside the compiled function"
            )
        self._swapped.append((tensor, tensor._cell, tensor._view))
        tensor._cell, tensor._view = [0], None  # its views keep the old memory
        self._assign(tensor, two)
        return True

    def changing(self, tensor: Tensor) -> None:
        """Remember the history of a tensor from outside, to put it back after the capture."""
        if not isinstance(tensor._data, Symbol) and id(tensor) not in self._histories:
            view = tensor._view
            seen = None if view is None else (view.version, view.edge)
            self._histories[id(tensor)] = (tensor, tensor._edge, seen)

    def touched_grad(self, tensor: Tensor) -> None:
        """Remember the gradient a tensor had before the capture; its data becomes state."""
        if id(tensor) in self._grads:
            return
        slot = Slot(tensor, "grad", required=tensor.requires_grad)
        if isinstance(tensor._data, Symbol):
            places = [i for i, (_, out) in enumerate(self.arguments) if out is tensor]
            if not places:
                return  # made by the function itself
            slot, tensor._grad = Slot(None, "grad", places[0]), self.arguments[places[0]][0]._grad
        before = tensor._grad
        self._grads[id(tensor)] = (tensor, before)
        if before is None:
            self.graph.without_grad.append(slot)
        elif not isinstance(before._data, Symbol) and id(before) not in self._now:
            self._now[id(before)] = self.symbol_like(before._data)
            self._kept.append(before)
            self.graph.state.append((slot, self._now[id(before)]))

    def recorded(self, node: Node) -> None:
        """Tape nodes need nothing here: the primitives they call are recorded when they run."""

    # The end

    def finish(self, result: Any) -> Graph:
        """Close the graph over the result."""
        graph = self.graph
        leaves, graph.out_spec = flatten(result, is_module)
        graph.outputs = [self.enter(x) if isinstance(x, Tensor) else x for x in leaves]
        graph.output_names = [x._names if isinstance(x, Tensor) else None for x in leaves]
        for key, tensor in self._written.items():
            if id(tensor) not in self._grad_ids():
                graph.writes.append((Slot(tensor, "data"), self._now[key]))
        for i, (_, out) in enumerate(self.arguments):
            if self.enter(out) is not graph.inputs[i]:
                graph.writes.append((Slot(None, "data", i), out._data))
        graph.writes += self._grad_writes()
        graph.find_shared()
        return graph

    def _grad_ids(self) -> set[int]:
        return {id(before) for _, before in self._grads.values() if before is not None}

    def _grad_writes(self) -> list[tuple[Slot, Any]]:
        found: list[tuple[Slot, Any]] = []
        places = {id(out): i for i, (_, out) in enumerate(self.arguments)}
        for key, (tensor, before) in self._grads.items():
            if tensor._grad is before and id(before) not in self._written:
                continue  # read, not changed
            slot = Slot(None, "grad", places[key]) if key in places else Slot(tensor, "grad")
            found.append((slot, None if tensor._grad is None else self.enter(tensor._grad)))
        return found

    def restore(self) -> None:
        """Undo what the capture did to objects outside: gradients, histories, version counts."""
        for tensor, before in self._grads.values():
            tensor._grad = before
        for tensor, old, view in reversed(self._swapped):
            tensor._cell, tensor._view = old, view
        for tensor, edge, seen in self._histories.values():
            tensor._edge = edge
            if seen is not None and tensor._view is not None:
                tensor._view.version, tensor._view.edge = seen
        for cell, content in self._cells.values():
            cell[:] = content


def is_module(x: Any) -> bool:
    """Whether x is a module: to a graph its parameters are state, and not arguments."""
    return not isinstance(x, type) and hasattr(x, "modules") and hasattr(x, "training")


def capture(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Graph:
    """The graph of ``fn(*args, **kwargs)``: tensors among the arguments become its inputs.

    Nothing outside changes, also when fn raises: neither parameters nor gradients.

    Raises:
        CaptureError: fn needs the value of a traced tensor, for an `if` or an `item()`, or writes
            to memory that another tensor it reads looks into, too.
    """
    leaves, _ = flatten((args, kwargs), is_module)
    trace = Capture()
    with trace:
        traced: dict[int, Tensor] = {}
        for t in leaves:
            if isinstance(t, Tensor):
                if id(t) not in traced:
                    traced[id(t)] = trace.argument(t)
                trace.graph.places.append(list(traced).index(id(t)))
        call_args, call_kwargs = tree_map(
            lambda x: traced[id(x)] if isinstance(x, Tensor) else x,
            (args, kwargs),
            is_leaf=is_module,
        )
        try:
            graph = trace.finish(fn(*call_args, **call_kwargs))
        finally:
            trace.restore()
    check_overlap(graph, [given for given, _ in trace.arguments])
    return graph

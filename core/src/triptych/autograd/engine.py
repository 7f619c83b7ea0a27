"""Backward: walk the tape from the newest node to the oldest, adding up gradients.

Without `create_graph` gradients are raw arrays and rules run unboxed; with it, saved values get
their edges back and the same rules are recorded.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from ..backends import copied
from ..dtypes import is_inexact
from ..errors import DTypeError, GradError
from ..holders import ALONE, owns_memory
from ..prims.elementwise import add, cast, conj, conj_if_complex, fill_like
from ..prims.reduce import sum_to
from ..prims.table import TABLE, Prim
from ..state import run_kernel, state
from ..tensor import Symbol, Tensor, box, current_edge, raw_dtype
from .hooks import Retain
from .node import AFTER, BEFORE, GradientEdge, Leaf, Node, Port

BROADCASTING = ("unary", "binary", "select")


class Sweep:
    """One pass over the tape.

    Args:
        edges: where the pass starts.
        grads: a gradient per start: raw arrays, or tensors with create_graph.
        targets: edges whose gradients are wanted; None accumulates into all leaves.
        retain_graph: keep what the nodes saved.
        create_graph: record the pass itself.
    """

    def __init__(
        self,
        edges: Sequence[Any],
        grads: Sequence[Any],
        targets: Sequence[Any] | None,
        retain_graph: bool,
        create_graph: bool,
    ) -> None:
        self.retain_graph, self.create_graph = retain_graph, create_graph
        self.wanted = None if targets is None else {key(e): None for e in targets}
        self.useful: set[Any] = set()
        self.pending: dict[Any, Any] = {}
        self.notes: dict[Any, Any] = {}  # what hooks remember until the end of the pass
        self.nodes = self._collect(edges)
        for edge, grad in zip(edges, grads, strict=True):
            self._deposit(edge, grad)

    def _collect(self, edges: Iterable[Any]) -> list[Any]:
        """Nodes to visit, newest first; with targets, only those that lead to one."""
        seen: set[Any] = set()
        stack = [e.target()[0] for e in edges]
        while stack:
            node = stack.pop()
            if node not in seen:
                seen.add(node)
                stack += [e.target()[0] for e in node.inputs if e is not None]
        ordered = sorted(seen, key=lambda n: n.seq)
        if self.wanted is None:
            return ordered[::-1]
        goals = {k[0] if type(k) is tuple else k for k in self.wanted}
        useful = self.useful
        for node in ordered:
            if node in goals or any(e is not None and e.target()[0] in useful for e in node.inputs):
                useful.add(node)
        return [n for n in reversed(ordered) if n in useful]

    def _deposit(self, edge: Any, grad: Any) -> None:
        k = key(edge)
        held = self.pending.pop(k, None)
        if held is not None:
            into = _into(held, grad) if sys.getrefcount(held) == ALONE else None
            grad = add(held, grad) if into is None else run_kernel(into, held, grad)
        self.pending[k] = grad

    def run(self) -> dict[Any, Any]:
        """Visit every node; gives the gradients of the targets."""
        before, state.grad = state.grad, self.create_graph
        around, state.sweep = state.sweep, self
        try:
            for node in self.nodes:
                if type(node) is Leaf:
                    self._finish_leaf(node)
                elif node.prim.outputs == 1:
                    grad = self._take(node, node, 0)
                    if grad is not None:
                        self._visit(node, grad)
                else:
                    grads = [self._take((node, i), node, i) for i in range(node.prim.outputs)]
                    if any(g is not None for g in grads):
                        self._visit(node, self._fill_missing(node, grads))
        finally:
            state.grad, state.sweep = before, around
        return self.wanted or {}

    def _take(self, k: Any, node: Any, index: int) -> Any:
        """The finished gradient of one output."""
        grad = self.pending.pop(k, None)
        if grad is not None and node.hooks is not None:
            grad = self._run_hooks(node.hooks, grad, index)
        if self.wanted is not None and k in self.wanted:
            self.wanted[k] = grad
        return grad

    def _run_hooks(self, hooks: list[Any], grad: Any, index: int) -> Any:
        for place, hook in sorted(hooks, key=lambda entry: type(entry[1]) is Retain):
            if place != index:
                continue
            changed = hook(boxed(grad))
            if changed is not None:
                _check_hooked(changed, grad)
                grad = changed if self.create_graph else raw_of(changed)
        return grad

    def _finish_leaf(self, leaf: Leaf) -> None:
        grad = self._take(leaf, leaf, 0)
        tensor = leaf.tensor
        if self.wanted is not None or grad is None or tensor is None or tensor._edge is None:
            return
        for hook in hooks_at(leaf, BEFORE):
            (grad,) = self._replaced([grad], hook((boxed(grad),)), "register_prehook")
        fresh = leaf.hooks is None and sys.getrefcount(grad) == ALONE
        accumulate(tensor, grad, self.create_graph, fresh)
        for hook in leaf.post_hooks or ():
            hook(tensor)
        for hook in hooks_at(leaf, AFTER):
            hook((), (boxed(grad),))

    def _visit(self, node: Node, g: Any) -> None:
        """Pass the gradient of a node's output on to its inputs."""
        if self.wanted is not None and all(e is None or self._useless(e) for e in node.inputs):
            return
        node.check_saved()
        xs, y = node.xs, node.y
        if type(xs) is not tuple:
            xs, y = xs.unpacked(node)
        if self.create_graph:
            xs, y = self._boxed(node, xs, y)
        if node.hooks is not None and any(place < 0 for place, _ in node.hooks):
            self._visit_hooked(node, g, xs, y)
        elif node.prim.joint is not None:
            self._deposit_all(node, node.prim.joint(g, node, 0, xs, y))
        else:
            self._visit_inputs(node, g, xs, y)
        if not self.retain_graph:
            node.release()

    def _deposit_all(self, node: Node, found: Sequence[Any]) -> None:
        for edge, grad in zip(node.inputs, found, strict=False):
            if edge is not None and grad is not None and not self._useless(edge):
                self._deposit(edge, grad)

    def _visit_inputs(
        self, node: Node, g: Any, xs: Any, y: Any, found: list[Any] | None = None
    ) -> None:
        """Pass on a gradient per input, or put it into a list."""
        prim = node.prim
        flip = prim.partials and raw_dtype(g).kind == "c"
        broadcasts = prim.kind in BROADCASTING
        for i, edge in enumerate(node.inputs):
            rule = prim.rules[i]
            if edge is None or rule is None or self._useless(edge):
                continue
            if flip:
                grad = conj_if_complex(rule(conj(g), node, i, xs, y))
            else:
                grad = rule(g, node, i, xs, y)
            if broadcasts and grad.shape != node.shapes[i]:
                grad = sum_to(grad, node.shapes[i])
            if found is None:
                self._deposit(edge, grad)
            else:
                found[i] = grad

    def _visit_hooked(self, node: Node, g: Any, xs: Any, y: Any) -> None:
        """The same for a node with hooks of its own."""
        g = self._before(node, g)
        if node.prim.joint is not None:
            found = node.prim.joint(g, node, 0, xs, y)
        else:
            found = [None] * len(node.inputs)
            self._visit_inputs(node, g, xs, y, found)
        self._deposit_all(node, self._after(node, found, g))

    def _before(self, node: Any, g: Any) -> Any:
        """The gradients of a node's outputs after its own hooks."""
        grads = list(g) if node.prim.outputs > 1 else [g]
        for hook in hooks_at(node, BEFORE):
            grads = self._replaced(grads, hook(tuple(map(boxed, grads))), "register_prehook")
        return grads if node.prim.outputs > 1 else grads[0]

    def _after(self, node: Any, found: Any, g: Any) -> list[Any]:
        """The gradients of a node's inputs after its own hooks."""
        given = tuple(map(boxed, g if node.prim.outputs > 1 else [g]))
        found = list(found)
        for hook in hooks_at(node, AFTER):
            found = self._replaced(found, hook(tuple(map(boxed, found)), given), "register_hook")
        return found

    def _replaced(self, grads: list[Any], changed: Any, name: str) -> list[Any]:
        if changed is None:
            return grads
        new = list(changed) if isinstance(changed, (tuple, list)) else [changed]
        if len(new) != len(grads):
            raise GradError(f"Node.{name}: the hook gave {len(new)} gradients for {len(grads)}")
        for old, v in zip(grads, new, strict=True):
            if v is not None and old is not None:
                _check_hooked(v, old)
        return [v if v is None or self.create_graph else raw_of(v) for v in new]

    def _fill_missing(self, node: Node, grads: list[Any]) -> list[Any]:
        if not getattr(node.prim, "materialize", True):
            return grads
        like = next(g for g in grads if g is not None)
        exact = type(node.prim) is Prim  # a rule of ours reads no gradient of integers
        return [
            _zeros(meta, like)
            if g is None and meta is not None and not (exact and not is_inexact(meta[1]))
            else g
            for g, meta in zip(grads, node.meta, strict=True)
        ]

    def _boxed(self, node: Node, xs: Any, y: Any) -> tuple[Any, Any]:
        """Saved values as tensors with their edges, so that the rules are recorded."""
        pairs = zip(xs, node.inputs, strict=True)
        xs = tuple(box(x, e) if x is not None and hasattr(x, "dtype") else x for x, e in pairs)
        if y is None:
            return xs, None
        if node.prim.outputs > 1:
            ports = (Port(node, i) for i in range(len(y)))
            return xs, tuple(_output(v, port) for v, port in zip(y, ports, strict=True))
        return xs, box(y, node)

    def _useless(self, edge: Any) -> bool:
        return self.wanted is not None and edge.target()[0] not in self.useful


class _WatchedSweep(Sweep):
    """A pass that shows every gradient to the active traces."""

    node: Node | None = None

    def _visit(self, node: Node, g: Any) -> None:
        self.node = node
        super()._visit(node, g)

    def _deposit(self, edge: Any, grad: Any) -> None:
        if self.node is not None:
            state.trace.passed_on(self.node, grad)  # type: ignore[union-attr]
        super()._deposit(edge, grad)


def sweep(
    edges: Sequence[Any],
    grads: Sequence[Any],
    targets: Sequence[Any] | None,
    retain_graph: bool,
    create_graph: bool,
) -> dict[Any, Any]:
    """Run one pass over the tape (see `Sweep`); gives the gradients of the targets."""
    trace = state.trace
    if trace is None:
        return Sweep(edges, grads, targets, retain_graph, create_graph).run()
    watched = _WatchedSweep(edges, grads, targets, retain_graph, create_graph)
    found: dict[Any, Any] = trace.around_backward(watched.run)
    return found


def _check_hooked(changed: Any, grad: Any) -> None:
    came = getattr(changed, "shape", None)
    if not isinstance(changed, Tensor) or tuple(changed.shape) != tuple(grad.shape):
        raise GradError(
            f"hook: wanted None or a tensor of shape {tuple(grad.shape)} like the gradient, got "
            f"{type(changed).__name__}{'' if came is None else f' of shape {tuple(came)}'}"
        )


def hooks_at(node: Any, place: int) -> list[Any]:
    """The hooks of a node for one place, as they are now."""
    return [hook for at, hook in node.hooks or () if at == place]


def boxed(grad: Any) -> Any:
    """A gradient as a tensor; None stays."""
    return grad if grad is None or isinstance(grad, Tensor) else box(grad)


def key(edge: Any) -> Any:
    """What gradients are added up under: the node, or (node, output index) if it has several."""
    return edge.target() if type(edge) is Port else edge


def _zeros(meta: Any, like: Any) -> Any:
    from ..prims.create import full

    shape, dtype, device = meta
    zero = full(shape=tuple(shape), dtype=dtype, device=device, value=0)
    return zero if isinstance(like, Tensor) else zero._data


def accumulate(tensor: Tensor, grad: Any, create_graph: bool, fresh: bool = False) -> None:
    """Add a gradient into `tensor.grad`: into its memory where that is allowed, as in torch. A
    `fresh` one, which nothing else holds, is kept as it is."""
    trace = state.trace
    if trace is not None:
        trace.touched_grad(tensor)
        raw = grad._data if isinstance(grad, Tensor) else grad
        if isinstance(raw, Symbol):
            raw.check_kept_by(tensor)
    held = tensor._grad
    if held is None:
        kept = create_graph or (fresh and owns_memory(grad))
        tensor._grad = grad if create_graph else box(grad if kept else own(grad))
    elif create_graph or trace is not None or not _dense(held._data):
        tensor._grad = add(held, grad if isinstance(grad, Tensor) else box(grad))
    else:
        into = TABLE["add"].into(held._data)
        assert into is not None  # no backend lacks it
        run_kernel(into, held._data, grad)
        held._cell[0] += 1


def _dense(array: Any) -> bool:
    return array.flags.c_contiguous and getattr(array.flags, "writeable", True)


def _into(held: Any, grad: Any) -> Any:
    """The kernel that adds grad to held in its memory; None where there is none that may."""
    if not owns_memory(held) or type(grad) is not type(held):
        return None
    if held.dtype != grad.dtype or held.shape != grad.shape or state.trace is not None:
        return None
    return TABLE["add"].into(held)


def own(raw: Any) -> Any:
    """A contiguous array that nothing else writes to or reads from; symbols have no memory."""
    return copied(raw) if hasattr(raw, "copy") else raw


def starting_gradients(
    outputs: Sequence[Tensor], grads: Sequence[Tensor | None], create_graph: bool, name: str
) -> list[Any]:
    """A gradient per output: those given, and ones for scalars.

    Raises:
        GradError: an output needs no gradient, or is no scalar and has no gradient given.
    """
    if len(outputs) != len(grads):
        raise GradError(f"{name}: {len(outputs)} outputs, but {len(grads)} gradients for them")
    found = []
    for i, (out, grad) in enumerate(zip(outputs, grads, strict=True)):
        if isinstance(out, GradientEdge):
            found.append(_given_for_edge(i, grad, create_graph, name))
            continue
        if current_edge(out) is None:
            raise GradError(
                f"{name}: output {i} (shape {tuple(out.shape)}) was made by no recorded operation; "
                "its inputs need requires_grad=True, and the forward must run outside no_grad()"
            )
        grad = _starting_gradient(i, out, grad, name)
        found.append(grad if create_graph else raw_of(grad))
    return found


def _given_for_edge(i: int, grad: Any, create_graph: bool, name: str) -> Any:
    if not isinstance(grad, Tensor):
        raise GradError(
            f"{name}: output {i} is a GradientEdge, which has no shape; pass a gradient for it"
        )
    return grad if create_graph else raw_of(grad)


def edge_of(x: Any) -> Any:
    """The edge of a tensor or a GradientEdge."""
    return x.edge if isinstance(x, GradientEdge) else current_edge(x)


def _starting_gradient(i: int, out: Tensor, grad: Tensor | None, name: str) -> Tensor:
    if grad is None:
        if out._data.size != 1:
            raise GradError(
                f"{name}: output {i} has shape {tuple(out.shape)}; only a scalar has a "
                "gradient by itself: reduce it with .sum() or .mean(), or pass gradient="
            )
        return fill_like(out.detach(), value=1)
    if not isinstance(grad, Tensor):
        raise DTypeError(f"{name}: gradient {i} is no tensor but {type(grad).__name__}")
    if tuple(grad.shape) != tuple(out.shape):
        raise GradError(
            f"{name}: gradient {i} has shape {tuple(grad.shape)}, the output {tuple(out.shape)}"
        )
    return grad if grad._data.dtype == out._data.dtype else cast(grad, dtype=out._data.dtype)


def raw_of(t: Tensor) -> Any:
    """The raw value of a tensor under whatever trace is active."""
    return t._data if state.trace is None else state.trace.enter(t)


def _output(value: Any, port: Port) -> Any:
    """A saved output as a tensor with its edge; None where it is not saved."""
    if value is None:
        return None
    return box(value, port if is_inexact(value.dtype) else None)

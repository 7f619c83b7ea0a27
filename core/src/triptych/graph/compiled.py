"""`compile`: capture a function once per kind of call, then replay its graph."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import CaptureError
from ..state import state
from ..tensor import Symbol, Tensor, box
from ..tree import flatten, unflatten
from .capture import Capture, capture
from .ir import Graph, Slot, evaluate

Key = tuple[Any, ...]


def replay(graph: Graph, *args: Any, **kwargs: Any) -> Any:
    """Run a captured graph on new tensors of the captured shapes; state outside is updated.

    Args:
        args, kwargs: the arguments of the captured function, nested in the same way.

    Returns:
        What the function returned, computed anew.

    Raises:
        CaptureError: a tensor has another shape or dtype than the one captured.
    """
    leaves, _ = flatten((args, kwargs))
    tensors = [x for x in leaves if isinstance(x, Tensor)]
    _check(graph, tensors)
    env = evaluate(graph, [t._data for t in tensors])
    results = [box(_own(env, v, graph)) if isinstance(v, Symbol) else v for v in graph.outputs]
    _write_back(graph, env)
    return unflatten(graph.out_spec, results) if graph.out_spec is not None else None


def _check(graph: Graph, tensors: list[Tensor]) -> None:
    if len(tensors) != len(graph.inputs):
        raise CaptureError(
            f"replay: the graph takes {len(graph.inputs)} tensors, got {len(tensors)}"
        )
    for i, (t, s) in enumerate(zip(tensors, graph.inputs, strict=True)):
        if tuple(t._data.shape) != s.shape or t._data.dtype != s.dtype:
            raise CaptureError(
                f"replay: tensor {i} was captured as {s.dtype}{list(s.shape)}, "
                f"got {t._data.dtype}{list(t._data.shape)}; capture again for other shapes"
            )


def _own(env: dict[Symbol, Any], symbol: Symbol, graph: Graph) -> Any:
    """The value of an output; copied when it is an argument, state or constant itself."""
    value = env[symbol]
    outside = {*graph.inputs, *(s for _, s in graph.state), *(s for s, _ in graph.constants)}
    return value.copy() if symbol in outside else value


def _write_back(graph: Graph, env: dict[Symbol, Any]) -> None:
    values = [(slot, None if symbol is None else env[symbol]) for slot, symbol in graph.writes]
    for slot, value in values:
        if slot.what == "grad":
            _write_grad(slot, value)
        else:
            slot.tensor._data[...] = value
            slot.tensor._cell[0] += 1


def _write_grad(slot: Slot, value: Any) -> None:
    held = slot.tensor._grad
    if value is None:
        slot.tensor._grad = None
    elif held is None:
        slot.tensor._grad = box(value.copy())
    elif held._data is not value:
        held._data[...] = value
        held._cell[0] += 1


@dataclass(slots=True)
class Entry:
    """What is known about one kind of call."""

    graph: Graph | None = None
    calls: int = 0


class CompiledFunction:
    """A function that replays a graph where it can.

    The first call of a kind runs eagerly, so that state a function makes on first use, such as an
    optimiser's momentum, comes into being; the second captures. A kind is told apart by the nesting
    of the arguments, shapes and dtypes of tensors, values of other arguments, the gradient mode,
    and the train or eval state of modules the function refers to.
    """

    def __init__(self, fn: Callable[..., Any]) -> None:
        functools.update_wrapper(self, fn if not hasattr(fn, "forward") else type(fn).forward)
        self.fn = fn
        self.entries: dict[Key, Entry] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if state.trace is not None:
            return self.fn(*args, **kwargs)
        entry = self.entries.setdefault(self._key(args, kwargs), Entry())
        entry.calls += 1
        if entry.calls == 1:
            return self.fn(*args, **kwargs)
        if entry.graph is None or not _valid(entry.graph):
            entry.graph = capture(self.fn, *args, **kwargs)
        return replay(entry.graph, *args, **kwargs)

    def _key(self, args: Any, kwargs: Any) -> Key:
        leaves, spec = flatten((args, kwargs))
        parts = tuple(_leaf_key(x) for x in leaves)
        return spec, parts, state.grad, tuple(m.training for m in _modules(self.fn))

    def explain(self) -> str:
        """One line per kind of call seen: how often, and the size of its graph."""
        lines = []
        for key, entry in self.entries.items():
            size = (
                "not captured yet"
                if entry.graph is None
                else f"{len(entry.graph.equations)} primitives"
            )
            lines.append(f"{entry.calls} call(s), {size}: {', '.join(map(str, key[1]))}")
        return "\n".join(lines) or "never called"


def _leaf_key(x: Any) -> Any:
    if isinstance(x, Tensor):
        return tuple(x._data.shape), str(x._data.dtype), str(x.device), x.requires_grad
    try:
        hash(x)
    except TypeError:
        raise CaptureError(
            f"compile: an argument of type {type(x).__name__} is neither a tensor nor hashable; "
            "pass it by closure, or as nested tuples"
        ) from None
    return x


def _modules(fn: Any) -> list[Any]:
    """Modules that a function is, is bound to, or closes over, with all their parts."""
    cells = [c.cell_contents for c in getattr(fn, "__closure__", None) or () if _filled(c)]
    names = getattr(getattr(fn, "__code__", None), "co_names", ())
    outside = [getattr(fn, "__globals__", {}).get(n) for n in names]
    roots = [x for x in (fn, getattr(fn, "__self__", None), *cells, *outside) if _is_module(x)]
    return [m for root in roots for m in root.modules()]


def _filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 -- raises when the cell is still empty
    except ValueError:
        return False
    return True


def _is_module(x: Any) -> bool:
    return not isinstance(x, type) and hasattr(x, "modules") and hasattr(x, "training")


def _valid(graph: Graph) -> bool:
    """Whether gradients outside are still there, or still missing, as when captured."""
    missing = all(t._grad is None for t in graph.without_grad)
    return missing and all(slot.read() is not None for slot, _ in graph.state)


def compile(fn: Callable[..., Any] | None = None) -> Any:
    """A version of fn that captures the primitives it applies and replays them.

    Captured are forward, backward and optimiser updates alike. Python code runs only while
    capturing, so a number computed in Python (a step count, a learning rate) is fixed in the graph;
    keep such values in tensors. An `if` on a traced tensor raises CaptureError.

    Example:
        >>> double = compile(lambda x: x * 2)
        >>> double(triptych.ones(2)), double(triptych.ones(2))
        (tensor([2., 2.]), tensor([2., 2.]))
    """
    if fn is None:
        return compile
    return CompiledFunction(fn)


def is_capturing() -> bool:
    """Whether this thread is inside a capture."""
    trace = state.trace
    while trace is not None:
        if isinstance(trace, Capture):
            return True
        trace = trace.outer
    return False

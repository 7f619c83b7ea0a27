"""`compile`: capture a function once per kind of call, then replay its graph."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..autograd.node import Leaf
from ..backends import copied, write
from ..dtypes import get_default_dtype
from ..errors import CaptureError, DomainError
from ..ops.inplace import check_memory
from ..prims.trace import chain
from ..state import state
from ..tensor import Symbol, Tensor, box, current_edge
from ..tree import flatten, unflatten
from .capture import Capture, capture, is_module
from .fusion import planned
from .ir import Graph, evaluate
from .recorded import Recorded, recordable

Key = tuple[Any, ...]
MOST_GRAPHS = 4  # kept per kind of call
MODES = ("default", "reduce-overhead")


def replay(graph: Graph, *args: Any, **kwargs: Any) -> Any:
    """Run a captured graph on new tensors of the captured shapes; state outside is updated.

    Args:
        args, kwargs: the arguments of the captured function, nested in the same way.

    Returns:
        What the function returned, computed anew; without history.

    Raises:
        CaptureError: a tensor has another shape or dtype than the one captured.
    """
    leaves, _ = flatten((args, kwargs), is_module)
    tensors = _arguments(graph, [x for x in leaves if isinstance(x, Tensor)])
    env = evaluate(graph, tensors)
    arrays = {v: graph.owned(env, v) for v in graph.outputs if isinstance(v, Symbol)}
    _write_back(graph, env, tensors)
    return _returned(graph, arrays)


def _returned(graph: Graph, arrays: dict[Symbol, Any]) -> Any:
    """What the function returned, of the arrays of its results."""
    results = [box(arrays[v]) if isinstance(v, Symbol) else v for v in graph.outputs]
    for out, names in zip(results, graph.output_names, strict=False):
        if names is not None:
            out._names = names
    return unflatten(graph.out_spec, results) if graph.out_spec is not None else None


def _arguments(graph: Graph, tensors: list[Tensor]) -> list[Tensor]:
    """A tensor per input of the graph, checked."""
    if len(tensors) != len(graph.places):
        raise CaptureError(
            f"replay: the graph takes {len(graph.places)} tensors, got {len(tensors)}"
        )
    found: dict[int, Tensor] = {}
    for i, (t, place) in enumerate(zip(tensors, graph.places, strict=True)):
        if found.setdefault(place, t) is not t:
            raise CaptureError(
                f"replay: tensor {i} was captured as one that came before among the arguments, now "
                "they are two; capture again"
            )
        s = graph.inputs[place]
        if not _fits(t._data, s) or t.device != s.device:
            raise CaptureError(
                f"replay: tensor {i} was captured as {s.dtype}{list(s.shape)} on {s.device}, got "
                f"{t._data.dtype}{list(t._data.shape)} on {t.device}; capture again"
            )
    if len({id(t) for t in tensors}) != len(found):
        raise CaptureError(
            "replay: a tensor is passed twice that was two at capture; capture again"
        )
    return [found[i] for i in range(len(graph.inputs))]


def _fits(array: Any, symbol: Symbol) -> bool:
    return array is not None and array.shape == symbol.shape and array.dtype == symbol.dtype


def _write_back(graph: Graph, env: dict[Symbol, Any], arguments: list[Tensor]) -> None:
    values = [
        (slot, None if symbol is None else graph.owned(env, symbol))
        for slot, symbol in graph.writes
    ]
    for slot, value in values:
        owner = slot.owner(arguments)
        if slot.what == "grad":
            _write_grad(owner, value)
        else:
            check_memory(owner._data, "replay")
            write(owner._data, ..., value)
            owner._cell[0] += 1


def _write_grad(owner: Tensor, value: Any) -> None:
    held = owner._grad
    if value is None:
        owner._grad = None
    elif held is None:
        owner._grad = box(copied(value))
    else:
        write(held._data, ..., value)
        held._cell[0] += 1


@dataclass(slots=True)
class Entry:
    """What is known about one kind of call."""

    graphs: list[Graph] = field(default_factory=list)  # they differ in which gradients are there
    calls: int = 0
    # By id of the graph: as a CUDA graph, or why it cannot be one.
    recorded: dict[int, Recorded | str] = field(default_factory=dict)


class CompiledFunction:
    """A function that replays a graph where it can.

    The first call of a kind runs eagerly, so that state a function makes on first use, such as an
    optimiser's momentum, comes into being; the second captures. A kind is told apart by the nesting
    of the arguments, shapes and dtypes of tensors, values of other arguments, the gradient mode,
    and the train or eval state of modules the function refers to.
    """

    def __init__(self, fn: Callable[..., Any], mode: str = "default") -> None:
        functools.update_wrapper(self, getattr(type(fn), "forward", fn))
        self.fn, self.mode = fn, mode
        self.entries: dict[Key, Entry] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any(trace.key() is None for trace in chain()):
            return self.fn(*args, **kwargs)
        leaves, spec = flatten((args, kwargs), is_module)
        entry = self.entries.setdefault(self._key(leaves, spec), Entry())
        entry.calls += 1
        if entry.calls == 1:
            result = self.fn(*args, **kwargs)
            _refuse_history(result)
            return result
        tensors = list({id(x): x for x in leaves if isinstance(x, Tensor)}.values())
        graph = next((g for g in entry.graphs if _valid(g, tensors)), None)
        if graph is None:
            graph = capture(self._captured, *args, **kwargs)
            graph.plan = planned(graph)
            entry.graphs = [graph, *entry.graphs[: MOST_GRAPHS - 1]]
            kept = {id(g) for g in entry.graphs}
            entry.recorded = {i: found for i, found in entry.recorded.items() if i in kept}
        elif self.mode == "reduce-overhead":
            arguments = _arguments(graph, [x for x in leaves if isinstance(x, Tensor)])
            launches = self._recorded(entry, graph, arguments)
            if launches is not None:
                return _returned(graph, launches(arguments))
        return replay(graph, *args, **kwargs)

    def _recorded(self, entry: Entry, graph: Graph, arguments: list[Tensor]) -> Recorded | None:
        """The graph as a CUDA graph, if it can be one; anew when the state is elsewhere."""
        found = entry.recorded.get(id(graph)) or recordable(graph)
        if isinstance(found, str) and found:
            entry.recorded[id(graph)] = found
            return None
        if isinstance(found, str) or not found.fits():
            found = entry.recorded[id(graph)] = Recorded(graph, arguments)
        return found

    def _captured(self, *args: Any, **kwargs: Any) -> Any:
        result = self.fn(*args, **kwargs)
        _refuse_history(result)
        return result

    def _key(self, leaves: list[Any], spec: Any) -> Key:
        parts = tuple(_leaf_key(x) for x in leaves)
        ids = [id(x) if isinstance(x, Tensor) else 0 for x in leaves]
        same = tuple(ids.index(i) for i in ids)  # which arguments are one tensor
        modes = (state.grad, state.inference, get_default_dtype(), *(t.key() for t in chain()))
        return spec, parts, same, modes, tuple(m.training for m in _modules(self.fn))

    def explain(self) -> str:
        """One line per kind of call seen: how often, the size of its graph, how much of it is
        fused (computed in one pass over memory where it would be several), and with
        mode="reduce-overhead" whether it is a CUDA graph or why not.
        """
        lines = []
        for key, entry in self.entries.items():
            sizes = [_size(graph) + self._launches(entry, graph) for graph in entry.graphs]
            size = " or ".join(sizes) or "not captured yet"
            lines.append(f"{entry.calls} call(s), {size}: {', '.join(map(str, key[1]))}")
        return "\n".join(lines) or "never called"

    def _launches(self, entry: Entry, graph: Graph) -> str:
        if self.mode != "reduce-overhead":
            return ""
        found = entry.recorded.get(id(graph)) or recordable(graph)
        if isinstance(found, str):
            return f", no CUDA graph: {found}" if found else ", a CUDA graph from the next call on"
        return ", a CUDA graph"


def _size(graph: Graph) -> str:
    fused = [len(step.equations) for step in graph.plan or () if step.chain is not None]
    passes = f", {sum(fused)} of them fused into {len(fused)}" if fused else ""
    return f"{len(graph.equations)} primitives{passes}"


def _refuse_history(result: Any) -> None:
    """Raise CaptureError if a gradient would have to flow back through the result of a replay."""
    for x in flatten(result, is_module)[0]:
        edge = current_edge(x) if isinstance(x, Tensor) else None
        if edge is not None and not isinstance(edge, Leaf) and not _spent(edge):
            raise CaptureError(
                f"compile: the function returns a tensor of shape {tuple(x.shape)} that requires "
                "grad, but backward does not reach into a replay; call backward() inside the "
                "function, return .detach(), or call it under no_grad()"
            )


def _spent(edge: Any) -> bool:
    """Whether a backward has freed something on the way to the leaves."""
    seen: set[Any] = set()
    stack = [edge.target()[0]]
    while stack:
        node = stack.pop()
        if node in seen or isinstance(node, Leaf):
            continue
        if node.xs is None:
            return True
        seen.add(node)
        stack += [e.target()[0] for e in node.inputs if e is not None]
    return False


def _leaf_key(x: Any) -> Any:
    if isinstance(x, Tensor):
        data = x._data
        packed = data.flags.c_contiguous
        kind = tuple(data.shape), str(data.dtype), str(x.device), x.requires_grad, packed
        return kind if x._names is None else (*kind, x._names)
    if isinstance(x, (bool, int, float, complex)):
        return type(x), repr(x)  # 1, 1.0 and True are equal, and so are 0.0 and -0.0
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
    roots = [x for x in (fn, getattr(fn, "__self__", None), *cells, *outside) if is_module(x)]
    return [m for root in roots for m in root.modules()]


def _filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 -- raises when the cell is still empty
    except ValueError:
        return False
    return True


def _valid(graph: Graph, arguments: list[Tensor]) -> bool:
    """Whether what the graph reads outside is there in the captured shapes, and requires grad or
    not, and gradients that were missing still are.
    """
    missing = all(slot.owner(arguments)._grad is None for slot in graph.without_grad)
    return missing and all(
        _fits(slot.read(arguments), symbol)
        and (slot.tensor is None or slot.tensor.requires_grad is slot.required)
        for slot, symbol in graph.state
    )


def compile(fn: Callable[..., Any] | None = None, *, mode: str = "default") -> Any:
    """A version of fn that captures the primitives it applies and replays them.

    Args:
        fn: a function or a module.
        mode: "reduce-overhead" launches a replay on a GPU as one CUDA graph from the third call on,
            where that is possible: arguments on the GPU, no random numbers, no copies between
            devices, no gradients that are None before or after. `CompiledFunction.explain` says
            what stood in the way. Not yet run on a GPU. "default" launches kernel by kernel.

    Raises:
        DomainError: there is no such mode.

    Captured are forward, backward and optimiser updates alike. Python code runs only while
    capturing, so a number computed in Python (a step count, a learning rate) is fixed in the graph;
    keep such values in tensors. An `if` on a traced tensor raises CaptureError.

    Example:
        >>> double = compile(lambda x: x * 2)
        >>> double(triptych.ones(2)), double(triptych.ones(2))
        (tensor([2., 2.]), tensor([2., 2.]))
    """
    if mode not in MODES:
        raise DomainError(f"compile: mode should be one of {', '.join(MODES)}, got {mode!r}")
    if fn is None:
        return functools.partial(compile, mode=mode)
    return CompiledFunction(fn, mode)


def is_capturing() -> bool:
    """Whether this thread is inside a capture."""
    trace = state.trace
    while trace is not None:
        if isinstance(trace, Capture):
            return True
        trace = trace.outer
    return False

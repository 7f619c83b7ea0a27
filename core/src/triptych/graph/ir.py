"""The graph: primitives applied to symbols, and what they stand for outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..backends import copied
from ..prims.compute import at_home, compute_created, first_array
from ..prims.table import Prim
from ..state import run_kernel
from ..tensor import Symbol, Tensor
from ..tree import TreeSpec


@dataclass(slots=True)
class Equation:
    """One primitive: ``outputs = prim(*inputs, **params)``; inputs are symbols or numbers."""

    prim: Prim
    inputs: tuple[Any, ...]
    params: dict[str, Any]
    outputs: tuple[Symbol, ...]


@dataclass(slots=True)
class Step:
    """Part of a replay: one equation, or several that a native kernel computes in one pass.

    Attributes:
        equations: what is to be computed; also for arrays that do not suit the kernel.
        chain: gives the arrays of `outputs` for those of `inputs`, or NotImplemented.
        dead: what no later step reads.
    """

    equations: tuple[Equation, ...]
    chain: Callable[..., Any] | None = None
    inputs: tuple[Symbol, ...] = ()
    outputs: tuple[Symbol, ...] = ()
    dead: tuple[Symbol, ...] = ()


@dataclass(slots=True)
class Slot:
    """State outside the graph: the data or the gradient of a tensor, or of the i-th argument."""

    tensor: Tensor | None
    what: str  # "data" or "grad"
    index: int = -1
    required: bool = False  # whether the tensor required grad at capture

    def owner(self, arguments: Sequence[Tensor]) -> Tensor:
        """The tensor it belongs to in a call."""
        return arguments[self.index] if self.tensor is None else self.tensor

    def read(self, arguments: Sequence[Tensor]) -> Any:
        """The raw array that is there now; None for a missing gradient."""
        owner = self.owner(arguments)
        holder = owner if self.what == "data" else owner._grad
        return None if holder is None else holder._data


@dataclass(slots=True)
class Graph:
    """A captured function.

    Attributes:
        inputs: symbols of the tensor arguments, in order; one that comes twice stands once.
        places: for every tensor among the arguments, its position in inputs.
        state: (slot, symbol): state from outside that the graph reads.
        without_grad: slots of gradients that were found to be None; a replay is valid while they
            are.
        constants: (symbol, raw array): values fixed at capture.
        equations: in the order they ran.
        outputs: symbols or plain values, in the order of the flattened result.
        output_names: the names of the dims of each output, or None.
        out_spec: how to nest the outputs.
        writes: (slot, symbol or None): state the graph changes.
        shared: symbols whose arrays must be copied before they leave the graph.
        plan: how a replay computes the equations; None: one after the other.
    """

    inputs: list[Symbol] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    state: list[tuple[Slot, Symbol]] = field(default_factory=list)
    without_grad: list[Slot] = field(default_factory=list)
    constants: list[tuple[Symbol, Any]] = field(default_factory=list)
    equations: list[Equation] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)
    output_names: list[Any] = field(default_factory=list)
    out_spec: TreeSpec | None = None
    writes: list[tuple[Slot, Any]] = field(default_factory=list)
    shared: set[Symbol] = field(default_factory=set)
    plan: list[Step] | None = None

    def find_shared(self) -> None:
        """Note whose arrays are not made by the graph; if it writes, also what looks into them."""
        found = {*self.inputs, *(s for _, s in self.state), *(s for s, _ in self.constants)}
        for eqn in self.equations if self.writes else ():
            if eqn.prim.view and eqn.inputs[0] in found:
                found.add(eqn.outputs[0])
        self.shared = found

    def owned(self, env: dict[Symbol, Any], symbol: Symbol) -> Any:
        """The array of a symbol, as one that later writes to arguments and state do not change."""
        return copied(env[symbol]) if symbol in self.shared else env[symbol]

    def names(self) -> dict[Symbol, str]:
        """Readable names: arguments a0.., state s0.., constants c0.., results v0.."""
        named: dict[Symbol, str] = {}
        groups = (
            ("a", self.inputs),
            ("s", [s for _, s in self.state]),
            ("c", [s for s, _ in self.constants]),
            ("v", [s for eqn in self.equations for s in eqn.outputs]),
        )
        for letter, symbols in groups:
            for i, symbol in enumerate(symbols):
                named.setdefault(symbol, f"{letter}{i}")
        return named

    def __str__(self) -> str:
        named = self.names()

        def show(v: Any) -> str:
            return f"{named[v]}:{v.dtype}{list(v.shape)}" if isinstance(v, Symbol) else repr(v)

        lines = [f"graph({', '.join(show(s) for s in self.inputs)})"]
        lines += [f"  state {show(s)}" for _, s in self.state]
        lines += [f"  const {show(s)}" for s, _ in self.constants]
        for eqn in self.equations:
            args = [named[v] if isinstance(v, Symbol) else repr(v) for v in eqn.inputs]
            args += [f"{k}={v!r}" for k, v in eqn.params.items()]
            lines.append(
                f"  {', '.join(map(show, eqn.outputs))} = {eqn.prim.name}({', '.join(args)})"
            )
        for slot, symbol in self.writes:
            lines.append(f"  write {slot.what} <- {named.get(symbol, symbol)}")
        results = (named[v] if isinstance(v, Symbol) else repr(v) for v in self.outputs)
        lines.append(f"  return {', '.join(results)}")
        return "\n".join(lines)


def evaluate(graph: Graph, arguments: Sequence[Tensor]) -> dict[Symbol, Any]:
    """Run the equations on the arrays of the arguments: one loop over the `impl` column, or over
    the steps of the plan.
    """
    env: dict[Symbol, Any] = {s: t._data for s, t in zip(graph.inputs, arguments, strict=True)}
    env.update((symbol, slot.read(arguments)) for slot, symbol in graph.state)
    env.update(graph.constants)
    if graph.plan is None:
        _run(graph.equations, env)
        return env
    for step in graph.plan:
        values = NotImplemented
        if step.chain is not None:
            values = step.chain(*[env[s] for s in step.inputs])
        if values is NotImplemented:
            _run(step.equations, env)
        else:
            env.update(zip(step.outputs, values, strict=True))
        for symbol in step.dead:
            env.pop(symbol, None)
    return env


def _run(equations: Iterable[Equation], env: dict[Symbol, Any]) -> None:
    for eqn in equations:
        raw = tuple(env[v] if isinstance(v, Symbol) else v for v in eqn.inputs)
        values = _apply(eqn, raw)
        env.update(zip(eqn.outputs, values, strict=True))


def _apply(eqn: Equation, raw: tuple[Any, ...]) -> tuple[Any, ...]:
    if not raw:
        return (compute_created(eqn.prim, eqn.params),)
    array = first_array(raw)
    y = run_kernel(eqn.prim.kernel(array), *raw, **eqn.params)
    values = y if eqn.prim.outputs > 1 else (y,)
    return tuple(at_home(eqn.prim, v, array) for v in values)

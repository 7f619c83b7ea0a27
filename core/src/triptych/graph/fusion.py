"""Fusion: groups of elementwise equations of one shape become one pass over memory.

A group reads each of its inputs once and writes only what others need, whatever is in between.
Which equations can be in one, and what computes it, is a matter of the device: `Chains`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ..backends import cuda
from ..backends.native import native
from ..tensor import Symbol
from .cuda_chains import CudaChains
from .ir import Equation, Graph, Step
from .native_chains import NativeChains

__all__ = ["planned"]


@dataclass(slots=True)
class Operation:
    """What an equation is to a device: the name of an operation, and symbols or numbers.

    Operations are joined only with those of their `kind`.
    """

    name: str
    inputs: tuple[Any, ...]
    output: Symbol
    kind: str = ""


class Chains(Protocol):
    """What a device can compute in one pass."""

    most: int  # equations in a group

    def operation(
        self, eqn: Equation, source: Callable[[Any], Any]
    ) -> tuple[str, tuple[Any, ...], str] | None:
        """Name, inputs and kind of the equation as an operation; None if there is none for it.

        `source` gives what a symbol was before it was expanded, else the symbol.
        """

    def chain(
        self, operations: list[Operation], inputs: list[Symbol], outputs: list[Symbol]
    ) -> Callable[..., Any] | None:
        """What computes the arrays of outputs for those of inputs; None if it is too much."""


def _chains() -> dict[str, Chains]:
    """By type of device."""
    found: dict[str, Chains] = {"cuda": CudaChains()} if cuda.wanted() else {}
    if native is not None:
        found["cpu"] = NativeChains()
    return found


def planned(graph: Graph) -> list[Step]:
    """The steps of a replay: equations, some of them fused, and what no later step reads."""
    kept = {s for s in graph.outputs if isinstance(s, Symbol)} | {s for _, s in graph.writes}
    steps = _Fusion(graph.equations, kept).steps()
    _note_dead(steps, kept)
    return steps


def _note_dead(steps: list[Step], kept: set[Any]) -> None:
    """Note after each step the results that no later step reads, so that their memory is free."""
    alive = {s for step in steps for eqn in step.equations for s in eqn.outputs} - kept
    for step in reversed(steps):
        touched = {x for eqn in step.equations for x in (*eqn.inputs, *eqn.outputs)}
        step.dead = tuple(alive.intersection(x for x in touched if isinstance(x, Symbol)))
        step.dead += tuple(alive.intersection(step.inputs).difference(step.dead))
        alive.difference_update(step.dead)


class _Fusion:
    """Groups of the equations of a graph, by their places in it."""

    def __init__(self, equations: list[Equation], kept: set[Any]) -> None:
        self.equations, self.kept = equations, kept
        self.chains = _chains()
        self.stretched = {
            eqn.outputs[0]: eqn.inputs[0] for eqn in equations if eqn.prim.name == "expand"
        }
        self.readers: dict[Symbol, list[int]] = {}
        for place, eqn in enumerate(equations):
            for x in eqn.inputs:
                if isinstance(x, Symbol):
                    self.readers.setdefault(x, []).append(place)
        self.operations: dict[int, Operation] = {}
        self.groups: dict[int, list[int]] = {}
        self._grow()

    def steps(self) -> list[Step]:
        """Every equation alone, or its group at the place of the last."""
        found: list[Step] = []
        for place, eqn in enumerate(self.equations):
            group = self.groups.get(place, [place])
            if len(group) == 1:
                found.append(Step((eqn,)))
            elif place == group[-1]:
                found += self._fused(group)
        return found

    # Which equations

    def _grow(self) -> None:
        """Join equations of one shape where one reads the other, or both read the same."""
        latest: dict[Symbol, int] = {}  # the last operation that made or read a symbol
        for place, eqn in enumerate(self.equations):
            operation = self._operation(eqn)
            if operation is None:
                continue
            self.operations[place], self.groups[place] = operation, [place]
            shape = operation.output.shape
            near = [x for x in operation.inputs if isinstance(x, Symbol) and x.shape == shape]
            for x in near:
                if x in latest:
                    self._join(latest[x], place)
            latest.update(dict.fromkeys((*near, operation.output), place))

    def _join(self, one: int, two: int) -> None:
        """Make the groups of two equations one, unless something in between reads of it: it is
        computed at the place of its last equation.
        """
        places = sorted({*self.groups[one], *self.groups[two]})
        if len(places) > self.chains[self.operations[one].output.device.type].most:
            return
        if self.operations[one].kind != self.operations[two].kind:
            return
        made = [self.operations[place].output for place in places]
        outside = {r for x in made for r in self.readers.get(x, ())}.difference(places)
        if all(reader > places[-1] for reader in outside):
            self.groups.update(dict.fromkeys(places, places))

    def _operation(self, eqn: Equation) -> Operation | None:
        """The equation as an operation of its device; None if that has none for it."""
        output = eqn.outputs[0]
        chains = self.chains.get(output.device.type)
        found = chains and chains.operation(eqn, lambda x: self.stretched.get(x, x))
        return Operation(*found[:2], output, found[2]) if found else None

    # What computes them

    def _fused(self, places: list[int]) -> list[Step]:
        operations = [self.operations[place] for place in places]
        made = [op.output for op in operations]
        operands = [x for op in operations for x in op.inputs]
        inputs = [x for x in dict.fromkeys(operands) if isinstance(x, Symbol) and x not in made]
        outputs = [x for x in made if x in self.kept or self._read_outside(x, places)]
        chain = self.chains[made[0].device.type].chain(operations, inputs, outputs)
        equations = tuple(self.equations[place] for place in places)
        if chain is None:
            return [Step((eqn,)) for eqn in equations]
        return [Step(equations, chain, tuple(inputs), tuple(outputs))]

    def _read_outside(self, x: Symbol, places: list[int]) -> bool:
        return any(reader not in places for reader in self.readers.get(x, ()))

"""Fusion: groups of elementwise equations of one shape become one pass over memory.

The native kernels interpret a small program over tiles that stay in the first cache, so a group of
equations reads each of its inputs once and writes only what others need, whatever is in between.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backends.native import native
from ..tensor import Symbol
from .ir import Equation, Graph, Step

__all__ = ["planned"]

LEAST = 256  # numbers, below which a call costs more than what it computes
MOST = 32  # equations in a group: with three inputs and an output each they fit the registers

_FLOAT, _BOOL = np.dtype(np.float32), np.dtype(np.bool_)
_KINDS = {"f": _FLOAT, "m": _BOOL}
_SAME = {  # under another name; of truth values, "bitwise" is "logical"
    "bitwise_and": "logical_and",
    "bitwise_not": "logical_not",
    "bitwise_or": "logical_or",
    "bitwise_xor": "logical_xor",
    "clamp_max": "minimum",
    "clamp_min": "maximum",
}
_POWERS = {2: "square", 0.5: "sqrt", -1: "reciprocal"}


def planned(graph: Graph) -> list[Step]:
    """The steps of a replay: equations, some of them fused, and what no later step reads."""
    kept = {s for s in graph.outputs if isinstance(s, Symbol)} | {s for _, s in graph.writes}
    if native is None:
        steps = [Step((eqn,)) for eqn in graph.equations]
    else:
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


@dataclass(slots=True)
class Operation:
    """What an equation is to the kernels: the name of an operation, and symbols or numbers."""

    name: str
    inputs: tuple[Any, ...]
    output: Symbol


class _Fusion:
    """Groups of the equations of a graph, by their places in it."""

    def __init__(self, equations: list[Equation], kept: set[Any]) -> None:
        self.equations, self.kept = equations, kept
        self.codes: dict[str, tuple[int, str]] = native.elementwise_operations()
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
        found = []
        for place, eqn in enumerate(self.equations):
            group = self.groups.get(place, [place])
            if len(group) == 1:
                found.append(Step((eqn,)))
            elif place == group[-1]:
                found.append(self._fused(group))
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
        if len(places) > MOST:
            return
        made = [self.operations[place].output for place in places]
        outside = {r for x in made for r in self.readers.get(x, ())}.difference(places)
        if all(reader > places[-1] for reader in outside):
            self.groups.update(dict.fromkeys(places, places))

    def _operation(self, eqn: Equation) -> Operation | None:
        """The equation as an operation of the kernels; None if they have none for it."""
        name, inputs = _SAME.get(eqn.prim.name, eqn.prim.name), eqn.inputs
        if name == "pow" and not isinstance(inputs[1], Symbol) and inputs[1] in _POWERS:
            name, inputs = _POWERS[inputs[1]], inputs[:1]
        elif name == "cast":
            name = "from_mask"
        if name not in self.codes:
            return None
        kinds, output = self.codes[name][1], eqn.outputs[0]
        if output.dtype != _KINDS[kinds[-1]] or output.size < LEAST or output.device.type != "cpu":
            return None
        operands = tuple(self._source(x, output.shape) for x in inputs)
        fitting = (_fits(x, k, output.shape) for x, k in zip(operands, kinds[:-1], strict=True))
        return Operation(name, operands, output) if all(fitting) else None

    def _source(self, x: Any, shape: tuple[int, ...]) -> Any:
        """What a symbol was before it was expanded, where the kernels can do that themselves."""
        source = self.stretched.get(x) if isinstance(x, Symbol) else None
        return x if source is None or not _stretches(source.shape, shape) else source

    # The program

    def _fused(self, places: list[int]) -> Step:
        operations = [self.operations[place] for place in places]
        made = [op.output for op in operations]
        operands = [x for op in operations for x in op.inputs]
        inputs = [x for x in dict.fromkeys(operands) if isinstance(x, Symbol) and x not in made]
        numbers = {_key(x): float(x) for x in operands if not isinstance(x, Symbol)}
        outputs = [x for x in made if x in self.kept or self._read_outside(x, places)]
        program, count = self._program(operations, [*inputs, *numbers, *outputs])
        chain = native.Chain(
            program,
            "".join("m" if x.dtype == _BOOL else "f" for x in inputs),
            list(numbers.values()),
            [x.dtype == _BOOL for x in outputs],
            count,
            made[0].shape,
        )
        equations = tuple(self.equations[place] for place in places)
        return Step(equations, chain, tuple(inputs), tuple(outputs))

    def _read_outside(self, x: Symbol, places: list[int]) -> bool:
        return any(reader not in places for reader in self.readers.get(x, ()))

    def _program(
        self, operations: list[Operation], fixed: list[Any]
    ) -> tuple[list[tuple[int, ...]], int]:
        """The steps (operation, result, inputs) over registers, and how many of those there are.
        The first registers are those of inputs, numbers and outputs; others are used again.
        """
        register = {x: i for i, x in enumerate(fixed)}
        last = {x: i for i, op in enumerate(operations) for x in op.inputs}
        count, free = len(fixed), list[int]()
        steps: list[tuple[int, ...]] = []
        for i, op in enumerate(operations):
            reads = [register[_key(x)] for x in op.inputs]
            held = {x for x in op.inputs if isinstance(x, Symbol) and last[x] == i}
            free += [register[x] for x in held if x not in fixed]
            if op.output not in register:
                if not free:
                    free, count = [count], count + 1
                register[op.output] = free.pop()
            a, b, c = (*reads, 0, 0)[:3]
            steps.append((self.codes[op.name][0], register[op.output], a, b, c))
        return steps, count


def _key(x: Any) -> Any:
    """What stands for an operand: itself, or of a number the digits, since 0.0 equals -0.0."""
    return x if isinstance(x, Symbol) else float(x).hex()


def _fits(x: Any, kind: str, shape: tuple[int, ...]) -> bool:
    if not isinstance(x, Symbol):
        number = kind == "f" and type(x) in (bool, int, float)
        return number and not 3.4e38 < abs(x) < math.inf
    if x.dtype != _KINDS[kind] or x.layout != "packed":
        return False
    return x.shape == shape or (kind == "f" and _stretches(x.shape, shape))


def _stretches(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Whether a shape broadcasts to another, and its axes longer than 1 are next to each other."""
    lead = len(target) - len(shape)
    if lead < 0 or any(n not in (1, m) for n, m in zip(shape, target[lead:], strict=True)):
        return False
    long = [i for i, n in enumerate(shape) if n > 1]
    return not long or shape[long[0] : long[-1] + 1] == target[lead + long[0] : lead + long[-1] + 1]

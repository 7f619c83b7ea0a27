"""Chains of elementwise operations by the native kernels, over float32 and truth values.

The kernels interpret a small program over tiles that stay in the first cache.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backends.native import native
from ..tensor import Symbol
from .ir import Equation

if TYPE_CHECKING:
    from .fusion import Operation

LEAST = 256  # numbers, below which a call costs more than what it computes

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


class NativeChains:
    """What the native kernels compute in one pass."""

    most = 32  # equations: with three inputs and an output each they fit the registers

    def __init__(self) -> None:
        self.codes: dict[str, tuple[int, str]] = native.elementwise_operations()

    def operation(
        self, eqn: Equation, source: Callable[[Any], Any]
    ) -> tuple[str, tuple[Any, ...], str] | None:
        """The equation as an operation of the kernels; None if they have none for it."""
        name, inputs = _SAME.get(eqn.prim.name, eqn.prim.name), eqn.inputs
        if name == "pow" and not isinstance(inputs[1], Symbol) and inputs[1] in _POWERS:
            name, inputs = _POWERS[inputs[1]], inputs[:1]
        elif name == "cast":
            name = "from_mask"
        if name not in self.codes:
            return None
        kinds, output = self.codes[name][1], eqn.outputs[0]
        if output.dtype != _KINDS[kinds[-1]] or output.size < LEAST:
            return None
        operands = tuple(_narrowest(x, source, output.shape) for x in inputs)
        fitting = (_fits(x, k, output.shape) for x, k in zip(operands, kinds[:-1], strict=True))
        return (name, operands, "") if all(fitting) else None

    def chain(
        self, operations: list[Operation], inputs: list[Symbol], outputs: list[Symbol]
    ) -> Callable[..., Any]:
        """The program of a group."""
        operands = [x for op in operations for x in op.inputs]
        numbers = {_key(x): float(x) for x in operands if not isinstance(x, Symbol)}
        program, count = self._program(operations, [*inputs, *numbers, *outputs])
        chain: Callable[..., Any] = native.Chain(
            program,
            "".join("m" if x.dtype == _BOOL else "f" for x in inputs),
            list(numbers.values()),
            [x.dtype == _BOOL for x in outputs],
            count,
            operations[0].output.shape,
        )
        return chain

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


def _narrowest(x: Any, source: Callable[[Any], Any], shape: tuple[int, ...]) -> Any:
    """What a symbol was before it was expanded, where the kernels can do that themselves."""
    before = source(x)
    return before if before is not x and _stretches(before.shape, shape) else x


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

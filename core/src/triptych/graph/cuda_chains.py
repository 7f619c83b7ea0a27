"""Chains of elementwise operations on a GPU: one kernel of the table's `cuda` expressions.

CuPy's ElementwiseKernel writes the loop and brings broadcasting and strides. Each result is rounded
to the dtype of the arrays, as if its operation ran alone; only that the compiler joins a product
and a sum into one instruction, which rounds once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backends import backend_for
from ..backends.cuda import taken
from ..backends.cuda.elementwise import PREAMBLE, arity
from ..backends.cuda.source import FLOATING
from ..prims.table import TABLE
from ..tensor import Symbol
from .ir import Equation

if TYPE_CHECKING:
    from .fusion import Operation

MOST_ARRAYS = 32  # inputs and outputs: a kernel takes 4 KB of arguments


class CudaChains:
    """What one ElementwiseKernel computes: floats of one dtype, and truth values as conditions."""

    most = 32  # equations

    def operation(
        self, eqn: Equation, source: Callable[[Any], Any]
    ) -> tuple[str, tuple[Any, ...], str] | None:
        """The equation as an expression of CUDA C; None if it has none."""
        prim = eqn.prim
        if not isinstance(prim.cuda, str) or eqn.params:
            return None
        inputs = tuple(source(x) if isinstance(x, Symbol) else x for x in eqn.inputs)
        condition = 1 if prim.kind == "select" else 0
        if any(not isinstance(x, Symbol) or x.dtype != bool for x in inputs[:condition]):
            return None
        floats = inputs[condition:]
        kinds = {x.dtype.name for x in floats if isinstance(x, Symbol)}
        plain = all(isinstance(x, Symbol) or type(x) in (bool, int, float) for x in floats)
        if not plain or len(kinds) != 1 or not kinds.issubset(FLOATING):
            return None
        kind = kinds.pop()
        fits = eqn.outputs[0].dtype.name in (kind, "bool") and len(inputs) == arity(prim)
        return (prim.name, inputs, kind) if fits else None

    def chain(
        self, operations: list[Operation], inputs: list[Symbol], outputs: list[Symbol]
    ) -> Callable[..., Any] | None:
        """The kernel of a group; None if it has too many arrays for one."""
        if len(inputs) + len(outputs) > MOST_ARRAYS:
            return None
        return Chain(operations, inputs, outputs)


class Chain:
    """A group of equations as one kernel, compiled when it is first called."""

    def __init__(
        self, operations: list[Operation], inputs: list[Symbol], outputs: list[Symbol]
    ) -> None:
        self.device, self.shape = outputs[0].device, outputs[0].shape
        made = {op.output: f"v{i}" for i, op in enumerate(operations)}
        names = {x: f"in{i}" for i, x in enumerate(inputs)}
        steps = ["typedef typename Wide<T>::type C"]
        steps += [step for op in operations for step in _steps(op, names | made)]
        steps += [f"out{i} = {_type(x)}({made[x]})" for i, x in enumerate(outputs)]
        self.ins = ", ".join(f"{_type(x)} {name}" for x, name in names.items())
        self.outs = ", ".join(f"{_type(x)} out{i}" for i, x in enumerate(outputs))
        self.operation = "; ".join(steps)

    @cached_property
    def kernel(self) -> Any:
        """The ElementwiseKernel."""
        cupy = backend_for(self.device).xp
        return cupy.ElementwiseKernel(
            self.ins, self.outs, self.operation, "elementwise_chain", preamble=PREAMBLE
        )

    def __call__(self, *arrays: Any) -> tuple[Any, ...]:
        """The arrays of the outputs."""
        backend = backend_for(self.device)
        with backend.on(self.device):
            if np.broadcast_shapes(*(a.shape for a in arrays)) != self.shape:
                arrays = (backend.xp.broadcast_to(arrays[0], self.shape), *arrays[1:])
            found = self.kernel(*arrays)
        taken("chain")
        return found if isinstance(found, tuple) else (found,)


def _type(x: Symbol) -> str:
    return "bool" if x.dtype == bool else "T"


def _steps(op: Operation, names: dict[Symbol, str]) -> list[str]:
    """An operation in a scope of its own, where its inputs are called a, b and c."""
    prim, result = TABLE[op.name], names[op.output]
    lines = []
    for letter, x in zip("abc", op.inputs, strict=False):
        if not isinstance(x, Symbol):
            lines.append(f"const C {letter} = C(T({_number(x)}))")
        elif x.dtype == bool:
            lines.append(f"const bool {letter} = {names[x]}")
        else:
            lines.append(f"const C {letter} = C({names[x]})")
    kind = "bool" if op.output.dtype == bool else "C"
    rounded = f"bool({prim.cuda})" if kind == "bool" else f"C(T({prim.cuda}))"
    return [f"{kind} {result}", f"{{ {'; '.join(lines)}; {result} = {rounded}; }}"]


def _number(x: float) -> str:
    """A number as C writes it, without loss."""
    if math.isnan(x):
        return "NAN"
    if math.isinf(x):
        return "INFINITY" if x > 0 else "-INFINITY"
    return repr(float(x))

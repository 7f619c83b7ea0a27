"""Replays on a GPU as CUDA graphs: all kernels of a captured function in one launch.

A replay calls a kernel per primitive, and each call costs the processor some microseconds; for
small tensors a GPU waits for them. Recorded once as a CUDA graph, the kernels come without Python.
Tested against a double of CuPy, not yet run on a GPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..backends import copied, write
from ..cuda import device
from ..cuda_graphs import CUDAGraph, graph
from ..tensor import Symbol, Tensor
from .ir import Graph, Slot, evaluate


def recordable(captured: Graph) -> str:
    """Why a graph cannot become a CUDA graph; empty when it can."""
    on_gpu = [s for s in captured.inputs if s.device.type == "cuda"]
    if not on_gpu or len({s.device for s in captured.inputs}) > 1:
        return "not all arguments are on one GPU"
    if captured.without_grad or any(value is None for _, value in captured.writes):
        return "gradients come into being or go away, so their memory is another in every call"
    if any(slot.tensor is None for slot, _ in (*captured.state, *captured.writes)):
        return "it writes to its arguments, or reads their gradients"
    for equation in captured.equations:
        if equation.prim.effect:
            return f"{equation.prim.name} draws its seed on the processor"
        if equation.prim.kind == "transfer":
            return f"{equation.prim.name} copies between devices"
    return ""


class Recorded:
    """A captured function as a CUDA graph, over the memory that its state has now.

    Args:
        captured: the graph; `recordable`, and replayed once before, so that all kernels are
            compiled.
        arguments: of the call, in the order of its inputs.
    """

    def __init__(self, captured: Graph, arguments: Sequence[Tensor]) -> None:
        self.captured = captured
        self.places = self._places()
        self.inputs = [t.detach().clone() for t in arguments]
        self.launches = CUDAGraph()
        self.place = captured.inputs[0].device
        with device(self.place), graph(self.launches):
            env = evaluate(captured, self.inputs)
            results = [v for v in captured.outputs if isinstance(v, Symbol)]
            self.results = {v: captured.owned(env, v) for v in results}
            values = [(slot, captured.owned(env, symbol)) for slot, symbol in captured.writes]
            for slot, value in values:
                write(slot.read(()), ..., value)

    def _places(self) -> list[Any]:
        """Where the state is in memory; None for a gradient that is missing."""
        slots = [slot for slot, _ in (*self.captured.state, *self.captured.writes)]
        return [_address(slot) for slot in slots]

    def fits(self) -> bool:
        """Whether the state still is where it was recorded."""
        return self.places == self._places()

    def __call__(self, arguments: Sequence[Tensor]) -> dict[Symbol, Any]:
        """Launch it on other arguments: the values of the results, in memory of their own."""
        for held, given in zip(self.inputs, arguments, strict=True):
            write(held._data, ..., given._data)
        with device(self.place):
            self.launches.replay()
        for slot, _ in self.captured.writes:
            owner = slot.owner(arguments)
            changed = owner if slot.what == "data" else owner._grad
            assert changed is not None  # else its address would have been another
            changed._cell[0] += 1
        return {symbol: copied(value) for symbol, value in self.results.items()}


def _address(slot: Slot) -> Any:
    array = slot.read(())
    return None if array is None else (array.data.ptr, array.shape, array.strides)

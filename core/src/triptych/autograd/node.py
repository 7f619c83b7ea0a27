"""The tape: what a differentiable operation leaves behind for backward.

Nodes hold arrays and edges to other nodes, never output tensors, so there are no reference cycles
and memory is freed as soon as nothing points to it. Creation order is a topological order.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import GradError

if TYPE_CHECKING:
    from ..prims.table import Prim
    from ..tensor import Tensor

next_seq = itertools.count().__next__
Cell = list[
    Any
]  # [version, where the last in-place write was made]: shared by a tensor and its views


BEFORE, AFTER = -1, -2  # places of hooks on a node as a whole; those of outputs are 0, 1, ...


class GraphNode:
    """A place on the tape: a recorded operation, or a leaf where gradients end.

    ``triptych.autograd.graph.Node``; what `Tensor.grad_fn` gives is one.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        hooks: Any
        _metadata: dict[Any, Any]

    @property
    def metadata(self) -> dict[Any, Any]:
        """A dictionary for the user's own notes."""
        try:
            return self._metadata
        except AttributeError:  # a slot that construction leaves empty, for speed
            object.__setattr__(self, "_metadata", {})
            return self._metadata

    def register_prehook(self, fn: Callable[[tuple[Any, ...]], Any]) -> Any:
        """Call ``fn(grad_outputs)`` in backward, before the node is run; what it returns, if
        anything, takes the place of the gradients of the outputs.

        Returns:
            A handle with ``remove()``.
        """
        return self._registered(BEFORE, fn)

    def register_hook(self, fn: Callable[[tuple[Any, ...], tuple[Any, ...]], Any]) -> Any:
        """Call ``fn(grad_inputs, grad_outputs)`` in backward, after the node was run; what it
        returns, if anything, takes the place of the gradients of the inputs.

        Returns:
            A handle with ``remove()``.
        """
        return self._registered(AFTER, fn)

    def _registered(self, place: int, fn: Callable[..., Any]) -> Any:
        from .hooks import Handle

        if self.hooks is None:
            self.hooks = []
        return Handle(self.hooks, (place, fn))


class Node(GraphNode):
    """One recorded operation.

    Attributes:
        prim, params: what was called.
        inputs: an edge (Node, Port, Leaf) or None per input.
        xs, y: the raw values the derivative rules read; None where not kept.
        cells: (version cell, version when saved) of every kept value.
        shapes, dtypes: of the inputs; dtypes only when a rule reads them.
        meta: avals of the outputs when there are several, to fill in missing gradients.
    """

    __slots__ = (
        "__weakref__",
        "_metadata",
        "cells",
        "dtypes",
        "hooks",
        "inputs",
        "meta",
        "params",
        "prim",
        "seq",
        "shapes",
        "stack",
        "xs",
        "y",
    )

    xs: Any
    dtypes: Any
    meta: Any
    hooks: Any
    stack: Any

    def __init__(
        self,
        prim: Prim,
        params: dict[str, Any],
        inputs: tuple[Any, ...],
        xs: tuple[Any, ...] | None,
        y: Any,
        cells: tuple[Any, ...],
        shapes: tuple[Any, ...],
    ) -> None:
        self.prim, self.params, self.inputs = prim, params, inputs
        self.xs, self.y, self.cells, self.shapes = xs, y, cells, shapes
        self.dtypes = self.meta = self.hooks = self.stack = None
        self.seq = next_seq()

    @property
    def next_functions(self) -> tuple[Any, ...]:
        """(node, output index) per input, as in torch."""
        return tuple(e.target() if e is not None else (None, 0) for e in self.inputs)

    def target(self) -> tuple[Any, int]:
        """The node an edge leads to, and which of its outputs."""
        return self, 0

    def name(self) -> str:
        """The class name torch users know, such as ``MulBackward``."""
        return f"{self.prim.name.title().replace('_', '')}Backward"

    def check_saved(self) -> None:
        """Raise GradError if a kept value is gone or was written to since."""
        if self.xs is None:
            raise GradError(
                f"backward through {self.prim.name} a second time: what it saved was freed by the "
                "first; pass retain_graph=True to the first backward, or run the forward again"
            )
        for cell, version in self.cells:
            if cell[0] != version:
                raise GradError(self._stale(cell, version))

    def check_cells(self, cells: tuple[Any, ...]) -> None:
        """Raise GradError if a kept value was written to since."""
        for cell, version in cells:
            if cell[0] != version:
                raise GradError(self._stale(cell, version))

    def pack(self, pack: Callable[[Any], Any], unpack: Callable[[Any], Any]) -> None:
        """Hand what is kept to a pack function, unless that was done before."""
        if type(self.xs) is tuple and (self.y is not None or any(x is not None for x in self.xs)):
            from .saved import PackedValues

            self.xs = PackedValues(self, pack, unpack)
            self.y, self.cells = None, ()

    def _stale(self, cell: Cell, version: int) -> str:
        where = f" by {cell[1]}" if len(cell) > 1 and cell[1] else ""
        made = f"; {self.prim.name} was called at {self.stack}" if self.stack else ""
        return (
            f"backward: a value that {self.prim.name} saved was modified in place{where} "
            f"(version {cell[0]}, saved at version {version}){made}; use the out-of-place form of "
            "that write, or clone() the tensor before it"
        )

    def release(self) -> None:
        """Free what was kept; a node that kept nothing can be walked again."""
        if self.cells or self.y is not None or any(x is not None for x in self.xs or ()):
            self.xs = self.y = None
            self.cells = ()

    def __repr__(self) -> str:
        return f"<{self.name()}>"


class Port:
    """An edge to one output of a node that has several."""

    __slots__ = ("index", "node")

    def __init__(self, node: Node, index: int) -> None:
        self.node, self.index = node, index

    def target(self) -> tuple[Node, int]:
        return self.node, self.index

    def __repr__(self) -> str:
        return f"<{self.node.name()} output {self.index}>"


class GradientEdge(NamedTuple):
    """Where a gradient passes: an output of a node. `grad` and `backward` take it for a tensor, so
    that the tensor itself need not be kept.

    Attributes:
        node: the recorded operation or leaf.
        output_nr: which of its outputs.
        ownership_token: here for torch's signature; nothing needs it.
    """

    node: Any
    output_nr: int
    ownership_token: Any = None

    @property
    def edge(self) -> Any:
        """The edge as the tape has it."""
        several = not isinstance(self.node, Leaf) and self.node.prim.outputs > 1
        return Port(self.node, self.output_nr) if several else self.node


class Leaf(GraphNode):
    """Where a gradient ends: the edge of a tensor that was made by no recorded operation."""

    __slots__ = ("__weakref__", "_metadata", "_tensor", "hooks", "post_hooks", "seq")
    inputs: tuple[Any, ...] = ()
    next_functions: tuple[Any, ...] = ()

    def __init__(self, tensor: Tensor) -> None:
        self._tensor = weakref.ref(tensor)
        self.hooks: list[Callable[..., Any]] | None = None
        self.post_hooks: list[Callable[..., Any]] | None = None
        self.seq = next_seq()

    @property
    def tensor(self) -> Tensor | None:
        """The tensor, unless nothing else holds it any more."""
        return self._tensor()

    variable = tensor

    def target(self) -> tuple[Leaf, int]:
        return self, 0

    def name(self) -> str:
        return "AccumulateGrad"

    def __repr__(self) -> str:
        return "<AccumulateGrad>"

"""The tape: what a differentiable operation leaves behind for backward.

Nodes hold arrays and edges to other nodes, never output tensors, so there are no reference cycles
and memory is freed as soon as nothing points to it. Creation order is a topological order.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import GradError

if TYPE_CHECKING:
    from ..prims.table import Prim
    from ..tensor import Tensor

next_seq = itertools.count().__next__
Cell = list[
    Any
]  # [version, where the last in-place write was made]: shared by a tensor and its views


class Node:
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


class Leaf:
    """Where a gradient ends: the edge of a tensor that was made by no recorded operation."""

    __slots__ = ("__weakref__", "_tensor", "hooks", "post_hooks", "seq")
    inputs: tuple[Any, ...] = ()

    def __init__(self, tensor: Tensor) -> None:
        self._tensor = weakref.ref(tensor)
        self.hooks: list[Callable[..., Any]] | None = None
        self.post_hooks: list[Callable[..., Any]] | None = None
        self.seq = next_seq()

    @property
    def tensor(self) -> Tensor | None:
        """The tensor, unless nothing else holds it any more."""
        return self._tensor()

    def target(self) -> tuple[Leaf, int]:
        return self, 0

    def name(self) -> str:
        return "AccumulateGrad"

    def __repr__(self) -> str:
        return "<AccumulateGrad>"

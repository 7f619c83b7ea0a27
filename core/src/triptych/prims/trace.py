"""The one place where a transformation can step between a call and its kernel."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..state import state
from .compute import compute, compute_created

if TYPE_CHECKING:
    from ..autograd.node import Node
    from ..tensor import Tensor
    from .table import Prim


class Trace:
    """Handles primitives while it is the active trace. Traces nest: each calls the one outside it.

    The base class computes as eager mode does; subclasses override what they change.
    """

    outer: Trace | None = None

    def __enter__(self) -> Trace:
        self.outer, state.trace, state.run = state.trace, self, None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        state.trace = self.outer
        state.run = state.quiet if self.outer is None else None

    def enter(self, tensor: Tensor) -> Any:
        """The raw value that stands for a tensor inside this trace."""
        return tensor._data if self.outer is None else self.outer.enter(tensor)

    def process(self, prim: Prim, raw: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Compute a primitive on raw values; gives a raw value, or a tuple of them."""
        if self.outer is not None:
            return self.outer.process(prim, raw, params)
        return compute(prim, raw, params) if raw else compute_created(prim, params)

    def recorded(self, node: Node) -> None:
        """Called with each tape node made under this trace."""
        if self.outer is not None:
            self.outer.recorded(node)

    def write(self, tensor: Tensor, value: Tensor) -> bool:
        """Take over an in-place write; False leaves it to eager mode."""
        return self.outer is not None and self.outer.write(tensor, value)

    def replace(self, tensor: Tensor, value: Tensor) -> bool:
        """Take over ``tensor.data = value``; False leaves it to eager mode."""
        return self.outer is not None and self.outer.replace(tensor, value)

    def passed_on(self, node: Node, grad: Any) -> None:
        """Called with every gradient that backward computes for an input of a node."""
        if self.outer is not None:
            self.outer.passed_on(node, grad)

    def changing(self, tensor: Tensor) -> None:
        """Called before the history of a tensor is replaced."""
        if self.outer is not None:
            self.outer.changing(tensor)

    def touched_grad(self, tensor: Tensor) -> None:
        """Called before the ``grad`` of a tensor is read or changed."""
        if self.outer is not None:
            self.outer.touched_grad(tensor)

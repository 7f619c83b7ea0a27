"""What users attach to the tape: functions that see gradients, and gradients to be retained."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from .node import Leaf

if TYPE_CHECKING:
    from ..tensor import Tensor


class Handle:
    """Takes a hook away again; also as a context manager."""

    def __init__(self, hooks: list[Any], hook: Any) -> None:
        self._hooks, self._hook = hooks, hook
        hooks.append(hook)

    def remove(self) -> None:
        """Remove the hook; a second call does nothing."""
        place = next((i for i, hook in enumerate(self._hooks) if hook is self._hook), None)
        if place is not None:
            del self._hooks[place]
        self._hooks = []

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


def hooks_of(edge: Any) -> tuple[list[Any], int]:
    """The list of (output, hook) pairs behind an edge, and which output it leads to."""
    node, place = edge.target()
    if node.hooks is None:
        node.hooks = []
    return node.hooks, place


class Retain:
    """Keeps the gradient of a tensor that is no leaf; runs after all other hooks."""

    def __init__(self, tensor: Tensor) -> None:
        self._tensor = weakref.ref(tensor)
        self._node: Any = None  # a weak reference: the node holds this hook

    def move(self, edge: Any) -> None:
        """Watch another edge, after an in-place write gave the tensor a new history."""
        node = self._node and self._node()
        if node is not None:
            node.hooks[:] = [entry for entry in node.hooks if entry[1] is not self]
        self._node = None
        if edge is not None and not isinstance(edge, Leaf):
            hooks, place = hooks_of(edge)
            hooks.append((place, self))
            self._node = weakref.ref(edge.target()[0])

    def __call__(self, grad: Tensor) -> None:
        tensor = self._tensor()
        if tensor is not None:
            held = tensor._grad
            own = grad.clone() if grad._edge is None else grad
            tensor._grad = own if held is None else held + grad

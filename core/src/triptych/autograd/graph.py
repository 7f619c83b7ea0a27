"""The tape in the user's hands: nodes and edges, hooks on what is saved, hooks on several tensors.

Example:
    >>> x = triptych.tensor(2.0, requires_grad=True)
    >>> y = x.exp()
    >>> y.grad_fn.name(), isinstance(y.grad_fn, Node)
    ('ExpBackward', True)
"""

from __future__ import annotations

import functools
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import numpy as np

from ..backends import copied
from ..callsite import user_line
from ..errors import GradError
from ..prims.trace import Trace
from ..state import state
from ..tensor import Symbol, Tensor, current_edge
from .hooks import hooks_of
from .node import GradientEdge, GraphNode
from .node import Node as _Recorded
from .saved import Hook, Kept, PackedValues

__all__ = [
    "GradientEdge",
    "Node",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
]

Node = GraphNode


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """Where the gradient of a tensor passes; `grad` and `backward` take it in its place.

    Raises:
        GradError: the tensor does not require grad.
    """
    edge = current_edge(tensor)
    if edge is None:
        raise GradError(
            "get_gradient_edge: the tensor does not require grad; call requires_grad_() first"
        )
    return GradientEdge(*edge.target())


def increment_version(tensor: Tensor | Iterable[Tensor]) -> None:
    """Note that the memory of a tensor, or of several, was written to by something that Triptych
    did not see, so that a backward that needs the old numbers raises.
    """
    for t in (tensor,) if isinstance(tensor, Tensor) else tuple(tensor):
        t._cell[0] += 1
        t._cell[1:] = [f"increment_version at {user_line()}"]


# What is saved


class Packing(Trace):
    """Hands what nodes save to a pair of functions."""

    alters = False

    def __init__(self, pack: Hook, unpack: Hook) -> None:
        self.pack, self.unpack = pack, unpack

    def recorded(self, node: _Recorded) -> None:
        node.pack(self.pack, self.unpack)
        super().recorded(node)

    def kept(self, saved: Kept) -> None:
        saved.pack(self.pack, self.unpack)
        super().kept(saved)


class _Disabled(threading.local):
    message: str | None = None


_disabled = _Disabled()


class saved_tensors_hooks:  # noqa: N801 -- torch's spelling
    """Inside, every tensor that is saved for backward passes through a pair of functions.

    Of nested pairs, the innermost is used.

    Args:
        pack_hook: called with a detached tensor when it is saved; what it returns is kept. It must
            not write into the tensor.
        unpack_hook: called with what was kept when backward reads it; returns a tensor of the same
            shape, dtype and device.

    Raises:
        GradError: `disable_saved_tensors_hooks` is active; or, in backward, unpack_hook gives no
            such tensor.

    Example:
        >>> x = triptych.tensor([3.0], requires_grad=True)
        >>> with saved_tensors_hooks(lambda t: t.numpy().tobytes(), lambda b: frombuffer(b)):
        ...     y = x * x
        >>> def frombuffer(b):
        ...     return triptych.tensor(np.frombuffer(b, np.float32))
        >>> y.backward()
        >>> x.grad
        tensor([6.])
    """

    def __init__(self, pack_hook: Hook, unpack_hook: Hook) -> None:
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook
        self._entered: list[Trace] = []

    def __enter__(self) -> saved_tensors_hooks:
        if _disabled.message is not None:
            raise GradError(_disabled.message)
        packing = Packing(self.pack_hook, self.unpack_hook)
        packing.__enter__()
        self._entered.append(packing)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._entered.pop().__exit__(kind, error, traceback)


class save_on_cpu(saved_tensors_hooks):  # noqa: N801 -- torch's spelling
    """Inside, what is saved for backward waits in the memory of the CPU.

    Args:
        pin_memory: here for torch's signature; copies are made in ordinary memory.
        device_type: likewise.
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(
            lambda t: (t.device, t.cpu()),
            lambda packed: packed[1].to(packed[0]),
        )


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Inside, entering `saved_tensors_hooks` raises GradError with this text."""
    before, _disabled.message = _disabled.message, error_message
    try:
        yield
    finally:
        _disabled.message = before


class _CopyOnWrite(Trace):
    """Copies what was saved of a memory that is about to be written."""

    alters = False

    def __init__(self) -> None:
        self.savers: dict[int, tuple[Any, list[Any]]] = {}  # by the id of a cell, which is kept

    def recorded(self, node: _Recorded) -> None:
        for cell, _ in node.cells:
            self._note(cell, node)
        super().recorded(node)

    def kept(self, saved: Kept) -> None:
        self._note(saved.cell, saved)
        super().kept(saved)

    def _note(self, cell: Any, saver: Any) -> None:
        self.savers.setdefault(id(cell), (cell, []))[1].append(weakref.ref(saver))

    def write(self, tensor: Tensor, value: Tensor) -> bool:
        if super().write(tensor, value):
            return True
        _, savers = self.savers.pop(id(tensor._cell), (None, ()))
        for saver in [found for ref in savers if (found := ref()) is not None]:
            if isinstance(saver, Kept):
                saver.separate()
            else:
                _separate(saver, tensor)
        return False


def _separate(node: _Recorded, tensor: Tensor) -> None:
    """Give a node copies of what it saved in the memory of a tensor."""
    if node.xs is None or isinstance(node.xs, PackedValues):
        return

    def apart(value: Any) -> Any:
        if not hasattr(value, "dtype") or isinstance(value, Symbol):
            return value
        ours = not isinstance(value, np.ndarray) or np.may_share_memory(value, tensor._data)
        return copied(value) if ours else value

    node.xs = tuple(apart(x) for x in node.xs)
    node.y = tuple(apart(v) for v in node.y) if type(node.y) is tuple else apart(node.y)
    node.cells = tuple(saved for saved in node.cells if saved[0] is not tensor._cell)


@contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[None]:
    """Inside, a write into a tensor that backward needs is no error: what was saved of it is copied
    before the write.

    Example:
        >>> x = triptych.ones(2, requires_grad=True)
        >>> with allow_mutation_on_saved_tensors():
        ...     a = x * 2
        ...     y = (a * a).sum()
        ...     _ = a.zero_()
        ...     y.backward()
        >>> x.grad
        tensor([8., 8.])
    """
    trace = _CopyOnWrite()
    with trace:
        yield
    trace.savers.clear()


# Hooks


class _Handles:
    """Removes several hooks at once."""

    def __init__(self, handles: Sequence[Any]) -> None:
        self._handles = handles

    def remove(self) -> None:
        """Remove the hooks; a second call does nothing."""
        for handle in self._handles:
            handle.remove()

    def __enter__(self) -> _Handles:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[..., None], *, mode: str = "all"
) -> _Handles:
    """Call a function once per backward that reaches some tensors.

    Args:
        tensors: each must require grad.
        fn: with "all", called with a list of gradients, one per tensor and None where backward
            does not come by, when the last of them is there; with "any", with the first gradient.
        mode: "all" or "any".

    Returns:
        A handle with ``remove()``.

    Raises:
        GradError: a tensor does not require grad, or the mode is another.
    """
    if mode not in ("all", "any"):
        raise GradError(f"register_multi_grad_hook: wanted mode 'all' or 'any', got {mode!r}")
    edges = [get_gradient_edge(t) for t in tensors]
    places = [(edge.node, edge.output_nr) for edge in edges]
    mark = object()  # what this call notes down in a pass
    arrived = functools.partial(_all_arrived if mode == "all" else _first_arrived, mark, places, fn)
    handles = []
    for i, t in enumerate(tensors):
        hooks, place = hooks_of(current_edge(t))
        handles.append(_attach(hooks, place, functools.partial(arrived, i)))
    return _Handles(handles)


def _attach(hooks: list[Any], place: int, hook: Any) -> Any:
    from .hooks import Handle

    return Handle(hooks, (place, hook))


def _first_arrived(mark: Any, places: Any, fn: Any, i: int, grad: Tensor) -> None:
    notes = state.sweep.notes
    if mark not in notes:
        notes[mark] = True
        fn(grad)


def _all_arrived(mark: Any, places: Any, fn: Any, i: int, grad: Tensor) -> None:
    notes = state.sweep.notes
    if mark not in notes:
        visited = set(state.sweep.nodes)
        notes[mark] = {}, sum(node in visited for node, _ in places)
    grads, expected = notes[mark]
    grads[i] = grad
    if len(grads) == expected:
        fn([grads.get(j) for j in range(len(places))])

"""The one place where a transformation can step between a call and its kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..state import state
from .compute import compute, compute_created

if TYPE_CHECKING:
    from ..autograd.node import Node
    from ..autograd.saved import Kept
    from ..tensor import Tensor
    from .table import Prim


class Trace:
    """Handles primitives while it is the active trace. Traces nest: each calls the one outside it.

    The base class computes as eager mode does; subclasses override what they change.
    """

    outer: Trace | None = None
    lifts = False  # whether values inside stand for others outside, as in a function transform
    scoped = False  # whether a with statement will end it
    alters = True  # whether values inside differ from those outside; an observer says False

    def __enter__(self) -> Trace:
        self.outer, state.trace, state.run = state.trace, self, None
        self.scoped = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        state.trace = self.outer
        state.run = state.quiet if self.outer is None else None

    def key(self) -> Any:
        """What a graph captured inside depends on; None where no graph may stand in for a call."""
        return None

    def adapt(self, prim: Prim, xs: tuple[Any, ...]) -> tuple[Any, ...]:
        """The inputs of a call before promotion, as the caller gave them or converted."""
        return xs if self.outer is None else self.outer.adapt(prim, xs)

    def run_as(self, amp: str, fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call a function that has an autocast class of its own (see `precision.computes_in`)."""
        if self.outer is None:
            return fn(*args, **kwargs)
        return self.outer.run_as(amp, fn, args, kwargs)

    def around_backward(self, run: Callable[[], Any]) -> Any:
        """Run a pass over the tape."""
        return run() if self.outer is None else self.outer.around_backward(run)

    def enter(self, tensor: Tensor) -> Any:
        """The raw value that stands for a tensor inside this trace."""
        return tensor._data if self.outer is None else self.outer.enter(tensor)

    def detached(self, tensor: Tensor) -> Any:
        """The same, cut off from the history it has further out."""
        return tensor._data if self.outer is None else self.outer.detached(tensor)

    def own_edges(self, xs: Sequence[Any], edges: tuple[Any, ...]) -> tuple[Any, ...]:
        """Of the edges of inputs, those that the tape of this trace may lead to."""
        return edges if self.outer is None else self.outer.own_edges(xs, edges)

    def elsewhere(self, fn: Callable[..., Any], tensor: Tensor, *args: Any) -> bool:
        """Call fn(tensor, *args) in the world the tensor is of, if that is not this one."""
        return self.outer is not None and self.outer.elsewhere(fn, tensor, *args)

    def overwrite(self, tensor: Tensor, value: Tensor, name: str) -> bool:
        """Take over a whole in-place operation; False goes on with it here."""
        return self.outer is not None and self.outer.overwrite(tensor, value, name)

    def custom(self, function: Any, args: tuple[Any, ...]) -> Any:
        """Take over the forward of an `autograd.Function`: None, or a function that runs it."""
        return None if self.outer is None else self.outer.custom(function, args)

    def process(self, prim: Prim, raw: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Compute a primitive on raw values; gives a raw value, or a tuple of them."""
        if self.outer is not None:
            return self.outer.process(prim, raw, params)
        return compute(prim, raw, params) if raw else compute_created(prim, params)

    def recorded(self, node: Node) -> None:
        """Called with each tape node made under this trace."""
        if self.outer is not None:
            self.outer.recorded(node)

    def kept(self, saved: Kept) -> None:
        """Called with each tensor that is kept for backward outside a node."""
        if self.outer is not None:
            self.outer.kept(saved)

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


def is_lifting() -> bool:
    """Whether the calling code runs inside a function transform."""
    return any(trace.lifts for trace in chain())


def chain() -> Iterator[Trace]:
    """The active traces, innermost first."""
    trace = state.trace
    while trace is not None:
        yield trace
        trace = trace.outer


def underlay(trace: Trace) -> None:
    """Put a trace around all that are active, until it is `dropped`."""
    active = list(chain())
    if active:
        active[-1].outer = trace
    else:
        state.trace, state.run = trace, None


def dropped(trace: Trace) -> None:
    """Take a trace out of the active ones."""
    if state.trace is trace:
        state.trace = trace.outer
        state.run = state.quiet if trace.outer is None else None
    for other in chain():
        if other.outer is trace:
            other.outer = trace.outer
    trace.outer = None

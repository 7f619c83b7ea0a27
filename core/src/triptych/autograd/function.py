"""Operations with a derivative of the user's own."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from ..errors import GradError
from ..state import state
from ..tensor import Tensor, box, current_edge
from .engine import raw_of
from .modes import no_grad
from .node import Node, Port


class FunctionCtx:
    """What forward hands to backward. Attributes of any name may be set on it."""

    def __init__(self) -> None:
        self.needs_input_grad: tuple[bool, ...] = ()
        self._to_save: tuple[Tensor | None, ...] = ()
        self._saved: list[Callable[[], Tensor | None]] | None = []
        self._plain: tuple[Tensor, ...] = ()
        self._dirty: tuple[Tensor, ...] = ()
        self._materialize = True

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep inputs or outputs for backward, guarded against in-place writes."""
        self._to_save = tensors

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What `save_for_backward` kept.

        Raises:
            GradError: backward ran before without retain_graph, or a tensor was written to since.
        """
        if self._saved is None:
            raise GradError(
                "saved_tensors: freed by an earlier backward; pass retain_graph=True to that one"
            )
        return tuple(get() for get in self._saved)

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """Outputs that need no gradient, such as indices."""
        self._plain = outputs

    def mark_dirty(self, *inputs: Tensor) -> None:
        """Inputs that forward wrote to in place and returns."""
        self._dirty = inputs

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros (the default) or None for outputs without a gradient."""
        self._materialize = value


class _Custom:
    """Stands in a node in a primitive's place: the name, and the rule that calls backward."""

    kind, partials, rules = "custom", False, ()

    def __init__(self, function: type[Function], ctx: FunctionCtx, outputs: int) -> None:
        self.function, self.ctx, self.outputs, self.name = function, ctx, outputs, function.__name__

    def joint(self, g: Any, node: Node, index: int, xs: Any, y: Any) -> list[Any]:
        """The gradients of all inputs, by the user's backward."""
        given = g if self.outputs > 1 else [g]
        boxed = any(isinstance(v, Tensor) for v in given)
        grads = [v if v is None or isinstance(v, Tensor) else box(v) for v in given]
        found = self.function.backward(self.ctx, *grads)
        listed = list(found) if isinstance(found, (tuple, list)) else [found]
        if len(listed) < len(node.inputs):
            raise GradError(
                f"{self.name}.backward: wanted a gradient (or None) for each of {len(node.inputs)} "
                f"inputs, got {len(listed)}"
            )
        if any(v is not None for v in listed[len(node.inputs) :]):
            raise GradError(
                f"{self.name}.backward: {len(listed)} gradients for {len(node.inputs)} inputs; "
                "only None may follow those of the inputs"
            )
        del listed[len(node.inputs) :]
        self._check(listed, node)
        return [v if v is None or boxed else v._data for v in listed]

    def _check(self, found: list[Any], node: Node) -> None:
        for i, (v, edge) in enumerate(zip(found, node.inputs, strict=False)):
            if v is not None and edge is not None and tuple(v.shape) != tuple(node.shapes[i]):
                raise GradError(
                    f"{self.name}.backward: gradient {i} has shape {tuple(v.shape)}, "
                    f"the input {tuple(node.shapes[i])}"
                )


class _CustomNode(Node):
    """A node whose saved tensors live in the context."""

    __slots__ = ()

    def release(self) -> None:
        if self.prim.ctx._to_save:  # type: ignore[attr-defined]
            self.xs = None
            self.prim.ctx._saved = None  # type: ignore[attr-defined]


class Function:
    """Subclass with static methods ``forward(ctx, *args)`` and ``backward(ctx, *grads)``, then call
    ``apply``. Or write ``forward(*args)`` and ``setup_context(ctx, inputs, output)``.

    Example:
        >>> class Cube(Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         ctx.save_for_backward(x)
        ...         return x * x * x
        ...     @staticmethod
        ...     def backward(ctx, g):
        ...         (x,) = ctx.saved_tensors
        ...         return g * 3 * x * x
        >>> x = triptych.tensor(2.0, requires_grad=True)
        >>> Cube.apply(x).backward()
        >>> x.grad
        tensor(12.)
    """

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; operations inside are not recorded."""
        raise GradError("Function: a subclass must define forward")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Fill ctx after a forward that takes no ctx."""

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients of the inputs of forward, given those of the outputs."""
        raise GradError("Function: a subclass must define backward to be differentiated")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run forward and record backward."""
        ctx = FunctionCtx()
        edges = tuple(current_edge(x) if isinstance(x, Tensor) else None for x in args)
        ctx.needs_input_grad = tuple(e is not None for e in edges)
        with no_grad():
            output = cls._forward(ctx, args)
        many = isinstance(output, (tuple, list))
        outputs = [
            o.detach() if any(o is x for x in args) else o for o in (output if many else [output])
        ]
        if state.grad and any(ctx.needs_input_grad):
            cls._record(ctx, args, edges, outputs, list(output) if many else [output])
        return tuple(outputs) if many else outputs[0]

    @classmethod
    def _forward(cls, ctx: FunctionCtx, args: tuple[Any, ...]) -> Any:
        if cls.setup_context is Function.setup_context:
            return cls.forward(ctx, *args)
        output = cls.forward(*args)
        cls.setup_context(ctx, args, output)
        return output

    @classmethod
    def _record(
        cls,
        ctx: FunctionCtx,
        args: tuple[Any, ...],
        edges: tuple[Any, ...],
        outputs: list[Any],
        raw: list[Any],
    ) -> None:
        shapes = tuple(tuple(x.shape) if isinstance(x, Tensor) else () for x in args)
        prim: Any = _Custom(cls, ctx, len(outputs))
        node = _CustomNode(prim, {}, edges, (None,) * len(args), None, (), shapes)
        node.meta = [
            (o._data.shape, o._data.dtype, o.device) for o in outputs if isinstance(o, Tensor)
        ]
        for i, o in enumerate(outputs):
            plain = any(raw[i] is p for p in ctx._plain) or not (
                o.is_floating_point() or o.is_complex()
            )
            if not plain:
                o._edge = Port(node, i) if len(outputs) > 1 else node
        ctx._saved = [_getter(t, node, args, outputs) for t in ctx._to_save]
        ctx._to_save = (None,) * len(ctx._to_save)  # the node must not hold its own output
        for t, o in zip(raw, outputs, strict=True):
            if any(t is d for d in ctx._dirty):
                t._edge = o._edge
        if state.trace is not None:
            state.trace.recorded(node)


def _getter(
    t: Tensor | None, node: Node, args: Any, outputs: list[Any]
) -> Callable[[], Tensor | None]:
    """Gives a saved tensor back with its history, unless it was written to since.

    An output's history is the node itself, which the closure must not hold: the node holds it.
    """
    if t is None:
        return lambda: None
    data, cell, version = raw_of(t), t._cell, t._cell[0]
    edge = t._edge if any(t is x for x in args) else None
    made = [i for i, o in enumerate(outputs) if o is t and o._edge is not None]
    name, this, count = node.prim.name, weakref.ref(node), len(outputs)

    def get() -> Tensor:
        if cell[0] != version:
            raise GradError(f"{name}: {_STALE}")
        return box(data, _edge_to(this(), made[0], count) if made else edge)

    return get


def _edge_to(node: Any, place: int, count: int) -> Any:
    return Port(node, place) if node is not None and count > 1 else node


_STALE = "a saved tensor was modified in place since forward; clone() it before the write"


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a backward whose own derivative is not available: differentiating it raises."""

    def wrapped(ctx: Any, *grads: Any) -> Any:
        with no_grad():
            found = fn(ctx, *grads)
        if not state.grad:
            return found
        raise GradError("once_differentiable: this backward has no derivative of its own")

    return wrapped

"""Operations with a derivative of the user's own."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from ..errors import DTypeError, GradError
from ..prims.elementwise import cast
from ..prims.reduce import sum_to
from ..state import state
from ..tensor import Tensor, box, current_edge
from .engine import raw_of
from .modes import no_grad
from .node import Node, Port
from .saved import Kept


class FunctionCtx:
    """What forward hands to backward. Attributes of any name may be set on it.

    Attributes:
        needs_input_grad: for each argument of forward, whether its gradient is wanted.
        saved_for_forward: what `save_for_forward` kept.
    """

    needs_input_grad: tuple[bool, ...] = ()
    saved_for_forward: tuple[Tensor | None, ...] = ()

    def __init__(self) -> None:
        self._to_save: tuple[Tensor | None, ...] = ()
        self._saved: list[Callable[[], Tensor | None]] | None = []
        self._plain: tuple[Tensor, ...] = ()
        self._dirty: tuple[Tensor, ...] = ()
        self._materialize = True

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep inputs or outputs for backward, guarded against in-place writes.

        Raises:
            DTypeError: something among them is no tensor; set such values as attributes.
        """
        _check_tensors("save_for_backward", tensors)
        self._to_save = tensors

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Keep tensors for ``jvp``, which runs right after forward.

        Raises:
            DTypeError: something among them is no tensor; set such values as attributes.
        """
        _check_tensors("save_for_forward", tensors)
        self.saved_for_forward = tensors

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


def _check_tensors(name: str, values: tuple[Any, ...]) -> None:
    for i, value in enumerate(values):
        if value is not None and not isinstance(value, Tensor):
            raise DTypeError(
                f"{name}: argument {i} is no tensor but {type(value).__name__}; set other values "
                "as attributes of ctx"
            )


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
        fitted = [self._fitted(i, v, node) for i, v in enumerate(listed)]
        return [v if v is None or boxed else raw_of(v) for v in fitted]

    @property
    def materialize(self) -> bool:
        """Whether backward gets zeros for outputs without a gradient."""
        return self.ctx._materialize

    def _fitted(self, i: int, v: Any, node: Node) -> Any:
        """A gradient in the dtype of its input, summed where the input was broadcast."""
        if v is None or node.inputs[i] is None:
            return None
        if not isinstance(v, Tensor):
            raise GradError(
                f"{self.name}.backward: gradient {i} is no tensor but {type(v).__name__}"
            )
        shape, dtype = tuple(node.shapes[i]), node.dtypes[i]
        if tuple(v.shape) != shape:
            if not _broadcasts(shape, tuple(v.shape)):
                raise GradError(
                    f"{self.name}.backward: gradient {i} has shape {tuple(v.shape)}, the input "
                    f"{shape}"
                )
            v = sum_to(v, shape)
        return v if v._data.dtype == dtype else cast(v, dtype=dtype)


def _broadcasts(shape: tuple[int, ...], wider: tuple[int, ...]) -> bool:
    """Whether a shape broadcasts to another."""
    tail = wider[len(wider) - len(shape) :]
    fits = (n in (1, m) for n, m in zip(shape, tail, strict=True))
    return len(shape) <= len(wider) and all(fits)


class _CustomNode(Node):
    """A node whose saved tensors live in the context."""

    __slots__ = ()

    def name(self) -> str:
        return f"{self.prim.name}Backward"

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

    generate_vmap_rule = False

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *args: Any) -> Any:
        """A whole batch at once, as (outputs, out_dims): `func.vmap` calls it.

        Without one, and also with ``generate_vmap_rule = True``, forward and backward run under
        vmap themselves.

        Args:
            info: has ``batch_size`` and ``randomness``.
            in_dims: for every argument the dim of the samples, None if it has none.
            args: those of forward, whole.
        """
        raise GradError("Function: a subclass must define vmap to have it called")

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """The changes of the outputs, given those of the inputs (None for none): `func.jvp` calls
        it right after forward. Without one they are worked out from backward.
        """
        raise GradError("Function: a subclass must define jvp to have it called")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run forward and record backward."""
        return cls._run(FunctionCtx(), args)

    @classmethod
    def _run(cls, ctx: FunctionCtx, args: tuple[Any, ...]) -> Any:
        edges = tuple(current_edge(x) if isinstance(x, Tensor) else None for x in args)
        trace = state.trace
        if trace is not None:
            edges = trace.own_edges(args, edges)
        ctx.needs_input_grad = tuple(e is not None for e in edges)
        lifted = None if trace is None else trace.custom(cls, args)
        if lifted is not None:
            output = cls._lifted_forward(ctx, args, lifted)
        else:
            with no_grad():
                output = cls._forward(ctx, args)
        many = isinstance(output, (tuple, list))
        returned = list(output) if many else [output]
        _check_dirty(cls.__name__, ctx, returned)
        outputs = [
            o.detach()
            if isinstance(o, Tensor) and _among(o, args) and not _among(o, ctx._dirty)
            else o
            for o in returned
        ]
        if state.grad and any(ctx.needs_input_grad):
            cls._record(ctx, args, edges, outputs, returned)
        return tuple(outputs) if many else outputs[0]

    @classmethod
    def _lifted_forward(cls, ctx: FunctionCtx, args: tuple[Any, ...], run: Any) -> Any:
        """The outputs inside a transform, which computes them in the world outside."""
        output = run()
        if cls.setup_context is not Function.setup_context:
            with no_grad():
                cls.setup_context(ctx, args, output)
        elif cls.jvp is not Function.jvp or (state.grad and any(ctx.needs_input_grad)):
            raise GradError(
                f"{cls.__name__}: to be differentiated inside vmap or jvp, a Function needs "
                "forward(*args) and setup_context(ctx, inputs, output) in the place of "
                "forward(ctx, *args)"
            )
        return output

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
        node.dtypes = tuple(x._data.dtype if isinstance(x, Tensor) else None for x in args)
        node.meta = [
            (o._data.shape, o._data.dtype, o.device) if isinstance(o, Tensor) else None
            for o in outputs
        ]
        for i, o in enumerate(outputs):
            if not isinstance(o, Tensor) or _among(raw[i], ctx._plain):
                continue
            if not (o.is_floating_point() or o.is_complex()):
                continue
            edge = Port(node, i) if len(outputs) > 1 else node
            if _among(o, ctx._dirty):
                _written(o, edge, cls.__name__)
            else:
                o._edge = edge
        ctx._saved = [_getter(t, node, args, outputs) for t in ctx._to_save]
        ctx._to_save = (None,) * len(ctx._to_save)  # the node must not hold its own output
        if state.trace is not None:
            state.trace.recorded(node)


def _among(x: Any, values: Any) -> bool:
    return any(x is v for v in values)


def _check_dirty(name: str, ctx: FunctionCtx, returned: list[Any]) -> None:
    if not all(_among(t, returned) for t in ctx._dirty):
        raise GradError(
            f"{name}: a tensor given to mark_dirty was not returned by forward; return every input "
            "that it wrote to"
        )


def _written(t: Tensor, edge: Any, name: str) -> None:
    """Give an input that forward wrote to its new history."""
    from ..ops.inplace import after_write, before_write

    before_write(t, edge, name)
    after_write(t, edge, name)


def _getter(
    t: Tensor | None, node: Node, args: Any, outputs: list[Any]
) -> Callable[[], Tensor | None]:
    """Gives a saved tensor back with its history, unless it was written to since.

    An output's history is the node itself, which the closure must not hold: the node holds it.
    """
    if t is None:
        return lambda: None
    kept = Kept(t, node.prim.name)
    edge = t._edge if any(t is x for x in args) else None
    made = [i for i, o in enumerate(outputs) if o is t and o._edge is not None]
    this, count = weakref.ref(node), len(outputs)

    def get() -> Tensor:
        return box(kept.raw(), _edge_to(this(), made[0], count) if made else edge)

    return get


def _edge_to(node: Any, place: int, count: int) -> Any:
    return Port(node, place) if node is not None and count > 1 else node


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a backward whose own derivative is not available: differentiating it raises."""

    def wrapped(ctx: Any, *grads: Any) -> Any:
        with no_grad():
            found = fn(ctx, *grads)
        sources = [t for t in (*grads, *ctx.saved_tensors) if isinstance(t, Tensor)]
        sources = [t for t in sources if t.requires_grad]
        if not state.grad or not sources:
            return found
        several = isinstance(found, tuple)
        ends = [
            _DeadEnd.apply(x, *sources) if isinstance(x, Tensor) else x
            for x in (found if several else (found,))
        ]
        return tuple(ends) if several else ends[0]

    return wrapped


class _DeadEnd(Function):
    """The identity on its first input, which looks as if it came from the others."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, *sources: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Nothing to remember."""

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise GradError("once_differentiable: this backward has no derivative of its own")

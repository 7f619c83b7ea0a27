"""What function transforms share: lifted values, and the trace that steps between two worlds.

Inside a transform a tensor's raw value is a `Lifted`: it wraps tensors of the world outside. A
primitive is computed by stepping out of the trace and calling primitives on those, so whatever is
active there (another transform, a capture, the tape) sees ordinary calls. The tape inside is one of
its own: a tensor from outside is a constant to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

from ..errors import TransformError
from ..prims import movement as mv
from ..prims.promotion import SCALARS
from ..prims.table import Prim
from ..prims.trace import Trace
from ..state import state
from ..tensor import Symbol, Tensor, box, refresh

ESCAPED = "it holds nothing now: return values from the function instead of storing them"


class Lifted(Symbol):
    """The raw value of a tensor inside a transform.

    Attributes:
        trace: the transform.
        tensor: of the world outside: the value, or all values of a batch.
    """

    __slots__ = ("tensor", "trace")

    def __init__(self, trace: Transform, tensor: Tensor, shape: tuple[int, ...]) -> None:
        data = tensor._data
        super().__init__(shape, data.dtype, tensor.device)
        self.trace, self.tensor = trace, tensor
        self.layout = layout_of(data)

    @property
    def constant(self) -> bool:
        """Whether the transform has nothing to say about the value."""
        raise NotImplementedError

    def numbers(self, call: str) -> Any:
        data = self.tensor._data
        return data.numbers(call) if isinstance(data, Symbol) else data

    def misused(self, call: str) -> Exception:
        name = self.trace.name
        return TransformError(f"{call}: a tensor from inside {name} was used after it; {ESCAPED}")

    def check_kept_by(self, tensor: Tensor) -> None:
        if not self.trace.owns(tensor):
            raise TransformError(
                f"backward: inside {self.trace.name} it cannot add to the grad of a tensor from "
                f"outside (shape {tuple(tensor.shape)}); use autograd.grad or func.grad"
            )

    def shares_memory(self, other: Any) -> bool:
        if isinstance(other, Lifted) and self.constant and other.constant:
            return self.tensor._cell is other.tensor._cell
        return True


def layout_of(data: Any) -> str:
    """The layout (see `Symbol`) of a raw value."""
    if isinstance(data, Symbol):
        return data.layout
    return "packed" if data.flags.c_contiguous else "strided"


class Transform(Trace):
    """A trace whose values are lifted. Subclasses say how to wrap, and how to compute."""

    lifts = True
    name = "transform"
    hint = ""  # what to do about a write that cannot be done

    def __init__(self) -> None:
        self.alive = False
        self.records = True  # whether the tape outside records what is computed here
        self.sweeping = False  # whether backward runs, which switches off the tape inside

    def __enter__(self) -> Self:
        super().__enter__()
        self.alive, self.records = True, state.grad
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self.alive = False

    # Written by subclasses

    def lift(self, tensor: Tensor) -> Lifted:
        """A tensor from outside as a constant of this transform."""
        raise NotImplementedError

    def compute(self, prim: Prim, xs: list[Any], raw: tuple[Any, ...], params: Any) -> Any:
        """The lifted outputs of a primitive, some of whose inputs are no constants. Runs outside;
        xs are lifted values and Python scalars, raw what it was called with.
        """
        raise NotImplementedError

    def compute_created(self, prim: Prim, params: dict[str, Any]) -> Lifted:
        """The lifted output of a primitive without inputs."""
        return self.lift(prim.call(**params))

    # Two worlds

    def outside(self, fn: Callable[..., Any], *args: Any) -> Any:
        """Call fn in the world around this trace.

        Whether the tape there records is what the user asked for: backward and `func.grad` switch
        the tape for the inside only.
        """
        before = state.trace, state.run, state.grad
        state.trace, state.run = self.outer, state.quiet if self.outer is None else None
        state.grad = self._recording()
        try:
            return fn(*args)
        finally:
            state.trace, state.run, state.grad = before

    def _recording(self) -> bool:
        return self.records and (state.grad or self.sweeping)

    def inside_only(self, run: Callable[[], Any], grad: bool | None = None) -> Any:
        """Call run() while changes of the gradient mode concern the tape inside alone."""
        kept, before = (self.records, self.sweeping), state.grad
        self.records, self.sweeping = self._recording(), grad is None
        state.grad = before if grad is None else grad
        try:
            return run()
        finally:
            self.records, self.sweeping = kept
            state.grad = before

    def around_backward(self, run: Callable[[], Any]) -> Any:
        return self.inside_only(lambda: super(Transform, self).around_backward(run))

    def owns(self, x: Any) -> bool:
        """Whether x is a tensor of this transform."""
        return isinstance(x, Tensor) and isinstance(x._data, Lifted) and x._data.trace is self

    def own_edges(self, xs: Sequence[Any], edges: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(e if self.owns(x) else None for x, e in zip(xs, edges, strict=True))

    def elsewhere(self, fn: Callable[..., Any], tensor: Tensor, *args: Any) -> bool:
        if self.owns(tensor):
            return False
        self.outside(fn, tensor, *args)
        return True

    def enter(self, tensor: Tensor) -> Any:
        view = tensor._view
        if view is not None and view.version != tensor._cell[0]:
            refresh(tensor, view)
        if self.owns(tensor):
            return tensor._data
        self._check_foreign(tensor._data)
        return self.lift(_nameless(tensor))

    def _check_foreign(self, data: Any) -> None:
        """Raise unless a raw value may come from outside."""
        if isinstance(data, Lifted) and not data.trace.alive:
            raise data.misused(self.name)

    def detached(self, tensor: Tensor) -> Any:
        lifted = self.enter(tensor)
        out = self.cut(lifted, self.outside(_detached, lifted.tensor))
        out.layout = lifted.layout
        return out

    def cut(self, lifted: Lifted, tensor: Tensor) -> Lifted:
        """The lifted value of a detached tensor, whose own lifted value is given."""
        return self.lift(tensor)

    def process(self, prim: Prim, raw: tuple[Any, ...], params: dict[str, Any]) -> Any:
        if not raw:
            return self.outside(self.compute_created, prim, params)
        values = [x if isinstance(x, SCALARS) else self._raised(x) for x in raw]
        lifted = [x for x in values if isinstance(x, Lifted)]
        if all(x.constant for x in lifted) and not prim.effect:
            out = self.outside(self._compute_constant, prim, values, params)
        else:
            out = self._compute(prim, values, raw, params)
        if prim.view:
            out.layout = mv.layout_after(prim, values[0], out.shape)
        return out

    def _compute(self, prim: Prim, values: list[Any], raw: tuple[Any, ...], params: Any) -> Any:
        return self.outside(self.compute, prim, values, raw, params)

    def _raised(self, x: Any) -> Lifted:
        """The lifted value of a raw one; an array or a value of an outer trace is a constant."""
        if isinstance(x, Lifted) and x.trace is self:
            return x
        self._check_foreign(x)
        return self.lift(box(x))

    def _compute_constant(self, prim: Prim, values: list[Any], params: dict[str, Any]) -> Any:
        y = prim.call(*(x.tensor if isinstance(x, Lifted) else x for x in values), **params)
        return tuple(map(self.lift, y)) if prim.outputs > 1 else self.lift(y)

    # Writes

    def overwrite(self, tensor: Tensor, value: Tensor, name: str) -> bool:
        owner = tensor
        while owner._view is not None and owner._view.base._cell is owner._cell:
            owner = owner._view.base
        if self.owns(owner):
            return False
        self._check_foreign(owner._data)
        from ..ops.inplace import overwrite

        given = self._plain(value, f"{name}: cannot write", tensor)
        target = tensor._data.tensor if self.owns(tensor) else tensor
        self.outside(overwrite, target, given, name)
        return True

    def _plain(self, value: Tensor, call: str, target: Tensor) -> Tensor:
        """The tensor outside of a constant."""
        lifted = self.enter(value)
        if not lifted.constant:
            raise TransformError(
                f"{call} a value that {self.name} follows (shape {tuple(value.shape)}) into a "
                f"tensor from outside (shape {tuple(target.shape)}); {self.hint}"
            )
        return lifted.tensor

    def write(self, tensor: Tensor, value: Tensor) -> bool:
        if self.enter(tensor).layout == "unknown":
            raise TransformError(
                "an in-place write to a reshape of a permuted or sliced tensor: whether it writes "
                "through depends on the memory layout, which is not known inside "
                f"{self.name}; use the out-of-place form"
            )
        self._assign(tensor, self.enter(value))
        return True

    def _assign(self, tensor: Tensor, value: Lifted) -> None:
        tensor._data = value
        view = tensor._view
        if view is not None and view.base._cell is tensor._cell:
            base, chain = view.base, view.chain
            whole = mv.write_view(self.enter(base), value, chain=chain) if chain else value
            self._assign(base, whole)

    def replace(self, tensor: Tensor, value: Tensor) -> bool:
        if self.owns(tensor):
            tensor._data, tensor._cell, tensor._view = self.enter(value), [0], None
            return True
        given = self._plain(value, "data: cannot set", tensor)
        self.outside(setattr, tensor, "data", given)
        return True

    def passed_on(self, node: Any, grad: Any) -> None:
        raw = grad._data if isinstance(grad, Tensor) else grad
        if self.outer is not None:
            self.outside(self.outer.passed_on, node, self._raised(raw).tensor)

    def touched_grad(self, tensor: Tensor) -> None:
        if self.outer is not None and not self.owns(tensor):
            self.outer.touched_grad(tensor)


def _detached(tensor: Tensor) -> Tensor:
    return tensor.detach()


def _nameless(tensor: Tensor) -> Tensor:
    """A tensor without names of dims: inside, the tensor that is used carries them."""
    if getattr(tensor, "_names", None) is None:
        return tensor
    out = box(tensor._data, tensor._edge)
    out._cell = tensor._cell
    return out


def innermost() -> Transform | None:
    """The transform that the calling code runs in, if any."""
    trace = state.trace
    while trace is not None and not isinstance(trace, Transform):
        trace = trace.outer
    return trace

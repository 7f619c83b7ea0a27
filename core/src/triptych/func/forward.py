"""Forward mode: `jvp` and `linearize`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import DTypeError, GradError, ShapeError, TransformError
from ..prims.table import NA, Prim
from ..tensor import Tensor, box
from ..tree import flatten, unflatten
from .lifted import Lifted, Transform


class Dual(Lifted):
    """A value and how it changes; tangent None means not at all."""

    __slots__ = ("tangent",)

    def __init__(self, trace: Transform, tensor: Tensor, tangent: Tensor | None) -> None:
        super().__init__(trace, tensor, tuple(tensor._data.shape))
        self.tangent = tangent

    @property
    def constant(self) -> bool:
        return self.tangent is None

    def numbers(self, call: str) -> Any:
        if not self.trace.alive:
            raise self.misused(call)
        return super().numbers(call)


class JvpTrace(Transform):
    """Every value is followed by its tangent."""

    name = "jvp"
    hint = "use the out-of-place form, or pass that tensor as an argument"

    def lift(self, tensor: Tensor) -> Dual:
        return Dual(self, tensor, None)

    def dual(self, primal: Tensor, tangent: Tensor | None) -> Tensor:
        """The tensor inside with a tangent."""
        out = box(Dual(self, primal, tangent))
        out._names = primal._names
        return out

    def parts(self, t: Tensor) -> tuple[Tensor, Tensor | None]:
        """Primal and tangent, outside, of a tensor inside."""
        lifted: Any = self.enter(t)
        primal = lifted.tensor
        if t._names is not None and primal._names is None:
            primal = box(primal._data, primal._edge)
            primal._names = t._names
        return primal, lifted.tangent

    def custom(self, function: Any, args: tuple[Any, ...]) -> Any:
        from .custom import run_dual

        return lambda: run_dual(self, function, args)

    def compute(self, prim: Prim, xs: list[Any], raw: tuple[Any, ...], params: Any) -> Any:
        given = [x.tensor if isinstance(x, Lifted) else x for x in xs]
        flat = isinstance(prim.vjp, NA) and prim.kind != "custom"
        if flat or all(not isinstance(x, Dual) or x.constant for x in xs):
            return self._compute_constant(prim, xs, params)
        if isinstance(prim.jvp, NA) or prim.jvp is None:
            reason = prim.jvp.reason if prim.jvp is not None else "there is no rule"
            raise TransformError(f"{prim.name}: has no forward derivative: {reason}")
        tangents = [x.tangent if isinstance(x, Dual) else None for x in xs]
        y, dy = prim.jvp(prim, given, tangents, params)
        if prim.outputs == 1:
            return Dual(self, y, dy)
        changes = [None] * prim.outputs if dy is None else dy
        return tuple(Dual(self, v, dv) for v, dv in zip(y, changes, strict=True))


def _checked_tangents(name: str, primals: Any, tangents: Any) -> tuple[list[Any], list[Any], Any]:
    """The leaves of both trees, which must match."""
    for label, value in (("primals", primals), ("tangents", tangents)):
        if not isinstance(value, tuple) or not value:
            raise DTypeError(
                f"{name}: {label} is a tuple with a value per argument, got {type(value).__name__}"
            )
    flat, spec = flatten(primals)
    changes, other = flatten(tangents)
    if len(flat) != len(changes):
        raise ShapeError(f"{name}: primals are nested as {spec}, tangents as {other}")
    for i, (p, t) in enumerate(zip(flat, changes, strict=True)):
        if not isinstance(p, Tensor) or not isinstance(t, Tensor):
            raise DTypeError(
                f"{name}: primals and tangents hold tensors, got {type(p).__name__} and "
                f"{type(t).__name__}"
            )
        if tuple(p.shape) != tuple(t.shape) or p.dtype != t.dtype:
            raise ShapeError(
                f"{name}: tangent {i} is {t.dtype}{list(t.shape)}, the primal "
                f"{p.dtype}{list(p.shape)}"
            )
    return flat, changes, spec


def jvp(
    func: Callable[..., Any],
    primals: Any,
    tangents: Any,
    *,
    strict: bool = False,
    has_aux: bool = False,
) -> Any:
    """The value of a function, and how it changes when its arguments change.

    Args:
        func: a function of tensors that gives tensors, nested in any way.
        primals: a tuple with the arguments.
        tangents: the changes, of the same structure, shapes and dtypes.
        strict: raise where a result does not depend on the primals, instead of giving zeros.
        has_aux: func gives (result, anything else).

    Returns:
        (func(*primals), its change), and the other things with has_aux.

    Raises:
        ShapeError: tangents do not fit the primals.
        GradError: with strict, a result does not depend on the primals.

    Example:
        >>> jvp(triptych.sin, (triptych.zeros(1),), (triptych.ones(1),))
        (tensor([0.]), tensor([1.]))
    """
    flat, changes, spec = _checked_tangents("jvp", primals, tangents)
    trace = JvpTrace()
    with trace:
        duals = [trace.dual(p, t) for p, t in zip(flat, changes, strict=True)]
        out = func(*unflatten(spec, duals))
        out, aux = split_aux("jvp", out, has_aux)
        leaves, out_spec = flatten(out)
        pairs = [_unpacked(trace, i, t, strict) for i, t in enumerate(leaves)]
        extra = outer_tree(trace, aux)
    values = unflatten(out_spec, [p for p, _ in pairs])
    moves = unflatten(out_spec, [t for _, t in pairs])
    return (values, moves, extra) if has_aux else (values, moves)


def _unpacked(trace: JvpTrace, i: int, t: Any, strict: bool) -> tuple[Tensor, Tensor]:
    if not isinstance(t, Tensor):
        raise DTypeError(f"jvp: the function must return tensors, got {type(t).__name__}")
    primal, tangent = trace.parts(t)
    if tangent is None:
        if strict:
            raise GradError(f"jvp: result {i} does not depend on the primals (strict=True)")
        from ..ops.creation import zeros_like

        tangent = trace.outside(zeros_like, primal)
    return primal, tangent


def split_aux(name: str, out: Any, has_aux: bool) -> tuple[Any, Any]:
    """(result, other things) of what a function returned."""
    if not has_aux:
        return out, None
    if not isinstance(out, tuple) or len(out) != 2:
        raise DTypeError(
            f"{name}: with has_aux the function returns a tuple (result, aux), got "
            f"{type(out).__name__}"
        )
    return out


def outer_tree(trace: JvpTrace, tree: Any) -> Any:
    """Nested values with the tensors that stand for them outside."""
    leaves, spec = flatten(tree)
    return unflatten(spec, [trace.parts(x)[0] if isinstance(x, Tensor) else x for x in leaves])

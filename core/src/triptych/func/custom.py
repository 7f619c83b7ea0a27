"""`autograd.Function` under transforms: the user's derivative holds there, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..autograd.function import Function, FunctionCtx
from ..errors import ShapeError, TransformError
from ..ops.reduce import sum as total
from ..prims.batching import batched, moved
from ..tensor import Tensor, box
from .reverse import linearize

if TYPE_CHECKING:
    from .batching import VmapTrace
    from .forward import JvpTrace


class VmapInfo(NamedTuple):
    """What a Function's ``vmap`` is told: the length of the batch, and ``randomness=``."""

    batch_size: int
    randomness: str


def _listed(out: Any) -> tuple[list[Any], bool]:
    many = isinstance(out, (tuple, list))
    return (list(out), True) if many else ([out], False)


def _as_returned(found: list[Any], many: bool) -> Any:
    return tuple(found) if many else found[0]


# Batches


def run_batched(trace: VmapTrace, function: type[Function], args: Sequence[Any]) -> Any:
    """The outputs of a Function inside vmap: by its own ``vmap``, or by one made for it."""
    lifted = [trace.enter(x) if isinstance(x, Tensor) else None for x in args]
    given = [x if v is None else v.tensor for x, v in zip(args, lifted, strict=True)]
    on = [v is not None and v.varies for v in lifted]
    if not any(on):
        out, many = _listed(trace.outside(function.apply, *given))
        return _as_returned([_boxed(trace, o, False) for o in out], many)
    if function.vmap is not Function.vmap:
        return _by_own_rule(trace, function, given, on)
    made = batched_function(trace, function, on)
    out, many = _listed(trace.outside(made.apply, *given))
    return _as_returned([_boxed(trace, o, True) for o in out], many)


def _boxed(trace: VmapTrace, o: Any, varies: bool) -> Any:
    if not isinstance(o, Tensor):
        return o
    return box(trace.whole(o) if varies else trace.lift(o))


def _by_own_rule(
    trace: VmapTrace, function: type[Function], given: Sequence[Any], on: Sequence[bool]
) -> Any:
    info = VmapInfo(trace.size, trace.randomness)
    dims = tuple(0 if flag else None for flag in on)
    found = trace.outside(function.vmap, info, dims, *given)
    if not isinstance(found, tuple) or len(found) != 2:
        raise TransformError(
            f"{function.__name__}.vmap: wanted a tuple (outputs, out_dims), got "
            f"{type(found).__name__}"
        )
    out, many = _listed(found[0])
    places = list(found[1]) if isinstance(found[1], (tuple, list)) else [found[1]] * len(out)
    if len(places) != len(out):
        raise ShapeError(
            f"{function.__name__}.vmap: {len(out)} outputs, but out_dims for {len(places)}"
        )
    made = []
    for o, place in zip(out, places, strict=True):
        whole = o if place is None else trace.outside(moved, o, place % o.ndim, 0)
        made.append(_boxed(trace, whole, place is not None))
    return _as_returned(made, many)


def batched_function(
    trace: VmapTrace, function: type[Function], on: Sequence[bool]
) -> type[Function]:
    """A Function of whole batches: forward and backward of another one, each under vmap."""
    again = type(trace)
    size, randomness = trace.size, trace.randomness

    def forward(ctx: Any, *given: Any) -> Any:
        ctx.inner = FunctionCtx()
        ctx.inner.needs_input_grad = ctx.needs_input_grad
        with again(size, randomness) as inner:
            inside = [
                inner.argument(x, 0) if flag else x for x, flag in zip(given, on, strict=True)
            ]
            out, many = _listed(function._forward(ctx.inner, tuple(inside)))
            if ctx.inner._dirty:
                raise TransformError(
                    f"{function.__name__}: an input that forward writes to (mark_dirty) inside "
                    "vmap; define vmap, or write to a clone"
                )
            whole = [_whole(inner, o) for o in out]
            _keep(ctx, inner, (*zip(inside, given, on, strict=True), *_outputs(out, whole)))
        return _as_returned(whole, many)

    def backward(ctx: Any, *grads: Any) -> Any:
        saved = ctx.saved_tensors
        with again(size, randomness) as inner:
            kept = [
                inner.argument(t, 0) if flag else t
                for t, flag in zip(saved, ctx.varies, strict=True)
            ]
            ctx.inner._saved = [_getter(t) for t in kept]
            inside = [g if g is None else inner.argument(g, 0) for g in grads]
            found, _ = _listed(function.backward(ctx.inner, *inside))
            out = [_summed(inner, g, flag) for g, flag in zip(found, on, strict=False)]
        return tuple(out) + (None,) * (len(on) - len(out))

    members = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type(f"Vmapped{function.__name__}", (Function,), members)


def _outputs(out: list[Any], whole: list[Any]) -> Any:
    return ((o, w, True) for o, w in zip(out, whole, strict=True))


def _whole(inner: VmapTrace, o: Any) -> Any:
    if not isinstance(o, Tensor):
        return o
    lifted: Any = inner.enter(o)
    return inner.outside(batched, lifted.tensor, inner.size, lifted.varies)


def _keep(ctx: Any, inner: VmapTrace, known: Sequence[tuple[Any, Any, bool]]) -> None:
    """Save, outside, what the inner forward saved inside; known pairs the two of a tensor."""
    saved, varies = [], []
    for t in ctx.inner._to_save:
        match = next(((o, flag) for i, o, flag in known if i is t and t is not None), None)
        if match is None and t is not None:
            lifted: Any = inner.enter(t)
            match = (lifted.tensor, lifted.varies)
        outer, flag = match or (None, False)
        saved.append(outer)
        varies.append(flag)
    ctx.save_for_backward(*saved)
    ctx.varies = varies
    ctx.inner._to_save = (None,) * len(saved)
    plain = ctx.inner._plain
    ctx.mark_non_differentiable(*(o for i, o, _ in known if any(i is p for p in plain)))
    ctx.set_materialize_grads(ctx.inner._materialize)


def _getter(t: Tensor | None) -> Callable[[], Tensor | None]:
    return lambda: t


def _summed(inner: VmapTrace, g: Any, flag: bool) -> Any:
    """The gradient of an input: per sample, or that of all samples together."""
    if g is None:
        return None
    whole = _whole(inner, g)
    return whole if flag else inner.outside(total, whole, 0)


# Forward mode


def run_dual(trace: JvpTrace, function: type[Function], args: Sequence[Any]) -> Any:
    """The outputs of a Function inside jvp, and their changes: by its own ``jvp``, or, without one,
    from its backward.
    """
    lifted = [trace.enter(x) if isinstance(x, Tensor) else None for x in args]
    given = [x if v is None else v.tensor for x, v in zip(args, lifted, strict=True)]
    tangents = [None if v is None else v.tangent for v in lifted]
    if all(t is None for t in tangents):
        out, many = _listed(trace.outside(function.apply, *given))
        changes: list[Any] = [None] * len(out)
    else:
        compute = _by_own_jvp if function.jvp is not Function.jvp else _by_backward
        out, many, changes = trace.outside(compute, function, given, tangents)
    made = [
        trace.dual(o, change) if isinstance(o, Tensor) else o
        for o, change in zip(out, changes, strict=True)
    ]
    return _as_returned(made, many)


def _by_own_jvp(function: type[Function], given: list[Any], tangents: list[Any]) -> Any:
    ctx = FunctionCtx()
    out, many = _listed(function._run(ctx, tuple(given)))
    saved = ctx.saved_for_forward
    if saved:
        ctx._saved = [_getter(t) for t in saved]
    found, _ = _listed(function.jvp(ctx, *tangents))
    ctx.saved_for_forward = ()  # it may hold an output, which holds the node, which holds ctx
    if len(found) != len(out):
        raise TransformError(
            f"{function.__name__}.jvp: wanted a tangent (or None) for each of {len(out)} outputs, "
            f"got {len(found)}"
        )
    return out, many, found


def _by_backward(function: type[Function], given: list[Any], tangents: list[Any]) -> Any:
    places = [i for i, t in enumerate(tangents) if t is not None]

    def of_changing(*values: Any) -> Any:
        full = list(given)
        for place, value in zip(places, values, strict=True):
            full[place] = value
        return function.apply(*full)

    result, push = linearize(of_changing, *(given[i] for i in places))
    out, many = _listed(result)
    changes, _ = _listed(push(*(tangents[i] for i in places)))
    return out, many, changes

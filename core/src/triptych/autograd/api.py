"""`backward` and `grad`: the entry points of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..backends import copied
from ..errors import GradError
from ..tensor import Tensor, box
from .engine import accumulate, edge_of, key, starting_gradients, sweep
from .node import GradientEdge

Tensors = Tensor | GradientEdge | Sequence[Any]


def _listed(value: Any) -> list[Any]:
    if value is None or isinstance(value, (Tensor, GradientEdge)):
        return [value]
    return list(value)


def backward(
    tensors: Tensors,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensors | None = None,
) -> None:
    """Add the gradients of tensors to the ``grad`` of the leaves they were computed from.

    Args:
        tensors: where to start; non-scalars need an entry in `grad_tensors`.
        grad_tensors: gradients with respect to `tensors`; None for scalars means one.
        retain_graph: keep what was saved for another backward; default `create_graph`.
        create_graph: record the pass, for derivatives of higher order.
        inputs: accumulate into these tensors only.

    Raises:
        GradError: nothing was recorded, or what was saved is gone or was overwritten.
    """
    starts = _listed(tensors)
    given = _listed(grad_tensors) if grad_tensors is not None else [None] * len(starts)
    if inputs is not None:
        targets = list({id(t): t for t in _listed(inputs)}.values())
        if not targets:
            raise GradError("backward: inputs is empty; leave it out to reach all leaves")
        found = _gradients("backward", starts, given, targets, retain_graph, create_graph)
        for target, raw in zip(map(_tensor_of, targets), found, strict=True):
            if raw is not None:
                accumulate(target, raw, create_graph)
                for hook in getattr(target._edge, "post_hooks", None) or ():
                    hook(target)
        return
    seeds = starting_gradients(starts, given, create_graph, "backward")
    keep = create_graph if retain_graph is None else retain_graph
    sweep(list(map(edge_of, starts)), seeds, None, keep, create_graph)


def _tensor_of(target: Any) -> Any:
    """Where a gradient is added up."""
    if not isinstance(target, GradientEdge):
        return target
    tensor = getattr(target.node, "tensor", None)
    if tensor is None:
        raise GradError(
            "backward: a GradientEdge among inputs leads to no leaf that is alive; use grad() to "
            "get the gradient itself"
        )
    return tensor


def _gradients(
    name: str,
    outputs: list[Tensor],
    given: list[Tensor | None],
    inputs: list[Tensor],
    retain_graph: bool | None,
    create_graph: bool,
) -> list[Any]:
    for i, t in enumerate(inputs):
        if edge_of(t) is None:
            raise GradError(
                f"{name}: input {i} (shape {tuple(t.shape)}) does not require a gradient; "
                "call requires_grad_() on it before the forward"
            )
    seeds = starting_gradients(outputs, given, create_graph, name)
    keep = create_graph if retain_graph is None else retain_graph
    edges = list(map(edge_of, inputs))
    found = sweep(list(map(edge_of, outputs)), seeds, edges, keep, create_graph)
    return _unshared([found[key(e)] for e in edges], seeds)


def _unshared(found: list[Any], seeds: list[Any]) -> list[Any]:
    """Copies where two gradients, or a gradient and what it started from, are one array."""
    seen = {id(s) for s in seeds}
    for i, g in enumerate(found):
        if hasattr(g, "strides") and (id(g) in seen or 0 in g.strides):
            found[i] = copied(g)
        seen.add(id(g))
    return found


def grad(
    outputs: Tensors,
    inputs: Tensors,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of outputs with respect to inputs; ``grad`` of no tensor changes.

    Args:
        outputs: scalars, or tensors with an entry in `grad_outputs`.
        inputs: tensors that require gradients; they need not be leaves.
        grad_outputs: gradients with respect to `outputs`; None for scalars means one.
        retain_graph: keep what was saved for another backward; default `create_graph`.
        create_graph: record the pass, for derivatives of higher order.
        allow_unused: give None for an input that outputs do not depend on; default
            `materialize_grads`.
        is_grads_batched: every entry of `grad_outputs` has a batch along dim 0, and so have the
            results: one backward for all.
        materialize_grads: give zeros instead of None.

    Returns:
        One gradient per input, of its shape and dtype.

    Raises:
        GradError: an input is unused, or the tape is gone (see `backward`).
    """
    outs, targets = _listed(outputs), _listed(inputs)
    given = _listed(grad_outputs) if grad_outputs is not None else [None] * len(outs)
    if is_grads_batched:
        raw = _batched_gradients(outs, given, targets, retain_graph, create_graph)
    else:
        raw = _gradients("grad", outs, given, targets, retain_graph, create_graph)
    if allow_unused is None:
        allow_unused = materialize_grads
    return tuple(
        _result(i, g, t, allow_unused, materialize_grads)
        for i, (g, t) in enumerate(zip(raw, targets, strict=True))
    )


def _batched_gradients(
    outs: list[Any], given: list[Any], targets: list[Any], keep: bool | None, create_graph: bool
) -> list[Any]:
    """The gradients for a batch of seeds."""
    from ..func.batching import vmap

    if any(not isinstance(g, Tensor) for g in given):
        raise GradError("grad: with is_grads_batched every output needs a batch of grad_outputs")
    places: list[int] = []

    def one(*seeds: Tensor) -> list[Tensor]:
        found = _gradients("grad", outs, list(seeds), targets, keep, create_graph)
        places[:] = [i for i, g in enumerate(found) if g is not None]
        return [g if isinstance(g, Tensor) else box(g) for g in found if g is not None]

    found = iter(vmap(one)(*given))
    return [next(found) if i in places else None for i in range(len(targets))]


def _shape_of(t: Any) -> str:
    return f" (shape {tuple(t.shape)})" if isinstance(t, Tensor) else ""


def _result(i: int, g: Any, t: Tensor, allow_unused: bool, materialize: bool) -> Tensor | None:
    if g is not None:
        return g if isinstance(g, Tensor) else box(g)
    if not allow_unused:
        raise GradError(
            f"grad: the outputs do not depend on input {i}{_shape_of(t)}; "
            "pass allow_unused=True to get None for it"
        )
    if not materialize or isinstance(t, GradientEdge):
        return None
    from ..ops.creation import zeros_like

    return zeros_like(t)

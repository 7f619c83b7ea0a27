"""Templates of the `jvp` column: how a small change of the inputs changes the output.

A rule is called as ``rule(prim, xs, ts, params)``: inputs and their tangents, tensors both; a
tangent is None where an input does not change, and not all are. It gives the output and its tangent
(tuples of them if there are several), where None stands for no change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autograd.node import Leaf
from ..dtypes import is_inexact
from ..state import state
from ..tensor import Tensor, box, current_edge, raw_dtype
from .table import NA, TABLE, Prim

Params = dict[str, Any]


class Call:
    """What a derivative rule asks a tape node for."""

    __slots__ = ("dtypes", "params", "shapes")

    def __init__(self, xs: Sequence[Any], params: Params) -> None:
        self.params = params
        self.shapes = tuple(tuple(getattr(x, "shape", ())) for x in xs)
        self.dtypes = tuple(raw_dtype(x) if isinstance(x, Tensor) else None for x in xs)


def zeros_like(x: Any) -> Any:
    """A constant of the shape of x."""
    return TABLE["fill_like"].call(x.detach(), value=0)


def _sum(terms: list[Any]) -> Any:
    total = terms[0]
    for term in terms[1:]:
        total = TABLE["add"].call(total, term)
    return total


def diagonal(prim: Prim, xs: Any, ts: Any, params: Params) -> tuple[Any, Any]:
    """Elementwise: the rules multiply by partial derivatives, and do so forward as well."""
    y = prim.call(*xs, **params)
    call, terms = Call(xs, params), []
    for i, (t, rule) in enumerate(zip(ts, prim.rules, strict=False)):
        if t is not None and rule is not None:
            term = rule(t, call, i, xs, y)
            if tuple(term.shape) != tuple(y.shape):
                term = TABLE["expand"].call(term, shape=tuple(y.shape))
            terms.append(term)
    return y, _sum(terms) if terms else None


class Linear:
    """Linear in some inputs together, with parameters that do not depend on them.

    Args:
        places: of these inputs; None means all.
        params: replaced ones for the tangent, such as the value that pad fills in.
    """

    def __init__(self, *places: int, params: Params | None = None) -> None:
        self.places, self.params = places or None, params or {}

    def __call__(self, prim: Prim, xs: Any, ts: Any, params: Params) -> tuple[Any, Any]:
        y = prim.call(*xs, **params)
        places = range(len(xs)) if self.places is None else self.places
        if all(ts[i] is None for i in places):
            return y, None
        changed = list(xs)
        for i in places:
            nothing = zeros_like(xs[i]) if isinstance(xs[i], Tensor) else 0
            changed[i] = nothing if ts[i] is None else ts[i]
        changes = {**params, **{k: v for k, v in self.params.items() if k in params}}
        dy = prim.call(*changed, **changes)
        return y, dy if is_inexact(raw_dtype(dy)) else None


linear = Linear()
"""Linear in all inputs together."""


def multilinear(prim: Prim, xs: Any, ts: Any, params: Params) -> tuple[Any, Any]:
    """Linear in every input by itself: a call per input that changes."""
    y = prim.call(*xs, **params)
    terms = [
        prim.call(*xs[:i], t, *xs[i + 1 :], **params) for i, t in enumerate(ts) if t is not None
    ]
    return y, _sum(terms)


def affine(prim: Prim, xs: Any, ts: Any, params: Params) -> tuple[Any, Any]:
    """Linear in the first two inputs each, plus the others, which broadcast."""
    y = prim.call(*xs, **params)
    one, two = xs[:2]
    terms = [prim.call(ts[0], two, **params)] if ts[0] is not None else []
    terms += [prim.call(one, ts[1], **params)] if ts[1] is not None else []
    terms += [t for t in ts[2:] if t is not None]
    dy = _sum(terms)
    if tuple(dy.shape) != tuple(y.shape):
        dy = TABLE["expand"].call(dy, shape=tuple(y.shape))
    return y, dy


def transposed(prim: Prim, xs: Any, ts: Any, params: Params) -> tuple[Any, Any]:
    """From the rule of backward: that is linear in the gradient it is given, so its own derivative
    with respect to that gradient is the transpose we look for.
    """
    from ..func.reverse import recording

    y = prim.call(*xs, **params)
    outs = list(y) if prim.outputs > 1 else [y]
    before = state.grad
    dys = recording(lambda: _transposed(prim, xs, ts, params, outs, create_graph=before))
    return y, tuple(dys) if prim.outputs > 1 else dys[0]


def _transposed(
    prim: Prim, xs: Any, ts: Any, params: Params, outs: list[Any], create_graph: bool
) -> list[Any]:
    dummies = [_dummy(o) for o in outs]
    g: Any = dummies if prim.outputs > 1 else dummies[0]
    y: Any = tuple(outs) if prim.outputs > 1 else outs[0]
    found = _pulled_back(prim, Call(xs, params), g, xs, ts, y)
    found = [(back, t) for back, t in found if current_edge(back) is not None]
    if not found:
        return [None] * len(outs)
    history = create_graph and any(
        isinstance(v, Tensor) and current_edge(v) is not None for v in (*xs, *ts, *outs)
    )
    from ..autograd.engine import sweep

    starts = [back._edge for back, _ in found]
    seeds = [t if history else _raw(t) for _, t in found]
    edges = [d._edge for d in dummies]
    wanted = [e for e in edges if e is not None]
    gradients = sweep(starts, seeds, wanted, True, history)
    return [_boxed(gradients.get(e)) if e is not None else None for e in edges]


def _pulled_back(prim: Prim, call: Call, g: Any, xs: Any, ts: Any, y: Any) -> list[Any]:
    """(gradient for an input, its tangent) for every input that changes."""
    if prim.joint is not None:
        listed = prim.joint(g, call, 0, xs, y)
        pairs = zip(listed, ts, strict=False)
        return [(back, t) for back, t in pairs if t is not None and back is not None]
    return [
        (rule(g, call, i, xs, y), t)
        for i, (rule, t) in enumerate(zip(prim.rules, ts, strict=False))
        if t is not None and rule is not None
    ]


def _dummy(out: Any) -> Any:
    """Zeros that the tape leads back to; outputs such as indices have no gradient."""
    zero = zeros_like(out)
    if is_inexact(raw_dtype(out)):
        zero._edge = Leaf(zero)
    return zero


def _raw(t: Any) -> Any:
    return t._data if state.trace is None else state.trace.enter(t)


def _boxed(g: Any) -> Any:
    return g if g is None or isinstance(g, Tensor) else box(g)


def default(kind: str, vjp: Any, partials: bool) -> Any:
    """The rule of a record that does not state one."""
    if isinstance(vjp, NA):
        return NA(vjp.reason)
    return diagonal if partials else JVP.get(kind, transposed)


JVP: dict[str, Any] = {
    "select": Linear(1, 2),
    "movement": linear,
    "cast": linear,
    "transfer": linear,
}
"""By kind, unless a record says otherwise; all others transpose."""

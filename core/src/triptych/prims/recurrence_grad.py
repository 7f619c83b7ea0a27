"""The way back through recurrent layers: gradients of the gates of all steps, and of the states
that the first step starts from.

The gates of all steps are computed again at once; then each step takes a product with the weights.
Gradients of the weights are one product over all steps, which the rules in `recurrence` take.

Letters: t time, n batch, h state, p state given out (h, unless an LSTM projects).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..avals import Aval
from .composite import composite, pulled_back
from .contract import matmul
from .elementwise import add, gt, mul, sigmoid, square, sub, tanh, where
from .sequence import (
    at,
    grown,
    in_single,
    joined,
    parts,
    projected,
    stacked,
    states_before,
)
from .table import NA

NO_NAMES = NA("gradients have no names")


def _record(name: str, decomp: Callable[..., Any], outputs: Callable[..., Any], count: int) -> Any:
    """A composite for gradients, shaped as `outputs` of its inputs."""

    def aval(*xs: Any, **params: Any) -> tuple[Aval, ...]:
        return tuple(Aval(tuple(x.shape), x.dtype) for x in outputs(*xs))

    def vjp(g: Any, xs: Any) -> list[Any]:
        return pulled_back(decomp, xs, g)

    def vjp_of_either(g: Any, xs: Any, *, relu: bool) -> list[Any]:
        return pulled_back(lambda *inputs: decomp(*inputs, relu=relu), xs, g)

    return composite(
        name,
        decomp,
        in_single(lambda xp, *xs, **params: decomp(*xs, **params)),
        vjp_of_either if name == "rnn_grad" else vjp,
        aval=aval,
        outputs=count,
        names=NO_NAMES,
        amp="single",
    )


def _rnn(of_states: Any, of_last: Any, w: Any, states: Any, *, relu: bool) -> tuple[Any, Any]:
    slope = where(gt(states, 0), 1.0, mul(states, 0)) if relu else sub(1, square(states))
    carried, grads = of_last, []
    for step in reversed(range(states.shape[0])):
        grads.append(mul(add(at(of_states, step), carried), at(slope, step)))
        carried = matmul(grads[-1], w)
    return stacked(grads[::-1]), carried


rnn_grad = _record("rnn_grad", _rnn, lambda g, last, w, states: (states, last), 2)
"""Gradients of states (t, n, h) and of the last one, the weight and the states, to those of gates
and h0."""


def lstm_back(
    of_states: Any,
    of_cells: Any,
    gates: Any,
    w: Any,
    h0: Any,
    c0: Any,
    states: Any,
    cells: Any,
    *r: Any,
) -> tuple[Any, ...]:
    """Gradients of gates, h0, c0 and all states; of states and outputs before the projection."""
    i, f, new, o = parts(add(gates, projected(states_before(h0, states), w)), 4)
    i, f, new, o = sigmoid(i), sigmoid(f), tanh(new), sigmoid(o)
    squashed = tanh(cells)
    into_cell = mul(o, sub(1, square(squashed)))
    slopes = joined(
        mul(new, mul(i, sub(1, i))),
        mul(states_before(c0, cells), mul(f, sub(1, f))),
        mul(i, sub(1, square(new))),
        mul(squashed, mul(o, sub(1, o))),
    )
    dh, dc, of_gates, of_all = None, None, [], []
    for step in reversed(range(gates.shape[0])):
        dh = grown(at(of_states, step), dh)
        of_all.append(dh)
        out = matmul(dh, r[0]) if r else dh
        dc = grown(add(at(of_cells, step), mul(out, at(into_cell, step))), dc)
        of_gates.append(mul(joined(dc, dc, dc, out), at(slopes, step)))
        dc = mul(dc, at(f, step))
        dh = matmul(of_gates[-1], w)
    return stacked(of_gates[::-1]), dh, dc, stacked(of_all[::-1]), mul(o, squashed)


lstm_grad = _record(
    "lstm_grad",
    lambda *xs: lstm_back(*xs)[:3],
    lambda g, gc, gates, w, h0, c0, states, cells: (gates, h0, c0),
    3,
)
"""Gradients of states and cells (t, n, h), then inputs and outputs of an LSTM without a projection,
to those of gates, h0 and c0."""


def _gru(
    of_states: Any, of_last: Any, gates: Any, w: Any, h0: Any, b: Any, states: Any
) -> tuple[Any, Any, Any]:
    before = states_before(h0, states)
    xr, xz, xn = parts(gates, 3)
    hr, hz, hn = parts(projected(before, w), 3)
    r, z, inner = sigmoid(add(xr, hr)), sigmoid(add(xz, hz)), add(hn, b)
    new = tanh(add(xn, mul(r, inner)))
    of_new = mul(sub(1, z), sub(1, square(new)))
    of_r = mul(mul(of_new, inner), mul(r, sub(1, r)))
    of_z = mul(sub(before, new), mul(z, sub(1, z)))
    slopes = joined(of_r, of_z, mul(of_new, r))
    dh, grads = of_last, []
    for step in reversed(range(gates.shape[0])):
        dh = add(at(of_states, step), dh)
        grads.append(dh)
        dh = add(mul(dh, at(z, step)), matmul(mul(joined(dh, dh, dh), at(slopes, step)), w))
    of_all = stacked(grads[::-1])
    wide = joined(of_all, of_all, of_all)
    return mul(wide, joined(of_r, of_z, of_new)), mul(wide, slopes), dh


gru_grad = _record("gru_grad", _gru, lambda g, last, gates, w, h0, b, states: (gates, gates, h0), 3)
"""Gradients of states (t, n, h) and of the last one, then inputs and states of a GRU, to those of
gates, of the products of weight and states (t, n, 3 h), and of h0."""

"""Recurrent layers as primitives: one call runs all time steps of one layer in one direction.

The input is projected for all steps before (``gates``), so a step only multiplies the state.
Backward is in `recurrence_grad`.

Letters: t time, n batch, h state, p state given out (h, unless an LSTM projects).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..avals import Aval
from ..errors import ShapeError
from . import naming
from .batching_native import Recurrence
from .composite import composite
from .contract import check_dtypes, matmul
from .elementwise import add, mul, relu, sigmoid, sub, tanh
from .recurrence_grad import gru_grad, lstm_back, lstm_grad, rnn_grad
from .reduce import sum as total
from .sequence import at, in_single, part, parts, stacked, states_before, turned, weight_grad


def _check(name: str, gates: Any, shapes: Mapping[str, tuple[Any, tuple[int, ...]]]) -> None:
    """Raise unless there is a time step and each named input has its shape."""
    check_dtypes(name, gates=gates, **{label: x for label, (x, _) in shapes.items()})
    if not gates.shape[0]:
        raise ShapeError(f"{name}: wanted at least one time step, got gates {tuple(gates.shape)}")
    for label, (x, wanted) in shapes.items():
        if tuple(x.shape) != wanted:
            raise ShapeError(f"{name}: {label} has shape {tuple(x.shape)}, wanted {wanted}")


# Elman network: h = act(gates + h W^T)


def _rnn_aval(gates: Any, w: Any, h0: Any, *, relu: bool) -> tuple[Aval, Aval]:
    t, n, size = gates.shape
    _check("rnn", gates, {"weight_hh": (w, (size, size)), "h0": (h0, (n, size))})
    return Aval((t, n, size), gates.dtype), Aval((n, size), gates.dtype)


@in_single
def _rnn(xp: Any, gates: Any, w: Any, h0: Any, *, relu: bool) -> tuple[Any, Any]:
    states, h = xp.empty(gates.shape, gates.dtype), h0
    turned = xp.ascontiguousarray(w.T)  # one copy makes every step's product faster
    for step in range(gates.shape[0]):
        pre = h @ turned
        pre += gates[step]
        h = states[step]
        if relu:
            xp.maximum(pre, 0, out=h)
        else:
            xp.tanh(pre, out=h)
    return states, h.copy()


def _rnn_decomp(gates: Any, w: Any, h0: Any, *, relu: bool) -> tuple[Any, Any]:
    act, h, states = _ACTIVATIONS[relu], h0, []
    for step in range(gates.shape[0]):
        h = act(add(at(gates, step), matmul(h, turned(w))))
        states.append(h)
    return stacked(states), h


_ACTIVATIONS = {False: tanh, True: relu}


def _rnn_vjp(g: Any, b: Any, c: Any, y: Any, *, relu: bool) -> list[Any]:
    pre, dh = rnn_grad(*g, b, y[0], relu=relu)
    return [pre, weight_grad(pre, states_before(c, y[0])), dh]


rnn_scan = composite(
    "rnn",
    _rnn_decomp,
    _rnn,
    _rnn_vjp,
    aval=_rnn_aval,
    vmap=Recurrence(states=(2,), outs=(1, 0)),
    outputs=2,
    amp="low",
    names=naming.axes("rnn", "tng,ij,nh->tnh,nh"),
)
"""gates (t, n, h), weight (h, h), h0 (n, h) to all states (t, n, h) and the last one (n, h)."""


# LSTM: i, f, g, o = gates + h W^T; c = f c + i g; h = o tanh(c), projected by R if given


def _lstm_aval(gates: Any, w: Any, h0: Any, c0: Any, *r: Any) -> tuple[Aval, ...]:
    t, n, size = gates.shape
    p = h0.shape[-1]
    shapes = {"weight_hh": (w, (size, p)), "h0": (h0, (n, p)), "c0": (c0, (n, size // 4))}
    if r:
        shapes["weight_hr"] = (r[0], (p, size // 4))
    elif p != size // 4:
        raise ShapeError(f"lstm: h0 has {p} features, wanted {size // 4}")
    _check("lstm", gates, shapes)
    return Aval((t, n, p), gates.dtype), Aval((t, n, size // 4), gates.dtype)


@in_single
def _lstm(xp: Any, gates: Any, w: Any, h0: Any, c0: Any, *r: Any) -> tuple[Any, Any]:
    t, n, size = gates.shape
    d = size // 4
    states = xp.empty((t, *h0.shape), gates.dtype)
    cells = xp.empty((t, n, d), gates.dtype)
    # sigmoid(x) = (1 + tanh(x / 2)) / 2, so one tanh serves all four gates
    halves, shift = xp.full(size, 0.5, gates.dtype), xp.full(size, 0.5, gates.dtype)
    halves[2 * d : 3 * d], shift[2 * d : 3 * d] = 1, 0
    h, c, turned = h0, c0, xp.ascontiguousarray(w.T)
    for step in range(t):
        pre = h @ turned
        pre += gates[step]
        pre *= halves
        xp.tanh(pre, out=pre)
        pre *= halves
        pre += shift
        i, f, g, o = (pre[:, k * d : (k + 1) * d] for k in range(4))
        i *= g
        c = xp.multiply(f, c, out=cells[step])
        c += i
        if r:
            h = xp.matmul(o * xp.tanh(c), r[0].T, out=states[step])
        else:
            h = xp.tanh(c, out=states[step])
            h *= o
    return states, cells


def _lstm_decomp(gates: Any, w: Any, h0: Any, c0: Any, *r: Any) -> tuple[Any, Any]:
    h, c, states, cells = h0, c0, [], []
    for step in range(gates.shape[0]):
        i, f, g, o = parts(add(at(gates, step), matmul(h, turned(w))), 4)
        c = add(mul(sigmoid(f), c), mul(sigmoid(i), tanh(g)))
        h = mul(sigmoid(o), tanh(c))
        h = matmul(h, turned(r[0])) if r else h
        states.append(h)
        cells.append(c)
    return stacked(states), stacked(cells)


def _lstm_vjp(g: Any, xs: Any, y: Any) -> list[Any]:
    before = states_before(xs[2], y[0])
    if len(xs) == 4:
        pre, dh, dc = lstm_grad(*g, *xs, *y)
        return [pre, weight_grad(pre, before), dh, dc]
    pre, dh, dc, of_states, outs = lstm_back(*g, *xs[:4], *y, *xs[4:])
    return [pre, weight_grad(pre, before), dh, dc, weight_grad(of_states, outs)]


lstm_scan = composite(
    "lstm",
    _lstm_decomp,
    _lstm,
    _lstm_vjp,
    aval=_lstm_aval,
    vmap=Recurrence(states=(2, 3), outs=(1, 1)),
    outputs=2,
    amp="low",
    names=naming.axes("lstm", "tng,ij,nh,nc->tnh,tnc"),
)
"""gates (t, n, 4 h), weight (4 h, p), h0 (n, p), c0 (n, h), optional projection (p, h) to all
states (t, n, p) and all cells (t, n, h). Source: Hochreiter and Schmidhuber 1997, with the forget
gate of Gers et al. 2000 and the projection of Sak et al. 2014."""


# GRU: r, z = sigmoid(gates + h W^T); m = tanh(gates + r (h W^T + b)); h = m + z (h - m)


def _gru_aval(gates: Any, w: Any, h0: Any, b: Any) -> tuple[Aval, Aval]:
    t, n, size = gates.shape
    d = size // 3
    shapes = {"weight_hh": (w, (size, d)), "h0": (h0, (n, d)), "bias": (b, (d,))}
    _check("gru", gates, shapes)
    return Aval((t, n, d), gates.dtype), Aval((n, d), gates.dtype)


@in_single
def _gru(xp: Any, gates: Any, w: Any, h0: Any, b: Any) -> tuple[Any, Any]:
    t, n, size = gates.shape
    d = size // 3
    states, h, turned = xp.empty((t, n, d), gates.dtype), h0, xp.ascontiguousarray(w.T)
    for step in range(t):
        pre = h @ turned
        new = pre[:, 2 * d :]
        new += b
        both = pre[:, : 2 * d]  # r and z: sigmoid(x) = (1 + tanh(x / 2)) / 2
        both += gates[step, :, : 2 * d]
        both *= 0.5
        xp.tanh(both, out=both)
        both += 1
        both *= 0.5
        new *= both[:, :d]
        new += gates[step, :, 2 * d :]
        xp.tanh(new, out=new)
        h = xp.subtract(h, new, out=states[step])
        h *= both[:, d:]
        h += new
    return states, h.copy()


def _gru_decomp(gates: Any, w: Any, h0: Any, b: Any) -> tuple[Any, Any]:
    h, states = h0, []
    for step in range(gates.shape[0]):
        xr, xz, xn = parts(at(gates, step), 3)
        hr, hz, hn = parts(matmul(h, turned(w)), 3)
        r, z = sigmoid(add(xr, hr)), sigmoid(add(xz, hz))
        new = tanh(add(xn, mul(r, add(hn, b))))
        h = add(new, mul(z, sub(h, new)))
        states.append(h)
    return stacked(states), h


def _gru_vjp(g: Any, a: Any, b: Any, c: Any, d: Any, y: Any) -> list[Any]:
    of_gates, of_product, dh = gru_grad(*g, a, b, c, d, y[0])
    of_bias = total(part(of_product, 2, 3), axes=(0, 1))
    return [of_gates, weight_grad(of_product, states_before(c, y[0])), dh, of_bias]


gru_scan = composite(
    "gru",
    _gru_decomp,
    _gru,
    _gru_vjp,
    aval=_gru_aval,
    vmap=Recurrence(states=(2,), outs=(1, 0)),
    outputs=2,
    amp="low",
    names=naming.axes("gru", "tng,ij,nh->tnh,nh"),
)
"""gates (t, n, 3 h), weight (3 h, h), h0 (n, h), bias inside the candidate (h,) to all states
(t, n, h) and the last one (n, h). Source: Cho et al. 2014, in the form where the reset gate
multiplies after the product."""

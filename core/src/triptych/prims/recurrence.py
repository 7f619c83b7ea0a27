"""Recurrent layers as primitives: one call runs all time steps of one layer in one direction.

The input is projected for all steps before (``gates``), so a step only multiplies the state.
Backward computes the gates of all steps again at once, and then walks back with two products per
step; weights' gradients are one product over all steps.

Letters: t time, n batch, h state, p state given out (h, unless an LSTM projects).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..avals import Aval
from ..errors import ShapeError
from . import naming
from .batching_native import Recurrence
from .composite import composite
from .contract import check_dtypes, matmul
from .elementwise import add, gt, mul, relu, sigmoid, square, sub, tanh, where
from .movement import concat, permute, reshape, slice_
from .reduce import sum as total

# Pieces, for tensors and raw arrays alike


def _at(x: Any, step: int) -> Any:
    return slice_(x, key=(step,))


def _part(x: Any, index: int, count: int) -> Any:
    """One of `count` equal parts of the last axis."""
    size = x.shape[-1] // count
    lead = (slice(None),) * (len(x.shape) - 1)
    return slice_(x, key=(*lead, slice(index * size, (index + 1) * size)))


def _parts(x: Any, count: int) -> list[Any]:
    return [_part(x, i, count) for i in range(count)]


def _joined(*parts: Any) -> Any:
    return concat(*parts, axis=len(parts[0].shape) - 1)


def _stacked(steps: list[Any]) -> Any:
    return concat(*[reshape(s, shape=(1, *s.shape)) for s in steps], axis=0)


def _before(first: Any, states: Any) -> Any:
    """The state that each step started from."""
    start = reshape(first, shape=(1, *first.shape))
    if states.shape[0] == 1:
        return start
    return concat(start, slice_(states, key=(slice(0, states.shape[0] - 1),)), axis=0)


def _rows(x: Any) -> Any:
    return reshape(x, shape=(x.shape[0] * x.shape[1], x.shape[2]))


def _turned(w: Any) -> Any:
    return permute(w, axes=(1, 0))


def _projected(x: Any, w: Any) -> Any:
    """(t, n, i) by (o, i) to (t, n, o)."""
    return reshape(matmul(_rows(x), _turned(w)), shape=(*x.shape[:2], w.shape[0]))


def _weight_grad(g: Any, x: Any) -> Any:
    """The gradient of w in `_projected`."""
    return matmul(_turned(_rows(g)), _rows(x))


def _grown(grad: Any, carried: Any) -> Any:
    return grad if carried is None else add(grad, carried)


def _wide(scan: Callable[..., tuple[Any, ...]]) -> Callable[..., tuple[Any, ...]]:
    """Half precision runs in float32 and is rounded once at the end."""

    def impl(xp: Any, *xs: Any, **params: Any) -> tuple[Any, ...]:
        dtype = xs[0].dtype
        if dtype.itemsize != 2:
            return scan(xp, *xs, **params)
        outs = scan(xp, *[x.astype(xp.float32) for x in xs], **params)
        return tuple(out.astype(dtype) for out in outs)

    return impl


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


@_wide
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
        h = act(add(_at(gates, step), matmul(h, _turned(w))))
        states.append(h)
    return _stacked(states), h


_ACTIVATIONS = {False: tanh, True: relu}


def _rnn_vjp(g: Any, b: Any, c: Any, y: Any, *, relu: bool) -> list[Any]:
    states = y[0]
    slope = where(gt(states, 0), 1.0, mul(states, 0)) if relu else sub(1, square(states))
    carried, grads = g[1], []
    for step in reversed(range(states.shape[0])):
        grads.append(mul(add(_at(g[0], step), carried), _at(slope, step)))
        carried = matmul(grads[-1], b)
    pre = _stacked(grads[::-1])
    return [pre, _weight_grad(pre, _before(c, states)), carried]


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


@_wide
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
        i, f, g, o = _parts(add(_at(gates, step), matmul(h, _turned(w))), 4)
        c = add(mul(sigmoid(f), c), mul(sigmoid(i), tanh(g)))
        h = mul(sigmoid(o), tanh(c))
        h = matmul(h, _turned(r[0])) if r else h
        states.append(h)
        cells.append(c)
    return _stacked(states), _stacked(cells)


def _lstm_vjp(g: Any, xs: Any, y: Any) -> list[Any]:
    gates, w, h0, c0, *r = xs
    states, cells = y
    before, cells_before = _before(h0, states), _before(c0, cells)
    i, f, new, o = _parts(add(gates, _projected(before, w)), 4)
    i, f, new, o = sigmoid(i), sigmoid(f), tanh(new), sigmoid(o)
    squashed = tanh(cells)
    into_cell = mul(o, sub(1, square(squashed)))
    slopes = _joined(
        mul(new, mul(i, sub(1, i))),
        mul(cells_before, mul(f, sub(1, f))),
        mul(i, sub(1, square(new))),
        mul(squashed, mul(o, sub(1, o))),
    )
    dh, dc, of_gates, of_states = None, None, [], []
    for step in reversed(range(gates.shape[0])):
        dh = _grown(_at(g[0], step), dh)
        of_states.append(dh)
        out = matmul(dh, r[0]) if r else dh
        dc = _grown(add(_at(g[1], step), mul(out, _at(into_cell, step))), dc)
        of_gates.append(mul(_joined(dc, dc, dc, out), _at(slopes, step)))
        dc = mul(dc, _at(f, step))
        dh = matmul(of_gates[-1], w)
    pre = _stacked(of_gates[::-1])
    grads = [pre, _weight_grad(pre, before), dh, dc]
    if r:
        grads.append(_weight_grad(_stacked(of_states[::-1]), mul(o, squashed)))
    return grads


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


@_wide
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
        xr, xz, xn = _parts(_at(gates, step), 3)
        hr, hz, hn = _parts(matmul(h, _turned(w)), 3)
        r, z = sigmoid(add(xr, hr)), sigmoid(add(xz, hz))
        new = tanh(add(xn, mul(r, add(hn, b))))
        h = add(new, mul(z, sub(h, new)))
        states.append(h)
    return _stacked(states), h


def _gru_vjp(g: Any, a: Any, b: Any, c: Any, d: Any, y: Any) -> list[Any]:
    states, w = y[0], b
    before = _before(c, states)
    xr, xz, xn = _parts(a, 3)
    hr, hz, hn = _parts(_projected(before, w), 3)
    r, z, inner = sigmoid(add(xr, hr)), sigmoid(add(xz, hz)), add(hn, d)
    new = tanh(add(xn, mul(r, inner)))
    of_new = mul(sub(1, z), sub(1, square(new)))
    of_r = mul(mul(of_new, inner), mul(r, sub(1, r)))
    of_z = mul(sub(before, new), mul(z, sub(1, z)))
    slopes = _joined(of_r, of_z, mul(of_new, r))
    dh, grads = g[1], []
    for step in reversed(range(a.shape[0])):
        dh = add(_at(g[0], step), dh)
        grads.append(dh)
        dh = add(mul(dh, _at(z, step)), matmul(mul(_joined(dh, dh, dh), _at(slopes, step)), w))
    of_states = _stacked(grads[::-1])
    of_product = mul(_joined(of_states, of_states, of_states), slopes)
    of_gates = mul(_joined(of_states, of_states, of_states), _joined(of_r, of_z, of_new))
    of_bias = total(_part(of_product, 2, 3), axes=(0, 1))
    return [of_gates, _weight_grad(of_product, before), dh, of_bias]


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

"""Recurrent layers over time, and the way back: a product and a kernel for the cell in each step.

The formulas are those of `prims/recurrence` and `prims/recurrence_grad`. A thread takes one number
of the state. Products go through cuBLAS; those that backward needs again are taken at once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .source import Source

CODE = r"""
// What a kernel runs over: a state (n, d), `i` being one of its numbers, and gates (n, many d).
#define RECURRENT_AT(many)                                                  \
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;         \
    if (i >= count) return;                                                 \
    long long at = i / d * (many) * d + i % d;

template <class T> __global__ void recurrent_rnn(
    const T *product, const T *gates, T *h, long long count, int relu)
{
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    T x = product[i] + gates[i];
    h[i] = !relu ? tanh(x) : x > T(0) || x != x ? x : T(0);
}

template <class T> __global__ void recurrent_rnn_back(
    const T *of_state, const T *carried, const T *h, T *of_gates, long long count, int relu)
{
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    T slope = !relu ? T(1) - h[i] * h[i] : h[i] > T(0) ? T(1) : h[i] * T(0);
    of_gates[i] = (of_state[i] + carried[i]) * slope;
}

template <class T> __global__ void recurrent_lstm(
    const T *product, const T *gates, const T *before, T *cell, T *h, long long count, long long d)
{
    RECURRENT_AT(4)
    T in = logistic(product[at] + gates[at]), keep = logistic(product[at + d] + gates[at + d]);
    T fresh = tanh(product[at + 2 * d] + gates[at + 2 * d]);
    T out = logistic(product[at + 3 * d] + gates[at + 3 * d]);
    T c = keep * before[i] + in * fresh;
    cell[i] = c;
    h[i] = out * tanh(c);
}

// dc is that of the step after, and becomes that of this one.
template <class T> __global__ void recurrent_lstm_back(
    const T *of_state, const T *of_cell, const T *dh, T *dc, const T *product, const T *gates,
    const T *before, const T *cell, T *of_gates, long long count, long long d)
{
    RECURRENT_AT(4)
    T in = logistic(product[at] + gates[at]), keep = logistic(product[at + d] + gates[at + d]);
    T fresh = tanh(product[at + 2 * d] + gates[at + 2 * d]);
    T out = logistic(product[at + 3 * d] + gates[at + 3 * d]), squashed = tanh(cell[i]);
    T of_h = of_state[i] + dh[i];
    T of_c = dc[i] + of_cell[i] + of_h * out * (T(1) - squashed * squashed);
    of_gates[at] = of_c * fresh * in * (T(1) - in);
    of_gates[at + d] = of_c * before[i] * keep * (T(1) - keep);
    of_gates[at + 2 * d] = of_c * in * (T(1) - fresh * fresh);
    of_gates[at + 3 * d] = of_h * squashed * out * (T(1) - out);
    dc[i] = of_c * keep;
}

template <class T> __global__ void recurrent_gru(
    const T *product, const T *gates, const T *bias, const T *before, T *h, long long count,
    long long d)
{
    RECURRENT_AT(3)
    T reset = logistic(product[at] + gates[at]), keep = logistic(product[at + d] + gates[at + d]);
    T fresh = tanh(gates[at + 2 * d] + reset * (product[at + 2 * d] + bias[i % d]));
    h[i] = (before[i] - fresh) * keep + fresh;
}

// direct: the part of the state's gradient that went past the product; changes as dc above.
template <class T> __global__ void recurrent_gru_back(
    const T *of_state, const T *dh, T *direct, const T *product, const T *gates, const T *bias,
    const T *before, T *of_gates, T *of_product, long long count, long long d)
{
    RECURRENT_AT(3)
    T reset = logistic(product[at] + gates[at]), keep = logistic(product[at + d] + gates[at + d]);
    T inner = product[at + 2 * d] + bias[i % d];
    T fresh = tanh(gates[at + 2 * d] + reset * inner);
    T of_h = of_state[i] + direct[i] + dh[i];
    T of_fresh = of_h * (T(1) - keep) * (T(1) - fresh * fresh);
    T of_reset = of_fresh * inner * reset * (T(1) - reset);
    T of_keep = of_h * (before[i] - fresh) * keep * (T(1) - keep);
    of_gates[at] = of_product[at] = of_reset;
    of_gates[at + d] = of_product[at + d] = of_keep;
    of_gates[at + 2 * d] = of_fresh;
    of_product[at + 2 * d] = of_fresh * reset;
    direct[i] = of_h * keep;
}
"""
SOURCE = Source(
    "recurrent",
    CODE,
    kernels=[
        f"recurrent_{cell}{pass_}<{{T}}>"
        for cell in ("rnn", "lstm", "gru")
        for pass_ in ("", "_back")
    ],
    dtypes=("float32", "float64"),
)
THREADS = 256


def _suits(*arrays: Any) -> bool:
    """Whether all are of one of the dtypes, and not empty."""
    dtype = arrays[0].dtype
    fits = dtype.name in SOURCE.dtypes and all(a.dtype == dtype for a in arrays)
    return fits and all(a.size for a in arrays)


def _cell(cupy: Any, name: str, arrays: Any, count: int, last: Any) -> None:
    kernel = SOURCE.kernel(cupy, f"recurrent_{name}<{{T}}>", arrays[0].dtype)
    kernel((-(-count // THREADS),), (THREADS,), (*arrays, np.int64(count), last))


def _products(cupy: Any, w: Any, h0: Any, states: Any) -> Any:
    """w times the state before each step, (t, n, gates)."""
    return cupy.matmul(cupy.concatenate((h0[None], states[:-1])), w.T)


def _rnn(cupy: Any, gates: Any, w: Any, h0: Any, *, relu: bool) -> Any:
    if not _suits(gates, w, h0):
        return NotImplemented
    gates, h = map(cupy.ascontiguousarray, (gates, h0))
    states, product = cupy.empty(gates.shape, gates.dtype), cupy.empty(h.shape, h.dtype)
    for step in range(len(gates)):
        cupy.matmul(h, w.T, out=product)
        h = states[step]
        _cell(cupy, "rnn", (product, gates[step], h), h.size, np.int32(relu))
    return states, h.copy()


def _rnn_grad(cupy: Any, of_states: Any, of_last: Any, w: Any, states: Any, *, relu: bool) -> Any:
    if not _suits(states, of_states, of_last, w):
        return NotImplemented
    of_states, states = map(cupy.ascontiguousarray, (of_states, states))
    of_gates, carried = cupy.empty(states.shape, states.dtype), cupy.array(of_last, order="C")
    for step in reversed(range(len(states))):
        arrays = of_states[step], carried, states[step], of_gates[step]
        _cell(cupy, "rnn_back", arrays, carried.size, np.int32(relu))
        cupy.matmul(of_gates[step], w, out=carried)
    return of_gates, carried


def _lstm(cupy: Any, gates: Any, w: Any, h0: Any, c0: Any, *projection: Any) -> Any:
    if projection or not _suits(gates, w, h0, c0):
        return NotImplemented
    gates, h, c = map(cupy.ascontiguousarray, (gates, h0, c0))
    states, cells = (cupy.empty((len(gates), *h.shape), h.dtype) for _ in "hc")
    product = cupy.empty(gates.shape[1:], h.dtype)
    for step in range(len(gates)):
        cupy.matmul(h, w.T, out=product)
        h, before, c = states[step], c, cells[step]
        arrays = product, gates[step], before, c, h
        _cell(cupy, "lstm", arrays, h.size, np.int64(h.shape[1]))
    return states, cells


def _lstm_grad(
    cupy: Any,
    of_states: Any,
    of_cells: Any,
    gates: Any,
    w: Any,
    h0: Any,
    c0: Any,
    states: Any,
    cells: Any,
) -> Any:
    given = of_states, of_cells, gates, h0, c0, states, cells
    if not _suits(w, *given):
        return NotImplemented
    of_states, of_cells, gates, h0, c0, states, cells = map(cupy.ascontiguousarray, given)
    products, of_gates = _products(cupy, w, h0, states), cupy.empty(gates.shape, gates.dtype)
    dh, dc = cupy.zeros(h0.shape, h0.dtype), cupy.zeros(h0.shape, h0.dtype)
    for step in reversed(range(len(gates))):
        before = cells[step - 1] if step else c0
        arrays = of_states[step], of_cells[step], dh, dc, products[step], gates[step], before
        all_ = (*arrays, cells[step], of_gates[step])
        _cell(cupy, "lstm_back", all_, dh.size, np.int64(dh.shape[1]))
        cupy.matmul(of_gates[step], w, out=dh)
    return of_gates, dh, dc


def _gru(cupy: Any, gates: Any, w: Any, h0: Any, b: Any) -> Any:
    if not _suits(gates, w, h0, b):
        return NotImplemented
    gates, h, b = map(cupy.ascontiguousarray, (gates, h0, b))
    states = cupy.empty((len(gates), *h.shape), h.dtype)
    product = cupy.empty(gates.shape[1:], h.dtype)
    for step in range(len(gates)):
        cupy.matmul(h, w.T, out=product)
        before, h = h, states[step]
        _cell(cupy, "gru", (product, gates[step], b, before, h), h.size, np.int64(h.shape[1]))
    return states, h.copy()


def _gru_grad(
    cupy: Any, of_states: Any, of_last: Any, gates: Any, w: Any, h0: Any, b: Any, states: Any
) -> Any:
    given = of_states, gates, h0, b, states
    if not _suits(w, of_last, *given):
        return NotImplemented
    of_states, gates, h0, b, states = map(cupy.ascontiguousarray, given)
    products = _products(cupy, w, h0, states)
    of_gates, of_products = (cupy.empty(gates.shape, gates.dtype) for _ in "gp")
    dh, direct = cupy.zeros(h0.shape, h0.dtype), cupy.array(of_last, order="C")
    for step in reversed(range(len(gates))):
        before = states[step - 1] if step else h0
        arrays = of_states[step], dh, direct, products[step], gates[step], b, before
        all_ = (*arrays, of_gates[step], of_products[step])
        _cell(cupy, "gru_back", all_, dh.size, np.int64(dh.shape[1]))
        cupy.matmul(of_products[step], w, out=dh)
    return of_gates, of_products, dh + direct


def sources() -> tuple[Source, ...]:
    """The CUDA C of this family."""
    return (SOURCE,)


def overrides(cupy: Any) -> dict[str, Callable[..., Any]]:
    """By primitive, the function that is tried before CuPy's operations."""
    return {
        "gru": partial(_gru, cupy),
        "gru_grad": partial(_gru_grad, cupy),
        "lstm": partial(_lstm, cupy),
        "lstm_grad": partial(_lstm_grad, cupy),
        "rnn": partial(_rnn, cupy),
        "rnn_grad": partial(_rnn_grad, cupy),
    }

"""Recurrent layers over time, and the way back through them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np


def overrides(native: ModuleType) -> dict[str, tuple[Any, int]]:
    """By primitive: the function, and the size of the first input from which on it is taken."""

    def lstm(gates: Any, w: Any, h0: Any, c0: Any, *projection: Any) -> Any:
        return NotImplemented if projection else native.lstm(*_packed(gates, w, h0, c0))

    def gru(gates: Any, w: Any, h0: Any, b: Any) -> Any:
        return native.gru(*_packed(gates, w, h0, b))

    def rnn(gates: Any, w: Any, h0: Any, *, relu: bool) -> Any:
        return native.rnn(*_packed(gates, w, h0), relu=relu)

    def lstm_grad(
        g: Any, gc: Any, gates: Any, w: Any, h0: Any, c0: Any, states: Any, cells: Any
    ) -> Any:
        products = _products(native, w, h0, states)
        given = _packed(g, gc, gates, w, h0, c0, states, cells)
        return products if products is NotImplemented else native.lstm_grad(*given, products)

    def gru_grad(g: Any, last: Any, gates: Any, w: Any, h0: Any, b: Any, states: Any) -> Any:
        products = _products(native, w, h0, states)
        given = _packed(g, last, gates, w, h0, b, states)
        return products if products is NotImplemented else native.gru_grad(*given, products)

    def rnn_grad(g: Any, last: Any, w: Any, states: Any, *, relu: bool) -> Any:
        return native.rnn_grad(*_packed(g, last, w, states), relu=relu)

    found = (lstm, gru, rnn, lstm_grad, gru_grad, rnn_grad)
    return {f.__name__: (f, 1) for f in found}


def _packed(*xs: Any) -> list[Any]:
    """Copying is cheap beside the products of all steps."""
    return [x if x.flags.c_contiguous else np.ascontiguousarray(x) for x in xs]


def _products(native: ModuleType, w: Any, h0: Any, states: Any) -> Any:
    """w times the state before each step, (t, n, gates); NotImplemented if they are not for it."""
    if states.dtype != np.float32 or h0.dtype != np.float32:
        return NotImplemented
    before = np.empty_like(states)
    before[:1], before[1:] = h0, states[:-1]
    return native.linear(before, w)

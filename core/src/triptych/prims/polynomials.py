"""Orthogonal polynomials of x, of degree n for each element; n < 0 gives zero.

All come from a recurrence in the degree, p_(k+1) = (a_k x + b_k) p_k - c_k p_(k-1). The four kinds
of Chebyshev polynomials have closed forms as well, which stand in for high degrees.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .bessel import NOT_DIFFERENTIATED
from .chebyshev import in_double
from .kinds import binary
from .promotion import FLOATING

Step = Callable[[Any, int, Any, Any], Any]  # x, k, p_k, p_(k-1) -> p_(k+1)
_RECURRED = 64  # degrees up to here by the recurrence, where a closed form exists
_HERMITE_TOP = 512  # beyond, torch gives NaN


def _recur(xp: Any, x: Any, n: Any, first: Any, step: Step, top: int | None = None) -> Any:
    """Walk the degrees up to the highest wanted, and keep each element's own."""
    x, n = xp.broadcast_arrays(x, n)
    n = xp.trunc(n)
    wanted = xp.where(xp.isfinite(n), n, -1)
    highest = int(wanted.max()) if n.size else 0
    before, now = xp.ones(x.shape), first
    out = xp.where(n < 0, 0.0, before)
    out = xp.where(n == 1, now, out)
    for k in range(1, highest if top is None else min(highest, top)):
        before, now = now, step(x, k, now, before)
        out = xp.where(n == k + 1, now, out)
    return xp.where(xp.isnan(x) & (n > 0) | xp.isnan(n), np.nan, out)


def _chebyshev_step(x: Any, k: int, now: Any, before: Any) -> Any:
    return 2 * x * now - before


def _angle_form(xp: Any, x: Any, n: Any, kind: str) -> Any:
    """The closed form for |x| < 1, with x = cos(angle)."""
    angle = xp.arccos(xp.clip(x, -1, 1))
    half = angle / 2
    if kind == "t":
        return xp.cos(n * angle)
    if kind == "u":
        return xp.sin((n + 1) * angle) / xp.sin(angle)
    if kind == "v":
        return xp.cos((n + 0.5) * angle) / xp.cos(half)
    return xp.sin((n + 0.5) * angle) / xp.sin(half)


def _growing_form(xp: Any, x: Any, n: Any, kind: str) -> Any:
    """The closed form for |x| > 1, with |x| = cosh(angle). T and U are even or odd; V(-x) is W(x)
    with that sign.
    """
    angle = xp.arccosh(xp.maximum(xp.abs(x), 1))
    half, flipped = angle / 2, x < 0
    if kind == "t":
        value = xp.cosh(n * angle)
    elif kind == "u":
        value = xp.sinh((n + 1) * angle) / xp.sinh(angle)
    else:
        odd = flipped if kind == "v" else ~flipped  # which of the two forms it is for |x|
        value = xp.where(
            odd,
            xp.sinh((n + 0.5) * angle) / xp.sinh(half),
            xp.cosh((n + 0.5) * angle) / xp.cosh(half),
        )
    return xp.where(flipped & (n % 2 == 1), -value, value)


_FIRST: dict[str, Callable[[Any], Any]] = {
    "t": lambda x: x,
    "u": lambda x: 2 * x,
    "v": lambda x: 2 * x - 1,
    "w": lambda x: 2 * x + 1,
}
_AT_ONE: dict[str, Callable[[Any], Any]] = {
    "t": lambda n: 1.0,
    "u": lambda n: n + 1,
    "v": lambda n: 1.0,
    "w": lambda n: 2 * n + 1,
}
_MIRROR = {"t": "t", "u": "u", "v": "w", "w": "v"}


def _chebyshev(xp: Any, x: Any, n: Any, kind: str) -> Any:
    x, n = xp.broadcast_arrays(x, xp.trunc(n))
    out = _recur(xp, x, n, _FIRST[kind](x), _chebyshev_step, _RECURRED)
    high = xp.where(xp.abs(x) < 1, _angle_form(xp, x, n, kind), _growing_form(xp, x, n, kind))
    ends = xp.where(x > 0, _AT_ONE[kind](n), _AT_ONE[_MIRROR[kind]](n) * xp.where(n % 2, -1, 1))
    high = xp.where(xp.abs(x) == 1, ends, high)
    return xp.where(n > _RECURRED, high, out)


def _register_chebyshev(kind: str, shifted: bool) -> Any:
    @in_double
    def kernel(xp: Any, x: Any, n: Any) -> Any:
        return _chebyshev(xp, 2 * x - 1 if shifted else x, n, kind)

    name = f"{'shifted_' if shifted else ''}chebyshev_polynomial_{kind}"
    return binary(name, kernel, promote=FLOATING, d=NOT_DIFFERENTIATED)


chebyshev_polynomial_t = _register_chebyshev("t", False)
chebyshev_polynomial_u = _register_chebyshev("u", False)
chebyshev_polynomial_v = _register_chebyshev("v", False)
chebyshev_polynomial_w = _register_chebyshev("w", False)
shifted_chebyshev_polynomial_t = _register_chebyshev("t", True)
shifted_chebyshev_polynomial_u = _register_chebyshev("u", True)
shifted_chebyshev_polynomial_v = _register_chebyshev("v", True)
shifted_chebyshev_polynomial_w = _register_chebyshev("w", True)


def _register(name: str, first: Callable[[Any], Any], step: Step, top: int | None = None) -> Any:
    @in_double
    def kernel(xp: Any, x: Any, n: Any) -> Any:
        x, n = xp.broadcast_arrays(x, n)
        out = _recur(xp, x, n, first(x), step, top)
        return out if top is None else xp.where(n > top, np.nan, out)

    return binary(name, kernel, promote=FLOATING, d=NOT_DIFFERENTIATED)


hermite_polynomial_h = _register(
    "hermite_polynomial_h",
    lambda x: 2 * x,
    lambda x, k, now, before: 2 * x * now - 2 * k * before,
    _HERMITE_TOP,
)
hermite_polynomial_he = _register(
    "hermite_polynomial_he",
    lambda x: x,
    lambda x, k, now, before: x * now - k * before,
    _HERMITE_TOP,
)
laguerre_polynomial_l = _register(
    "laguerre_polynomial_l",
    lambda x: 1 - x,
    lambda x, k, now, before: ((2 * k + 1 - x) * now - k * before) / (k + 1),
)
legendre_polynomial_p = _register(
    "legendre_polynomial_p",
    lambda x: x,
    lambda x, k, now, before: ((2 * k + 1) * x * now - k * before) / (k + 1),
)

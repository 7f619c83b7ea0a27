"""Hurwitz' zeta function, the sum of (q + k) ** -x over k = 0, 1, 2, ..."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import GradError
from .chebyshev import in_double
from .elementwise import add, mul, neg
from .kinds import binary
from .promotion import FLOATING

# Bernoulli numbers B2, B4, ... (Abramowitz and Stegun 23.1.3) over (2 j)!
_BERNOULLI = (
    1 / 6,
    -1 / 30,
    1 / 42,
    -1 / 30,
    5 / 66,
    -691 / 2730,
    7 / 6,
    -3617 / 510,
    43867 / 798,
    -174611 / 330,
)
_TERMS = tuple(b / math.factorial(2 * j) for j, b in enumerate(_BERNOULLI, 1))
_DIRECT = 10  # terms added one by one before the Euler-Maclaurin formula takes over


def _positive_zeta(xp: Any, x: Any, q: Any) -> Any:
    """For x > 1 and q > 0: Euler-Maclaurin summation (DLMF 25.11.28, with ten direct terms)."""
    total = q**-x
    for k in range(1, _DIRECT):
        total = total + (q + k) ** -x
    w = q + _DIRECT
    power = w**-x
    total = total + power * (w / (x - 1) + 0.5)
    factor = x / w
    for j, b in enumerate(_TERMS, 1):
        total = total + xp.where(power == 0, 0, power * factor * b)
        factor = factor * ((x + 2 * j - 1) / w) * ((x + 2 * j) / w)
    return total


def hurwitz(xp: Any, x: Any, q: Any) -> Any:
    """zeta(x, q) in float64. For q < 0 and whole x, the sum over all integers, which depends on the
    fraction of q alone, is split at q.
    """
    order = xp.where(x > 1, x, 2)
    negative = q < 0
    out = _positive_zeta(xp, order, xp.where(negative | (q == 0), 1, q))
    if negative.any():
        gap = xp.where(negative, xp.ceil(q) - q, 0.5)  # exact, where q - floor(q) would round
        gap = xp.where(gap == 0, 0.5, gap)
        sign = xp.where(order % 2 == 0, 1.0, -1.0)
        below = _positive_zeta(xp, order, gap) - _positive_zeta(xp, order, 1 - xp.minimum(q, 0))
        left = _positive_zeta(xp, order, 1 - gap) + sign * below
        out = xp.where(negative, xp.where(order == xp.floor(order), left, np.nan), out)
    whole = (q <= 0) & (q == xp.floor(q))
    out = xp.where(whole, np.inf, out)
    out = xp.where(x == 1, np.inf, xp.where(x < 1, np.nan, out))
    out = xp.where((q == np.inf) & (x > 1), 0, out)
    return xp.where(xp.isnan(x) | xp.isnan(q), np.nan, out)


def _refuse(g: Any) -> Any:
    raise GradError(
        "zeta: the derivative with respect to the first argument is not known; detach() it"
    )


zeta = binary(
    "zeta",
    in_double(hurwitz),
    promote=FLOATING,
    d=(_refuse, lambda g, a, b: mul(g, mul(neg(a), zeta(add(a, 1), b)))),
    domain=(1.5, 4.0),
)

"""The gamma function's relatives, by series."""

from __future__ import annotations

import math
from typing import Any

from ..avals import Aval
from .elementwise import mul
from .kinds import half_as_single, primitive, unary
from .promotion import FLOATING

# Lanczos approximation with g = 7 and nine terms, after P. Godfrey 2001; relative error near 1e-15.
_G = 7.0
_LANCZOS = (
    0.99999999999980993,
    676.5203681218851,
    -1259.1392167224028,
    771.32342877765313,
    -176.61502916214059,
    12.507343278686905,
    -0.13857109526572012,
    9.9843695780195716e-6,
    1.5056327351493116e-7,
)
_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
# Bernoulli numbers B2, B4, ... (Abramowitz and Stegun 23.1.3), for the asymptotic series 6.4.11.
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


def _log_gamma_right(xp: Any, x: Any) -> Any:
    """log gamma for x >= 0.5."""
    z = x - 1
    total = xp.full_like(z, _LANCZOS[0])
    for i, c in enumerate(_LANCZOS[1:], 1):
        total += c / (z + i)
    t = z + (_G + 0.5)
    return _HALF_LOG_2PI + (z + 0.5) * xp.log(t) - t + xp.log(total)


@half_as_single
def _lgamma(xp: Any, x: Any) -> Any:
    wide = x.astype(xp.float64)
    left = wide < 0.5
    right = _log_gamma_right(xp, xp.where(left, 1 - wide, wide))
    # Euler's reflection: gamma(x) gamma(1 - x) = pi / sin(pi x)
    sine = xp.abs(xp.sin(math.pi * (wide - xp.floor(wide))))
    reflected = math.log(math.pi) - xp.log(sine) - right
    out = xp.where(left, reflected, right)
    return xp.where(xp.isinf(wide), xp.inf, out).astype(x.dtype)


lgamma = unary(
    "lgamma", _lgamma, promote=FLOATING, d=lambda g, a: mul(g, polygamma(a, n=0)), domain=(0.3, 4.0)
)


@half_as_single
def _polygamma(xp: Any, x: Any, *, n: int) -> Any:
    wide = x.astype(xp.float64)
    left = (wide < 0.5) if n == 0 else xp.zeros(wide.shape, bool)
    z = xp.where(left, 1 - wide, wide)
    out = _series(xp, z, n)
    if n == 0:  # reflection: psi(1 - x) - psi(x) = pi cot(pi x)
        turn = math.pi * (wide - xp.floor(wide))
        out = xp.where(left, out - math.pi * xp.cos(turn) / xp.sin(turn), out)
    return out.astype(x.dtype)


def _series(xp: Any, z: Any, n: int) -> Any:
    """Recurrence up to z >= 10, then the asymptotic series."""
    total = xp.zeros(z.shape)
    sign, factorial = (-1.0) ** (n + 1), float(math.factorial(n))
    for _ in range(10 + n):
        small = z < 10 + n
        total = total + xp.where(small, sign * factorial * z ** -(n + 1.0), 0)
        z = xp.where(small, z + 1, z)
    if n == 0:
        total = total + xp.log(z) - 0.5 / z
        for k, b in enumerate(_BERNOULLI, 1):
            total = total - b / (2 * k) * z ** (-2.0 * k)
        return total
    tail = math.factorial(n - 1) * z ** -float(n) + 0.5 * factorial * z ** -(n + 1.0)
    for k, b in enumerate(_BERNOULLI, 1):
        scale = b * math.factorial(2 * k + n - 1) / math.factorial(2 * k)
        tail = tail + scale * z ** -(2.0 * k + n)
    return total + sign * tail


def _polygamma_aval(x: Any, *, n: int) -> Aval:
    return Aval(x.shape, x.dtype)


polygamma = primitive(
    "polygamma",
    "special",
    _polygamma,
    _polygamma_aval,
    (lambda g, a, *, n: mul(g, polygamma(a, n=n + 1)),),
    promote=FLOATING,
)
"""The n-th derivative of digamma; n = 0 is digamma itself. Negative x for n = 0 only."""

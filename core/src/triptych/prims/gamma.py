"""The gamma function's relatives, by series."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..avals import Aval
from . import chebyshev_tables as tables
from .chebyshev import chebyshev, in_double
from .elementwise import mul
from .kinds import primitive, several_passes, unary
from .promotion import FLOATING
from .zeta import hurwitz

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
# Bernoulli numbers B2, B4, ... (Abramowitz and Stegun 23.1.3), for the asymptotic series 6.1.40
# and 6.3.18.
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
_STIRLING = tuple(b / (2 * k * (2 * k - 1)) for k, b in enumerate(_BERNOULLI, 1))
_DIGAMMA = tuple(b / (2 * k) for k, b in enumerate(_BERNOULLI, 1))
# Where digamma crosses zero, in two parts that add up to its first 32 digits.
_ROOT, _ROOT_REST = 1.4616321449683622, 9.549995429965697e-17
_FAR = 10.0  # from here on the asymptotic series hold


def stirling_rest(x: Any) -> Any:
    """log gamma(x) - ((x - 1/2) log x - x + log(2 pi) / 2), for x >= 10."""
    inverse = 1 / x
    square = inverse * inverse
    total = _STIRLING[-1] * square
    for c in _STIRLING[-2:0:-1]:
        total = (total + c) * square
    return (total + _STIRLING[0]) * inverse


def _log_gamma_far(xp: Any, x: Any) -> Any:
    return (x - 0.5) * xp.log(x) - x + _HALF_LOG_2PI + stirling_rest(x)


def _log_gamma_near(xp: Any, x: Any) -> Any:
    """For 0.5 <= x < 10: down to [1.5, 2.5], where log gamma(2 + t) / t is a series in t. Both
    zeros, at one and at two, keep their digits.
    """
    product = xp.ones(x.shape)
    for _ in range(8):
        large = x > 2.5
        x = xp.where(large, x - 1, x)
        product = xp.where(large, product * x, product)
    small = x < 1.5
    t = xp.where(small, x - 1, x - 2)
    near = t * chebyshev(2 * t, tables.LOG_GAMMA)
    return xp.where(small, near - xp.log1p(xp.where(small, t, 0)), near) + xp.log(product)


def log_gamma(xp: Any, x: Any) -> Any:
    """log |gamma(x)| in float64."""
    left = x < 0.5
    right = xp.where(left, 1 - x, x)
    near = _log_gamma_near(xp, xp.clip(right, 0.5, _FAR))
    out = xp.where(right < _FAR, near, _log_gamma_far(xp, xp.maximum(right, _FAR)))
    # Euler's reflection: gamma(x) gamma(1 - x) = pi / sin(pi x)
    offset = xp.abs(xp.where(xp.abs(x) < 0.5, x, x - xp.rint(x)))
    reflected = math.log(math.pi) - xp.log(xp.sin(math.pi * offset)) - out
    return xp.where(xp.isinf(x), np.inf, xp.where(left, reflected, out))


lgamma = unary(
    "lgamma",
    several_passes(in_double(log_gamma)),
    promote=FLOATING,
    d=lambda g, a: mul(g, polygamma(a, n=0)),
    domain=(0.3, 4.0),
)


def _digamma_near(xp: Any, x: Any) -> Any:
    """For 0 < x < 10: up or down to [1, 2], where the factor beside the root is a series."""
    total = xp.where(x < 1, -1 / x, 0)
    x = xp.where(x < 1, x + 1, x)
    for _ in range(8):
        large = x > 2
        x = xp.where(large, x - 1, x)
        total = xp.where(large, total + 1 / x, total)
    return total + ((x - _ROOT) - _ROOT_REST) * chebyshev(2 * x - 3, tables.DIGAMMA)


def digamma(xp: Any, x: Any) -> Any:
    """The derivative of log_gamma in float64."""
    left = x < 0
    right = xp.where(left, 1 - x, x)
    near = _digamma_near(xp, xp.minimum(xp.where(right == 0, 1, right), _FAR))
    high = xp.maximum(right, _FAR)
    square = 1 / (high * high)
    rest = _DIGAMMA[-1] * square
    for c in _DIGAMMA[-2::-1]:
        rest = (rest + c) * square
    out = xp.where(right < _FAR, near, xp.log(high) - 0.5 / high - rest)
    offset = x - xp.rint(x)  # reflection: psi(1 - x) - psi(x) = pi cot(pi x)
    out = xp.where(left, out - math.pi / xp.tan(math.pi * offset), out)
    out = xp.where(left & (offset == 0) | (x == -np.inf), np.nan, out)
    return xp.where(x == 0, -xp.copysign(np.inf, x), out)


@in_double
def _polygamma(xp: Any, x: Any, *, n: int) -> Any:
    if n == 0:
        return digamma(xp, x)
    total = hurwitz(xp, xp.full_like(x, n + 1.0), x)
    sign = (-1.0) ** (n + 1)
    if n <= 170:
        return sign * math.gamma(n + 1.0) * total
    grown = xp.exp(math.lgamma(n + 1.0) + xp.log(xp.abs(total)))  # the factorial alone overflows
    return sign * xp.sign(total) * grown


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
"""The n-th derivative of digamma; n = 0 is digamma itself."""

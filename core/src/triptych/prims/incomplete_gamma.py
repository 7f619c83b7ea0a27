"""The regularised incomplete gamma functions, and how a gamma quantile moves with its shape.

P(a, x) is the distribution function of a gamma variable of shape a, and Q = 1 - P. Four forms share
the quadrant: the power series of P left of the mean, a series of Q for small a and x, Legendre's
continued fraction of Q right of the mean, and Temme's expansion around x = a for large a.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import GradError
from .chebyshev import in_double, polynomial
from .elementwise import exp, log, mul, neg, sub
from .gamma import lgamma, log_gamma, stirling_rest
from .kinds import binary
from .promotion import FLOATING
from .rational import erfc_impl

if TYPE_CHECKING:
    from fractions import Fraction

LARGE = 100.0  # shapes from here on use Temme's expansion near the mean
_STEPS = 2000  # more than any series here needs
_TINY = 1e-300


def _relative_gap(xp: Any, a: Any, x: Any) -> Any:
    """mu - log(1 + mu) for mu = x / a - 1, without cancellation near zero."""
    mu = (x - a) / a
    small = xp.clip(mu, -0.3, 0.3)
    # log(1 + mu) = 2 atanh(r), r = mu / (2 + mu); the difference is mu r - 2 (r^3/3 + r^5/5 ...)
    r = small / (2 + small)
    square = r * r
    odd = polynomial(square, tuple(1 / k for k in range(23, 1, -2)))
    near = r * small - 2 * r * square * odd
    return xp.where(xp.abs(mu) <= 0.3, near, mu - xp.log(x / a))


def log_density_times_x(xp: Any, a: Any, x: Any) -> Any:
    """log of x ** a exp(-x) / gamma(a), to full precision also where a and x are large."""
    high = xp.maximum(a, 10.0)
    far = -high * _relative_gap(xp, high, x) + 0.5 * xp.log(high / (2 * math.pi))
    far = far - stirling_rest(high)
    low = xp.minimum(a, 10.0)
    near = low * xp.log(x) - x - log_gamma(xp, low)
    return xp.where(a >= 10, far, near)


def series(xp: Any, a: Any, x: Any) -> tuple[Any, Any]:
    """Sums S of x ** n / ((a + 1) ... (a + n)), and of the same terms times the sum of 1 / (a + j):
    P = x ** a exp(-x) / gamma(a + 1) * S, and the second is minus S's derivative by a.
    """
    term, harmonic = xp.ones(x.shape), xp.zeros(x.shape)
    total, slope = term, harmonic
    for n in range(1, _STEPS):
        term = term * (x / (a + n))
        harmonic = harmonic + 1 / (a + n)
        total, slope = total + term, slope + term * harmonic
        if n % 8 == 0 and not (term * (1 + harmonic) > 1e-17 * total).any():
            break
    return total, slope


def fraction(xp: Any, a: Any, x: Any) -> tuple[Any, Any]:
    """C and its derivative by a, where Q = x ** a exp(-x) / gamma(a) * C: Legendre's continued
    fraction (DLMF 8.9.2) by the modified method of Lentz, with dual numbers.
    """
    b = x + 1 - a
    b = xp.where(xp.abs(b) < _TINY, _TINY, b)
    h, dh = 1 / b, 1 / (b * b)
    d, dd = h, dh
    c, dc = xp.full_like(b, 1 / _TINY), xp.zeros_like(b)
    for n in range(1, _STEPS):
        top = n * (a - n)
        b = b + 2
        below, above = b + top * d, b + top / c
        below = xp.where(xp.abs(below) < _TINY, _TINY, below)
        above = xp.where(xp.abs(above) < _TINY, _TINY, above)
        dd = -(-1 + n * d + top * dd) / (below * below)
        dc = -1 + n / c - top * (dc / c) / c
        d, c = 1 / below, above
        factor = c * d
        dh = dh * factor + h * (dc * d + c * dd)
        h = h * factor
        if n % 8 == 0 and not (xp.abs(factor - 1) > 1e-16).any():
            break
    return h, dh


def _small_q(xp: Any, a: Any, x: Any) -> Any:
    """Q for small a and x, where 1 - P would lose its digits (DLMF 8.7.1, rearranged)."""
    head = a * xp.log(x) - log_gamma(xp, a + 1)
    term, total = xp.ones(x.shape), xp.zeros(x.shape)
    for n in range(1, 30):
        term = term * (-x / n)
        total = total + term * (a / (a + n))
    return -xp.expm1(head) - xp.exp(head) * total


# Temme's expansion: Q = erfc(eta sqrt(a / 2)) / 2 + exp(-a eta^2 / 2) / sqrt(2 pi a) S(a, eta),
# with eta^2 / 2 = mu - log(1 + mu), mu = x / a - 1, and S the sum of c_k(eta) / a ** k (DLMF 8.12.3
# to 8.12.11). The series of c_k in eta have rational coefficients, which are worked out here.
_ORDERS, _POWERS = 8, 24


@functools.cache
def _temme() -> tuple[tuple[float, ...], ...]:
    """The power series of c_0, c_1, ... in eta, from the highest power down."""
    count = _POWERS + 2 * _ORDERS + 2
    mu = _mu_powers(count + 1)
    one_over_mu = _reciprocal(mu[1:], count)  # eta / mu
    first = [one_over_mu[i + 1] for i in range(count - 1)]  # 1 / mu - 1 / eta
    rows, gammas = [first], _stirling_gammas(_ORDERS)
    for k in range(1, _ORDERS):
        before = rows[-1]
        # c_k = (c_(k-1)' + (-1)^k gamma_k eta / mu) / eta; the constant terms cancel
        sign = (-1) ** k * gammas[k]
        row = [(i + 1) * before[i + 1] + sign * one_over_mu[i] for i in range(1, len(before) - 1)]
        rows.append(row)
    return tuple(tuple(map(float, row[_POWERS::-1])) for row in rows)


def _mu_powers(count: int) -> list[Fraction]:
    """mu as a power series in eta, from mu mu' = eta (1 + mu)."""
    from fractions import Fraction

    mu = [Fraction(0), Fraction(1)]
    for n in range(2, count):
        # The coefficient of eta^n on both sides; mu_n appears as (n + 1) mu_1 mu_n.
        known = sum(((n + 1 - i) * mu[i] * mu[n + 1 - i] for i in range(2, n)), Fraction(0))
        mu.append((mu[n - 1] - known) / (n + 1))
    return mu


def _reciprocal(series: list[Fraction], count: int) -> list[Fraction]:
    from fractions import Fraction

    out = [1 / series[0]]
    for n in range(1, count):
        total = sum((series[i] * out[n - i] for i in range(1, n + 1)), Fraction(0))
        out.append(-total / series[0])
    return out


def _stirling_gammas(count: int) -> list[Fraction]:
    """gamma_k with gamma(a) ~ sqrt(2 pi / a) (a / e) ** a * sum of gamma_k / a ** k."""
    from fractions import Fraction

    logs = {
        2 * k - 1: Fraction(b) / (2 * k * (2 * k - 1))
        for k, b in enumerate(map(Fraction, ("1/6", "-1/30", "1/42", "-1/30", "5/66")), 1)
    }
    out = [Fraction(1)]
    for n in range(1, count):  # the exponential of a power series
        total = sum((j * c * out[n - j] for j, c in logs.items() if j <= n), Fraction(0))
        out.append(total / n)
    return out


def _eta(xp: Any, a: Any, x: Any) -> tuple[Any, Any]:
    mu = (x - a) / a
    return mu, xp.copysign(xp.sqrt(2 * _relative_gap(xp, a, x)), mu)


def _temme_q(xp: Any, a: Any, x: Any) -> tuple[Any, Any]:
    """P and Q near x = a, for large a."""
    _, eta = _eta(xp, a, x)
    total = xp.zeros_like(eta)
    for row in reversed(_temme()):
        total = total / a + polynomial(eta, row)
    rest = xp.exp(-0.5 * a * eta * eta) / xp.sqrt(2 * math.pi * a) * total
    turn = eta * xp.sqrt(0.5 * a)
    return 0.5 * erfc_impl(xp, -turn) - rest, 0.5 * erfc_impl(xp, turn) + rest


def temme_slope(xp: Any, a: Any, x: Any) -> Any:
    """dx / da at constant P near x = a, for large a: the derivative of Temme's form by hand."""
    mu, eta = _eta(xp, a, x)
    ratio = xp.where(xp.abs(eta) < 1e-8, 1 + eta / 3, mu / xp.where(eta == 0, 1, eta))
    total = by_eta = by_a = xp.zeros_like(eta)
    for k, row in reversed(list(enumerate(_temme()))):
        degree = len(row) - 1
        slope = tuple((degree - i) * c for i, c in enumerate(row[:-1]))
        value = polynomial(eta, row)
        total, by_eta = total / a + value, by_eta / a + polynomial(eta, slope)
        by_a = by_a / a - k * value / a
    gamma_star = xp.exp(stirling_rest(a))
    moved = total * (mu - eta * eta / 2 - 0.5 / a) - by_eta * ratio / a + by_a
    return x / a * gamma_star * (ratio - eta / 2 + moved)


Form = Callable[[Any, Any, Any], tuple[Any, Any]]


def _by_series(xp: Any, a: Any, x: Any) -> tuple[Any, Any]:
    p = series(xp, a, x)[0] * xp.exp(log_density_times_x(xp, a, x)) / a
    return p, 1 - p


def _by_small_q(xp: Any, a: Any, x: Any) -> tuple[Any, Any]:
    return _by_series(xp, a, x)[0], _small_q(xp, a, x)


def _by_fraction(xp: Any, a: Any, x: Any) -> tuple[Any, Any]:
    q = fraction(xp, a, x)[0] * xp.exp(log_density_times_x(xp, a, x))
    return 1 - q, q


def _regimes(xp: Any, a: Any, x: Any) -> list[tuple[Any, Form]]:
    """Which form holds where, for positive finite a and x."""
    near_mean = (a >= LARGE) & (xp.abs(x - a) <= 0.3 * a)
    small = ~near_mean & (x <= 1.1) & (a <= 1.1)
    right = ~near_mean & ~small & (x > a + 1)
    left = ~(near_mean | small | right)
    return [
        (near_mean, _temme_q),
        (small, _by_small_q),
        (right, _by_fraction),
        (left, _by_series),
    ]


def incomplete(xp: Any, a: Any, x: Any) -> tuple[Any, Any]:
    """P and Q in float64, each regime computed for the elements that lie in it."""
    a, x = xp.broadcast_arrays(a, x)
    shape, a, x = a.shape, a.ravel(), x.ravel()
    p = xp.where((x > 0) & (a >= 0) & (xp.isinf(x) | (a == 0)), 1.0, 0.0)
    p = xp.where((a < 0) | (x < 0) | xp.isnan(a) | xp.isnan(x), np.nan, p)
    p = xp.where(((a == 0) & (x == 0)) | (xp.isinf(a) & xp.isinf(x)), np.nan, p)
    q = 1 - p
    inside = (a > 0) & (x > 0) & ~xp.isinf(a) & ~xp.isinf(x)
    for where_, form in _regimes(xp, a, x):
        chosen = inside & where_
        if chosen.any():
            p[chosen], q[chosen] = form(xp, a[chosen], x[chosen])
    return p.reshape(shape), q.reshape(shape)


def _refuse(g: Any) -> Any:
    raise GradError(
        "igamma, igammac: the derivative with respect to the first argument is not defined; "
        "detach() it"
    )


def _density(a: Any, x: Any) -> Any:
    """The gamma density x ** (a - 1) exp(-x) / gamma(a)."""
    return exp(sub(sub(mul(sub(a, 1), log(x)), x), lgamma(a)))


@in_double
def _igamma(xp: Any, a: Any, x: Any) -> Any:
    return incomplete(xp, a, x)[0]


@in_double
def _igammac(xp: Any, a: Any, x: Any) -> Any:
    return incomplete(xp, a, x)[1]


igamma = binary(
    "igamma",
    _igamma,
    promote=FLOATING,
    d=(_refuse, lambda g, a, b: mul(g, _density(a, b))),
    domain=(0.3, 4.0),
)
igammac = binary(
    "igammac",
    _igammac,
    promote=FLOATING,
    d=(_refuse, lambda g, a, b: neg(mul(g, _density(a, b)))),
    domain=(0.3, 4.0),
)

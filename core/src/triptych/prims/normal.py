"""Functions of the normal distribution that keep their digits far out in the tails."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .chebyshev import in_double
from .elementwise import div, exp, mul, neg, reciprocal, square, sub
from .kinds import several_passes, unary
from .promotion import FLOATING
from .rational import erfc_impl, erfcx_of, erfinv_near, log_lower_tail, lower_quantile

_ROOT_2, _ROOT_2_PI = math.sqrt(2), math.sqrt(2 / math.pi)


@several_passes
@in_double
def _erfcx(xp: Any, x: Any) -> Any:
    return erfcx_of(xp, x)


erfcx = unary(
    "erfcx",
    _erfcx,
    promote=FLOATING,
    d=lambda g, a, y: mul(g, sub(mul(mul(a, y), 2), 2 / math.sqrt(math.pi))),
)


@several_passes
@in_double
def _log_ndtr(xp: Any, x: Any) -> Any:
    lower = log_lower_tail(xp, xp.minimum(x, 0))
    upper = xp.log1p(-xp.exp(log_lower_tail(xp, -xp.maximum(x, 0))))
    out = xp.where(x <= 0, lower, upper)
    return xp.where(x == -np.inf, -np.inf, xp.where(x == np.inf, 0, out))


log_ndtr = unary(
    "log_ndtr",
    _log_ndtr,
    promote=FLOATING,
    d=lambda g, a: mul(g, div(_ROOT_2_PI, erfcx(mul(a, -math.sqrt(0.5))))),
)


@several_passes
@in_double
def _ndtri(xp: Any, p: Any) -> Any:
    tail = xp.where(p < 0.5, p, 1 - p)
    valid = (tail > 0) & (tail <= 0.5)
    outer = lower_quantile(xp, xp.where(valid, tail, 0.25))
    outer = xp.where(p < 0.5, outer, -outer)
    inner = _ROOT_2 * erfinv_near(xp, xp.clip(2 * p - 1, -0.5, 0.5))
    out = xp.where(xp.abs(p - 0.5) < 0.2, inner, outer)
    out = xp.where(valid, out, xp.where(p == 0, -np.inf, np.inf))
    return xp.where((p < 0) | (p > 1) | xp.isnan(p), np.nan, out)


ndtri = unary(
    "ndtri",
    _ndtri,
    promote=FLOATING,
    d=lambda g, y: mul(g, reciprocal(_density(y))),
    domain=(0.05, 0.95),
)


def _density(x: Any) -> Any:
    return mul(exp(neg(mul(square(x), 0.5))), 1 / math.sqrt(2 * math.pi))


@several_passes
@in_double
def _ndtr(xp: Any, x: Any) -> Any:
    return 0.5 * erfc_impl(xp, x * -math.sqrt(0.5))


ndtr = unary("ndtr", _ndtr, promote=FLOATING, d=lambda g, a: mul(g, _density(a)))

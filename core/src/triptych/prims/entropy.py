"""x log y and its relatives, which are zero where x is."""

from __future__ import annotations

from typing import Any

import numpy as np

from .chebyshev import in_double
from .elementwise import add, div, eq, fill_like, le, log, log1p, logical_and, mul, neg, where
from .kinds import binary, several_passes, unary
from .promotion import FLOATING

POSITIVE = (0.3, 3.0)


@several_passes
@in_double
def _entr(xp: Any, x: Any) -> Any:
    inside = -x * xp.log(xp.where(x > 0, x, 1))
    return xp.where((x > 0) | xp.isnan(x), inside, xp.where(x == 0, 0, -np.inf))


entr = unary(
    "entr",
    _entr,
    promote=FLOATING,
    d=lambda g, a: neg(mul(g, add(log(a), 1))),
    domain=POSITIVE,
)


def _weighted(function: str) -> Any:
    """x times a function of y, zero where x is; a NaN in y stays."""

    @in_double
    def kernel(xp: Any, x: Any, y: Any) -> Any:
        return xp.where((x == 0) & ~xp.isnan(y), 0, x * getattr(xp, function)(y))

    return kernel


def _weight_slope(function: Any, edge: float) -> Any:
    """g times function(y); zero where x is zero and the function is not finite."""

    def rule(g: Any, a: Any, b: Any) -> Any:
        flat = logical_and(eq(a, 0), le(b, edge))
        return mul(g, where(flat, fill_like(g, value=0), function(b)))

    return rule


xlogy = binary(
    "xlogy",
    _weighted("log"),
    promote=FLOATING,
    d=(_weight_slope(log, 0), lambda g, a, b: mul(g, div(a, b))),
    domain=POSITIVE,
)
xlog1py = binary(
    "xlog1py",
    _weighted("log1p"),
    promote=FLOATING,
    d=(_weight_slope(log1p, -1), lambda g, a, b: mul(g, div(a, add(b, 1)))),
    domain=POSITIVE,
)

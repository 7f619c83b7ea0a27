"""Modified Bessel functions of orders zero and one.

The scaled ones, exp(-|x|) I and exp(x) K, are fitted by Chebyshev series; the others follow.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import chebyshev_tables as tables
from .bessel import NOT_DIFFERENTIATED
from .chebyshev import chebyshev, in_double
from .elementwise import add, div, eq, mul, reciprocal, sign, sub, where
from .kinds import several_passes, unary
from .promotion import FLOATING


def _scaled_i(xp: Any, size: Any, order: int) -> Any:
    near_table, far_table = (
        (tables.I0_NEAR, tables.I0_FAR) if order == 0 else (tables.I1_NEAR, tables.I1_FAR)
    )
    low, high = xp.minimum(size, 8), xp.maximum(size, 8)
    near = chebyshev(low / 4 - 1, near_table)
    far = chebyshev(16 / high - 1, far_table) / xp.sqrt(high)
    return xp.where(size <= 8, near if order == 0 else near * low, far)


def _unscaled(xp: Any, y: Any, size: Any) -> Any:
    half = xp.exp(size / 2)  # in two steps, since exp(size) overflows before the product does
    return xp.where(xp.isinf(size), np.inf, y * half * half)


@several_passes
@in_double
def _i0(xp: Any, x: Any) -> Any:
    size = xp.abs(x)
    return _unscaled(xp, _scaled_i(xp, size, 0), size)


@several_passes
@in_double
def _i0e(xp: Any, x: Any) -> Any:
    return _scaled_i(xp, xp.abs(x), 0)


@several_passes
@in_double
def _i1(xp: Any, x: Any) -> Any:
    size = xp.abs(x)
    return xp.copysign(_unscaled(xp, _scaled_i(xp, size, 1), size), x)


@several_passes
@in_double
def _i1e(xp: Any, x: Any) -> Any:
    return xp.copysign(_scaled_i(xp, xp.abs(x), 1), x)


def _slope_at_zero(g: Any, a: Any, slope: Any) -> Any:
    """g times the derivative of an odd I function, one half at zero."""
    return mul(g, where(eq(a, 0), 0.5, slope(where(eq(a, 0), 1.0, a))))


def _i1_slope(g: Any, a: Any) -> Any:
    return _slope_at_zero(g, a, lambda x: sub(i0(x), div(i1(x), x)))


def _i1e_slope(g: Any, a: Any) -> Any:
    return _slope_at_zero(g, a, lambda x: sub(i0e(x), mul(i1e(x), add(sign(x), reciprocal(x)))))


def _i0e_slope(g: Any, a: Any, y: Any) -> Any:
    return mul(g, sub(i1e(a), mul(sign(a), y)))


i0 = unary("i0", _i0, promote=FLOATING, d=lambda g, a: mul(g, i1(a)))
i0e = unary("i0e", _i0e, promote=FLOATING, d=_i0e_slope, domain=(0.2, 3.0))
i1 = unary("i1", _i1, promote=FLOATING, d=_i1_slope, domain=(0.2, 3.0))
i1e = unary("i1e", _i1e, promote=FLOATING, d=_i1e_slope, domain=(0.2, 3.0))


def _scaled_k(xp: Any, x: Any, order: int, scaled: bool) -> Any:
    low, high = xp.clip(x, 0, 2), xp.maximum(x, 2)
    t, log = low * low / 2 - 1, xp.log(low / 2)
    inner = _scaled_i(xp, low, order) * xp.exp(low)
    if order == 0:
        near = chebyshev(t, tables.K0_NEAR) - log * inner
    else:
        near = chebyshev(t, tables.K1_NEAR) / low + log * inner
    table = tables.K0_FAR if order == 0 else tables.K1_FAR
    far = chebyshev(4 / high - 1, table) / xp.sqrt(high)
    if scaled:
        near = near * xp.exp(low)
    else:
        far = far * xp.exp(-high)
    y = xp.where(x <= 2, near, far)
    return xp.where(x == 0, np.inf, xp.where(x < 0, np.nan, y))


def _k_function(name: str, order: int, scaled: bool) -> Any:
    @several_passes
    @in_double
    def kernel(xp: Any, x: Any) -> Any:
        return _scaled_k(xp, x, order, scaled)

    return unary(name, kernel, promote=FLOATING, d=NOT_DIFFERENTIATED)


modified_bessel_k0 = _k_function("modified_bessel_k0", 0, False)
modified_bessel_k1 = _k_function("modified_bessel_k1", 1, False)
scaled_modified_bessel_k0 = _k_function("scaled_modified_bessel_k0", 0, True)
scaled_modified_bessel_k1 = _k_function("scaled_modified_bessel_k1", 1, True)

"""Bessel functions of orders zero and one.

Near zero each is a Chebyshev series in x squared; far out the amplitude and phase of Hankel's
asymptotic form (Abramowitz and Stegun 9.2.5, 9.2.6) are, in one over x squared.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import chebyshev_tables as tables
from .chebyshev import chebyshev, in_double
from .kinds import several_passes, unary
from .promotion import FLOATING
from .table import NA

NOT_DIFFERENTIATED = NA("torch defines no derivative of this function")
_NEAR = 8.0  # where the two forms meet
_HALF_ROOT = math.sqrt(0.5)


def _near(size: Any, table: tuple[float, ...]) -> Any:
    return chebyshev(size * size * (2 / _NEAR**2) - 1, table)


def _wave(
    xp: Any, size: Any, order: int, tables_of: tuple[tuple[float, ...], tuple[float, ...]]
) -> tuple[Any, Any]:
    """J and Y for size >= 8. The phase x - (2 n + 1) pi / 4 is taken apart by the addition
    theorem, since rounding the difference would lose the digits of large x.
    """
    t = (_NEAR / size) ** 2 * 2 - 1
    p, q = (chebyshev(t, table) for table in tables_of)
    q = q / size
    sine, cosine = xp.sin(size) * _HALF_ROOT, xp.cos(size) * _HALF_ROOT
    cos_phase, sin_phase = cosine + sine, sine - cosine
    if order == 1:
        cos_phase, sin_phase = sin_phase, -cos_phase
    scale = xp.sqrt(2 / (math.pi * size))
    return scale * (p * cos_phase - q * sin_phase), scale * (p * sin_phase + q * cos_phase)


def _bessel_j(xp: Any, x: Any, order: int) -> Any:
    size = xp.abs(x)
    low, high = xp.minimum(size, _NEAR), xp.maximum(size, _NEAR)
    if order == 0:
        near = _near(low, tables.J0_NEAR)
        far = _wave(xp, high, 0, (tables.P0, tables.Q0))[0]
    else:
        near = low * _near(low, tables.J1_NEAR)
        far = _wave(xp, high, 1, (tables.P1, tables.Q1))[0]
    y = xp.where(size <= _NEAR, near, xp.where(xp.isinf(size), 0, far))
    return y if order == 0 else xp.where(x < 0, -y, y)


def _bessel_y(xp: Any, x: Any, order: int) -> Any:
    low, high = xp.clip(x, 0, _NEAR), xp.maximum(x, _NEAR)
    log = xp.log(low)
    if order == 0:
        near = _near(low, tables.Y0_NEAR) + 2 / math.pi * log * _near(low, tables.J0_NEAR)
        far = _wave(xp, high, 0, (tables.P0, tables.Q0))[1]
    else:
        smooth = low * _near(low, tables.Y1_NEAR)
        near = low * _near(low, tables.J1_NEAR) * log - 1 / low
        near = smooth + 2 / math.pi * near
        far = _wave(xp, high, 1, (tables.P1, tables.Q1))[1]
    y = xp.where(x <= _NEAR, near, xp.where(xp.isinf(x), 0, far))
    return xp.where(x == 0, -np.inf, xp.where(x < 0, np.nan, y))


@several_passes
@in_double
def _j0(xp: Any, x: Any) -> Any:
    return _bessel_j(xp, x, 0)


@several_passes
@in_double
def _j1(xp: Any, x: Any) -> Any:
    return _bessel_j(xp, x, 1)


@several_passes
@in_double
def _y0(xp: Any, x: Any) -> Any:
    return _bessel_y(xp, x, 0)


@several_passes
@in_double
def _y1(xp: Any, x: Any) -> Any:
    return _bessel_y(xp, x, 1)


bessel_j0 = unary("bessel_j0", _j0, promote=FLOATING, d=NOT_DIFFERENTIATED)
bessel_j1 = unary("bessel_j1", _j1, promote=FLOATING, d=NOT_DIFFERENTIATED)
bessel_y0 = unary("bessel_y0", _y0, promote=FLOATING, d=NOT_DIFFERENTIATED)
bessel_y1 = unary("bessel_y1", _y1, promote=FLOATING, d=NOT_DIFFERENTIATED)


@several_passes
@in_double
def _spherical_j0(xp: Any, x: Any) -> Any:
    safe = xp.where((x == 0) | xp.isinf(x), 1, x)
    return xp.where(x == 0, 1, xp.where(xp.isinf(x), 0, xp.sin(safe) / safe))


spherical_bessel_j0 = unary(
    "spherical_bessel_j0", _spherical_j0, promote=FLOATING, d=NOT_DIFFERENTIATED
)

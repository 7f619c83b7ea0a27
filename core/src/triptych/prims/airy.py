"""Airy's function: Abramowitz and Stegun 10.4.59 and 10.4.60, with z = 2/3 |x| ** 1.5."""

from __future__ import annotations

import math
from typing import Any

from . import chebyshev_tables as tables
from .bessel import NOT_DIFFERENTIATED
from .chebyshev import chebyshev, in_double
from .kinds import several_passes, unary
from .promotion import FLOATING

_LOW, _HIGH = -3.0, 2.0  # where the series meet
_HALF_ROOT = math.sqrt(0.5)


def _airy_zeta(size: Any) -> Any:
    return 2 / 3 * size**1.5


@several_passes
@in_double
def _airy_ai(xp: Any, x: Any) -> Any:
    near = chebyshev(
        (xp.clip(x, _LOW, _HIGH) - (_LOW + _HIGH) / 2) * 2 / (_HIGH - _LOW), tables.AIRY_NEAR
    )
    high = xp.maximum(x, _HIGH)
    z = _airy_zeta(high)
    t = 2 * _airy_zeta(_HIGH) / z - 1
    tail = chebyshev(t, tables.AIRY_TAIL) * xp.exp(-z) / (2 * math.sqrt(math.pi) * high**0.25)
    y = xp.where(x > _HIGH, tail, xp.where(x < _LOW, _airy_wave(xp, x), near))
    return xp.where(xp.isinf(x), 0, y)


def _airy_wave(xp: Any, x: Any) -> Any:
    size = xp.maximum(-x, -_LOW)
    z = _airy_zeta(size)
    t = 2 * (_airy_zeta(-_LOW) / z) ** 2 - 1
    p, q = chebyshev(t, tables.AIRY_P), chebyshev(t, tables.AIRY_Q) / z
    sine, cosine = xp.sin(z) * _HALF_ROOT, xp.cos(z) * _HALF_ROOT
    wave = p * (cosine + sine) + q * (sine - cosine)
    return wave / (math.sqrt(math.pi) * size**0.25)


airy_ai = unary("airy_ai", _airy_ai, promote=FLOATING, d=NOT_DIFFERENTIATED)

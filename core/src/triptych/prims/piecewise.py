"""Activations made of straight pieces: relu6, hardsigmoid and hardswish, and their slopes.

They are composites, so that exporters and traces see what they are made of; forward and backward
are one pass each. There is no gradient at a kink but for that of hardswish, which is flat at -3.
"""

from __future__ import annotations

from typing import Any

from .batching import leading
from .composite import composite
from .elementwise import abs as abs_
from .elementwise import add, cast, fill_like, ge, lt, mul, relu, where
from .kinds import binary, half_as_single, several_passes, slope
from .promotion import FLOATING, raw_dtype

__all__ = ["hardsigmoid", "hardsigmoid_dx", "hardswish", "hardswish_dx", "relu6", "relu6_dx"]


def _relu6_decomp(x: Any) -> Any:
    y = relu(x)
    return where(ge(y, 6), 6.0, y)


@several_passes
def _relu6(xp: Any, x: Any) -> Any:
    one = x.dtype.type
    return xp.minimum(xp.maximum(x, one(0)), one(6))


relu6_dx = binary(
    "relu6_dx",
    slope(lambda xp, g, y: xp.where((y > 0) & (y < 6), g, g.dtype.type(0))),
    promote=FLOATING,
    d=(lambda g, b: relu6_dx(g, b), lambda g: fill_like(g, value=0)),
    domain=(0.3, 3.0),
)
"""g where 0 < y < 6, else 0: the gradient of x for the gradient g of y = relu6(x)."""
relu6 = composite(
    "relu6",
    _relu6_decomp,
    _relu6,
    (lambda g, y: relu6_dx(g, y),),
    partials=True,
    promote=FLOATING,
    vmap=leading,
    amp="as is",
)
"""min(max(x, 0), 6). Source: Krizhevsky 2010, section 2."""


def _hardsigmoid_decomp(x: Any) -> Any:
    return mul(_relu6_decomp(add(x, 3)), 1 / 6)


@several_passes
@half_as_single
def _hardsigmoid(xp: Any, x: Any) -> Any:
    one = x.dtype.type
    return xp.minimum(xp.maximum(x + one(3), one(0)), one(6)) * one(1 / 6)


@slope
def _hardsigmoid_dx(xp: Any, g: Any, x: Any) -> Any:
    one = x.dtype.type
    return xp.where(xp.abs(x) < 3, g * one(1 / 6), one(0))


hardsigmoid_dx = binary(
    "hardsigmoid_dx",
    _hardsigmoid_dx,
    promote=FLOATING,
    d=(lambda g, b: hardsigmoid_dx(g, b), lambda g: fill_like(g, value=0)),
)
"""The gradient of hardsigmoid at x for that of its result."""
hardsigmoid = composite(
    "hardsigmoid",
    _hardsigmoid_decomp,
    _hardsigmoid,
    (lambda g, a: hardsigmoid_dx(g, a),),
    partials=True,
    promote=FLOATING,
    vmap=leading,
    amp="as is",
)
"""relu6(x + 3) / 6. Source: Howard et al. 2019, section 5.2."""


@several_passes
@half_as_single
def _hardswish(xp: Any, x: Any) -> Any:
    y = _hardsigmoid(xp, x)
    y *= x
    return y


@slope
def _hardswish_dx(xp: Any, g: Any, x: Any) -> Any:
    one = x.dtype.type
    y = xp.where(xp.abs(x) < 3, x * one(1 / 6), one(0))
    y += _hardsigmoid(xp, x)
    return y * g


def _hardswish_bend(g: Any, a: Any, b: Any) -> Any:
    """g a times the second derivative at b: 1 / 3 between -3 and 3."""
    inside = cast(lt(abs_(b), 3), dtype=raw_dtype("hardswish", b))
    return mul(g, mul(a, mul(inside, 1 / 3)))


hardswish_dx = binary(
    "hardswish_dx",
    _hardswish_dx,
    promote=FLOATING,
    d=(lambda g, b: hardswish_dx(g, b), _hardswish_bend),
)
"""The gradient of hardswish at x for that of its result."""
hardswish = composite(
    "hardswish",
    lambda x: mul(x, _hardsigmoid_decomp(x)),
    _hardswish,
    (lambda g, a: hardswish_dx(g, a),),
    partials=True,
    promote=FLOATING,
    vmap=leading,
    amp="as is",
)
"""x * hardsigmoid(x). Source: Howard et al. 2019, eq. 1."""

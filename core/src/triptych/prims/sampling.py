"""Random numbers whose distribution depends on arrays, and how gamma draws follow their shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..avals import Aval, broadcast_shapes
from . import naming
from .chebyshev import in_double
from .gamma import digamma
from .incomplete_gamma import LARGE, fraction, series, temme_slope
from .kinds import binary, half_as_single, primitive
from .promotion import FLOATING
from .table import NA

DRAWN = NA("a draw jumps from number to number, so it has no derivative")


def _like(x: Any, **params: Any) -> Aval:
    return Aval(x.shape, x.dtype)


def _poisson(xp: Any, rate: Any, *, generator: Any, device: Any) -> Any:
    drawn = generator.source(device).poisson(rate.astype(np.float64))
    return xp.asarray(drawn).astype(rate.dtype)  # NumPy gives a Python number for a 0-d rate


poisson = primitive(
    "poisson",
    "create",
    _poisson,
    _like,
    DRAWN,
    promote=FLOATING,
    effect=True,
    amp="as is",
    names=naming.keep,
)


def _binomial(xp: Any, count: Any, prob: Any, *, generator: Any, device: Any) -> Any:
    count, prob = xp.broadcast_arrays(count, prob)
    whole, wide = count.astype(np.int64), prob.astype(np.float64)
    return xp.asarray(generator.source(device).binomial(whole, wide)).astype(prob.dtype)


def _binomial_aval(count: Any, prob: Any, **params: Any) -> Aval:
    return Aval(broadcast_shapes("binomial", count.shape, prob.shape), prob.dtype)


binomial = primitive(
    "binomial",
    "create",
    _binomial,
    _binomial_aval,
    DRAWN,
    promote=FLOATING,
    effect=True,
    amp="widest",
    names=naming.broadcast("binomial"),
)


@half_as_single
def _log_gamma_draw(xp: Any, shape: Any, *, generator: Any, device: Any) -> Any:
    """For a shape below one, gamma(a) is gamma(a + 1) times u ** (1 / a): its logarithm is a number
    where it would itself vanish.
    """
    wide, source = shape.astype(np.float64), generator.source(device)
    small = wide < 1
    draw = xp.log(source.standard_gamma(xp.where(small, wide + 1, wide)))
    boost = xp.log1p(-source.random(wide.shape)) / wide
    return (draw + xp.where(small, boost, 0)).astype(shape.dtype)


log_gamma_draw = primitive(
    "log_gamma_draw",
    "create",
    _log_gamma_draw,
    _like,
    DRAWN,
    promote=FLOATING,
    effect=True,
    amp="as is",
    names=naming.keep,
)
"""The logarithm of a gamma variable of this shape and rate one."""


@in_double
def _log_gamma_slope(xp: Any, a: Any, log_x: Any) -> Any:
    """d log(x) / da at constant P(a, x) = -(dP / da) / (x dP / dx), by the form of P that holds.

    Figurnov, Mohamed and Mnih 2018, "Implicit reparameterization gradients", eq. 5.
    """
    a, log_x = xp.broadcast_arrays(a, log_x)
    shape, a, log_x = a.shape, a.ravel(), log_x.ravel()
    x, out = xp.exp(log_x), xp.empty(a.shape)
    middle = (a >= LARGE) & (xp.abs(x - a) <= 0.3 * a)
    right = ~middle & (x > a + 2 * xp.sqrt(a) + 2)
    left = ~(middle | right)
    if middle.any():
        out[middle] = temme_slope(xp, a[middle], x[middle]) / x[middle]
    if right.any():
        value, by_a = fraction(xp, a[right], x[right])
        out[right] = value * (log_x[right] - digamma(xp, a[right])) + by_a
    if left.any():
        total, moved = series(xp, a[left], x[left])
        away = log_x[left] - digamma(xp, a[left] + 1)
        out[left] = (moved - away * total) / a[left]
    return out.reshape(shape)


log_gamma_slope = binary(
    "log_gamma_slope",
    _log_gamma_slope,
    promote=FLOATING,
    d=NA("a derivative itself; its own would need one more of the incomplete gamma function"),
    domain=(0.5, 3.0),
)
"""How the logarithm of a gamma variable moves with its shape when its quantile stays."""

"""Functions that NumPy lacks, by rational approximation."""

from __future__ import annotations

import math
from typing import Any

from .kinds import half_as_single, several_passes

_ROOT_HALF = math.sqrt(0.5)
# W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969),
# tables II to IV; coefficients from the highest power down, relative error below 6e-17.
_NEAR_P = (
    1.85777706184603153e-1,
    3.16112374387056560,
    1.13864154151050156e2,
    3.77485237685302021e2,
    3.20937758913846947e3,
)
_NEAR_Q = (
    1.0,
    2.36012909523441209e1,
    2.44024637934444173e2,
    1.28261652607737228e3,
    2.84423683343917062e3,
)
_MID_P = (
    2.15311535474403846e-8,
    5.64188496988670089e-1,
    8.88314979438837594,
    6.61191906371416295e1,
    2.98635138197400131e2,
    8.81952221241769090e2,
    1.71204761263407058e3,
    2.05107837782607147e3,
    1.23033935479799725e3,
)
_MID_Q = (
    1.0,
    1.57449261107098347e1,
    1.17693950891312499e2,
    5.37181101862009858e2,
    1.62138957456669019e3,
    3.29079923573345963e3,
    4.36261909014324716e3,
    3.43936767414372164e3,
    1.23033935480374942e3,
)
_FAR_P = (
    1.63153871373020978e-2,
    3.05326634961232344e-1,
    3.60344899949804439e-1,
    1.25781726111229246e-1,
    1.60837851487422766e-2,
    6.58749161529837803e-4,
)
_FAR_Q = (
    1.0,
    2.56852019228982242,
    1.87295284992346725,
    5.27905102951428412e-1,
    6.05183413124413191e-2,
    2.33520497626869185e-3,
)
# Eigen's rational approximation in single precision (unsupported/Eigen/SpecialFunctions, also used
# by XLA): erf(x) = x P(x^2) / Q(x^2) for |x| <= 4, absolute error below 4e-7.
_SINGLE_P = (
    -2.72614225801306e-10,
    2.77068142495902e-08,
    -2.10102402082508e-06,
    -5.69250639462346e-05,
    -7.34990630326855e-04,
    -2.95459980854025e-03,
    -1.60960333262415e-02,
)
_SINGLE_Q = (
    -1.45660718464996e-05,
    -2.13374055278905e-04,
    -1.68282697438203e-03,
    -7.37332916720468e-03,
    -1.42647390514189e-02,
)


def _horner(x: Any, coefficients: tuple[float, ...]) -> Any:
    total = x * coefficients[0]
    for c in coefficients[1:-1]:
        total += c
        total *= x
    total += coefficients[-1]
    return total


@several_passes
@half_as_single
def erf_impl(xp: Any, x: Any) -> Any:
    """erf(x), in the precision of x."""
    return _erf_single(xp, x) if x.dtype == xp.float32 else _erf_double(xp, x)


def _erf_single(xp: Any, x: Any) -> Any:
    x = xp.clip(x, -4, 4)  # beyond, erf is one in single precision
    square = x * x
    x *= _horner(square, _SINGLE_P)
    x /= _horner(square, _SINGLE_Q)
    return x


def _erf_double(xp: Any, x: Any) -> Any:
    size = xp.abs(x)
    near = size <= 0.46875
    small = xp.where(near, x, 0)
    square = small * small
    inner = small * _horner(square, _NEAR_P) / _horner(square, _NEAR_Q)
    large = xp.minimum(size, 6.0)  # beyond, erfc is below half an ulp of one
    tail = xp.exp(-large * large) * _horner(large, _MID_P) / _horner(large, _MID_Q)
    outer = xp.copysign(1 - tail, x)
    return xp.where(near, inner, xp.where(xp.isnan(x), x, outer))


def _scaled_tail(xp: Any, size: Any) -> Any:
    """exp(size ** 2) * erfc(size) for size >= 0.46875."""
    middle = xp.clip(size, 0.46875, 4.0)
    mid = _horner(middle, _MID_P) / _horner(middle, _MID_Q)
    outer = xp.maximum(size, 4.0)
    inverse = 1 / (outer * outer)
    ratio = inverse * _horner(inverse, _FAR_P) / _horner(inverse, _FAR_Q)
    far = (1 / math.sqrt(math.pi) - ratio) / outer
    return xp.where(size <= 4.0, mid, far)


def _exp_square(xp: Any, size: Any, sign: int) -> Any:
    """exp(sign * size ** 2); the square is taken apart, since its rounding error would count."""
    size = xp.minimum(size, 40.0)  # beyond, the result is zero or infinite anyway
    coarse = xp.floor(size * 16) / 16
    return xp.exp(sign * coarse * coarse) * xp.exp(sign * (size - coarse) * (size + coarse))


@several_passes
@half_as_single
def erfc_impl(xp: Any, x: Any) -> Any:
    """1 - erf(x), exact far out where erf is nearly one."""
    size = xp.abs(x)
    tail = _exp_square(xp, size, -1) * _scaled_tail(xp, size)
    near = 1 - erf_impl(xp, x)
    return xp.where(size <= 0.46875, near, xp.where(x < 0, 2 - tail, tail)).astype(x.dtype)


def erfcx_of(xp: Any, x: Any) -> Any:
    """exp(x ** 2) * erfc(x) of float64 values."""
    size = xp.abs(x)
    small = xp.where(size <= 0.46875, x, 0)
    near = xp.exp(small * small) * (1 - _erf_double(xp, small))
    tail = _scaled_tail(xp, size)
    far = xp.where(x < 0, 2 * _exp_square(xp, size, 1) - tail, tail)
    return xp.where(size <= 0.46875, near, far)


def log_lower_tail(xp: Any, x: Any) -> Any:
    """log of the normal distribution function of float64 values <= 0."""
    return xp.log(erfcx_of(xp, x * -_ROOT_HALF) * 0.5) - 0.5 * x * x


def lower_quantile(xp: Any, p: Any) -> Any:
    """The x whose normal distribution function is p, for float64 p in (0, 1/2]: a first guess right
    to 5e-4 (Abramowitz and Stegun 26.2.23), then Newton's steps on the logarithm, which keeps its
    digits however small p is.
    """
    wanted = xp.log(p)
    t = xp.sqrt(-2 * wanted)
    above = (0.010328 * t + 0.802853) * t + 2.515517
    below = ((0.001308 * t + 0.189269) * t + 1.432788) * t + 1
    x = xp.minimum(above / below - t, 0)
    for _ in range(3):
        scaled = erfcx_of(xp, x * -_ROOT_HALF)
        error = wanted - xp.log(scaled * 0.5) + 0.5 * x * x
        x = x + error * scaled * math.sqrt(math.pi / 2)
    return x


def erfinv_near(xp: Any, y: Any) -> Any:
    """erfinv of float64 values from -1/2 to 1/2, by Newton's steps on erf."""
    # S. Winitzki 2008, "A handy approximation for the error function and its inverse", a = 0.147.
    log = xp.log1p(-y * y)
    half = 2 / (math.pi * 0.147) + log / 2
    x = xp.copysign(xp.sqrt(xp.maximum(xp.sqrt(half * half - log / 0.147) - half, 0)), y)
    for _ in range(3):
        x = x + (y - _erf_double(xp, x)) * (math.sqrt(math.pi) / 2) * xp.exp(x * x)
    return x


@several_passes
@half_as_single
def erfinv_impl(xp: Any, y: Any) -> Any:
    """The x with erf(x) = y, computed in double precision."""
    wide = y.astype(xp.float64)
    size = xp.abs(wide)
    near = erfinv_near(xp, xp.clip(wide, -0.5, 0.5))
    inside = (size > 0.5) & (size < 1)
    far = lower_quantile(xp, xp.where(inside, (1 - size) / 2, 0.25)) * -_ROOT_HALF
    far = xp.copysign(xp.where(size == 1, xp.inf, far), wide)
    x = xp.where(size <= 0.5, near, far)
    known = size <= 1  # not of NaN
    return xp.where(known, xp.where(wide == 0, wide, x), xp.nan).astype(y.dtype)

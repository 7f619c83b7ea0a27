"""Special functions, and elementwise functions made of a few others."""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from ..errors import DomainError, DTypeError, ShapeError
from ..prims import elementwise as ew
from ..prims import entropy, gamma, incomplete_gamma, modified_bessel
from ..tensor import Tensor
from .creation import as_tensor, cast_to
from .pointwise import _public, clamp
from .shape import broadcast_tensors, check_tensors, stack
from .strided import view_as_complex

__all__ = [
    "clamp_max",
    "clamp_min",
    "complex",
    "copysign",
    "deg2rad",
    "digamma",
    "erfc",
    "erfinv",
    "float_power",
    "fmax",
    "fmin",
    "frac",
    "heaviside",
    "hypot",
    "i0",
    "igamma",
    "igammac",
    "isneginf",
    "isposinf",
    "isreal",
    "ldexp",
    "lgamma",
    "logaddexp2",
    "logit",
    "mvlgamma",
    "nan_to_num",
    "nextafter",
    "polar",
    "polygamma",
    "positive",
    "rad2deg",
    "rsub",
    "sgn",
    "signbit",
    "sinc",
    "xlogy",
]

erfc = _public(ew.erfc, "1 - erf(x), exact where erf is nearly one.")
erfinv = _public(ew.erfinv, "The x whose erf is the input; inf at -1 and 1.")
lgamma = _public(gamma.lgamma, "The logarithm of the absolute value of the gamma function.")
copysign = _public(ew.copysign, "The size of input with the sign of other.")
hypot = _public(ew.hypot, "sqrt(input ** 2 + other ** 2) without overflow.")
nextafter = _public(ew.nextafter, "The next floating number after input towards other.")
sgn = ew.sign
i0 = _public(modified_bessel.i0, "The modified Bessel function of the first kind of order zero.")
igamma = _public(
    incomplete_gamma.igamma,
    "The regularised lower incomplete gamma function P(input, other): the distribution function at "
    "other of a gamma variable of shape input. Differentiable by other only.",
)
igammac = _public(
    incomplete_gamma.igammac, "1 - igamma(input, other), exact where that is nearly zero."
)
xlogy = _public(entropy.xlogy, "input * log(other), and zero where input is zero.")


def digamma(input: Tensor) -> Tensor:
    """The derivative of lgamma."""
    return gamma.polygamma(input, n=0)


def polygamma(n: int, input: Tensor) -> Tensor:
    """The n-th derivative of digamma.

    Raises:
        DomainError: n is negative.
    """
    if n < 0:
        raise DomainError(f"polygamma: wanted n >= 0, got {n}")
    return gamma.polygamma(input, n=int(n))


def mvlgamma(input: Tensor, p: int) -> Tensor:
    """The logarithm of the multivariate gamma function of dimension p."""
    if p < 1:
        raise ShapeError(f"mvlgamma: wanted p >= 1, got {p}")
    total: Any = p * (p - 1) / 4 * math.log(math.pi)
    for j in range(p):
        total = ew.add(gamma.lgamma(ew.sub(input, j / 2)), total)
    return total


def positive(input: Tensor) -> Tensor:
    """The tensor itself; refused for booleans."""
    if input._data.dtype == dtypes.BOOL:
        raise DTypeError("positive: not defined for bool elements")
    return input


def clamp_min(input: Tensor, min: Any) -> Tensor:
    """`clamp` from below."""
    check_tensors("clamp_min", (input,))
    return clamp(input, min=min)


def clamp_max(input: Tensor, max: Any) -> Tensor:
    """`clamp` from above."""
    check_tensors("clamp_max", (input,))
    return clamp(input, max=max)


def rsub(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """other - alpha * input."""
    return ew.sub(other, input if alpha == 1 else ew.mul(input, alpha))


def frac(input: Tensor) -> Tensor:
    """What `trunc` cuts off."""
    return ew.sub(input, ew.trunc(input))


def deg2rad(input: Tensor) -> Tensor:
    """Degrees to radians."""
    return ew.mul(input, math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """Radians to degrees."""
    return ew.mul(input, 180 / math.pi)


def sinc(input: Tensor) -> Tensor:
    """sin(pi x) / (pi x), and one at zero."""
    x = ew.mul(input, math.pi)
    at_zero = ew.eq(x, 0)
    safe = ew.where(at_zero, 1.0, x)
    return ew.where(at_zero, 1.0, ew.div(ew.sin(safe), safe))


def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """log(x / (1 - x)), the inverse of sigmoid; eps keeps x within [eps, 1 - eps]."""
    x = input if eps is None else clamp(input, eps, 1 - eps)
    return ew.log(ew.div(x, ew.sub(1, x)))


def logaddexp2(input: Tensor, other: Tensor) -> Tensor:
    """log2(2 ** input + 2 ** other) without overflow."""
    scale = math.log(2)
    return ew.div(ew.logaddexp(ew.mul(input, scale), ew.mul(other, scale)), scale)


def _unless_nan(better: Any, input: Tensor, other: Tensor) -> Tensor:
    first = ew.logical_or(better(input, other), ew.isnan(other))
    return ew.where(first, input, other)


def fmax(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two; a number where one is NaN. A tie is the first's."""
    return _unless_nan(ew.ge, input, other)


def fmin(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two; a number where one is NaN. A tie is the first's."""
    return _unless_nan(ew.le, input, other)


def nan_to_num(
    input: Tensor, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """NaN and infinities replaced by numbers; infinities by the dtype's extremes unless given."""
    if not dtypes.is_inexact(input._data.dtype):
        return input.clone()
    limits = dtypes.finfo(input.dtype)
    high = limits.max if posinf is None else posinf
    low = limits.min if neginf is None else neginf
    out = ew.where(ew.isnan(input), nan, input)
    out = ew.where(ew.eq(out, math.inf), high, out)
    return ew.where(ew.eq(out, -math.inf), low, out)


def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """0 below zero, 1 above, and the given value at zero."""
    check_tensors("heaviside", (input, values))
    step = cast_to(ew.gt(input, 0), input._data.dtype)
    return ew.where(ew.eq(input, 0), values, ew.where(ew.isnan(input), input, step))


def signbit(input: Tensor) -> Tensor:
    """Whether the sign bit is set: True for negative numbers and for -0.0."""
    if not dtypes.is_inexact(input._data.dtype):
        return ew.lt(input, 0)
    ones = ew.fill_like(input.detach(), value=1)
    return ew.lt(ew.copysign(ones, input.detach()), 0)


def isposinf(input: Tensor) -> Tensor:
    """Where elements are plus infinity."""
    return ew.eq(input, math.inf)


def isneginf(input: Tensor) -> Tensor:
    """Where elements are minus infinity."""
    return ew.eq(input, -math.inf)


def isreal(input: Tensor) -> Tensor:
    """Where the imaginary part is zero."""
    return ew.eq(ew.imag(input), 0)


def float_power(input: Any, exponent: Any) -> Tensor:
    """`pow` in double precision."""
    wide = [x.to(_double(x)) if isinstance(x, Tensor) else x for x in (input, exponent)]
    if not isinstance(wide[0], Tensor):
        wide[0] = as_tensor(wide[0], dtype=wide[1].dtype)
    return ew.pow(*wide)


def _double(x: Tensor) -> dtypes.dtype:
    return dtypes.complex128 if x._data.dtype.kind == "c" else dtypes.float64


def ldexp(input: Tensor, other: Tensor) -> Tensor:
    """input * 2 ** other."""
    return ew.mul(input, ew.pow(2.0, other))


def complex(real: Tensor, imag: Tensor) -> Tensor:
    """Complex numbers from real and imaginary parts.

    Raises:
        DTypeError: the parts are not of one floating dtype.
    """
    if real.dtype != imag.dtype or not dtypes.is_floating(real._data.dtype):
        raise DTypeError(
            f"complex: wanted two parts of one floating dtype, got {real.dtype}, {imag.dtype}"
        )
    part = dtypes.real_of(dtypes.complex_of(real._data.dtype))  # float32 for half types
    pairs = stack(broadcast_tensors(cast_to(real, part), cast_to(imag, part)), -1)
    return view_as_complex(pairs)


def polar(abs: Tensor, angle: Tensor) -> Tensor:
    """Complex numbers from magnitudes and angles in radians."""
    return complex(ew.mul(abs, ew.cos(angle)), ew.mul(abs, ew.sin(angle)))

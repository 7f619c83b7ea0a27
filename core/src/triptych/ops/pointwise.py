"""Elementwise functions. Inputs broadcast and are brought to one dtype; Python numbers are weak."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import dtypes
from ..avals import normalize_axis
from ..errors import DTypeError
from ..prims import composite
from ..prims import elementwise as ew
from ..tensor import Tensor
from .creation import cast_to, check_number

__all__ = [
    "abs",
    "absolute",
    "acos",
    "acosh",
    "add",
    "addcdiv",
    "addcmul",
    "angle",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "ceil",
    "clamp",
    "clip",
    "conj",
    "cos",
    "cosh",
    "div",
    "divide",
    "eq",
    "erf",
    "exp",
    "exp2",
    "expm1",
    "fix",
    "floor",
    "floor_divide",
    "fmod",
    "gcd",
    "ge",
    "greater",
    "greater_equal",
    "gt",
    "imag",
    "isfinite",
    "isinf",
    "isnan",
    "lcm",
    "le",
    "lerp",
    "less",
    "less_equal",
    "log",
    "log10",
    "log1p",
    "log2",
    "log_softmax",
    "logaddexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "lt",
    "maximum",
    "minimum",
    "mul",
    "multiply",
    "ne",
    "neg",
    "negative",
    "not_equal",
    "pow",
    "real",
    "reciprocal",
    "relu",
    "remainder",
    "round",
    "rsqrt",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "softmax",
    "sqrt",
    "square",
    "sub",
    "subtract",
    "tan",
    "tanh",
    "true_divide",
    "trunc",
    "where",
]


def _public(primitive: Callable[..., Any], doc: str) -> Callable[..., Any]:
    """A primitive offered under its own name: the call users make is the fast path itself."""
    primitive.__doc__ = doc
    return primitive


abs = absolute = _public(
    ew.abs, "The absolute value; for complex elements the magnitude, which is real."
)
neg = negative = _public(ew.neg, "The negative of each element.")
sign = _public(ew.sign, "-1, 0 or 1 by the sign of each element; for complex ones x / |x|.")
exp = _public(ew.exp, "e to the power of each element.")
exp2 = _public(ew.exp2, "2 to the power of each element.")
expm1 = _public(ew.expm1, "exp(x) - 1, exact near zero.")
log = _public(ew.log, "The natural logarithm.")
log2 = _public(ew.log2, "The logarithm to base 2.")
log10 = _public(ew.log10, "The logarithm to base 10.")
log1p = _public(ew.log1p, "log(1 + x), exact near zero.")
sqrt = _public(ew.sqrt, "The square root.")
rsqrt = _public(ew.rsqrt, "One over the square root.")
square = _public(ew.square, "x * x.")
reciprocal = _public(ew.reciprocal, "1 / x.")
sin = _public(ew.sin, "The sine of radians.")
cos = _public(ew.cos, "The cosine of radians.")
tan = _public(ew.tan, "The tangent of radians.")
asin = arcsin = _public(ew.asin, "The angle in radians whose sine is x.")
acos = arccos = _public(ew.acos, "The angle in radians whose cosine is x.")
atan = arctan = _public(ew.atan, "The angle in radians whose tangent is x.")
sinh = _public(ew.sinh, "The hyperbolic sine.")
cosh = _public(ew.cosh, "The hyperbolic cosine.")
tanh = _public(ew.tanh, "The hyperbolic tangent.")
asinh = arcsinh = _public(ew.asinh, "The inverse hyperbolic sine.")
acosh = arccosh = _public(ew.acosh, "The inverse hyperbolic cosine.")
atanh = arctanh = _public(ew.atanh, "The inverse hyperbolic tangent.")
erf = _public(ew.erf, "The Gauss error function.")
sigmoid = _public(ew.sigmoid, "1 / (1 + exp(-x)).")
relu = _public(ew.relu, "The larger of x and zero.")
floor = _public(ew.floor, "The largest integer that is not above x.")
ceil = _public(ew.ceil, "The smallest integer that is not below x.")
trunc = fix = _public(ew.trunc, "x without its fraction.")
conj = _public(ew.conj, "The complex conjugate.")
real = _public(ew.real, "The real part, a copy.")
imag = _public(ew.imag, "The imaginary part, a copy.")
isnan = _public(ew.isnan, "Whether each element is not a number.")
isinf = _public(ew.isinf, "Whether each element is infinite.")
isfinite = _public(ew.isfinite, "Whether each element is neither infinite nor NaN.")
logical_not = _public(ew.logical_not, "Whether each element is zero.")
bitwise_not = _public(ew.bitwise_not, "The bits of each integer flipped; for booleans, not.")

mul = multiply = _public(ew.mul, "input * other.")
pow = _public(ew.pow, "input to the power of other.")
remainder = _public(
    ew.remainder, "The remainder of division, with the sign of the divisor, as Python's %."
)
fmod = _public(ew.fmod, "The remainder of division, with the sign of the dividend, as C's fmod.")
floor_divide = _public(ew.floor_divide, "input / other rounded down.")
maximum = _public(ew.maximum, "The larger of two; NaN if either is.")
minimum = _public(ew.minimum, "The smaller of two; NaN if either is.")
atan2 = arctan2 = _public(ew.atan2, "The angle in radians of the point (other, input).")
eq = _public(ew.eq, "Where the elements are equal.")
ne = not_equal = _public(ew.ne, "Where the elements differ.")
lt = less = _public(ew.lt, "Where input is less than other.")
le = less_equal = _public(ew.le, "Where input is less than or equal to other.")
gt = greater = _public(ew.gt, "Where input is greater than other.")
ge = greater_equal = _public(ew.ge, "Where input is greater than or equal to other.")
logical_and = _public(ew.logical_and, "Where both are nonzero.")
logical_or = _public(ew.logical_or, "Where at least one is nonzero.")
logical_xor = _public(ew.logical_xor, "Where exactly one is nonzero.")
gcd = _public(ew.gcd, "The greatest common divisor of two integers, not negative.")
lcm = _public(ew.lcm, "The least common multiple of two integers, not negative.")
bitwise_and = _public(ew.bitwise_and, "The bits set in both.")
bitwise_or = _public(ew.bitwise_or, "The bits set in at least one.")
bitwise_xor = _public(ew.bitwise_xor, "The bits set in exactly one.")
bitwise_left_shift = _public(ew.left_shift, "The bits of input moved up by other places.")
bitwise_right_shift = _public(ew.right_shift, "The bits of input moved down by other places.")


def _times(x: Any, factor: Any) -> Any:
    return x if isinstance(factor, (int, float)) and factor == 1 else ew.mul(x, factor)


def _scaled(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    return _times(other, alpha)


def add(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """input + alpha * other."""
    return ew.add(input, _scaled(input, other, alpha=alpha))


def sub(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """input - alpha * other."""
    return ew.sub(input, _scaled(input, other, alpha=alpha))


subtract = sub


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """input / other; integers divide to the default floating dtype.

    Args:
        rounding_mode: None for true division, "trunc" towards zero, "floor" downwards; the last
            two keep integer dtypes.
    """
    if rounding_mode is None:
        return ew.div(input, other)
    if rounding_mode == "floor":
        return ew.floor_divide(input, other)
    if rounding_mode != "trunc":
        raise DTypeError(f"div: rounding_mode is None, 'trunc' or 'floor', got {rounding_mode!r}")
    wanted = dtypes.promote_types(_dtype_of(input, other), _dtype_of(other, input))
    if wanted.dtype.kind in "iu":  # exact, where a floating quotient would round
        return ew.floor_divide(ew.sub(input, ew.fmod(input, other)), other)
    return cast_to(ew.trunc(ew.div(input, other)), wanted.dtype)


divide = true_divide = div


def _dtype_of(x: Any, partner: Any) -> dtypes.dtype:
    if isinstance(x, Tensor):
        return x.dtype
    weak = dtypes.scalar_dtype(x, partner._data.dtype if isinstance(partner, Tensor) else None)
    return dtypes.from_numpy_dtype(weak)


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """The nearest integer, halves to the even one; or to a number of decimals."""
    if decimals == 0:
        return ew.round(input)
    scale = 10.0**decimals
    return ew.div(ew.round(ew.mul(input, scale)), scale)


def logaddexp(input: Any, other: Any) -> Tensor:
    """log(exp(input) + exp(other)) without overflow."""
    if not _is_complex(input) and not _is_complex(other):
        return ew.logaddexp(input, other)
    ahead = ew.ge(ew.real(input), ew.real(other))
    large, small = ew.where(ahead, input, other), ew.where(ahead, other, input)
    return ew.add(large, ew.log1p(ew.exp(ew.sub(small, large))))


def _is_complex(x: Any) -> bool:
    return isinstance(x, Tensor) and x._data.dtype.kind == "c"


def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """Elements below min become min, above max become max; bounds are numbers or tensors.

    At a bound the gradient passes in full. A bound that is NaN gives NaN.

    Raises:
        DTypeError: neither bound is given, or one is an integer that the dtype cannot hold.
    """
    if min is None and max is None:
        raise DTypeError("clamp: give min, max or both")
    if input._data.dtype.kind in "iu":
        for bound in (min, max):
            if isinstance(bound, int):
                check_number("clamp", bound, input._data.dtype)
    out = input
    if min is not None:
        out = ew.clamp_min(out, min)
    if max is not None:
        out = ew.clamp_max(out, max)
    return out


clip = clamp


def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """Elements of input where condition holds, else of other; with the condition alone, its
    `nonzero` indices, one tensor per axis.
    """
    if input is None and other is None:
        from .index import nonzero

        return nonzero(condition, as_tuple=True)
    if condition._data.dtype == np.uint8:  # what older code has in place of booleans
        condition = ew.ne(condition, 0)
    if condition._data.dtype != dtypes.BOOL:
        raise DTypeError(
            f"where: the condition must be bool, got {condition.dtype}; compare it first"
        )
    return ew.where(condition, input, other)


def _part_of_the_way(input: Tensor, end: Tensor, weight: Any) -> Any:
    return ew.mul(ew.sub(end, input), weight)


def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """input + weight * (end - input)."""
    return ew.add(input, _part_of_the_way(input, end, weight))


def _product(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Any:
    return _times(ew.mul(tensor1, tensor2), value)


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """input + value * tensor1 * tensor2."""
    return ew.add(input, _product(input, tensor1, tensor2, value=value))


def _quotient(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Any:
    return _times(ew.div(tensor1, tensor2), value)


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """input + value * tensor1 / tensor2."""
    return ew.add(input, _quotient(input, tensor1, tensor2, value=value))


def _other(input: Tensor, other: Any) -> Any:
    return other


def _divisor(input: Tensor, other: Any, *, rounding_mode: str | None = None) -> Any:
    return other if rounding_mode is None else NotImplemented


# Functions that end in one elementwise step: name: (the step, what it combines the input with, or
# NotImplemented for a form that ends otherwise).
LAST_STEPS: dict[str, tuple[Any, Any]] = {
    "add": (ew.add, _scaled),
    "sub": (ew.sub, _scaled),
    "subtract": (ew.sub, _scaled),
    "mul": (ew.mul, _other),
    "multiply": (ew.mul, _other),
    "div": (ew.div, _divisor),
    "divide": (ew.div, _divisor),
    "true_divide": (ew.div, _other),
    "lerp": (ew.add, _part_of_the_way),
    "addcmul": (ew.add, _product),
    "addcdiv": (ew.add, _quotient),
}


def angle(input: Tensor) -> Tensor:
    """The angle of complex numbers in radians; for real ones 0 or pi, and NaN for NaN."""
    if input._data.dtype.kind == "c":
        return ew.atan2(ew.imag(input), ew.real(input))
    flipped = ew.where(ew.lt(input, 0), 3.141592653589793, 0.0)
    if not input.is_floating_point():
        return flipped
    return ew.where(ew.isnan(input), input, cast_to(flipped, input._data.dtype))


def _floated(input: Tensor, dtype: Any) -> Tensor:
    return input if dtype is None else cast_to(input, dtypes.to_numpy_dtype(dtype))


def softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """exp(x) / sum(exp(x)) along dim: positive numbers that add up to one."""
    axis, x = normalize_axis("softmax", dim, input.ndim, input), _floated(input, dtype)
    return composite.softmax(x, axis=axis) if x.ndim else ew.add(ew.mul(x, 0), 1)


def log_softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """log(softmax(x)) along dim, without overflow."""
    axis, x = normalize_axis("log_softmax", dim, input.ndim, input), _floated(input, dtype)
    return composite.log_softmax(x, axis=axis) if x.ndim else ew.mul(x, 0)

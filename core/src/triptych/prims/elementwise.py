"""Elementwise primitives: one array call each, and the derivative beside it.

A rule `d` gives g times the derivative, in terms of the values it names (see `table.Rule`).
"""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from ..avals import Aval, broadcast_shapes, shape_of
from ..tensor import raw_dtype
from . import naming
from .batching import elementwise
from .forward import linear
from .kinds import (
    binary,
    boolean,
    dtype_of,
    half_as_single,
    primitive,
    several_passes,
    slope,
    unary,
)
from .promotion import (
    ARITHMETIC,
    BRANCHES,
    COUNTS,
    FLOATING,
    INEXACT,
    INTEGERS,
    INTEGRAL,
    NUMBERS,
    NUMERIC,
    REAL,
    SCALARS,
)
from .rational import erf_impl, erfc_impl, erfinv_impl
from .table import NA

LOGICAL = NA("the output is boolean")
INTEGER = NA("the output is an integer")
POSITIVE = (0.3, 3.0)
UNIT = (-0.9, 0.9)

# Arithmetic

add = binary("add", "add", d=(lambda g: g, lambda g: g))
sub = binary("sub", "subtract", promote=ARITHMETIC, d=(lambda g: g, lambda g: neg(g)))
mul = binary("mul", "multiply", d=(lambda g, b: mul(g, b), lambda g, a: mul(g, a)))
div = binary(
    "div",
    "true_divide",
    promote=INEXACT,
    d=(lambda g, b: div(g, b), lambda g, b, y: neg(mul(g, div(y, b)))),
    domain=POSITIVE,
)
neg = unary("neg", "negative", promote=ARITHMETIC, d=lambda g: neg(g))
reciprocal = unary(
    "reciprocal", "reciprocal", amp="single", d=lambda g, y: neg(mul(g, mul(y, y))), domain=POSITIVE
)


def _pow_base(g: Any, a: Any, b: Any) -> Any:
    if isinstance(b, SCALARS):
        if b == 2:
            return mul(g, mul(a, 2))
        return fill_like(g, value=0) if b == 0 else mul(g, mul(pow(a, b - 1), b))
    steep = mul(b, pow(a, sub(b, 1)))
    return mul(g, where(eq(b, 0), fill_like(steep, value=0), steep))


def _pow_exponent(g: Any, a: Any, b: Any, y: Any) -> Any:
    if isinstance(a, SCALARS) and a != 0:
        return mul(g, mul(y, log(a)))
    rising = ge(real(b) if raw_dtype(b).kind == "c" else b, 0)
    flat = logical_and(eq(a, 0), rising)  # 0 ** b counts as flat in b for b >= 0
    return mul(g, mul(y, log(where(flat, 1, a))))


pow = binary(
    "pow", "power", amp="single", promote=ARITHMETIC, d=(_pow_base, _pow_exponent), domain=POSITIVE
)
square = unary("square", "square", amp="single", promote=COUNTS, d=lambda g, a: mul(g, mul(a, 2)))
sqrt = unary("sqrt", "sqrt", d=lambda g, y: div(g, mul(y, 2)), domain=POSITIVE)
rsqrt = unary(
    "rsqrt",
    amp="single",
    impl=lambda xp, x: xp.reciprocal(xp.sqrt(x)),
    cuda="rsqrt(a)",
    d=lambda g, y: mul(g, mul(mul(mul(y, y), y), -0.5)),
    domain=POSITIVE,
)


def _by_nonzero(name: str) -> Any:
    """NumPy's function, but integers have no quotient by zero to give."""

    def kernel(xp: Any, a: Any, b: Any) -> Any:
        number = isinstance(b, SCALARS)
        if (a if number else b).dtype.kind in "iu" and not (b if number else b.all()):
            raise ZeroDivisionError(f"{name}: an integer divided by zero; floats give inf or nan")
        return getattr(xp, name)(a, b)

    kernel.ufunc = name  # type: ignore[attr-defined]  # NumPy's own comes here too
    return kernel


remainder = binary(
    "remainder",
    _by_nonzero("remainder"),
    cuda="floored_rest(a, b)",
    promote=NUMBERS,
    d=(lambda g: g, lambda g, a, b: neg(mul(g, floor(div(a, b))))),
    domain=POSITIVE,
)
fmod = binary(
    "fmod",
    _by_nonzero("fmod"),
    cuda="fmod(a, b)",
    promote=NUMBERS,
    d=(lambda g: g, lambda g, a, b: neg(mul(g, trunc(div(a, b))))),
    domain=POSITIVE,
)
floor_divide = binary(
    "floor_divide",
    _by_nonzero("floor_divide"),
    cuda="floored_quotient(a, b)",
    promote=NUMBERS,
    d=(lambda g: _flat(g), lambda g: _flat(g)),
    domain=POSITIVE,
)


def _larger(g: Any, a: Any, b: Any) -> Any:
    zero = fill_like(g, value=0)
    return where(eq(a, b), mul(g, 0.5), where(gt(a, b), g, zero))  # a tie shares the gradient


maximum = binary("maximum", "maximum", promote=REAL, d=(_larger, lambda g, a, b: _larger(g, b, a)))
minimum = binary(
    "minimum",
    "minimum",
    promote=REAL,
    d=(lambda g, a, b: _larger(g, b, a), lambda g, a, b: _larger(g, a, b)),
)
# Both bounds take part in NaN, and at a bound the gradient of the input passes in full.
clamp_min = binary(
    "clamp_min",
    "maximum",
    promote=REAL,
    d=(lambda g, a, b: where(ge(a, b), g, 0), lambda g, a, b: where(lt(a, b), g, 0)),
)
clamp_max = binary(
    "clamp_max",
    "minimum",
    promote=REAL,
    d=(lambda g, a, b: where(le(a, b), g, 0), lambda g, a, b: where(gt(a, b), g, 0)),
)


def _squared_radius(a: Any, b: Any) -> Any:
    """a ** 2 + b ** 2, but 1 at the origin: the angle there counts as flat."""
    radius = add(mul(a, a), mul(b, b))
    return where(eq(radius, 0), 1, radius)


atan2 = binary(
    "atan2",
    "arctan2",
    promote=FLOATING,
    d=(
        lambda g, a, b: mul(g, div(b, _squared_radius(a, b))),
        lambda g, a, b: neg(mul(g, div(a, _squared_radius(a, b)))),
    ),
    domain=POSITIVE,
)
logaddexp = binary(
    "logaddexp",
    "logaddexp",
    amp="single",
    promote=FLOATING,
    d=(lambda g, a, y: mul(g, exp(sub(a, y))), lambda g, b, y: mul(g, exp(sub(b, y)))),
)

# Exponentials, trigonometry and other smooth functions

exp = unary("exp", "exp", amp="single", d=lambda g, y: mul(g, y))
exp2 = unary("exp2", "exp2", amp="single", d=lambda g, y: mul(g, mul(y, math.log(2))))
expm1 = unary("expm1", "expm1", amp="single", d=lambda g, y: mul(g, add(y, 1)))
log = unary("log", "log", amp="single", d=lambda g, a: div(g, a), domain=POSITIVE)
log2 = unary(
    "log2", "log2", amp="single", d=lambda g, a: div(g, mul(a, math.log(2))), domain=POSITIVE
)
log10 = unary(
    "log10", "log10", amp="single", d=lambda g, a: div(g, mul(a, math.log(10))), domain=POSITIVE
)
log1p = unary("log1p", "log1p", amp="single", d=lambda g, a: div(g, add(a, 1)), domain=POSITIVE)
sin = unary("sin", "sin", d=lambda g, a: mul(g, cos(a)))
cos = unary("cos", "cos", d=lambda g, a: neg(mul(g, sin(a))))
tan = unary("tan", "tan", amp="single", d=lambda g, y: mul(g, add(mul(y, y), 1)), domain=UNIT)
asin = unary(
    "asin", "arcsin", amp="single", d=lambda g, a: mul(g, rsqrt(sub(1, mul(a, a)))), domain=UNIT
)
acos = unary(
    "acos",
    "arccos",
    amp="single",
    d=lambda g, a: neg(mul(g, rsqrt(sub(1, mul(a, a))))),
    domain=UNIT,
)
atan = unary("atan", "arctan", d=lambda g, a: div(g, add(mul(a, a), 1)))
sinh = unary("sinh", "sinh", amp="single", d=lambda g, a: mul(g, cosh(a)))
cosh = unary("cosh", "cosh", amp="single", d=lambda g, a: mul(g, sinh(a)))
tanh = unary("tanh", "tanh", d=lambda g, y: tanh_dx(g, y))
tanh_dx = binary(
    "tanh_dx",
    lambda xp, g, y: g * (1 - y * y),
    cuda="a * (C(1) - b * b)",
    promote=INEXACT,
    d=(lambda g, b: tanh_dx(g, b), lambda g, a, b: mul(g, mul(mul(a, b), -2))),
)
"""g (1 - y^2): what backward makes of the gradient g of y = tanh(x), in one pass."""
asinh = unary("asinh", "arcsinh", d=lambda g, a: mul(g, rsqrt(add(mul(a, a), 1))))
acosh = unary(
    "acosh",
    "arccosh",
    d=lambda g, a: mul(g, mul(rsqrt(sub(a, 1)), rsqrt(add(a, 1)))),
    domain=(1.2, 3.0),
)
atanh = unary("atanh", "arctanh", d=lambda g, a: div(g, sub(1, mul(a, a))), domain=UNIT)
erf = unary(
    "erf",
    erf_impl,
    cuda="erf(a)",
    promote=FLOATING,
    d=lambda g, a: mul(g, mul(exp(neg(mul(a, a))), 2 / math.sqrt(math.pi))),
)


erfc = unary(
    "erfc",
    erfc_impl,
    cuda="erfc(a)",
    promote=FLOATING,
    d=lambda g, a: mul(g, mul(exp(neg(mul(a, a))), -2 / math.sqrt(math.pi))),
)
erfinv = unary(
    "erfinv",
    erfinv_impl,
    amp="single",
    promote=FLOATING,
    d=lambda g, y: mul(g, mul(exp(mul(y, y)), math.sqrt(math.pi) / 2)),
    domain=UNIT,
)
copysign = binary(
    "copysign",
    "copysign",
    promote=FLOATING,
    d=(lambda g, a, y: mul(g, mul(sign(a), sign(y))), None),
    domain=POSITIVE,
)
hypot = binary(
    "hypot",
    "hypot",
    promote=FLOATING,
    d=(lambda g, a, y: mul(g, div(a, y)), lambda g, b, y: mul(g, div(b, y))),
    domain=POSITIVE,
)
nextafter = binary("nextafter", "nextafter", promote=FLOATING, d=(lambda g: g, lambda g: _flat(g)))


@several_passes
@half_as_single
def _sigmoid(xp: Any, x: Any) -> Any:
    y = xp.exp(xp.negative(x))
    y += 1
    return xp.reciprocal(y)


def _relu(xp: Any, x: Any) -> Any:
    return xp.maximum(x, x.dtype.type(0))


sigmoid = unary("sigmoid", _sigmoid, cuda="logistic(a)", d=lambda g, y: sigmoid_dx(g, y))
sigmoid_dx = binary(
    "sigmoid_dx",
    lambda xp, g, y: g * (y * (1 - y)),
    cuda="a * (b * (C(1) - b))",
    promote=INEXACT,
    d=(lambda g, b: sigmoid_dx(g, b), lambda g, a, b: mul(g, mul(a, sub(1, mul(b, 2))))),
)
"""g y (1 - y): what backward makes of the gradient g of y = sigmoid(x), in one pass."""
relu = unary(
    "relu",
    _relu,
    cuda="a < C(0) ? C(0) : a",
    promote=REAL,
    d=lambda g, y: relu_dx(g, y),
    domain=POSITIVE,
)
relu_dx = binary(
    "relu_dx",
    slope(lambda xp, g, y: xp.where(y > 0, g, g.dtype.type(0))),
    cuda="b > C(0) ? a : C(0)",
    promote=REAL,
    d=(lambda g, b: relu_dx(g, b), lambda g: _flat(g)),
    domain=POSITIVE,
)
"""g where y > 0, else 0: what backward makes of the gradient g of y = relu(x), in one pass."""

# Rounding and signs


def _flat(g: Any) -> Any:
    return fill_like(g, value=0)


def _round(xp: Any, x: Any) -> Any:
    return x.copy() if x.dtype.kind in "biu" else xp.rint(x)


FLAT = (0.1, 0.4)  # away from the steps
floor = unary("floor", "floor", promote=REAL, d=_flat, domain=FLAT)
ceil = unary("ceil", "ceil", promote=REAL, d=_flat, domain=FLAT)
round = unary("round", _round, cuda="rint(a)", promote=REAL, d=_flat, domain=FLAT)
trunc = unary("trunc", "trunc", promote=REAL, d=_flat, domain=FLAT)


def _sign(xp: Any, x: Any) -> Any:
    return x.copy() if x.dtype.kind == "b" else xp.sign(x)


def _sign_vjp(g: Any, a: Any, y: Any) -> Any:
    if raw_dtype(a).kind != "c":
        return _flat(g)
    along = real(mul(g, conj(y)))  # x / |x| turns with x but does not stretch
    return div(sub(g, mul(y, along)), abs(a))


SIGN = "a != a ? a : C((a > C(0)) - (a < C(0)))"
sign = unary("sign", _sign, cuda=SIGN, promote=NUMERIC, vjp=_sign_vjp, domain=POSITIVE)
abs = unary(
    "abs",
    "absolute",
    promote=NUMERIC,
    result=dtypes.real_of,
    vjp=lambda g, a: mul(g, sign(a)),  # for complex a, sign(a) = a / |a|: the Wirtinger gradient
    domain=POSITIVE,
)

# Conversion


def _cast(xp: Any, x: Any, *, dtype: Any) -> Any:
    if x.dtype.kind == "c" and dtype.kind not in "cb":
        x = x.real
    return x.astype(dtype)


cast = primitive(
    "cast",
    "cast",
    _cast,
    lambda x, *, dtype: Aval(x.shape, dtype),
    (lambda g, dtype: _as_input(g, dtype),),
    check="late",
)

# Complex parts: linear over the reals only, so each states its own gradient


def conj_if_complex(x: Any) -> Any:
    """The complex conjugate; real values as they are."""
    return conj(x) if raw_dtype(x).kind == "c" else x


def _as_input(g: Any, dtype: Any) -> Any:
    return g if raw_dtype(g) == dtype else cast(g, dtype=dtype)


def _conj(xp: Any, x: Any) -> Any:
    return xp.conjugate(x) if x.dtype.kind == "c" else x.copy()


conj = unary("conj", _conj, promote=NUMERIC, vjp=lambda g: conj(g), jvp=linear)
real = unary(
    "real",
    lambda xp, x: xp.real(x).copy(),
    promote=NUMERIC,
    result=dtypes.real_of,
    vjp=lambda g, dtype: _as_input(g, dtype),
    jvp=linear,
)
imag = unary(
    "imag",
    lambda xp, x: xp.imag(x).copy(),
    promote=NUMERIC,
    result=dtypes.real_of,
    vjp=lambda g, dtype: (
        mul(_as_input(g, dtype), 1j) if dtype.kind == "c" else fill_like(g, value=0)
    ),
    jvp=linear,
)

# Tests and comparisons

isnan = unary("isnan", "isnan", promote=NUMERIC, result=boolean, d=LOGICAL)
isinf = unary("isinf", "isinf", promote=NUMERIC, result=boolean, d=LOGICAL)
isfinite = unary("isfinite", "isfinite", promote=NUMERIC, result=boolean, d=LOGICAL)
eq = binary("eq", "equal", result=boolean, d=LOGICAL)
ne = binary("ne", "not_equal", result=boolean, d=LOGICAL)
lt = binary("lt", "less", result=boolean, promote=REAL, d=LOGICAL)
le = binary("le", "less_equal", result=boolean, promote=REAL, d=LOGICAL)
gt = binary("gt", "greater", result=boolean, promote=REAL, d=LOGICAL)
ge = binary("ge", "greater_equal", result=boolean, promote=REAL, d=LOGICAL)
logical_not = unary("logical_not", "logical_not", promote=NUMERIC, result=boolean, d=LOGICAL)
logical_and = binary("logical_and", "logical_and", result=boolean, d=LOGICAL)
logical_or = binary("logical_or", "logical_or", result=boolean, d=LOGICAL)
logical_xor = binary("logical_xor", "logical_xor", result=boolean, d=LOGICAL)
bitwise_not = unary("bitwise_not", "invert", promote=INTEGRAL, d=INTEGER)
bitwise_and = binary("bitwise_and", "bitwise_and", promote=INTEGRAL, d=INTEGER)
bitwise_or = binary("bitwise_or", "bitwise_or", promote=INTEGRAL, d=INTEGER)
bitwise_xor = binary("bitwise_xor", "bitwise_xor", promote=INTEGRAL, d=INTEGER)
left_shift = binary("left_shift", "left_shift", promote=INTEGERS, d=INTEGER)
right_shift = binary("right_shift", "right_shift", promote=INTEGERS, d=INTEGER)
gcd = binary("gcd", "gcd", promote=INTEGERS, d=INTEGER)
lcm = binary("lcm", "lcm", promote=INTEGERS, d=INTEGER)

# Selection


def _where_aval(c: Any, a: Any, b: Any) -> Aval:
    return Aval(broadcast_shapes("where", *map(shape_of, (c, a, b))), dtype_of(a, b))


where = primitive(
    "where",
    "select",
    lambda xp, c, a, b: xp.where(c, a, b),
    _where_aval,
    (
        None,
        lambda g, a: where(a, g, 0),
        lambda g, a: where(a, 0, g),
    ),
    promote=BRANCHES,
    check="late",
    names=naming.broadcast("where"),
    cuda="a ? b : c",
)


def _fill_like(xp: Any, x: Any, *, value: Any) -> Any:
    return xp.full_like(x, value)


fill_like = primitive(
    "fill_like",
    "create",
    _fill_like,
    lambda x, *, value: Aval(x.shape, x.dtype),
    amp="as is",
    vjp=NA("the output does not depend on the values of the input"),
    vmap=elementwise,
    check="late",
    names=naming.keep,
)

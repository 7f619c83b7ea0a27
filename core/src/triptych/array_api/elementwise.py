"""Elementwise functions: nearly all are ours as they stand, with Python numbers beside arrays."""

from __future__ import annotations

from typing import Any

from ..ops.pointwise import (
    abs,
    acos,
    acosh,
    add,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    bitwise_and,
    bitwise_left_shift,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    ceil,
    conj,
    cos,
    cosh,
    divide,
    exp,
    expm1,
    floor,
    floor_divide,
    greater,
    greater_equal,
    imag,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    maximum,
    minimum,
    multiply,
    negative,
    not_equal,
    pow,
    real,
    reciprocal,
    remainder,
    sign,
    sin,
    sinh,
    sqrt,
    square,
    subtract,
    tan,
    tanh,
    trunc,
)
from ..ops.pointwise import bitwise_not as bitwise_invert
from ..ops.pointwise import eq as equal
from ..ops.pointwise import round as _round
from ..ops.special import complex as _complex
from ..ops.special import copysign, hypot, nextafter, positive, signbit
from ..tensor import Tensor

__all__ = [
    "abs",
    "acos",
    "acosh",
    "add",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "ceil",
    "clip",
    "conj",
    "copysign",
    "cos",
    "cosh",
    "divide",
    "equal",
    "exp",
    "expm1",
    "floor",
    "floor_divide",
    "greater",
    "greater_equal",
    "hypot",
    "imag",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "log",
    "log10",
    "log1p",
    "log2",
    "logaddexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "nextafter",
    "not_equal",
    "positive",
    "pow",
    "real",
    "reciprocal",
    "remainder",
    "round",
    "sign",
    "signbit",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "tanh",
    "trunc",
]


def round(x: Tensor, /) -> Tensor:
    """The nearest integers, the even one of two; of complex numbers both parts."""
    if x.dtype.is_complex:
        return _complex(_round(real(x)), _round(imag(x)))
    return _round(x)


def clip(x: Tensor, /, min: Any = None, max: Any = None) -> Tensor:
    """Each element between min and max, which are numbers or arrays; None is no limit.

    Bounds broadcast with x and never change its dtype; where min is above max, max wins.
    """
    low, high = (_bound(b, x) for b in (min, max))
    out = x if low is None else maximum(x, low)
    return positive(x) if out is x and high is None else out if high is None else minimum(out, high)


def _bound(bound: Any, x: Tensor) -> Any:
    return bound.to(dtype=x.dtype) if isinstance(bound, Tensor) else bound

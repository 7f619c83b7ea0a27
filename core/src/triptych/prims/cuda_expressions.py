"""The `cuda` column: what an elementwise primitive computes, as one expression of CUDA C.

Inputs are called a, b, c and have the type to compute in, C: float for 16-bit floats, else their
own. An expression is free of side effects, so that it also serves as a step of a fused chain. A
record whose forward pass is one function of the array namespace takes its expression from here;
others give ``cuda=``.
"""

from __future__ import annotations

from typing import Any

from .cells import NA

# By NumPy's name of the function, for floating inputs. max and min hand NaN on, as NumPy's do.
OF_UFUNC = {
    "absolute": "fabs(a)",
    "add": "a + b",
    "arccos": "acos(a)",
    "arccosh": "acosh(a)",
    "arcsin": "asin(a)",
    "arcsinh": "asinh(a)",
    "arctan": "atan(a)",
    "arctan2": "atan2(a, b)",
    "arctanh": "atanh(a)",
    "ceil": "ceil(a)",
    "copysign": "copysign(a, b)",
    "cos": "cos(a)",
    "cosh": "cosh(a)",
    "equal": "a == b",
    "exp": "exp(a)",
    "exp2": "exp2(a)",
    "expm1": "expm1(a)",
    "floor": "floor(a)",
    "greater": "a > b",
    "greater_equal": "a >= b",
    "hypot": "hypot(a, b)",
    "isfinite": "isfinite(a)",
    "isinf": "isinf(a)",
    "isnan": "isnan(a)",
    "less": "a < b",
    "less_equal": "a <= b",
    "log": "log(a)",
    "log10": "log10(a)",
    "log1p": "log1p(a)",
    "log2": "log2(a)",
    "logaddexp": "a == b ? a + C(0.69314718055994531) : fmax(a, b) + log1p(exp(-fabs(a - b)))",
    "logical_and": "a != C(0) && b != C(0)",
    "logical_not": "a == C(0)",
    "logical_or": "a != C(0) || b != C(0)",
    "logical_xor": "(a != C(0)) != (b != C(0))",
    "maximum": "a != a || a > b ? a : b",
    "minimum": "a != a || a < b ? a : b",
    "multiply": "a * b",
    "negative": "-a",
    "not_equal": "a != b",
    "power": "pow(a, b)",
    "reciprocal": "C(1) / a",
    "sin": "sin(a)",
    "sinh": "sinh(a)",
    "sqrt": "sqrt(a)",
    "square": "a * a",
    "subtract": "a - b",
    "tan": "tan(a)",
    "tanh": "tanh(a)",
    "true_divide": "a / b",
    "trunc": "trunc(a)",
}
WHOLE = NA("of whole numbers: CuPy's function is one kernel already")
SEVERAL = NA("no expression yet: its steps run one by one")
NOT_ELEMENTWISE = NA("not an elementwise function")
ELEMENTWISE = ("unary", "binary", "select")


def expression(kind: str, impl: Any) -> str | NA:
    """The cell of a record that gives none."""
    if kind not in ELEMENTWISE:
        return NOT_ELEMENTWISE
    if isinstance(impl, str):
        return OF_UFUNC.get(impl, WHOLE)
    return SEVERAL

"""Elementwise operations: several threads, and functions that NumPy has only as several passes."""

from __future__ import annotations

from types import ModuleType
from typing import Any

# From how many numbers on the native kernel is the faster one: soon where NumPy takes several
# passes or broadcasts; where it takes one, from where threads share the work.
_SIZES = {
    1: ("gelu",),  # so that it gives the same as at the end of `fused_linear`, for any size
    1 << 6: ("hardsigmoid", "hardsigmoid_dx", "hardswish", "hardswish_dx", "relu6"),
    1 << 10: (
        *("cos", "erf", "relu", "rsqrt", "sigmoid", "sign", "silu", "sin", "where"),
        *("gelu_dx", "relu_dx", "relu6_dx", "sigmoid_dx", "silu_dx", "tanh_dx"),
    ),
    1 << 13: ("add", "div", "maximum", "minimum", "mul", "sub"),
    1 << 15: (
        *("abs", "exp", "log", "neg", "reciprocal", "round", "sqrt", "square"),
        *("gelu_tanh", "gelu_tanh_dx"),
    ),
    1 << 17: (
        *("ceil", "expm1", "floor", "log1p", "tanh", "trunc"),
        *("eq", "ge", "gt", "isfinite", "isinf", "isnan", "le", "lt", "ne"),
    ),
}
LEAST = {name: size for size, names in _SIZES.items() for name in names}
OTHER_NAMES = {"clamp_max": "minimum", "clamp_min": "maximum"}  # of primitives


def overrides(native: ModuleType) -> dict[str, tuple[Any, int]]:
    """By primitive: the function, and the size of the first input from which on it is taken."""
    found = {name: (getattr(native, name), size) for name, size in LEAST.items()}
    return found | {new: found[old] for new, old in OTHER_NAMES.items()}


def overrides_into(native: ModuleType) -> dict[str, tuple[Any, int]]:
    """The same for functions that write over their first input."""
    names = {name: name for name in LEAST} | OTHER_NAMES
    found = {new: (getattr(native, f"{old}_", None), LEAST[old]) for new, old in names.items()}
    return {name: entry for name, entry in found.items() if entry[0] is not None}

"""How many floating-point operations a primitive does: a multiplication and an addition are two.

Contractions alone are counted, as is the custom: everything else is bound by memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..prims.table import Prim

__all__ = ["COUNTS", "flops_of"]

Shape = tuple[int, ...]


def flops_of(prim: Prim, raw: tuple[Any, ...], params: dict[str, Any], out: Any) -> int:
    """The count for a call with these inputs and this (first) output; 0 if it is no contraction."""
    count = COUNTS.get(prim.name)
    if count is None:
        return 0
    shapes = [tuple(getattr(x, "shape", ())) for x in raw]
    return count(shapes, tuple(out.shape), params)


def _matmul(shapes: list[Shape], out: Shape, params: dict[str, Any]) -> int:
    return 2 * math.prod(out) * shapes[0][-1]


def _conv(shapes: list[Shape], out: Shape, params: dict[str, Any]) -> int:
    return 2 * math.prod(out) * math.prod(shapes[1][1:])  # the kernel: (out, in / groups, ...)


def _conv_dx(shapes: list[Shape], out: Shape, params: dict[str, Any]) -> int:
    return 2 * math.prod(shapes[0]) * math.prod(shapes[1][1:])


def _conv_dw(shapes: list[Shape], out: Shape, params: dict[str, Any]) -> int:
    return 2 * math.prod(shapes[0]) * math.prod(out[1:])


COUNTS: dict[str, Callable[[list[Shape], Shape, dict[str, Any]], int]] = {
    "matmul": _matmul,
    "linear": _matmul,
    "fused_linear": _matmul,
    "conv": _conv,
    "conv_dx": _conv_dx,
    "conv_dw": _conv_dw,
}

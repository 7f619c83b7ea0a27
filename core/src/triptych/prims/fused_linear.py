"""An affine map and what follows it, in one pass over the result: for layers in inference.

Where gradients are recorded, the separate primitives keep what backward needs; this one's
derivative computes it again.
"""

from __future__ import annotations

import functools
from typing import Any

from ..avals import Aval
from ..errors import ShapeError
from . import naming
from .batching import Flags, Params
from .composite import composite, gelu, linear, pulled_back
from .contract import check_dtypes
from .elementwise import add, relu
from .kinds import half_as_single
from .table import Prim

_ACTIVATIONS = {"none": lambda x: x, "relu": relu, "gelu": gelu}


def _aval(x: Any, w: Any, *rest: Any, shifted: bool, added: bool, activation: str) -> Aval:
    y: Aval = linear.prim.aval(x, w, *rest[:shifted])
    if added:
        check_dtypes("fused_linear", input=x, residual=rest[-1])
        if tuple(rest[-1].shape) != tuple(y.shape):
            raise ShapeError(
                f"fused_linear: wanted a residual of shape {tuple(y.shape)}, got "
                f"{tuple(rest[-1].shape)}"
            )
    return y


def _decomp(x: Any, w: Any, *rest: Any, shifted: bool, added: bool, activation: str) -> Any:
    y = _ACTIVATIONS[activation](linear(x, w, *rest[:shifted]))
    return add(y, rest[-1]) if added else y


@half_as_single
def _impl(xp: Any, x: Any, w: Any, *rest: Any, shifted: bool, added: bool, activation: str) -> Any:
    y = linear.prim.impl(xp, x, w, *rest[:shifted])
    if activation != "none":
        y = _ACTIVATIONS[activation].prim.impl(xp, y)
    if added:
        y += rest[-1]
    return y


def _vjp(g: Any, xs: Any, y: Any, *, shifted: bool, added: bool, activation: str) -> list[Any]:
    again = functools.partial(_decomp, shifted=shifted, added=added, activation=activation)
    return pulled_back(lambda *inputs: (again(*inputs),), xs, (g,))


def _vmap(prim: Prim, size: int, xs: Any, on: Flags, params: Params) -> Any:
    """Rows of samples under one weight, and a residual of each."""
    plain = on[: len(on) - params["added"]]
    if any(plain[1:]) or (params["added"] and on[-1] != on[0]):
        return NotImplemented
    return prim.call(*xs, **params)


fused_linear = composite(
    "fused_linear",
    _decomp,
    _impl,
    _vjp,
    aval=_aval,
    vmap=_vmap,
    names=naming.axes("fused_linear", "i,oj->o"),
    amp="low",
)
"""activation(x wT + bias) + residual: x (..., d), w (o, d), if `shifted` a bias (o,), if `added` a
residual (..., o); activation "none", "relu" or "gelu"."""

"""Scattering that keeps the largest or the smallest of what meets at one place."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..avals import Aval
from ..errors import DTypeError
from ..tensor import raw_dtype
from . import naming
from .elementwise import cast, div, eq, fill_like, maximum, mul, where
from .index import _check_along, _places, gather, scatter
from .kinds import primitive


def _aval(x: Any, idx: Any, src: Any, *, axis: int, largest: bool, include_self: bool) -> Aval:
    _check_along("scatter_reduce", x, idx, axis)
    if src.dtype != x.dtype or x.dtype.kind == "c":
        raise DTypeError(
            f"scatter_reduce: wanted src and the tensor of one real dtype, got {src.dtype} and "
            f"{x.dtype}; convert with .to()"
        )
    return Aval(x.shape, x.dtype)


def _end(dtype: np.dtype, largest: bool) -> Any:
    """The largest number of a dtype, or the smallest."""
    if dtype.kind == "b":
        return largest
    if dtype.kind in "iu":
        return np.iinfo(dtype).max if largest else np.iinfo(dtype).min
    return np.inf if largest else -np.inf


def _extreme(
    xp: Any, x: Any, idx: Any, src: Any, *, axis: int, largest: bool, include_self: bool
) -> Any:
    out = xp.array(x).reshape(-1)
    place = _places(xp, "scatter_reduce", idx, x.shape, axis).reshape(-1)
    numbers = src.reshape(-1)
    if not include_self:
        out[place] = _end(x.dtype, not largest)  # every number is at least that, or at most
    (xp.maximum if largest else xp.minimum).at(out, place, numbers)
    return out.reshape(x.shape)


def _vjp(
    g: Any, a: Any, b: Any, c: Any, y: Any, *, axis: int, largest: bool, include_self: bool
) -> list[Any]:
    """Everything that is equal to the result at its place shares the gradient."""
    dtype = raw_dtype(a)
    nothing = fill_like(a, value=0)
    hit = cast(eq(a, y), dtype=dtype)
    if not include_self:
        ones = fill_like(cast(b, dtype=dtype), value=1)
        touched = scatter(nothing, b, ones, axis=axis, accumulate=False)
        hit = where(eq(touched, 0), hit, 0)
    source_hit = cast(eq(c, gather(y, b, axis=axis)), dtype=dtype)
    count = scatter(hit, b, source_hit, axis=axis, accumulate=True)
    share = div(g, maximum(count, 1))
    return [mul(share, hit), None, mul(gather(share, b, axis=axis), source_hit)]


scatter_extreme = primitive(
    "scatter_extreme",
    "index",
    _extreme,
    _aval,
    _vjp,
    amp="widest",
    names=naming.along_first("scatter"),
)
"""out[index[i][j]][j] = max(itself, src[i][j]) for axis 0, and so on; with largest=False min."""

"""Distances between all pairs of rows."""

from __future__ import annotations

import math
from typing import Any

from ..avals import Aval, broadcast_shapes
from ..errors import DTypeError, ShapeError
from ..tensor import raw_dtype
from . import naming
from .contract import check_dtypes
from .elementwise import abs, cast, eq, fill_like, mul, pow, sign, sub, where
from .kinds import half_as_single, primitive
from .movement import permute, reshape
from .reduce import sum, sum_to

CHUNK = 1 << 20  # differences held at a time


def _cdist_aval(a: Any, b: Any, *, p: float) -> Aval:
    check_dtypes("cdist", x1=a, x2=b)
    if a.dtype.kind == "c" or a.dtype.kind in "biu":
        raise DTypeError(f"cdist: wanted real floating elements, got {a.dtype}; use .float()")
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-1]:
        raise ShapeError(
            f"cdist: wanted (..., n, d) and (..., m, d), got {tuple(a.shape)} and {tuple(b.shape)}"
        )
    lead = broadcast_shapes("cdist", a.shape[:-2], b.shape[:-2])
    return Aval((*lead, a.shape[-2], b.shape[-2]), a.dtype)


def _largest(xp: Any, size: Any) -> Any:
    return size.max(axis=-1) if size.shape[-1] else size.sum(axis=-1)


def _root_of_squares(xp: Any, size: Any) -> Any:
    return xp.sqrt(xp.einsum("...d,...d->...", size, size))


LENGTHS: dict[float, Any] = {
    0.0: lambda xp, size: (size != 0).sum(axis=-1),
    1.0: lambda xp, size: size.sum(axis=-1),
    2.0: _root_of_squares,
    math.inf: _largest,
}
"""The p-norm of magnitudes along the last axis, where a power and a root are not the best way."""


@half_as_single
def _cdist(xp: Any, a: Any, b: Any, *, p: float) -> Any:
    aval = _cdist_aval(a, b, p=p)
    y = xp.empty(aval.shape, a.dtype)
    length = LENGTHS.get(p, lambda xp, size: (size**p).sum(axis=-1) ** (1 / p))
    row = math.prod(aval.shape[:-2]) * b.shape[-2] * b.shape[-1]
    step = max(1, CHUNK // max(row, 1))
    for i in range(0, a.shape[-2], step):
        part = a[..., i : i + step, None, :] - b[..., None, :, :]
        y[..., i : i + step, :] = length(xp, xp.abs(part, out=part))
    return y


def _swapped(x: Any) -> Any:
    axes = tuple(range(len(x.shape)))
    return permute(x, axes=(*axes[:-2], axes[-1], axes[-2]))


def _safe_power(x: Any, p: float) -> Any:
    """|x| ** p, zero with a zero gradient where x is zero."""
    zero = eq(x, 0)
    return where(zero, 0, pow(abs(where(zero, 1, x)), p))


def _slope(g: Any, y: Any, diff: Any, p: float) -> Any:
    """The gradient by the differences (..., n, m, d); zero where the distance is zero."""
    if p == 1:
        return mul(g, sign(diff))
    if math.isinf(p):
        return mul(g, mul(sign(diff), cast(eq(abs(diff), y), dtype=raw_dtype(diff))))
    scale = mul(g, _safe_power(y, 1 - p))
    return mul(scale, diff if p == 2 else mul(sign(diff), _safe_power(diff, p - 1)))


def _vjp(g: Any, a: Any, b: Any, y: Any, shape: Any, p: float) -> Any:
    if p == 0:
        return fill_like(a, value=0)
    rows = reshape(a, shape=(*a.shape[:-1], 1, a.shape[-1]))
    others = reshape(b, shape=(*b.shape[:-2], 1, *b.shape[-2:]))
    g, y = (reshape(x, shape=(*x.shape, 1)) for x in (g, y))
    slope = _slope(g, y, sub(rows, others), p)
    return sum_to(sum(slope, axes=(len(slope.shape) - 2,), keepdim=False), shape)


def _da(g: Any, a: Any, b: Any, y: Any, shape: Any, *, p: float) -> Any:
    return _vjp(g, a, b, y, shape, p)


def _db(g: Any, a: Any, b: Any, y: Any, shape: Any, *, p: float) -> Any:
    return _vjp(_swapped(g), b, a, _swapped(y), shape, p)


cdist = primitive(
    "cdist", "linalg", _cdist, _cdist_aval, (_da, _db), names=naming.axes("cdist", "pi,rj->pr")
)
"""The p-norms of the differences of each row of (..., n, d) and each of (..., m, d)."""

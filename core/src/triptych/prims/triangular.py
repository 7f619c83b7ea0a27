"""Equations with triangular matrices. All take stacks of matrices in the last two axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..avals import Aval, broadcast_shapes
from ..dtypes import is_floating
from ..errors import DTypeError, ShapeError
from ..tensor import raw_dtype
from . import naming
from .contract import check_dtypes, matmul, transposed
from .elementwise import mul, neg
from .kinds import primitive
from .reduce import sum_to
from .spectral import constant_like

BLOCK = 64  # rows that LAPACK takes at once: larger systems are halved and are mostly products


def check_matrices(name: str, x: Any, *, square: bool = True, half: bool = False) -> None:
    """Raise ShapeError or DTypeError unless x holds (square) matrices of floating numbers."""
    dtype = raw_dtype(x)
    if x.ndim < 2 or (square and x.shape[-1] != x.shape[-2]):
        kind = "square matrices" if square else "matrices"
        raise ShapeError(f"{name}: wanted {kind} in the last two dims, got shape {tuple(x.shape)}")
    small = is_floating(dtype) and dtype.itemsize == 2
    if not (half and small) and (dtype.kind not in "fc" or small):
        raise DTypeError(
            f"{name}: wanted float32, float64 or complex elements, got {dtype}; use .float()"
        )


def triangle_mask(m: int, n: int, *, upper: bool, strict: bool = False) -> np.ndarray:
    """Ones in one triangle of an (m, n) matrix, without the diagonal if strict."""
    ones = np.ones((m, n))
    return np.triu(ones, int(strict)) if upper else np.tril(ones, -int(strict))


def substitute(xp: Any, a: Any, b: Any, *, upper: bool, unitriangular: bool = False) -> Any:
    """X with a @ X = b, where a is read as a triangle. A zero on the diagonal gives inf or NaN."""
    if not upper:  # both axes reversed, a lower triangle is an upper one
        a, b = a[..., ::-1, ::-1], b[..., ::-1, :]
    a = xp.triu(a)
    if unitriangular:
        places = xp.arange(a.shape[-1])
        a[..., places, places] = 1
    y = _halved(xp, a, b)
    return y if upper else xp.ascontiguousarray(y[..., ::-1, :])


def _halved(xp: Any, a: Any, b: Any) -> Any:
    n = a.shape[-1]
    if n <= BLOCK:
        return _block(xp, a, b)
    h = n // 2
    low = _halved(xp, a[..., h:, h:], b[..., h:, :])
    top = _halved(xp, a[..., :h, :h], b[..., :h, :] - xp.matmul(a[..., :h, h:], low))
    return xp.concatenate((top, low), axis=-2)


def _block(xp: Any, a: Any, b: Any) -> Any:
    """Gaussian elimination finds nothing to eliminate in an upper triangle: what is left of it is
    back substitution.
    """
    if (xp.diagonal(a, 0, -2, -1) != 0).all():
        return xp.linalg.solve(a, b)
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    y = xp.broadcast_to(b, (*lead, *b.shape[-2:])).copy()
    with np.errstate(divide="ignore", invalid="ignore"):
        for i in reversed(range(a.shape[-1])):
            known = xp.matmul(a[..., i : i + 1, i + 1 :], y[..., i + 1 :, :])
            y[..., i, :] = (y[..., i, :] - known[..., 0, :]) / a[..., i, i, None]
    return y


def _aval(a: Any, b: Any, *, upper: bool, unitriangular: bool) -> Aval:
    check_matrices("solve_triangular", a)
    check_matrices("solve_triangular", b, square=False)
    check_dtypes("solve_triangular", A=a, B=b)
    if a.shape[-1] != b.shape[-2]:
        raise ShapeError(
            f"solve_triangular: A is {tuple(a.shape)}, B is {tuple(b.shape)}; B needs "
            f"{a.shape[-1]} rows"
        )
    lead = broadcast_shapes("solve_triangular", a.shape[:-2], b.shape[:-2])
    return Aval((*lead, *b.shape[-2:]), a.dtype)


def _back(g: Any, a: Any, upper: bool, unitriangular: bool) -> Any:
    return solve_triangular(transposed(a), g, upper=not upper, unitriangular=unitriangular)


def _da(g: Any, a: Any, y: Any, shape: Any, *, upper: bool, unitriangular: bool) -> Any:
    full = neg(matmul(_back(g, a, upper, unitriangular), transposed(y)))
    mask = triangle_mask(shape[-1], shape[-1], upper=upper, strict=unitriangular)
    return sum_to(mul(full, constant_like(mask, g)), shape)


def _db(g: Any, a: Any, shape: Any, *, upper: bool, unitriangular: bool) -> Any:
    return sum_to(_back(g, a, upper, unitriangular), shape)


solve_triangular = primitive(
    "solve_triangular",
    "linalg",
    substitute,
    _aval,
    (_da, _db),
    names=naming.axes("solve_triangular", "rc,rk->ck"),
)
"""X with A @ X = B; only one triangle of A is read, with ones on its diagonal if asked."""

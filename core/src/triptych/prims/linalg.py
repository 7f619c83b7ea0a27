"""Solves and triangular factorisations. All take stacks of matrices in the last two axes.

Derivatives after M. Giles, "Collected matrix derivative results for forward and reverse mode
algorithmic differentiation" (2008), written for complex matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..avals import Aval, broadcast_shapes
from ..backends import backend_of
from ..errors import GradError, LinAlgError, ShapeError
from ..tensor import raw_dtype
from . import naming
from .contract import check_dtypes, matmul, transposed
from .elementwise import add, cast, mul, neg, real, sub
from .kinds import primitive
from .movement import concat, diagonal, reshape, slice_, undiagonal
from .reduce import sum_to
from .spectral import constant_like
from .table import NA
from .triangular import check_matrices, solve_triangular


def guarded(name: str, compute: Callable[..., Any], x: Any, *others: Any) -> Any:
    """Call a LAPACK routine; a singular or indefinite matrix becomes our error."""
    try:
        return compute(x, *others)
    except np.linalg.LinAlgError as error:
        place = _first_failure(compute, x, *others)
        raise LinAlgError(f"{name}: {place}{_why(error, x, *others)}") from None


def _why(error: Exception, *arrays: Any) -> str:
    if all(bool(backend_of(a).xp.isfinite(a).all()) for a in arrays):
        return f"{error}; check the matrix for dependent rows or loss of symmetry"
    return "the input holds NaN or infinity; look for the step that first gave one (isfinite)"


def _first_failure(compute: Callable[..., Any], x: Any, *others: Any) -> str:
    """Which matrix of a stack the routine fails for."""
    for i, matrix in enumerate(x.reshape(-1, *x.shape[-2:]) if x.ndim > 2 else ()):
        try:
            compute(matrix, *(b.reshape(-1, *b.shape[-2:])[0] for b in others))
        except np.linalg.LinAlgError:
            return f"(Batch element {i}) "
    return ""


def diagonals(x: Any) -> Any:
    """(..., n, n) to (..., n)."""
    ndim = len(x.shape)
    return diagonal(x, offset=0, axis1=ndim - 2, axis2=ndim - 1)


def diagonal_matrices(d: Any) -> Any:
    """(..., n) to (..., n, n)."""
    ndim = len(d.shape) + 1
    shape = (*d.shape, d.shape[-1])
    return undiagonal(d, shape=shape, offset=0, axis1=ndim - 2, axis2=ndim - 1)


def _triangle_like(x: Any, kind: str) -> Any:
    """Constant mask: "half" is ones below the diagonal and a half on it, "strict" only below."""
    n = x.shape[-1]
    mask = np.tril(np.ones((n, n)), -1)
    if kind == "half":
        mask += 0.5 * np.eye(n)
    return constant_like(mask, x)


# Solve and inverse


def solve_aval(a: Any, b: Any) -> Aval:
    """The rule of `solve`, shared with the form that reports failure."""
    check_matrices("solve", a)
    check_matrices("solve", b, square=False)
    check_dtypes("solve", A=a, B=b)
    if a.shape[-1] != b.shape[-2]:
        raise ShapeError(
            f"solve: A is {tuple(a.shape)}, B is {tuple(b.shape)}; B needs {a.shape[-1]} rows"
        )
    lead = broadcast_shapes("solve", a.shape[:-2], b.shape[:-2])
    return Aval((*lead, *b.shape[-2:]), a.dtype)


def solve_da(g: Any, a: Any, y: Any, shape: Any) -> Any:
    """The gradient of `solve` by the matrix."""
    return sum_to(neg(matmul(solve(transposed(a), g), transposed(y))), shape)


def solve_db(g: Any, a: Any, shape: Any) -> Any:
    """The gradient of `solve` by the right-hand side."""
    return sum_to(solve(transposed(a), g), shape)


solve = primitive(
    "solve",
    "linalg",
    lambda xp, a, b: guarded("solve", xp.linalg.solve, a, b),
    solve_aval,
    (solve_da, solve_db),
    names=naming.axes("solve", "rc,rk->ck"),
)


def inv_aval(x: Any) -> Aval:
    """The rule of `inv`, shared with the form that reports failure."""
    check_matrices("inv", x)
    return Aval(x.shape, x.dtype)


def inv_vjp(g: Any, y: Any) -> Any:
    """The gradient of `inv`."""
    h = transposed(y)
    return neg(matmul(h, matmul(g, h)))


inv = primitive(
    "inv",
    "linalg",
    lambda xp, x: guarded("inv", xp.linalg.inv, x),
    inv_aval,
    (inv_vjp,),
    names=naming.axes("inv", "rc->cr"),
)


def per_matrix(g: Any) -> Any:
    """(...) to (..., 1, 1)."""
    return reshape(g, shape=(*g.shape, 1, 1))


def as_dtype_of(x: Any, like: Any) -> Any:
    """x in the dtype of another value."""
    dtype = raw_dtype(like)
    return x if raw_dtype(x) == dtype else cast(x, dtype=dtype)


# Factorisations


def cholesky_aval(x: Any) -> Aval:
    """The rule of `cholesky`, shared with the form that reports failure."""
    check_matrices("cholesky", x)
    return Aval(x.shape, x.dtype)


def _under(lower: Any, x: Any) -> Any:
    """L^-H x."""
    return solve_triangular(transposed(lower), x, upper=True, unitriangular=False)


def cholesky_vjp(g: Any, y: Any) -> Any:
    """The gradient of `cholesky`, symmetric as the matrix is."""
    inner = mul(matmul(transposed(y), g), _triangle_like(y, "half"))
    left = _under(y, inner)
    s = transposed(_under(y, transposed(left)))
    return mul(add(s, transposed(s)), 0.5)


cholesky = primitive(
    "cholesky",
    "linalg",
    lambda xp, x: guarded("cholesky", xp.linalg.cholesky, x),
    cholesky_aval,
    (cholesky_vjp,),
    names=naming.axes("cholesky", "rc->r_"),
)
"""The lower factor L of L @ L^H, from a Hermitian positive definite matrix."""


def _qr_aval(x: Any, *, complete: bool = False) -> tuple[Aval, Aval]:
    check_matrices("qr", x, square=False)
    *lead, m, n = x.shape
    k = m if complete else min(m, n)
    return Aval((*lead, m, k), x.dtype), Aval((*lead, k, n), x.dtype)


def _qr_vjp(g: Any, a: Any, y: Any, *, complete: bool = False) -> Any:
    q, r = y
    gq, gr = g
    m, n = a.shape[-2:]
    if complete and m > n:
        raise GradError(
            f"qr: mode='complete' of a tall matrix {tuple(a.shape)} has no derivative: the columns "
            "of Q beyond those of the matrix are free to turn; use mode='reduced'"
        )
    if m >= n:
        return _qr_tall_vjp(gq, gr, q, r)
    # a = (x | z) with square x = q u; the rest z = q v takes part through q alone
    left, right = (Ellipsis, slice(0, m)), (Ellipsis, slice(m, n))
    gv = slice_(gr, key=right)
    gx = _qr_tall_vjp(
        add(gq, matmul(slice_(a, key=right), transposed(gv))),
        slice_(gr, key=left),
        q,
        slice_(r, key=left),
    )
    return concat(gx, matmul(q, gv), axis=len(a.shape) - 1)


def _qr_tall_vjp(gq: Any, gr: Any, q: Any, r: Any) -> Any:
    lean = sub(matmul(r, transposed(gr)), matmul(transposed(gq), q))
    strict = mul(lean, _triangle_like(lean, "strict"))
    diag = diagonal_matrices(as_dtype_of(real(diagonals(lean)), lean))
    hermitian = add(add(strict, transposed(strict)), diag)
    inner = transposed(add(gq, matmul(q, hermitian)))
    return transposed(solve_triangular(r, inner, upper=True, unitriangular=False))


def _qr(xp: Any, x: Any, *, complete: bool = False) -> Any:
    q, r = xp.linalg.qr(x, mode="complete" if complete else "reduced")
    return q, r


qr = primitive(
    "qr", "linalg", _qr, _qr_aval, (_qr_vjp,), outputs=2, names=naming.axes("qr", "rc->r_,_c")
)


def _geqrf_aval(x: Any) -> tuple[Aval, Aval]:
    check_matrices("geqrf", x, square=False)
    return Aval(x.shape, x.dtype), Aval((*x.shape[:-2], min(x.shape[-2:])), x.dtype)


def _geqrf(xp: Any, x: Any) -> Any:
    h, tau = xp.linalg.qr(x, mode="raw")
    return xp.ascontiguousarray(xp.swapaxes(h, -1, -2)), tau


geqrf = primitive(
    "geqrf",
    "linalg",
    _geqrf,
    _geqrf_aval,
    NA("reflectors are not differentiated: qr is"),
    outputs=2,
    names=naming.axes("geqrf", "rc->rc,_"),
)
"""R on and above the diagonal, below it the reflectors whose product is Q, and their scales."""

"""Factorisations and solves. All take stacks of matrices in the last two axes.

Derivatives after M. Giles, "Collected matrix derivative results for forward and reverse mode
algorithmic differentiation" (2008), and for the singular vectors J. Townsend, "Differentiating the
singular value decomposition" (2016), written for complex matrices.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..avals import Aval, broadcast_shapes
from ..dtypes import real_of
from ..errors import DTypeError, LinAlgError, ShapeError
from ..tensor import raw_dtype
from .contract import check_dtypes, matmul, transposed
from .elementwise import add, cast, conj_if_complex, div, eq, mul, neg, real, sub, where
from .kinds import primitive
from .movement import concat, diagonal, expand, reshape, slice_, undiagonal
from .reduce import sum_to
from .spectral import constant_like


def check_matrices(name: str, x: Any, *, square: bool = True) -> None:
    """Raise ShapeError or DTypeError unless x holds (square) matrices of floating numbers."""
    if x.ndim < 2 or (square and x.shape[-1] != x.shape[-2]):
        kind = "square matrices" if square else "matrices"
        raise ShapeError(f"{name}: wanted {kind} in the last two dims, got shape {tuple(x.shape)}")
    if x.dtype.kind not in "fc" or x.dtype.itemsize == 2:
        raise DTypeError(
            f"{name}: wanted float32, float64 or complex elements, got {x.dtype}; use .float()"
        )


def guarded(name: str, compute: Any, *args: Any) -> Any:
    """Call a LAPACK routine; a singular or indefinite matrix becomes our error."""
    try:
        return compute(*args)
    except np.linalg.LinAlgError as error:
        raise LinAlgError(
            f"{name}: {error}; check the matrix for dependent rows or loss of symmetry"
        ) from None


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


def _solve_aval(a: Any, b: Any) -> Aval:
    check_matrices("solve", a)
    check_matrices("solve", b, square=False)
    check_dtypes("solve", A=a, B=b)
    if a.shape[-1] != b.shape[-2]:
        raise ShapeError(
            f"solve: A is {tuple(a.shape)}, B is {tuple(b.shape)}; B needs {a.shape[-1]} rows"
        )
    lead = broadcast_shapes("solve", a.shape[:-2], b.shape[:-2])
    return Aval((*lead, *b.shape[-2:]), a.dtype)


def _solve_da(g: Any, a: Any, y: Any, shape: Any) -> Any:
    return sum_to(neg(matmul(solve(transposed(a), g), transposed(y))), shape)


solve = primitive(
    "solve",
    "linalg",
    lambda xp, a, b: guarded("solve", xp.linalg.solve, a, b),
    _solve_aval,
    (_solve_da, lambda g, a, shape: sum_to(solve(transposed(a), g), shape)),
)


def _square_aval(x: Any) -> Aval:
    check_matrices("inv", x)
    return Aval(x.shape, x.dtype)


def _inv_vjp(g: Any, y: Any) -> Any:
    h = transposed(y)
    return neg(matmul(h, matmul(g, h)))


inv = primitive(
    "inv", "linalg", lambda xp, x: guarded("inv", xp.linalg.inv, x), _square_aval, (_inv_vjp,)
)


def _slogdet_aval(x: Any) -> tuple[Aval, Aval]:
    check_matrices("slogdet", x)
    return Aval(x.shape[:-2], x.dtype), Aval(x.shape[:-2], real_of(x.dtype))


def _per_matrix(g: Any) -> Any:
    return reshape(g, shape=(*g.shape, 1, 1))


def _slogdet_vjp(g: Any, a: Any, y: Any) -> Any:
    turn = mul(
        conj_if_complex(g[0]), y[0]
    )  # the sign of a complex determinant turns with its phase
    weight = sub(_as(g[1], a), sub(turn, _as(real(turn), a))) if raw_dtype(a).kind == "c" else g[1]
    return mul(_per_matrix(weight), transposed(inv(a)))


def _as(x: Any, like: Any) -> Any:
    dtype = raw_dtype(like)
    return x if raw_dtype(x) == dtype else cast(x, dtype=dtype)


slogdet = primitive(
    "slogdet",
    "linalg",
    lambda xp, x: tuple(xp.linalg.slogdet(x)),
    _slogdet_aval,
    (_slogdet_vjp,),
    outputs=2,
)

# Factorisations


def _cholesky_aval(x: Any) -> Aval:
    check_matrices("cholesky", x)
    return Aval(x.shape, x.dtype)


def _cholesky_vjp(g: Any, y: Any) -> Any:
    inner = mul(matmul(transposed(y), g), _triangle_like(y, "half"))
    left = solve(transposed(y), inner)
    s = transposed(solve(transposed(y), transposed(left)))
    return mul(add(s, transposed(s)), 0.5)


cholesky = primitive(
    "cholesky",
    "linalg",
    lambda xp, x: guarded("cholesky", xp.linalg.cholesky, x),
    _cholesky_aval,
    (_cholesky_vjp,),
)
"""The lower factor L of L @ L^H, from a Hermitian positive definite matrix."""


def _qr_aval(x: Any) -> tuple[Aval, Aval]:
    check_matrices("qr", x, square=False)
    *lead, m, n = x.shape
    return Aval((*lead, m, min(m, n)), x.dtype), Aval((*lead, min(m, n), n), x.dtype)


def _qr_vjp(g: Any, a: Any, y: Any) -> Any:
    q, r = y
    gq, gr = g
    m, n = a.shape[-2:]
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
    diag = diagonal_matrices(_as(real(diagonals(lean)), lean))
    hermitian = add(add(strict, transposed(strict)), diag)
    return transposed(solve(r, transposed(add(gq, matmul(q, hermitian)))))


def _qr(xp: Any, x: Any) -> Any:
    q, r = xp.linalg.qr(x)
    return q, r


qr = primitive("qr", "linalg", _qr, _qr_aval, (_qr_vjp,), outputs=2)


def _eigh_aval(x: Any) -> tuple[Aval, Aval]:
    check_matrices("eigh", x)
    return Aval(x.shape[:-1], real_of(x.dtype)), Aval(x.shape, x.dtype)


def _gaps(values: Any) -> Any:
    """1 / (v_j - v_i) off the diagonal, zero on it and where values coincide."""
    row = reshape(values, shape=(*values.shape[:-1], 1, values.shape[-1]))
    column = reshape(values, shape=(*values.shape, 1))
    gap = sub(row, column)
    same = eq(gap, 0)
    return where(same, 0.0, div(1.0, where(same, 1.0, gap)))


def _eigh_vjp(g: Any, y: Any) -> Any:
    w, v = y
    inner = matmul(transposed(v), g[1])
    turn = mul(inner, _as(_gaps(w), v))
    core = add(turn, diagonal_matrices(_as(g[0], v)))
    out = matmul(v, matmul(core, transposed(v)))
    return mul(add(out, transposed(out)), 0.5)


def _eigh(xp: Any, x: Any) -> Any:
    w, v = guarded("eigh", xp.linalg.eigh, x)
    return w, v


eigh = primitive("eigh", "linalg", _eigh, _eigh_aval, (_eigh_vjp,), outputs=2)
"""Ascending eigenvalues, and eigenvectors, of a Hermitian matrix read from its lower half."""


def _svd_aval(x: Any) -> tuple[Aval, Aval, Aval]:
    check_matrices("svd", x, square=False)
    *lead, m, n = x.shape
    k = min(m, n)
    return (
        Aval((*lead, m, k), x.dtype),
        Aval((*lead, k), real_of(x.dtype)),
        Aval((*lead, k, n), x.dtype),
    )


def _svd(xp: Any, x: Any) -> Any:
    u, s, vh = guarded("svd", lambda a: xp.linalg.svd(a, full_matrices=False), x)
    return u, s, vh


def _svd_vjp(g: Any, y: Any) -> Any:
    """d = U (diag(gs) + S-weighted rotations) V^H, plus what leaves the spans of U and V."""
    u, s, vh = y
    gu, gs, gvh = g
    v, gv = transposed(vh), transposed(gvh)
    squares = _gaps(mul(s, s))
    uu, vv = matmul(transposed(u), gu), matmul(transposed(v), gv)
    wide = reshape(s, shape=(*s.shape[:-1], 1, s.shape[-1]))
    tall = reshape(s, shape=(*s.shape, 1))
    turn_u = mul(sub(uu, transposed(uu)), _as(mul(squares, wide), u))
    turn_v = mul(sub(vv, transposed(vv)), _as(mul(squares, tall), u))
    core = add(add(turn_u, turn_v), diagonal_matrices(_as(gs, u)))
    if raw_dtype(u).kind == "c":  # the common phase of a pair of singular vectors
        phase = diagonals(sub(uu, transposed(uu)))
        core = add(core, diagonal_matrices(div(phase, _as(mul(s, 2), u))))
    out = matmul(u, matmul(core, vh))
    inverse = _as(div(1.0, wide), u)
    m, n, k = u.shape[-2], vh.shape[-1], s.shape[-1]
    if m > k:
        outside = sub(gu, matmul(u, uu))
        out = add(out, matmul(mul(outside, inverse), vh))
    if n > k:
        outside = sub(gv, matmul(v, vv))
        out = add(out, matmul(u, transposed(mul(outside, inverse))))
    return out


svd = primitive("svd", "linalg", _svd, _svd_aval, (_svd_vjp,), outputs=3)
"""Reduced singular value decomposition: U (m, k), S (k) descending, V^H (k, n)."""


def _eig_aval(x: Any) -> tuple[Aval, Aval]:
    from ..dtypes import complex_of

    check_matrices("eig", x)
    dtype = x.dtype if x.dtype.kind == "c" else complex_of(x.dtype)
    return Aval(x.shape[:-1], dtype), Aval(x.shape, dtype)


def _eig(xp: Any, x: Any) -> Any:
    w, v = guarded("eig", xp.linalg.eig, x)
    aval = _eig_aval(x)[0]
    return w.astype(aval.dtype, copy=False), v.astype(aval.dtype, copy=False)


def _eig_vjp(g: Any, y: Any, dtype: Any) -> Any:
    w, v = y
    gw, gv = g
    vh = transposed(v)
    inner = matmul(vh, gv)
    along = mul(matmul(vh, v), diagonal_free(inner))
    core = add(mul(sub(inner, along), conj_if_complex(_gaps(w))), diagonal_matrices(gw))
    out = solve(vh, matmul(core, vh))
    return out if dtype.kind == "c" else real(out)


def diagonal_free(inner: Any) -> Any:
    """The real diagonal spread over the rows: what unit length takes from the gradient."""
    d = _as(real(diagonals(inner)), inner)
    return expand(reshape(d, shape=(*d.shape[:-1], 1, d.shape[-1])), shape=tuple(inner.shape))


eig = primitive("eig", "linalg", _eig, _eig_aval, (_eig_vjp,), outputs=2)
"""Eigenvalues and unit eigenvectors of any square matrix, complex."""

"""Eigenvalues and singular values of stacks of matrices in the last two axes.

Derivatives after M. Giles, "Collected matrix derivative results for forward and reverse mode
algorithmic differentiation" (2008), and for the singular vectors J. Townsend, "Differentiating the
singular value decomposition" (2016), written for complex matrices.
"""

from __future__ import annotations

from typing import Any

from ..avals import Aval
from ..dtypes import complex_of, real_of
from ..tensor import raw_dtype
from . import naming
from .contract import matmul, transposed
from .elementwise import add, conj_if_complex, div, eq, mul, real, sub, where
from .kinds import primitive
from .linalg import as_dtype_of, diagonal_matrices, diagonals, guarded, solve
from .movement import expand, reshape, slice_
from .triangular import check_matrices


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
    turn = mul(inner, as_dtype_of(_gaps(w), v))
    core = add(turn, diagonal_matrices(as_dtype_of(g[0], v)))
    out = matmul(v, matmul(core, transposed(v)))
    return mul(add(out, transposed(out)), 0.5)


def _eigh(xp: Any, x: Any) -> Any:
    w, v = guarded("eigh", xp.linalg.eigh, x)
    return w, v


eigh = primitive(
    "eigh",
    "linalg",
    _eigh,
    _eigh_aval,
    (_eigh_vjp,),
    outputs=2,
    names=naming.axes("eigh", "rc->_,r_"),
)
"""Ascending eigenvalues, and eigenvectors, of a Hermitian matrix read from its lower half."""


def _svd_aval(x: Any, *, full: bool = False) -> tuple[Aval, Aval, Aval]:
    check_matrices("svd", x, square=False)
    *lead, m, n = x.shape
    k = min(m, n)
    return (
        Aval((*lead, m, m if full else k), x.dtype),
        Aval((*lead, k), real_of(x.dtype)),
        Aval((*lead, n if full else k, n), x.dtype),
    )


def _svd(xp: Any, x: Any, *, full: bool = False) -> Any:
    u, s, vh = guarded("svd", lambda a: xp.linalg.svd(a, full_matrices=full), x)
    return u, s, vh


def _leading(full: bool, y: Any, k: int) -> Any:
    """The k singular vectors that belong to singular values; the others are free to turn."""
    if not full:
        return y
    u, s, vh = y
    columns, rows = (Ellipsis, slice(0, k)), (Ellipsis, slice(0, k), slice(None))
    return slice_(u, key=columns), s, slice_(vh, key=rows)


def _reciprocal(x: Any) -> Any:
    """1 / x, zero where x is zero: vectors of singular value zero are free to turn."""
    zero = eq(x, 0)
    return where(zero, 0.0, div(1.0, where(zero, 1.0, x)))


def _svd_vjp(g: Any, y: Any, *, full: bool = False) -> Any:
    """d = U (diag(gs) + S-weighted rotations) V^H, plus what leaves the spans of U and V."""
    size = y[1].shape[-1]
    u, s, vh = _leading(full, y, size)
    gu, gs, gvh = _leading(full, g, size)
    v, gv = transposed(vh), transposed(gvh)
    squares = _gaps(mul(s, s))
    uu, vv = matmul(transposed(u), gu), matmul(transposed(v), gv)
    wide = reshape(s, shape=(*s.shape[:-1], 1, s.shape[-1]))
    tall = reshape(s, shape=(*s.shape, 1))
    turn_u = mul(sub(uu, transposed(uu)), as_dtype_of(mul(squares, wide), u))
    turn_v = mul(sub(vv, transposed(vv)), as_dtype_of(mul(squares, tall), u))
    core = add(add(turn_u, turn_v), diagonal_matrices(as_dtype_of(gs, u)))
    if raw_dtype(u).kind == "c":  # the common phase of a pair of singular vectors
        phase = diagonals(sub(uu, transposed(uu)))
        core = add(core, diagonal_matrices(mul(phase, as_dtype_of(_reciprocal(mul(s, 2)), u))))
    out = matmul(u, matmul(core, vh))
    inverse = as_dtype_of(_reciprocal(wide), u)
    m, n, k = u.shape[-2], vh.shape[-1], s.shape[-1]
    if m > k:
        outside = sub(gu, matmul(u, uu))
        out = add(out, matmul(mul(outside, inverse), vh))
    if n > k:
        outside = sub(gv, matmul(v, vv))
        out = add(out, matmul(u, transposed(mul(outside, inverse))))
    return out


svd = primitive(
    "svd",
    "linalg",
    _svd,
    _svd_aval,
    (_svd_vjp,),
    outputs=3,
    names=naming.axes("svd", "rc->r_,_,_c"),
)
"""Singular value decomposition: U (m, k), S (k) descending, V^H (k, n); square U and V if full."""


def _eig_aval(x: Any) -> tuple[Aval, Aval]:
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
    d = as_dtype_of(real(diagonals(inner)), inner)
    return expand(reshape(d, shape=(*d.shape[:-1], 1, d.shape[-1])), shape=tuple(inner.shape))


eig = primitive(
    "eig", "linalg", _eig, _eig_aval, (_eig_vjp,), outputs=2, names=naming.axes("eig", "rc->_,r_")
)
"""Eigenvalues and unit eigenvectors of any square matrix, complex."""

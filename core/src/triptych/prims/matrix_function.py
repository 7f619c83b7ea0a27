"""Functions of whole matrices: the exponential and the pseudo-inverse."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..avals import Aval
from . import naming
from .batching import Stacks
from .contract import matmul, transposed
from .elementwise import add, mul, sub
from .kinds import half_as_single, primitive
from .linalg import guarded
from .movement import concat, slice_
from .reduce import sum_to
from .triangular import check_matrices

# Exponential


# Higham, "The scaling and squaring method for the matrix exponential revisited" (2005), table 2.3
# and equation 2.3: the [13/13] Pade approximant is exact to double precision up to this 1-norm.
LARGEST_NORM = 5.371920351148152
PADE = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0,
    129060195264000.0, 10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0,
    960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip


@half_as_single
def _matrix_exp(xp: Any, x: Any) -> Any:
    n = x.shape[-1]
    if x.size == 0:
        return x.copy()
    a = x.reshape(-1, n, n)
    norms = xp.abs(a).sum(axis=1).max(axis=1)
    known = xp.isfinite(norms)
    steps = xp.ceil(xp.log2(xp.where(known & (norms > 0), norms, 1) / LARGEST_NORM))
    steps = xp.maximum(steps, 0).astype(np.int64)
    a = xp.where(known[:, None, None], a, 0) * (xp.exp2(-steps)[:, None, None]).astype(norms.dtype)
    y = _pade(xp, a)
    for i in range(int(steps.max())):
        again = xp.nonzero(steps > i)[0]
        y[again] = xp.matmul(y[again], y[again])
    y[~known] = np.nan
    return y.reshape(x.shape)


def _pade(xp: Any, a: Any) -> Any:
    b = PADE
    one = xp.eye(a.shape[-1], dtype=a.dtype)
    a2 = xp.matmul(a, a)
    a4 = xp.matmul(a2, a2)
    a6 = xp.matmul(a4, a2)
    odd = xp.matmul(a6, b[13] * a6 + b[11] * a4 + b[9] * a2)
    odd = xp.matmul(a, odd + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * one)
    even = xp.matmul(a6, b[12] * a6 + b[10] * a4 + b[8] * a2)
    even += b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * one
    return xp.linalg.solve(even - odd, even + odd)


def _matrix_exp_aval(x: Any) -> Aval:
    check_matrices("matrix_exp", x, half=True)
    return Aval(x.shape, x.dtype)


def _matrix_exp_vjp(g: Any, a: Any) -> Any:
    """The upper right block of exp((A^H, G; 0, A^H)) is the derivative at A^H in direction G,
    which is the transpose of the derivative at A.
    """
    h = transposed(a)
    n, axis = a.shape[-1], len(a.shape) - 1
    top = concat(h, g, axis=axis)
    bottom = concat(mul(h, 0), h, axis=axis)
    whole = matrix_exp(concat(top, bottom, axis=axis - 1))
    return slice_(whole, key=(Ellipsis, slice(0, n), slice(n, None)))


matrix_exp = primitive(
    "matrix_exp",
    "linalg",
    _matrix_exp,
    _matrix_exp_aval,
    (_matrix_exp_vjp,),
    names=naming.keep,
)

# Pseudo-inverse


def _pinv_aval(x: Any, atol: Any, rtol: Any, *, hermitian: bool) -> Aval:
    check_matrices("pinv", x, square=hermitian)
    *lead, m, n = x.shape
    return Aval((*np.broadcast_shapes(tuple(lead), atol.shape, rtol.shape), n, m), x.dtype)


def _pinv(xp: Any, x: Any, atol: Any, rtol: Any, *, hermitian: bool) -> Any:
    if x.size == 0:
        return xp.zeros(_pinv_aval(x, atol, rtol, hermitian=hermitian).shape, x.dtype)
    if hermitian:
        s, u = guarded("pinv", xp.linalg.eigh, x)
        vh = u.conj().swapaxes(-1, -2)
    else:
        u, s, vh = guarded("pinv", lambda a: xp.linalg.svd(a, full_matrices=False), x)
    size = xp.abs(s)
    floor = xp.maximum(rtol[..., None] * size.max(axis=-1, keepdims=True), atol[..., None])
    keep = size > floor
    inverse = xp.where(keep, 1 / xp.where(keep, s, 1), 0).astype(s.dtype)
    v, uh = (xp.conj(xp.swapaxes(side, -1, -2)) for side in (vh, u))
    return xp.matmul(v * inverse[..., None, :], uh)


def _pinv_vjp(g: Any, a: Any, y: Any, shape: Any) -> Any:
    """Golub and Pereyra 1973, equation 4.12, for matrices whose rank stays."""
    ph, gh = transposed(y), transposed(g)
    gp, pg = matmul(gh, y), matmul(y, gh)
    left = matmul(sub(gp, matmul(a, matmul(y, gp))), ph)
    right = matmul(ph, sub(pg, matmul(matmul(pg, y), a)))
    return sum_to(sub(add(left, right), matmul(ph, matmul(g, ph))), shape)


pinv = primitive(
    "pinv",
    "linalg",
    _pinv,
    _pinv_aval,
    (_pinv_vjp, None, None),
    vmap=Stacks(2, 0, 0),
    names=naming.axes("pinv", "rc->cr"),
)
"""The Moore-Penrose inverse: singular values up to max(atol, rtol * largest) count as zero."""

"""The determinant, and its derivative: the cofactors, which singular matrices have, too."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..avals import Aval
from ..dtypes import real_of
from ..tensor import raw_dtype
from . import naming
from .contract import matmul, transposed
from .diagnosed import inv_ex
from .elementwise import add, conj_if_complex, mul, neg, real, sub
from .kinds import primitive
from .linalg import as_dtype_of, diagonal_matrices, diagonals, per_matrix
from .movement import permute, reshape
from .reduce import prod
from .spectra import svd
from .spectral import constant_like
from .triangular import check_matrices

# Logarithm of the determinant


def _slogdet_aval(x: Any) -> tuple[Aval, Aval]:
    check_matrices("slogdet", x)
    return Aval(x.shape[:-2], x.dtype), Aval(x.shape[:-2], real_of(x.dtype))


def _slogdet_vjp(g: Any, a: Any, y: Any) -> Any:
    turn = mul(
        conj_if_complex(g[0]), y[0]
    )  # the sign of a complex determinant turns with its phase
    weight = (
        sub(as_dtype_of(g[1], a), sub(turn, as_dtype_of(real(turn), a)))
        if raw_dtype(a).kind == "c"
        else g[1]
    )
    return mul(per_matrix(weight), transposed(inv_ex(a)[0]))


slogdet = primitive(
    "slogdet",
    "linalg",
    lambda xp, x: tuple(xp.linalg.slogdet(x)),
    _slogdet_aval,
    (_slogdet_vjp,),
    outputs=2,
    names=naming.axes("slogdet", "rc->,"),
)

# Determinant


def _det_aval(x: Any) -> Aval:
    check_matrices("det", x)
    return Aval(x.shape[:-2], x.dtype)


def _det(xp: Any, x: Any) -> Any:
    return xp.asarray(xp.linalg.det(x))


det = primitive(
    "det",
    "linalg",
    _det,
    _det_aval,
    (lambda g, a: mul(per_matrix(g), conj_if_complex(cofactors(a))),),
    names=naming.axes("det", "rc->"),
)


def _cofactors_aval(x: Any) -> Aval:
    check_matrices("cofactors", x)
    return Aval(x.shape, x.dtype)


def _cofactors(xp: Any, x: Any) -> Any:
    if x.size == 0:
        return x.copy()
    fast = _by_inverse(xp, x)
    if fast is not None:
        return fast
    u, s, vh = xp.linalg.svd(x)
    turn = xp.linalg.det(u) * xp.linalg.det(vh)
    one = xp.ones_like(s[..., :1])
    before = xp.concatenate((one, xp.cumprod(s[..., :-1], axis=-1)), axis=-1)
    after = xp.concatenate((one, xp.cumprod(s[..., :0:-1], axis=-1)), axis=-1)[..., ::-1]
    plain = xp.matmul(u * (before * after)[..., None, :], vh)
    return turn[..., None, None] * xp.conj(plain)


def _by_inverse(xp: Any, x: Any) -> Any:
    """det(x) * inv(x)^T if half of the digits or more survive that, else None."""
    d = xp.linalg.det(x)
    if not ((d != 0) & xp.isfinite(d)).all():
        return None
    inverse = xp.linalg.inv(x)
    condition = [xp.abs(a).sum(axis=-1).max(axis=-1) for a in (x, inverse)]
    if not (condition[0] * condition[1] < np.finfo(x.dtype).eps ** -0.5).all():
        return None
    return d[..., None, None] * xp.swapaxes(inverse, -1, -2)


def _cofactors_vjp(g: Any, a: Any) -> Any:
    """With A = U S V^H and B = U^H X V, the cofactors of S move by the sum of p_ik b_kk on the
    diagonal and by -p_ij b_ji off it, where p_ij is the product of all singular values but two.
    """
    u, s, vh = svd(a)
    b = matmul(transposed(u), matmul(conj_if_complex(g), transposed(vh)))
    p = as_dtype_of(_all_but_two(s), a)
    own = diagonals(b)
    column = matmul(p, reshape(own, shape=(*own.shape, 1)))
    swapped = permute(b, axes=(*range(len(b.shape) - 2), len(b.shape) - 1, len(b.shape) - 2))
    core = add(diagonal_matrices(reshape(column, shape=own.shape)), neg(mul(p, swapped)))
    moved = matmul(conj_if_complex(u), matmul(core, conj_if_complex(vh)))
    return conj_if_complex(mul(per_matrix(mul(det(u), det(vh))), moved))


def _all_but_two(s: Any) -> Any:
    """(..., n) to (..., n, n): products without factors i and j, zero where i = j."""
    n = s.shape[-1]
    one = np.eye(n)
    keep = (1 - one)[:, None] * (1 - one)[None]  # (n, n, n): zero where l is i or j
    factors = reshape(s, shape=(*s.shape[:-1], 1, 1, n))
    factors = add(mul(factors, constant_like(keep, s)), constant_like(1 - keep, s))
    found = prod(factors, axes=(len(s.shape) + 1,), keepdim=False)
    return mul(found, constant_like(1 - one, s))


cofactors = primitive(
    "cofactors", "linalg", _cofactors, _cofactors_aval, (_cofactors_vjp,), names=naming.keep
)
"""The derivative of the determinant by each element."""

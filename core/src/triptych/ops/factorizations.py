"""Linear algebra under torch's older names at the top level; `triptych.linalg` has the newer."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..errors import ShapeError
from ..linalg import det, lu_factor_ex, matrix_exp, matrix_power, slogdet
from ..linalg import householder_product as orgqr
from ..linalg import inv as inverse
from ..linalg import pinv as _pinv
from ..linalg import qr as _qr
from ..linalg import svd as _svd
from ..linalg.factors import cholesky as _cholesky
from ..linalg.factors import lu_permutation, lu_triangles, reflected
from ..linalg.products import logdet
from ..linalg.results import LU, QR, LUFactor
from ..linalg.solving import lu_solve as _lu_solve
from ..linalg.solving import solve_triangular
from ..prims import elementwise as ew
from ..prims import linalg as la
from ..prims.diagnosed import solve_ex
from ..prims.spectral import constant_like
from ..prims.triangular import check_matrices, triangle_mask
from ..tensor import Tensor
from .linalg import adjoint
from .named import drops_names
from .shape import clone, expand, transpose

__all__ = [
    "cholesky",
    "cholesky_inverse",
    "cholesky_solve",
    "det",
    "geqrf",
    "inverse",
    "logdet",
    "lu",
    "lu_solve",
    "lu_unpack",
    "matrix_exp",
    "matrix_power",
    "orgqr",
    "ormqr",
    "pinverse",
    "qr",
    "slogdet",
    "svd",
    "triangular_solve",
]


class Reflectors(NamedTuple):
    """R with the reflectors of Q below it, and their scales."""

    a: Tensor
    tau: Tensor


class Triplet(NamedTuple):
    """U diag(S) V^H is the matrix; V, not its adjoint."""

    U: Tensor
    S: Tensor
    V: Tensor


class TriangularSolution(NamedTuple):
    """The solution, and a copy of the matrix."""

    solution: Tensor
    cloned_coefficient: Tensor


def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """L with L @ L^H = input, or its adjoint; see `linalg.cholesky`.

    Raises:
        LinAlgError: a matrix is not positive definite.
    """
    return _cholesky(input, upper=upper)


@drops_names
def cholesky_solve(B: Tensor, L: Tensor, upper: bool = False) -> Tensor:
    """X with A @ X = B, from the Cholesky factor of A.

    Args:
        B: (..., n, k).
        L: (..., n, n); only its triangle is read. Its gradient is that of A = L @ L^H for any L,
            and so not triangular.
        upper: whether L is the upper factor.
    """
    check_matrices("cholesky_solve", L)
    n = L.shape[-1]
    rest = constant_like(triangle_mask(n, n, upper=not upper, strict=True), L)
    L = ew.sub(L, ew.mul(L.detach(), rest))
    h = adjoint(L)
    first, second = (h, L) if upper else (L, h)
    out: Tensor = solve_ex(second, solve_ex(first, B)[0])[0]
    return out


@drops_names
def cholesky_inverse(L: Tensor, upper: bool = False) -> Tensor:
    """The inverse of A from its Cholesky factor (..., n, n); see `cholesky_solve`."""
    check_matrices("cholesky_inverse", L)
    one = ew.add(ew.mul(L.detach(), 0), constant_like(np.eye(L.shape[-1]), L))
    return cholesky_solve(one, L, upper)


def geqrf(input: Tensor) -> Reflectors:
    """The QR factorisation as LAPACK leaves it: R on and above the diagonal of a, the reflectors of
    Q below it and in tau. It has no derivative; `linalg.qr` has.
    """
    return Reflectors(*la.geqrf(input))


@drops_names
def ormqr(
    input: Tensor, tau: Tensor, other: Tensor, left: bool = True, transpose: bool = False
) -> Tensor:
    """Q @ other, without forming Q from its reflectors.

    Args:
        input, tau: (..., m, n) and (..., k), as `geqrf` gives them; Q is (..., m, m).
        other: (..., m, p), or (..., p, m) if not left.
        left: other @ Q otherwise.
        transpose: Q^H in place of Q.

    Raises:
        ShapeError: sizes do not fit.
    """
    check_matrices("ormqr", input, square=False)
    m, lead = input.shape[-2], input.shape[:-2]
    rows = other.shape[-2 if left else -1] if other.ndim > 1 else None
    fits = tau.ndim == input.ndim - 1 and tau.shape[:-1] == lead == other.shape[:-2]
    if rows != m or not fits or tau.shape[-1] > min(input.shape[-2:]):
        raise ShapeError(
            f"ormqr: reflectors {tuple(input.shape)}, scales {tuple(tau.shape)} and matrices "
            f"{tuple(other.shape)} (left={left}) do not fit"
        )
    if left:
        return reflected(input, tau, other, transpose)
    return adjoint(reflected(input, tau, adjoint(other), not transpose))


def qr(input: Tensor, some: bool = True) -> QR:
    """Q and R: reduced if some, else with a square Q; see `linalg.qr`."""
    return _qr(input, "reduced" if some else "complete")


def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> Triplet:
    """U, S and V (not its adjoint); see `linalg.svd`.

    Args:
        input: (..., m, n).
        some: min(m, n) singular vectors; else U and V are square.
        compute_uv: False gives zeros for square U and V.
    """
    if not compute_uv:
        s = _svd(input, False).S
        m, n = input.shape[-2:]
        u, v = (input.new_zeros(*input.shape[:-2], k, k) for k in (m, n))
        return Triplet(u, s, v)
    u, s, vh = _svd(input, not some)
    return Triplet(u, s, adjoint(vh))


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """The Moore-Penrose inverse; see `linalg.pinv`."""
    return _pinv(input, rcond)


def lu(input: Tensor, pivot: bool = True, get_infos: bool = False) -> Any:
    """(LU, pivots), or (LU, pivots, info) with get_infos; see `linalg.lu_factor_ex`."""
    found = lu_factor_ex(input, pivot=pivot)
    return found if get_infos else LUFactor(found.LU, found.pivots)


@drops_names
def lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """X with A @ X = b from the factors of A; see `linalg.lu_solve`."""
    return _lu_solve(LU_data, LU_pivots, b)


def lu_unpack(
    LU_data: Tensor,
    LU_pivots: Tensor,
    unpack_data: bool = True,
    unpack_pivots: bool = True,
) -> LU:
    """P, L and U from what `linalg.lu_factor` gives.

    Args:
        LU_data, LU_pivots: (..., m, n) and (..., k).
        unpack_data: otherwise L and U are empty.
        unpack_pivots: otherwise P is empty.
    """
    empty = LU_data.new_zeros(0)
    p = lu_permutation(LU_data, LU_pivots) if unpack_pivots else empty
    low, up = lu_triangles(LU_data) if unpack_data else (empty, empty)
    return LU(p, low, up)


def triangular_solve(
    b: Tensor,
    A: Tensor,
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
) -> TriangularSolution:
    """X with A @ X = b for triangular A; see `linalg.solve_triangular`.

    Args:
        b, A: (..., n, k) and (..., n, n).
        upper: which triangle of A is read.
        transpose: A^T in place of A.
        unitriangular: the diagonal of A counts as ones.
    """
    matrix = _flipped(A) if transpose else A
    x = solve_triangular(matrix, b, upper=upper != transpose, unitriangular=unitriangular)
    lead = tuple(x.shape[:-2])
    return TriangularSolution(x, clone(expand(A, (*lead, *A.shape[-2:]))))


def _flipped(A: Tensor) -> Tensor:
    return transpose(A, -2, -1)

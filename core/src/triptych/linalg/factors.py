"""Factorisations and spectra of stacks of matrices."""

from __future__ import annotations

import numpy as np

from ..errors import DTypeError, LinAlgError, ShapeError
from ..ops.linalg import adjoint
from ..ops.named import drops_names
from ..prims import elementwise as ew
from ..prims import linalg as la
from ..prims import spectra
from ..prims.contract import matmul, transposed
from ..prims.diagnosed import cholesky_ex as _cholesky_ex
from ..prims.ldl import ldl_factor as _ldl_factor
from ..prims.lu import lu as _lu
from ..prims.lu import permutation_like, row_order
from ..prims.movement import slice_
from ..prims.precision import computes_in
from ..prims.spectral import constant_like
from ..prims.triangular import check_matrices, solve_triangular, triangle_mask
from ..state import state
from ..tensor import Tensor
from .results import LDL, LU, QR, SVD, CholeskyInfo, Eigen, LDLInfo, LUFactor, LUFactorInfo

__all__ = [
    "cholesky",
    "cholesky_ex",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "householder_product",
    "ldl_factor",
    "ldl_factor_ex",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "qr",
    "svd",
    "svdvals",
]


def raise_for(name: str, info: Tensor, what: str) -> None:
    """Raise for the first matrix of a stack whose info is not zero; values must be known.

    Raises:
        LinAlgError: with the place of the matrix in the stack; `what` may hold {info}.
    """
    if state.trace is not None:
        return
    codes = np.asarray(info.cpu().numpy())
    if not codes.any():
        return
    first = int(np.flatnonzero(codes)[0])
    place = f"(Batch element {first}) " if codes.ndim else ""
    raise LinAlgError(f"{name}: {place}{what.format(info=codes.reshape(-1)[first])}")


def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """L with L @ L^H = A for Hermitian positive definite A, or its adjoint.

    Args:
        A: (..., n, n); only the lower triangle is read.
        upper: give U = L^H, so that U^H @ U = A.

    Raises:
        LinAlgError: a matrix is not positive definite.
    """
    factor: Tensor = la.cholesky(adjoint(A) if upper else A)  # the triangle that is read
    return adjoint(factor) if upper else factor


def cholesky_ex(A: Tensor, *, upper: bool = False, check_errors: bool = False) -> CholeskyInfo:
    """`cholesky` that reports matrices that are not positive definite instead of raising.

    Args:
        A: (..., n, n).
        upper: give the upper factor.
        check_errors: raise all the same.

    Returns:
        The factors, and (...) int32: zero, or the order of the first leading minor that is not
        positive; the factor of such a matrix has no meaning.

    Raises:
        LinAlgError: check_errors, and a matrix is not positive definite.
    """
    if upper:  # the triangle that is read is the upper one
        A = adjoint(A)
    factor, info = _cholesky_ex(A)
    if check_errors:
        raise_for(
            "cholesky",
            info,
            "the matrix is not positive definite: its leading minor of order {info} is not "
            "positive; check that it is symmetric, or add a small multiple of the identity",
        )
    return CholeskyInfo(adjoint(factor) if upper else factor, info)


def qr(A: Tensor, mode: str = "reduced") -> QR:
    """A = Q @ R with orthonormal columns in Q.

    Args:
        A: (..., m, n).
        mode: "reduced": Q is (..., m, k), k = min(m, n); "complete": (..., m, m), which has no
            derivative if m > n; "r": Q is empty.

    Raises:
        DTypeError: another mode.
    """
    if mode not in ("reduced", "complete", "r"):
        raise DTypeError(f"qr: mode is 'reduced', 'complete' or 'r', got {mode!r}")
    q, r = la.qr(A, complete=mode == "complete")
    return QR(q.new_zeros(0) if mode == "r" else q, r)


def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None) -> SVD:
    """The singular value decomposition.

    Args:
        A: (..., m, n).
        full_matrices: U is (..., m, m) and Vh (..., n, n); otherwise they have min(m, n) vectors.
            Gradients of vectors without a singular value are ignored: they are free to turn.
        driver: a routine of the GPU in torch; None here.

    Raises:
        DTypeError: a driver is named.
    """
    if driver is not None:
        raise DTypeError(f"svd: there are no drivers to choose from, got {driver!r}; use None")
    return SVD(*spectra.svd(A, full=bool(full_matrices)))


def svdvals(A: Tensor, *, driver: str | None = None) -> Tensor:
    """Singular values, descending."""
    return svd(A, False, driver=driver).S


def eigh(A: Tensor, UPLO: str = "L") -> Eigen:
    """Ascending eigenvalues and eigenvectors of Hermitian matrices, read from one triangle."""
    if UPLO not in ("L", "U", "l", "u"):
        raise DTypeError(f"eigh: UPLO is 'L' or 'U', got {UPLO!r}")
    return Eigen(*spectra.eigh(A if UPLO in "Ll" else adjoint(A)))


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of `eigh`."""
    return eigh(A, UPLO).eigenvalues


def eig(A: Tensor) -> Eigen:
    """Complex eigenvalues and unit eigenvectors of square matrices, in no particular order."""
    return Eigen(*spectra.eig(A))


def eigvals(A: Tensor) -> Tensor:
    """The eigenvalues of `eig`."""
    return eig(A).eigenvalues


# LU


def lu(A: Tensor, *, pivot: bool = True) -> LU:
    """A = P @ L @ U with a permutation, a unit lower and an upper triangle.

    Args:
        A: (..., m, n); k = min(m, n).
        pivot: exchange rows for numerical stability; without, P is empty.

    Returns:
        P (..., m, m), L (..., m, k), U (..., k, n).

    Example:
        >>> import triptych as tp
        >>> A = tp.randn(4, 3)
        >>> P, L, U = tp.linalg.lu(A)
        >>> tp.allclose(P @ L @ U, A, atol=1e-5)
        True
    """
    packed, pivots, _ = _lu(A, pivot=pivot)
    low, up = lu_triangles(packed)
    return LU(lu_permutation(packed, pivots) if pivot else A.new_zeros(0), low, up)


def lu_triangles(packed: Tensor) -> tuple[Tensor, Tensor]:
    """(L, U) of a matrix that holds both."""
    m, n = packed.shape[-2:]
    k = min(m, n)
    left = slice_(packed, key=(Ellipsis, slice(0, k)))
    top = slice_(packed, key=(Ellipsis, slice(0, k), slice(None)))
    strict = constant_like(triangle_mask(m, k, upper=False, strict=True), packed)
    upper = constant_like(triangle_mask(k, n, upper=True), packed)
    low = ew.add(ew.mul(left, strict), constant_like(np.eye(m, k), packed))
    return low, ew.mul(top, upper)


def lu_permutation(packed: Tensor, pivots: Tensor) -> Tensor:
    """P of P @ L @ U from the exchanges of rows."""
    order = row_order(pivots, size=packed.shape[-2])
    return permutation_like(order, packed)


def lu_factor(A: Tensor, *, pivot: bool = True) -> LUFactor:
    """L and U in one matrix, and the exchanges of rows: what `lu_solve` wants.

    Args:
        A: (..., m, n).
        pivot: exchange rows for numerical stability.

    Returns:
        LU (..., m, n); pivots (..., k) int32: row i was exchanged with row pivots[i] - 1.

    Raises:
        LinAlgError: a pivot is zero, so that the factors cannot be solved with.
    """
    packed, pivots, info = _lu(A, pivot=pivot)
    _raise_for_zero("lu_factor", info)
    return LUFactor(packed, pivots)


def _raise_for_zero(name: str, info: Tensor) -> None:
    raise_for(
        name,
        info,
        "U[{info}, {info}] is zero (counted from one), so that lu_solve would divide by zero; use "
        "linalg.lu, or linalg.lu_factor_ex(check_errors=False), if only the factors are wanted",
    )


def lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False) -> LUFactorInfo:
    """`lu_factor` that reports zero pivots instead of raising.

    Args:
        A: (..., m, n).
        pivot: exchange rows for numerical stability.
        check_errors: raise all the same.

    Raises:
        LinAlgError: check_errors, and a pivot is zero.
    """
    packed, pivots, info = _lu(A, pivot=pivot)
    if check_errors:
        _raise_for_zero("lu_factor_ex", info)
    return LUFactorInfo(packed, pivots, info)


# LDL


def ldl_factor(A: Tensor, *, hermitian: bool = False) -> LDL:
    """The factors of A = L D L^T, or L D L^H, that `ldl_solve` wants.

    Args:
        A: (..., n, n) symmetric, or Hermitian; only the lower triangle is read.
        hermitian: whether complex matrices are Hermitian, not symmetric.

    Returns:
        LD (..., n, n) and pivots (..., n), as LAPACK's sytrf and hetrf store them.

    Raises:
        LinAlgError: D has a zero on its diagonal.
    """
    packed, pivots, _ = ldl_factor_ex(A, hermitian=hermitian, check_errors=True)
    return LDL(packed, pivots)


def ldl_factor_ex(A: Tensor, *, hermitian: bool = False, check_errors: bool = False) -> LDLInfo:
    """`ldl_factor` that reports zeros in D instead of raising.

    Raises:
        LinAlgError: check_errors, and D has a zero on its diagonal.
    """
    packed, pivots, info = _ldl_factor(A, hermitian=hermitian)
    if check_errors:
        raise_for("ldl_factor", info, "D[{info}, {info}] (counted from one) is zero")
    return LDLInfo(packed, pivots, info)


# Reflectors


@drops_names
@computes_in("single")
def householder_product(A: Tensor, tau: Tensor) -> Tensor:
    """The first n columns of the product of k reflections I - tau_i v_i v_i^H.

    Args:
        A: (..., m, n), m >= n; column i holds v_i below the diagonal, where its one is implied.
        tau: (..., k), k <= n.

    Returns:
        (..., m, n): Q, if A and tau are what `geqrf` gives.

    Raises:
        ShapeError: sizes do not fit.
    """
    m, n = _checked_reflectors("householder_product", A, tau)
    if m < n:
        raise ShapeError(f"householder_product: wanted m >= n, got A of shape {tuple(A.shape)}")
    return reflected(A, tau, ew.add(ew.mul(A, 0), constant_like(np.eye(m, n), A)), False)


def _checked_reflectors(name: str, A: Tensor, tau: Tensor) -> tuple[int, int]:
    check_matrices(name, A, square=False)
    m, n = A.shape[-2:]
    if tau.ndim != A.ndim - 1 or tau.shape[:-1] != A.shape[:-2] or tau.shape[-1] > n:
        raise ShapeError(
            f"{name}: wanted tau of shape {(*A.shape[:-2], 'k')} with k <= {n}, got "
            f"{tuple(tau.shape)} for A of shape {tuple(A.shape)}"
        )
    if tau._data.dtype != A._data.dtype:
        raise DTypeError(f"{name}: wanted one dtype, got A {A.dtype} and tau {tau.dtype}")
    return m, n


@computes_in("single")
def reflected(A: Tensor, tau: Tensor, other: Tensor, adjoint_: bool) -> Tensor:
    """Q @ other, or Q^H @ other, where Q is the product of reflections that A and tau hold.

    Source: Schreiber and Van Loan 1989: Q = I - V T V^H with upper triangular T, all reflections in
    a few matrix products; here T = (I + D S)^-1 D, D = diag(tau), S the strict triangle of V^H V.
    """
    m, k = A.shape[-2], tau.shape[-1]
    below = constant_like(triangle_mask(m, k, upper=False, strict=True), A)
    v = ew.mul(slice_(A, key=(Ellipsis, slice(0, k))), below)
    v = ew.add(v, constant_like(np.eye(m, k), A))
    strict = constant_like(triangle_mask(k, k, upper=True, strict=True), A)
    d = la.diagonal_matrices(tau)
    inner = matmul(d, ew.mul(matmul(transposed(v), v), strict))
    t = solve_triangular(inner, d, upper=True, unitriangular=True)
    t = transposed(t) if adjoint_ else t
    return ew.sub(other, matmul(v, matmul(t, matmul(transposed(v), other))))

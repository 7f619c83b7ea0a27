"""The largest singular values of large matrices, by random projections."""

from __future__ import annotations

from ..errors import DomainError, ShapeError
from ..linalg.factors import qr, svd
from ..prims import elementwise as ew
from ..prims.precision import computes_in
from ..random import Generator
from ..tensor import Tensor
from .linalg import adjoint, matmul
from .random import randn
from .shape import broadcast_to

__all__ = ["pca_lowrank", "svd_lowrank"]


@computes_in("single")
def svd_lowrank(
    A: Tensor,
    q: int | None = 6,
    niter: int | None = 2,
    M: Tensor | None = None,
    *,
    generator: Generator | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """About the q largest singular values of A - M and their vectors: A - M = U diag(S) V^H.

    Exact if the rank is at most q; else the better, the faster the singular values fall. It reads
    A in matrix products only, so that it is cheap for a q far below the size of A.

    Args:
        A: (..., m, n).
        q: how many; a little more than the rank one expects. None is 6.
        niter: times that small singular values are damped; two are mostly enough. None is 2.
        M: broadcasts to A; is taken off.
        generator: source of the draws.

    Returns:
        U (..., m, q) and V (..., n, q) with orthonormal columns, S (..., q) descending.

    Raises:
        ShapeError: A is no matrix, or M does not broadcast to it.
        DomainError: q is not from 0 to min(m, n), or niter is negative.

    Example:
        >>> from triptych import ones
        >>> U, S, V = svd_lowrank(ones(6, 4), q=1)
        >>> abs(S.item() - 24**0.5) < 1e-5
        True

    Source: Halko, Martinsson and Tropp 2011, algorithms 4.4 and 5.1.
    """
    q, niter = 6 if q is None else q, 2 if niter is None else niter
    _check("svd_lowrank", A, q, niter)
    if M is not None:
        A = ew.sub(A, broadcast_to(M, tuple(A.shape)))
    tall = A if A.shape[-2] >= A.shape[-1] else adjoint(A)
    basis = _basis(tall, q, niter, generator)
    small = svd(matmul(adjoint(basis), tall), full_matrices=False)
    left, right = matmul(basis, small.U), adjoint(small.Vh)
    return (left, small.S, right) if tall is A else (right, small.S, left)


def _basis(A: Tensor, q: int, niter: int, generator: Generator | None) -> Tensor:
    """(..., m, q) orthonormal columns that span most of what A gives."""
    start = randn(A.shape[-1], q, dtype=A.dtype, device=A.device, generator=generator)
    basis = qr(matmul(A, start)).Q
    for _ in range(niter):
        basis = qr(matmul(adjoint(A), basis)).Q
        basis = qr(matmul(A, basis)).Q
    return basis


def _check(name: str, A: Tensor, q: int, niter: int) -> None:
    if A.ndim < 2:
        raise ShapeError(f"{name}: wanted matrices in the last two dims, got {tuple(A.shape)}")
    if not 0 <= q <= min(A.shape[-2:]):
        raise DomainError(f"{name}: wanted q from 0 to {min(A.shape[-2:])}, got {q}")
    if niter < 0:
        raise DomainError(f"{name}: wanted niter >= 0, got {niter}")


@computes_in("single")
def pca_lowrank(
    A: Tensor,
    q: int | None = None,
    center: bool = True,
    niter: int = 2,
    *,
    generator: Generator | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Principal components of samples in rows: `svd_lowrank` of A without its mean row.

    Args:
        A: (..., m, n): m samples of n features.
        q: how many components; default min(6, m, n).
        center: take the mean of the samples off.
        niter, generator: as for `svd_lowrank`.

    Returns:
        U (..., m, q), S (..., q) and V (..., n, q). The columns of V are the principal directions,
        S ** 2 / (m - 1) the variances along them.

    Raises:
        ShapeError: A is no matrix.
        DomainError: q is not from 0 to min(m, n), or niter is negative.
    """
    if A.ndim < 2:
        raise ShapeError(f"pca_lowrank: wanted matrices in the last two dims, got {tuple(A.shape)}")
    q = min(6, *A.shape[-2:]) if q is None else q
    _check("pca_lowrank", A, q, niter)
    mean = A.mean(-2, keepdim=True) if center else None
    return svd_lowrank(A, q, niter, mean, generator=generator)

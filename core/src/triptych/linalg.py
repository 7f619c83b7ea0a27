"""Linear algebra on stacks of matrices, in torch's spelling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from . import dtypes
from .avals import normalize_axes, normalize_axis
from .errors import DTypeError, ShapeError
from .ops.creation import cast_to, eye
from .ops.linalg import adjoint, matmul
from .ops.reduce import amax, amin, prod
from .ops.reduce import norm as _power_norm
from .ops.reduce import sum as _sum
from .ops.shape import diagonal, movedim, reshape, squeeze, tril, triu, unsqueeze
from .prims import elementwise as ew
from .prims import linalg as la
from .state import state
from .tensor import Tensor, current_edge

__all__ = [
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "lstsq",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "vander",
    "vecdot",
    "vector_norm",
]


class SlogDet(NamedTuple):
    """The sign (or phase) of a determinant and the logarithm of its magnitude."""

    sign: Tensor
    logabsdet: Tensor


class QR(NamedTuple):
    """Orthonormal columns and an upper triangle whose product is the matrix."""

    Q: Tensor
    R: Tensor


class SVD(NamedTuple):
    """U diag(S) Vh is the matrix; S descends."""

    U: Tensor
    S: Tensor
    Vh: Tensor


class Eigen(NamedTuple):
    """Eigenvalues, and eigenvectors in the columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class LeastSquares(NamedTuple):
    """The solution; squared residuals, rank and singular values of A."""

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


def inv(A: Tensor) -> Tensor:
    """The inverse of square matrices (..., n, n).

    Raises:
        LinAlgError: a matrix is singular.
    """
    return la.inv(A)


def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """X with A @ X = B, or X @ A = B if not left; B is (..., n, k), or (..., n) for vectors.

    Raises:
        LinAlgError: a matrix is singular.
    """
    vector = B.ndim == 1 or (B.ndim == A.ndim - 1 and B.shape == A.shape[:-1])
    if vector:
        return squeeze(la.solve(A, unsqueeze(B, -1)), -1)
    return la.solve(A, B) if left else la.solve(A.mT, B.mT).mT


def solve_triangular(
    A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """`solve` that reads only one triangle of A, with ones on its diagonal if unitriangular."""
    A = triu(A, int(unitriangular)) if upper else tril(A, -int(unitriangular))
    if unitriangular:
        A = A + eye(A.shape[-1], dtype=A.dtype, device=A.device)
    return solve(A, B, left=left)


def slogdet(A: Tensor) -> SlogDet:
    """The sign and log magnitude of determinants, without overflow."""
    return SlogDet(*la.slogdet(A))


def det(A: Tensor) -> Tensor:
    """The determinant of square matrices; the gradient of a singular real one is its cofactors."""
    sign, log = la.slogdet(A)
    recorded = state.grad and state.trace is None and current_edge(A) is not None
    if recorded and not A.is_complex() and not sign._data.all():
        return _det_by_svd(A)
    return ew.mul(sign, ew.exp(log))


def _det_by_svd(A: Tensor) -> Tensor:
    """The product of the singular values, whose derivative needs no inverse, with the signs of
    the bases of singular vectors, which stay while those turn.
    """
    u, s, vh = la.svd(A)
    sign = ew.mul(*(la.slogdet(side.detach())[0] for side in (u, vh)))
    return ew.mul(sign, prod(s, -1))


def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """L with L @ L^H = A for Hermitian positive definite A, or its adjoint.

    Raises:
        LinAlgError: a matrix is not positive definite.
    """
    factor = la.cholesky(A)
    return adjoint(factor) if upper else factor


def qr(A: Tensor, mode: str = "reduced") -> QR:
    """A = Q @ R with orthonormal columns in Q; mode is "reduced" or "r"."""
    if mode not in ("reduced", "r"):
        raise DTypeError(f"qr: mode is 'reduced' or 'r', got {mode!r}")
    q, r = la.qr(A)
    return QR(q if mode == "reduced" else q.new_zeros(0), r)


def svd(A: Tensor, full_matrices: bool = True) -> SVD:
    """The singular value decomposition; without full_matrices U and Vh have min(m, n) vectors."""
    m, n = A.shape[-2:]
    if full_matrices and m != n:
        if A.requires_grad:
            raise ShapeError(
                "svd: full_matrices of a rectangular matrix have no derivative; pass False"
            )
        raw = [cast_to(A.new_tensor(p), A.numpy().dtype) for p in _full_svd(A)]
        return SVD(raw[0], raw[1].real if raw[1].is_complex() else raw[1], raw[2])
    return SVD(*la.svd(A))


def _full_svd(A: Tensor) -> Any:
    import numpy as np

    return np.linalg.svd(A.cpu().numpy(), full_matrices=True)


def svdvals(A: Tensor) -> Tensor:
    """Singular values, descending."""
    return la.svd(A)[1]


def eigh(A: Tensor, UPLO: str = "L") -> Eigen:
    """Ascending eigenvalues and eigenvectors of Hermitian matrices, read from one triangle."""
    if UPLO not in ("L", "U"):
        raise DTypeError(f"eigh: UPLO is 'L' or 'U', got {UPLO!r}")
    return Eigen(*la.eigh(A if UPLO == "L" else adjoint(A)))


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of `eigh`."""
    return eigh(A, UPLO).eigenvalues


def eig(A: Tensor) -> Eigen:
    """Complex eigenvalues and unit eigenvectors of square matrices, in no particular order."""
    return Eigen(*la.eig(A))


def eigvals(A: Tensor) -> Tensor:
    """The eigenvalues of `eig`."""
    return la.eig(A)[0]


def vector_norm(
    x: Tensor, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """(sum |x| ** ord) ** (1 / ord) over dims, all by default; inf and -inf are extremes of |x|."""
    return _power_norm(x, ord, dim, keepdim, dtype)


def matrix_norm(
    A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """Norms of matrices in two dims: "fro", "nuc", 1, -1, inf, -inf, 2, -2.

    Raises:
        DTypeError: another ord.
    """
    if dtype is not None:
        A = A.to(dtype)
    rows, cols = (normalize_axis("matrix_norm", d, A.ndim) for d in dim)
    if ord == "fro":
        return _power_norm(A, 2, (rows, cols), keepdim)
    if ord in (1, -1, math.inf, -math.inf):
        along, other = (rows, cols) if abs(ord) == 1 else (cols, rows)
        sums = _sum(ew.abs(A), along, True)
        out = (amax if ord > 0 else amin)(sums, other, True)
    elif ord in ("nuc", 2, -2):
        values = svdvals(movedim(A, (rows, cols), (-2, -1)))
        one = _sum(values, -1) if ord == "nuc" else (amax if ord == 2 else amin)(values, -1)
        return unsqueeze(unsqueeze(one, min(rows, cols)), max(rows, cols)) if keepdim else one
    else:
        raise DTypeError(
            f"matrix_norm: ord is 'fro', 'nuc', 1, -1, 2, -2, inf or -inf, got {ord!r}"
        )
    return out if keepdim else squeeze(out, (rows, cols))


def norm(
    A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """`vector_norm`, or `matrix_norm` when two dims (or a matrix) and an ord are given."""
    if dim is None and ord is None:
        return vector_norm(A, 2, None, keepdim, dtype=dtype)
    axes = normalize_axes("norm", dim, A.ndim)
    order = (dim if isinstance(dim, Sequence) else None) or axes
    if isinstance(ord, str) or (ord is not None and len(axes) == 2):
        return matrix_norm(A, ord, order, keepdim, dtype=dtype)
    return vector_norm(A, 2 if ord is None else ord, dim, keepdim, dtype=dtype)


def matrix_power(A: Tensor, n: int) -> Tensor:
    """A multiplied by itself n times; the inverse for negative n."""
    if n == 0:  # constant, but with the history of A, as any other power has
        return ew.add(ew.mul(A, 0), eye(A.shape[-1], dtype=A.dtype, device=A.device))
    if n < 0:
        return matrix_power(inv(A), -n)
    half = matrix_power(A, n // 2) if n > 1 else None
    if half is None:
        return A
    twice = matmul(half, half)
    return matmul(twice, A) if n % 2 else twice


def _tolerance(A: Tensor, values: Tensor, atol: Any, rtol: Any) -> Any:
    if rtol is None:
        rtol = 0.0 if atol else dtypes.finfo(A.dtype).eps * max(A.shape[-2:])
    top = amax(values, -1, True)
    return ew.maximum(top * rtol, 0.0 if atol is None else atol)


def matrix_rank(
    A: Tensor, *, atol: Any = None, rtol: Any = None, hermitian: bool = False
) -> Tensor:
    """How many singular values are above max(atol, rtol * largest)."""
    values = ew.abs(eigvalsh(A)) if hermitian else svdvals(A)
    if values.shape[-1] == 0:
        return _sum(ew.ne(values, 0), -1)
    return _sum(ew.gt(values, _tolerance(A, values, atol, rtol)), -1)


def pinv(A: Tensor, *, atol: Any = None, rtol: Any = None, hermitian: bool = False) -> Tensor:
    """The Moore-Penrose inverse; small singular values count as zero."""
    if 0 in A.shape[-2:]:
        return adjoint(A)
    if hermitian:
        return _pinv_hermitian(A, atol, rtol)
    u, s, vh = la.svd(A)
    keep = ew.gt(s, _tolerance(A, s.detach(), atol, rtol))
    inverse = ew.where(keep, ew.div(1.0, ew.where(keep, s, 1.0)), 0.0)
    scaled = ew.mul(adjoint(vh), cast_to(unsqueeze(inverse, -2), vh._data.dtype))
    return matmul(scaled, adjoint(u))


def _pinv_hermitian(A: Tensor, atol: Any, rtol: Any) -> Tensor:
    w, v = la.eigh(A)
    size = ew.abs(w)
    keep = ew.gt(size, _tolerance(A, size.detach(), atol, rtol))
    inverse = ew.where(keep, ew.div(1.0, ew.where(keep, w, 1.0)), 0.0)
    return matmul(ew.mul(v, cast_to(unsqueeze(inverse, -2), v._data.dtype)), adjoint(v))


def lstsq(
    A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None
) -> LeastSquares:
    """X that minimises |A @ X - B|."""
    solution = matmul(pinv(A, rtol=rcond), B)
    m, n = A.shape[-2:]
    rank = matrix_rank(A, rtol=rcond)
    residuals = _sum(ew.square(ew.abs(matmul(A, solution) - B)), -2) if m > n else A.new_zeros(0)
    return LeastSquares(solution, residuals, rank, svdvals(A))


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of two or more matrices, in the cheapest order; the ends may be vectors."""
    if len(tensors) < 2:
        raise ShapeError(f"multi_dot: wanted at least 2 tensors, got {len(tensors)}")
    parts = list(tensors)
    while len(parts) > 1:  # greedily contract the longest inner dim first
        sizes = [t.shape[-1] for t in parts[:-1]]
        i = sizes.index(max(sizes))
        if len(parts) > 2 and (parts[i].ndim == 1 or parts[i + 1].ndim == 1):
            i = 0 if parts[0].ndim == 1 else len(parts) - 2
        parts[i : i + 2] = [matmul(parts[i], parts[i + 1])]
    return parts[0]


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """sum(conj(x) * y) along dim."""
    return _sum(ew.mul(ew.conj_if_complex(x), y), dim)


def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The vector product of 3-vectors along dim."""
    axis = normalize_axis("cross", dim, max(input.ndim, other.ndim))
    a, b = (movedim(t, axis - max(input.ndim, other.ndim), -1) for t in (input, other))
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ShapeError(
            f"cross: wanted length 3 along dim {dim}, got {a.shape[-1]} and {b.shape[-1]}"
        )
    parts = [a[..., i] * b[..., j] - a[..., j] * b[..., i] for i, j in ((1, 2), (2, 0), (0, 1))]
    from .ops.shape import stack

    return stack(parts, axis)


def cond(A: Tensor, p: Any = None) -> Tensor:
    """The condition number: by default the largest over the smallest singular value."""
    if p is None or p in (2, -2):
        values = svdvals(A)
        big, small = values[..., 0], values[..., -1]
        return small / big if p == -2 else big / small
    return matrix_norm(A, p) * matrix_norm(inv(A), p)


def vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """Powers of x as columns: x ** 0, x ** 1, ..., x ** (N - 1)."""
    from .ops.creation import arange

    x = reshape(x, 1) if x.ndim == 0 else x
    count = x.shape[-1] if N is None else N
    return ew.pow(unsqueeze(x, -1), arange(count, device=x.device))

"""What functions with several results give: tuples with torch's field names."""

from __future__ import annotations

from typing import NamedTuple

from ..tensor import Tensor

__all__ = [
    "LDL",
    "LU",
    "QR",
    "SVD",
    "CholeskyInfo",
    "Eigen",
    "InverseInfo",
    "LDLInfo",
    "LUFactor",
    "LUFactorInfo",
    "LeastSquares",
    "SlogDet",
    "SolveInfo",
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


class CholeskyInfo(NamedTuple):
    """The factor; per matrix zero, or the order of the first minor that is not positive."""

    L: Tensor
    info: Tensor


class InverseInfo(NamedTuple):
    """The inverse; per matrix zero, or the place of the first zero pivot."""

    inverse: Tensor
    info: Tensor


class SolveInfo(NamedTuple):
    """The solution; per matrix zero, or the place of the first zero pivot."""

    result: Tensor
    info: Tensor


class LU(NamedTuple):
    """A permutation, a unit lower and an upper triangle whose product is the matrix."""

    P: Tensor
    L: Tensor
    U: Tensor


class LUFactor(NamedTuple):
    """Both triangles in one matrix; the row each row was exchanged with, from one, int32."""

    LU: Tensor
    pivots: Tensor


class LUFactorInfo(NamedTuple):
    """As `LUFactor`; per matrix zero, or the place of the first zero pivot."""

    LU: Tensor
    pivots: Tensor
    info: Tensor


class LDL(NamedTuple):
    """L and D in one lower triangle; LAPACK's pivots, negative for blocks of two, int32."""

    LD: Tensor
    pivots: Tensor


class LDLInfo(NamedTuple):
    """As `LDL`; per matrix zero, or the place of the first zero on the diagonal of D."""

    LD: Tensor
    pivots: Tensor
    info: Tensor

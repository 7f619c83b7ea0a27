"""The standard's linear algebra: ours, with the standard's names and batch rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import linalg as ours
from ..linalg import (
    cholesky,
    det,
    eigh,
    eigvalsh,
    inv,
    matrix_power,
    qr,
    slogdet,
    svd,
    svdvals,
)
from ..ops import linalg as ops
from ..ops import shape
from ..ops.pointwise import conj
from ..tensor import Tensor
from .arguments import Axes
from .manipulation import broadcast_arrays, matrix_transpose, promoted
from .statistical import sum

__all__ = [
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]


def cross(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """The cross products of vectors of three elements along an axis; other axes broadcast."""
    return ours.cross(*broadcast_arrays(*promoted((x1, x2))), dim=axis)


def diagonal(x: Tensor, /, *, offset: int = 0) -> Tensor:
    """The diagonals of (..., m, n) matrices; offset counts from the main one to the right."""
    return shape.diagonal(x, offset, -2, -1)


def matmul(x1: Tensor, x2: Tensor, /) -> Tensor:
    """The matrix product: vectors, matrices, or stacks of matrices that broadcast.

    Raises:
        ShapeError: inner axes differ, or an input has no axes.
    """
    return ops.matmul(*promoted((x1, x2)))


def matrix_norm(x: Tensor, /, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    """The norms of (..., m, n) matrices.

    Args:
        x: the matrices.
        keepdims: keep the two axes, with length one.
        ord: "fro", "nuc", 1, 2, inf, or the negative of a number.
    """
    return ours.matrix_norm(x, ord, (-2, -1), keepdims)


def matrix_rank(x: Tensor, /, *, rtol: Any = None) -> Tensor:
    """How many singular values of (..., m, n) matrices exceed rtol times the largest."""
    return ours.matrix_rank(x, rtol=rtol)


def outer(x1: Tensor, x2: Tensor, /) -> Tensor:
    """All products of two vectors, (m,) and (n,), as (m, n)."""
    return ops.outer(x1, x2)


def pinv(x: Tensor, /, *, rtol: Any = None) -> Tensor:
    """The pseudo-inverses of (..., m, n) matrices; singular values up to rtol times the largest
    count as zero.
    """
    return ours.pinv(x, rtol=rtol)


def solve(x1: Tensor, x2: Tensor, /) -> Tensor:
    """x such that x1 @ x = x2.

    Args:
        x1: (..., m, m) matrices.
        x2: (m,) one vector for all, or (..., m, k) matrices that broadcast with x1.

    Raises:
        LinAlgError: a matrix is singular.
    """
    x1, x2 = promoted((x1, x2))
    if x2.ndim == 1:
        return shape.squeeze(solve(x1, shape.unsqueeze(x2, 1)), -1)
    return ours.solve(x1, shape.reshape(x2, (1,) * (x1.ndim - x2.ndim) + tuple(x2.shape)))


def tensordot(
    x1: Tensor, x2: Tensor, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2
) -> Tensor:
    """Sums of products over pairs of axes, or over the last `axes` of x1 and the first of x2."""
    x1, x2 = promoted((x1, x2))
    return ops.tensordot(x1, x2, axes)


def trace(x: Tensor, /, *, offset: int = 0, dtype: Any = None) -> Tensor:
    """The sums of the diagonals of (..., m, n) matrices (see `sum` for dtypes)."""
    return sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)


def vecdot(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """The dot products of vectors along an axis, of which the first is conjugated."""
    x1, x2 = shape.moveaxis(x1, axis, -1), shape.moveaxis(x2, axis, -1)
    row, column = shape.unsqueeze(conj(x1), -2), shape.unsqueeze(x2, -1)
    return shape.squeeze(matmul(row, column), (-2, -1))


def vector_norm(
    x: Tensor, /, *, axis: Axes = None, keepdims: bool = False, ord: float = 2
) -> Tensor:
    """The norms of vectors along axes, by default of all elements.

    Args:
        x: floating or complex.
        axis: along which.
        keepdims: keep the axes, with length one.
        ord: any real number, or an infinity.
    """
    if axis == ():
        return ours.vector_norm(shape.unsqueeze(x, -1), ord, -1)
    return ours.vector_norm(x, ord, axis, keepdims)

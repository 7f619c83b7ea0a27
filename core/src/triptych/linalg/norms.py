"""Norms of vectors and matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..avals import normalize_axes, normalize_axis
from ..errors import DTypeError, ShapeError
from ..ops.reduce import amax, amin
from ..ops.reduce import norm as _power_norm
from ..ops.reduce import sum as _sum
from ..ops.shape import movedim, squeeze, unsqueeze
from ..prims import elementwise as ew
from ..prims.triangular import check_matrices
from ..tensor import Tensor
from .factors import svdvals
from .solving import inv_ex

__all__ = ["cond", "matrix_norm", "norm", "vector_norm"]


def vector_norm(
    x: Tensor, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """(sum |x| ** ord) ** (1 / ord) over dims, all by default; inf and -inf are extremes of |x|.

    Raises:
        DTypeError: ord is no number.
    """
    if isinstance(ord, str):
        raise DTypeError(f"vector_norm: wanted a number for ord, got {ord!r}")
    return _power_norm(x, ord, None if dim == () else dim, keepdim, dtype)


def _largest(x: Tensor, dim: int, keepdim: bool = False) -> Tensor:
    """The largest of numbers that are not negative; zero if there are none."""
    return amax(x, dim, keepdim) if x.shape[dim] else _sum(x, dim, keepdim)


def _by_sums(ord: float) -> Any:
    def norm(A: Tensor, rows: int, cols: int) -> Tensor:
        along, other = (rows, cols) if abs(ord) == 1 else (cols, rows)
        return (_largest if ord > 0 else amin)(_sum(ew.abs(A), along, True), other, True)

    return norm


def _by_singular_values(reduce: Any) -> Any:
    def norm(A: Tensor, rows: int, cols: int) -> Tensor:
        one = reduce(svdvals(movedim(A, (rows, cols), (-2, -1))), -1)
        return unsqueeze(unsqueeze(one, min(rows, cols)), max(rows, cols))

    return norm


MATRIX_NORMS: dict[Any, Any] = {
    "fro": lambda A, rows, cols: _power_norm(A, 2, (rows, cols), True),
    "nuc": _by_singular_values(_sum),
    2: _by_singular_values(_largest),
    -2: _by_singular_values(amin),
    **{ord: _by_sums(ord) for ord in (1, -1, math.inf, -math.inf)},
}
"""By ord: a function of the matrices and their two axes that keeps both with length one."""


def matrix_norm(
    A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """Norms of matrices in two dims: "fro", "nuc", 1, -1, inf, -inf, 2, -2.

    Raises:
        DTypeError: another ord.
        ShapeError: dim does not name two dims.
    """
    if ord not in MATRIX_NORMS:
        raise DTypeError(
            f"matrix_norm: ord is 'fro', 'nuc', 1, -1, 2, -2, inf or -inf, got {ord!r}"
        )
    if isinstance(dim, int) or len(dim) != 2:
        raise ShapeError(f"matrix_norm: wanted two dims, got {dim!r}; use vector_norm")
    if dtype is not None:
        A = A.to(dtype)
    rows, cols = (normalize_axis("matrix_norm", d, A.ndim, A) for d in dim)
    if rows == cols:
        raise ShapeError(f"matrix_norm: wanted two different dims, got {tuple(dim)}")
    out: Tensor = MATRIX_NORMS[ord](A, rows, cols)
    return out if keepdim else squeeze(out, (rows, cols))


def norm(
    A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """`vector_norm`, or `matrix_norm` when two dims (or a matrix) and an ord are given.

    Raises:
        ShapeError: ord without dim, and A is neither a vector nor a matrix.
    """
    if dim is None and ord is None:
        return vector_norm(A, 2, None, keepdim, dtype=dtype)
    if dim is None and A.ndim not in (1, 2):
        raise ShapeError(
            f"norm: with an ord and no dim, wanted a vector or a matrix, got {tuple(A.shape)}; "
            "name the dim, or use vector_norm"
        )
    axes = normalize_axes("norm", dim, A.ndim, A)
    order = (dim if isinstance(dim, Sequence) else None) or axes
    if isinstance(ord, str) or (ord is not None and len(axes) == 2):
        return matrix_norm(A, ord, order, keepdim, dtype=dtype)
    return vector_norm(A, 2 if ord is None else ord, dim, keepdim, dtype=dtype)


def cond(A: Tensor, p: Any = None) -> Tensor:
    """The condition number: by default the largest over the smallest singular value.

    Args:
        A: (..., m, n); square unless p is None, 2 or -2.
        p: an ord of `matrix_norm`; then norm(A) * norm(inv(A)), inf for singular matrices.
    """
    check_matrices("cond", A, square=p not in (None, 2, -2))
    if p is None or p in (2, -2):
        values = svdvals(A)
        if values.shape[-1] == 0:
            return _sum(values, -1)
        big, small = values[..., 0], values[..., -1]
        return ew.div(small, big) if p == -2 else ew.div(big, small)
    if A._data.size == 0:
        return vector_norm(A, 2, (-2, -1))
    inverse, info = inv_ex(A)
    singular = ew.ne(info, 0)
    inverse = ew.where(unsqueeze(unsqueeze(singular, -1), -1), 0, inverse)
    return ew.where(singular, math.inf, ew.mul(matrix_norm(A, p), matrix_norm(inverse, p)))

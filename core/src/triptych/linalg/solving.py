"""Inverses and equations with stacks of matrices."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .. import dtypes
from ..avals import broadcast_shapes
from ..errors import DTypeError, ShapeError
from ..ops.linalg import adjoint
from ..ops.named import drops_names
from ..ops.reduce import argsort
from ..ops.shape import expand, movedim, reshape, squeeze, unsqueeze
from ..prims import linalg as la
from ..prims.diagnosed import inv_ex as _inv_ex
from ..prims.diagnosed import solve_ex as _solve_ex
from ..prims.index import gather
from ..prims.ldl import block_diagonal_solve, ldl_layout, ldl_parts, turned
from ..prims.lu import row_order
from ..prims.triangular import check_matrices
from ..prims.triangular import solve_triangular as _triangular
from ..tensor import Tensor
from .factors import raise_for
from .results import InverseInfo, SolveInfo

__all__ = [
    "inv",
    "inv_ex",
    "ldl_solve",
    "lu_solve",
    "solve",
    "solve_ex",
    "solve_triangular",
    "tensorinv",
    "tensorsolve",
]

SINGULAR = (
    "the matrix is singular: pivot {info} (counted from one) is zero; check it for dependent rows, "
    "or use linalg.pinv or linalg.lstsq"
)


def inv(A: Tensor) -> Tensor:
    """The inverse of square matrices (..., n, n).

    Raises:
        LinAlgError: a matrix is singular.
    """
    out: Tensor = la.inv(A)
    return out


def inv_ex(A: Tensor, *, check_errors: bool = False) -> InverseInfo:
    """`inv` that reports singular matrices instead of raising; their inverse has no meaning.

    Raises:
        LinAlgError: check_errors, and a matrix is singular.
    """
    found = InverseInfo(*_inv_ex(A))
    if check_errors:
        raise_for("inv", found.info, SINGULAR)
    return found


def is_vector(A: Tensor, B: Tensor) -> bool:
    """Whether the right-hand side is one vector per matrix."""
    return B.ndim == 1 or (B.ndim == A.ndim - 1 and B.shape == A.shape[:-1])


def _with_columns(A: Tensor, B: Tensor, left: bool, solve: Callable[..., Any]) -> Any:
    """The results of solve(A, B), the first in the form of B; X @ A = B is A^T @ X^T = B^T."""
    vector = is_vector(A, B)
    if not left:
        A, B = A.mT, B if vector else B.mT
    x, *rest = solve(A, unsqueeze(B, -1) if vector else B)
    return (squeeze(x, -1) if vector else x if left else x.mT), *rest


def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """X with A @ X = B, or X @ A = B if not left; B is (..., n, k), or (..., n) for vectors.

    Raises:
        LinAlgError: a matrix is singular.
    """
    (x,) = _with_columns(A, B, left, lambda a, b: (la.solve(a, b),))
    return x


def solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False) -> SolveInfo:
    """`solve` that reports singular matrices instead of raising; their solution has no meaning.

    Raises:
        LinAlgError: check_errors, and a matrix is singular.
    """
    x, info = _with_columns(A, B, left, _solve_ex)
    if check_errors:
        raise_for("solve", info, SINGULAR)
    return SolveInfo(x, info)


def solve_triangular(
    A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """X with A @ X = B, or X @ A = B if not left, for triangular A.

    Args:
        A: (..., n, n); only one triangle is read.
        B: (..., n, k), or (..., k, n) if not left.
        upper: which triangle.
        unitriangular: the diagonal of A counts as ones.

    Returns:
        X in the shape of B; a zero on the diagonal gives inf or NaN.
    """
    options = {"unitriangular": bool(unitriangular)}
    if left:
        return _triangular(A, B, upper=bool(upper), **options)
    return _triangular(A.mT, B.mT, upper=not upper, **options).mT


@drops_names
def lu_solve(
    LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False
) -> Tensor:
    """X with A @ X = B from the factors that `lu_factor` gives for A.

    Args:
        LU, pivots: (..., n, n) and (..., n) int32.
        B: (..., n, k), or (..., k, n) if not left.
        left: X @ A = B otherwise.
        adjoint: A^H in place of A.

    Raises:
        ShapeError: sizes do not fit.
        DTypeError: pivots are not int32.
    """
    check_matrices("lu_solve", LU)
    _check_pivots("lu_solve", LU, pivots)
    if not left:
        return _adjoint(lu_solve(LU, pivots, _adjoint(B), adjoint=not adjoint))
    order = unsqueeze(row_order(pivots, size=LU.shape[-1]), -1)
    if adjoint:
        h = _adjoint(LU)
        y = _triangular(h, B, upper=False, unitriangular=False)
        y = _triangular(h, y, upper=True, unitriangular=True)
        return _rows(y, argsort(order, -2))
    y = _triangular(LU, _rows(B, order), upper=False, unitriangular=True)
    return _triangular(LU, y, upper=True, unitriangular=False)


_adjoint = adjoint


def _rows(x: Tensor, order: Tensor) -> Tensor:
    """Rows of (..., n, k) in the order (..., n, 1)."""
    lead = broadcast_shapes("solve", tuple(x.shape[:-2]), tuple(order.shape[:-2]))
    shape = (*lead, *x.shape[-2:])
    return gather(expand(x, shape), expand(order, shape), axis=len(shape) - 2)


def _check_pivots(name: str, packed: Tensor, pivots: Tensor) -> None:
    if pivots.shape != packed.shape[:-1]:
        raise ShapeError(
            f"{name}: wanted pivots of shape {tuple(packed.shape[:-1])} for factors of shape "
            f"{tuple(packed.shape)}, got {tuple(pivots.shape)}"
        )
    if pivots.dtype is not dtypes.int32:
        raise DTypeError(f"{name}: wanted int32 pivots, got {pivots.dtype}; use .int()")


@drops_names
def ldl_solve(LD: Tensor, pivots: Tensor, B: Tensor, *, hermitian: bool = False) -> Tensor:
    """X with A @ X = B from the factors that `ldl_factor` gives for A.

    Args:
        LD, pivots: (..., n, n) and (..., n).
        B: (..., n, k).
        hermitian: whether complex factors are those of a Hermitian matrix.

    Raises:
        ShapeError: sizes do not fit.
    """
    check_matrices("ldl_solve", LD)
    _check_pivots("ldl_solve", LD, pivots)
    low, d, order, _ = ldl_parts(LD, pivots)
    pairs = ldl_layout(pivots)[2]
    order = unsqueeze(order, -1)
    y = _triangular(low, _rows(B, order), upper=False, unitriangular=True)
    y = block_diagonal_solve(d, pairs, y, hermitian)
    y = _triangular(turned(low, hermitian), y, upper=True, unitriangular=True)
    return _rows(y, argsort(order, -2))


# Tensors as matrices


def tensorinv(A: Tensor, ind: int = 2) -> Tensor:
    """The inverse of the map that `tensordot` over the last dims applies.

    Args:
        A: its first `ind` lengths and its other lengths have the same product.

    Returns:
        X with tensordot(A, tensordot(X, B, ind), ...) = B: dims (*A.shape[ind:], *A.shape[:ind]).

    Raises:
        ShapeError: the products differ, or ind < 1.
        LinAlgError: the map has no inverse.
    """
    if ind < 1:
        raise ShapeError(f"tensorinv: wanted ind > 0, got {ind}")
    rows, columns = tuple(A.shape[:ind]), tuple(A.shape[ind:])
    if math.prod(rows) != math.prod(columns):
        raise ShapeError(
            f"tensorinv: shape {tuple(A.shape)} splits at ind={ind} into products "
            f"{math.prod(rows)} and {math.prod(columns)}, which must be equal"
        )
    flat = reshape(A, (math.prod(rows), math.prod(columns)))
    return reshape(inv(flat), (*columns, *rows))


def tensorsolve(A: Tensor, B: Tensor, dims: Any = None) -> Tensor:
    """X with tensordot(A, X, X.ndim) = B.

    Args:
        A: dims (*B.shape, *X.shape) with as many elements in both parts.
        dims: dims of A to move to the end first.

    Raises:
        ShapeError: A does not have B.numel() ** 2 elements.
    """
    if dims is not None:
        A = movedim(A, tuple(dims), tuple(range(A.ndim - len(dims), A.ndim)))
    rest = tuple(A.shape[B.ndim :])
    if math.prod(rest) != B._data.size or math.prod(A.shape[: B.ndim]) != B._data.size:
        raise ShapeError(
            f"tensorsolve: A {tuple(A.shape)} does not split into {tuple(B.shape)} and as many "
            "unknowns"
        )
    flat = reshape(A, (B._data.size, B._data.size))
    return reshape(solve(flat, reshape(B, -1)), rest)

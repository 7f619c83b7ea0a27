"""Ranks, pseudo-inverses and least squares."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..errors import DTypeError, LinAlgError, ShapeError
from ..ops.creation import as_tensor, cast_to
from ..ops.named import drops_names
from ..ops.reduce import amax, amin
from ..ops.reduce import sum as _sum
from ..ops.shape import reshape, squeeze, unsqueeze
from ..prims import elementwise as ew
from ..prims.contract import matmul
from ..prims.matrix_function import pinv as _pinv
from ..prims.precision import computes_in
from ..prims.triangular import check_matrices
from ..state import state
from ..tensor import Tensor
from .factors import eigvalsh, svdvals
from .results import LeastSquares
from .solving import is_vector

__all__ = ["lstsq", "matrix_rank", "pinv"]


def _tolerances(A: Tensor, atol: Any, rtol: Any) -> tuple[Tensor, Tensor]:
    """(atol, rtol) as real tensors; rtol defaults to eps * max(m, n) where there is no atol."""
    dtype = dtypes.real_of(A._data.dtype)
    usual = float(dtypes.finfo(A.dtype).eps * max(A.shape[-2:]))
    least = cast_to(as_tensor(0.0 if atol is None else atol, device=A.device), dtype).detach()
    if rtol is None:
        rtol = ew.where(ew.gt(least, 0), 0.0, ew.add(ew.mul(least, 0), usual))
    return least, cast_to(as_tensor(rtol, device=A.device), dtype).detach()


@computes_in("single")
def matrix_rank(
    A: Tensor, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None
) -> Tensor:
    """How many singular values are above max(atol, rtol * largest).

    Args:
        A: (..., m, n).
        tol: atol without any rtol.
        hermitian: the matrices are Hermitian: eigenvalues are enough.
        atol, rtol: numbers, or tensors with a value per matrix; default eps * max(m, n) for rtol
            if there is no atol.

    Returns:
        (...) int64.
    """
    if tol is not None:
        atol, rtol = tol, 0.0
    w = eigvalsh(A) if hermitian else svdvals(A)
    least, factor = _tolerances(A, atol, rtol)
    if w.shape[-1] == 0:
        lead = ew.add(ew.add(_sum(w, -1), ew.mul(least, 0)), ew.mul(factor, 0))
        return cast_to(ew.mul(lead, 0), dtypes.INT64).detach()
    size = ew.abs(w)
    floor = ew.maximum(ew.mul(amax(size, -1, True), unsqueeze(factor, -1)), unsqueeze(least, -1))
    return _sum(ew.gt(size, floor), -1)


@computes_in("single")
def pinv(
    A: Tensor, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None
) -> Tensor:
    """The Moore-Penrose inverse; small singular values count as zero.

    Args:
        A: (..., m, n).
        rcond: rtol under its older name.
        hermitian: the matrices are Hermitian: eigenvalues are enough.
        atol, rtol: as for `matrix_rank`.

    Returns:
        (..., n, m). Its derivative holds where the rank stays the same.
    """
    least, factor = _tolerances(A, atol, rcond if rtol is None else rtol)
    return _pinv(A, least, factor, hermitian=hermitian)


# Least squares

DRIVERS = ("gels", "gelsd", "gelss", "gelsy")


@drops_names
@computes_in("single")
def lstsq(
    A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None
) -> LeastSquares:
    """The shortest X that minimises |A @ X - B|.

    Args:
        A: (..., m, n).
        B: (..., m, k), or (..., m) for vectors.
        rcond: singular values up to rcond times the largest count as zero; default
            eps * max(m, n).
        driver: which of LAPACK's routines to behave as: "gelsy" (default) gives no residuals and
            no singular values; "gels" wants full rank and gives residuals only; "gelsd" and
            "gelss" give all.

    Returns:
        The solution (..., n, k); squared residuals (..., k) if m > n, the driver gives them and all
        ranks are n; ranks (...) int64; singular values (..., min(m, n)). The rest is empty.

    Raises:
        DTypeError: another driver.
        LinAlgError: "gels", and a matrix has not full rank.
    """
    driver = "gelsy" if driver is None else driver
    if driver not in DRIVERS:
        raise DTypeError(f"lstsq: driver is one of {DRIVERS}, got {driver!r}")
    check_matrices("lstsq", A, square=False)
    vector = is_vector(A, B) and B.shape != A.shape
    rhs = unsqueeze(B, -1) if vector else B
    if rhs.ndim != A.ndim or rhs.shape[-2] != A.shape[-2]:
        raise ShapeError(
            f"lstsq: A is {tuple(A.shape)}, B is {tuple(B.shape)}; B needs {A.shape[-2]} rows and "
            "as many dims as A, or one less for vectors"
        )
    values = svdvals(A.detach())
    if driver == "gels":
        _check_full_rank(A, values)
    solution = matmul(pinv(A, 0.0 if driver == "gels" else rcond), rhs)
    rank = matrix_rank(A.detach(), rtol=rcond)
    residuals = _residuals(A, rhs, solution, rank, driver)
    nothing = A.new_zeros(0, dtype=values.dtype)
    return LeastSquares(
        squeeze(solution, -1) if vector else solution,
        residuals,
        rank if driver != "gels" else rank.new_zeros(0),
        values if driver in ("gelsd", "gelss") else nothing,
    )


def _check_full_rank(A: Tensor, values: Tensor) -> None:
    if state.trace is not None or values._data.size == 0:
        return
    eps = dtypes.finfo(A.dtype).eps
    short = ew.le(amin(values, -1), ew.mul(amax(values, -1), eps))
    if bool(short.any()):
        raise LinAlgError(
            "lstsq: driver 'gels' wants matrices of full rank, and one has dependent columns; use "
            "driver='gelsd'"
        )


def _residuals(A: Tensor, B: Tensor, solution: Tensor, rank: Tensor, driver: str) -> Tensor:
    m, n = A.shape[-2:]
    known = state.trace is None
    wanted = m > n and driver != "gelsy"
    if driver != "gels" and wanted and known:
        wanted = bool(ew.eq(rank, n).all())
    if not wanted:
        return reshape(ew.real(solution[..., :0]), 0)  # empty, with a history
    gap = ew.sub(matmul(A, solution), B)
    return ew.real(_sum(ew.mul(gap, ew.conj_if_complex(gap)), -2))

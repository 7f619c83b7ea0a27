"""Whole-tensor comparisons."""

from __future__ import annotations

from ..dtypes import BOOL
from ..errors import DomainError
from ..prims import elementwise as ew
from ..tensor import Tensor
from .creation import as_tensor

__all__ = [
    "allclose",
    "equal",
    "isclose",
]


def isclose(
    input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """Where |input - other| <= atol + rtol * |other|.

    Args:
        input, other: broadcast; other may be a number.
        rtol, atol: tolerances, zero or more.
        equal_nan: whether NaN is close to NaN.

    Raises:
        DomainError: a tolerance is negative or NaN.
    """
    for label, value in (("rtol", rtol), ("atol", atol)):
        if not value >= 0:
            raise DomainError(f"isclose: wanted {label} >= 0, got {value}")
    other = as_tensor(other, device=input.device)
    if input._data.dtype == other._data.dtype == BOOL:
        return ew.eq(input, other)
    near = ew.le(ew.abs(ew.sub(input, other)), ew.add(ew.mul(ew.abs(other), rtol), atol))
    out = ew.logical_or(ew.eq(input, other), ew.logical_and(near, ew.isfinite(other)))
    if equal_nan:
        out = ew.logical_or(out, ew.logical_and(ew.isnan(input), ew.isnan(other)))
    return out


def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether all elements are close (see `isclose`)."""
    return bool(isclose(input, other, rtol, atol, equal_nan).all())


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have one shape, the same names of dims, and the same elements."""
    if input._names != other._names:
        return False
    return input.shape == other.shape and bool(ew.eq(input, other).all())

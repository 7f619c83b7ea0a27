"""Norms of matrices under torch's older names, and tensors brought to a norm."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..avals import normalize_axis
from ..errors import DTypeError, ShapeError
from ..prims import elementwise as ew
from ..tensor import Tensor
from .reduce import norm

__all__ = ["frobenius_norm", "norm_except_dim", "nuclear_norm", "renorm"]


def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """Slices along dim scaled down to a norm, where theirs is larger.

    Args:
        input: (...), at least two axes, floating or complex.
        p: the order of the norm, positive.
        dim: each index of this axis is one slice.
        maxnorm: the largest norm allowed.

    Raises:
        ShapeError: input has fewer than two axes, p is not positive, or maxnorm is negative.
        DTypeError: elements are integers.

    Example:
        >>> from triptych import tensor
        >>> renorm(tensor([[3.0, 4.0], [0.3, 0.4]]), 2, 0, 5.0).tolist()[0]
        [3.0, 4.0]
    """
    if input.ndim < 2 or p <= 0 or maxnorm < 0:
        raise ShapeError(
            f"renorm: wanted two axes or more, p > 0 and maxnorm >= 0, got shape "
            f"{tuple(input.shape)}, p = {p} and maxnorm = {maxnorm}"
        )
    if not dtypes.is_inexact(input._data.dtype):
        raise DTypeError(f"renorm: wanted floating elements, got {input.dtype}; use .float()")
    axis = normalize_axis("renorm", dim, input.ndim, input)
    rest = tuple(i for i in range(input.ndim) if i != axis)
    size = norm(input, p, rest, True)
    # The small number is torch's: it keeps the result below maxnorm after rounding.
    scale = ew.where(ew.gt(size, maxnorm), ew.div(maxnorm, ew.add(size, 1e-7)), 1)
    return ew.mul(input, scale)


def frobenius_norm(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """The square root of the sum of squares over dim; default over all."""
    return norm(input, "fro", dim, keepdim)


def nuclear_norm(input: Tensor, dim: Any = (-2, -1), keepdim: bool = False) -> Tensor:
    """The sum of the singular values of the matrices in two dims."""
    return norm(input, "nuc", dim, keepdim)


def norm_except_dim(v: Tensor, pow: float = 2, dim: int = 0) -> Tensor:
    """The norm of order pow of each slice along dim, with the other axes kept at length one; for
    dim = -1 of everything.
    """
    if dim == -1:
        return norm(v, pow)
    axis = normalize_axis("norm_except_dim", dim, v.ndim, v)
    rest = tuple(i for i in range(v.ndim) if i != axis)
    return norm(v, pow, rest, True) if rest else ew.abs(v)

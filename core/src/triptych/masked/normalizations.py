"""Functions along an axis that keep the shape, of the elements where a mask is True."""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from ..errors import DTypeError
from ..ops import pointwise, statistics
from ..ops import reduce as plain
from ..ops.creation import cast_to
from ..prims import elementwise as ew
from ..tensor import Tensor
from .choice import converted, filled
from .reductions import norm

__all__ = [
    "cumprod",
    "cumsum",
    "log_softmax",
    "logaddexp",
    "normalize",
    "softmax",
    "softmin",
]


def cumsum(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """The running sum of the chosen elements along dim.

    Args:
        input: (...).
        dim: an axis.
        dtype: to add in, and of the result; default that of input.
        mask: True where elements count; broadcasts to input.
    """
    kind = input.dtype if dtype is None else dtype
    return converted(plain.cumsum(filled("cumsum", input, mask, 0), dim, dtype=kind), kind)


def cumprod(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """The running product of the chosen elements along dim; arguments as for `cumsum`."""
    kind = input.dtype if dtype is None else dtype
    return converted(statistics.cumprod(filled("cumprod", input, mask, 1), dim, dtype=kind), kind)


def _prepared(name: str, input: Tensor, dtype: Any) -> Tensor:
    x = converted(input, dtype)
    if not x.is_floating_point():
        raise DTypeError(
            f"masked.{name}: wanted floating elements, got {x.dtype}; pass dtype= or use .float()"
        )
    return x


def softmax(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """exp(x) / sum(exp(x)) of the chosen elements along dim: 0 for the others, NaN where none is
    chosen.

    Args:
        input: (...), floating.
        dim: an axis.
        dtype: to compute in, and of the result; default that of input.
        mask: True where elements count; broadcasts to input.
    """
    x = _prepared("softmax", input, dtype)
    x = filled("softmax", x, mask, -math.inf)
    return pointwise.softmax(x, dim)


def log_softmax(
    input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """log(softmax(x)) of the chosen elements: -inf for the others. Arguments as for `softmax`."""
    x = _prepared("log_softmax", input, dtype)
    x = filled("log_softmax", x, mask, -math.inf)
    return pointwise.log_softmax(x, dim)


def softmin(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """`softmax` of the negative: the smallest of the chosen elements weighs most."""
    x = _prepared("softmin", input, dtype)
    x = filled("softmin", x, mask, math.inf)
    return pointwise.softmax(ew.neg(x), dim)


def normalize(
    input: Tensor,
    ord: float,
    dim: int,
    *,
    eps: float = 1e-12,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The chosen elements divided by their norm along dim; 0 for the others.

    Args:
        input: (...), floating or complex.
        ord: the order of the norm.
        dim: an axis.
        eps: the least norm to divide by.
        dtype: to compute the norm in; default that of input.
        mask: True where elements count; broadcasts to input.
    """
    size = norm(input, ord, dim, keepdim=True, dtype=dtype, mask=mask)
    return ew.div(filled("normalize", input, mask, 0), ew.maximum(size, eps))


def logaddexp(
    input: Tensor,
    other: Tensor,
    *,
    dtype: Any = None,
    input_mask: Tensor | None = None,
    other_mask: Tensor | None = None,
) -> Tensor:
    """log(exp(input) + exp(other)) where both are chosen; the one that is chosen where only one is;
    -inf where none is.

    Args:
        input, other: floating tensors that broadcast.
        dtype: of the result; default that of input.
        input_mask, other_mask: True where elements count; each broadcasts to its tensor.
    """
    pair = [
        filled("logaddexp", _floating(x), mask, -math.inf)
        for x, mask in ((input, input_mask), (other, other_mask))
    ]
    return converted(ew.logaddexp(*pair), input.dtype if dtype is None else dtype)


def _floating(x: Tensor) -> Tensor:
    floating = dtypes.is_inexact(x._data.dtype)
    return x if floating else cast_to(x, dtypes.get_default_dtype().dtype)

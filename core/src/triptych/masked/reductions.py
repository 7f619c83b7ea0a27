"""Reductions of the elements where a mask is True. ``dim`` is an axis, several, or None for all.

Where a mask leaves nothing, sums are 0, products 1, the largest element is the lowest there is, the
smallest the highest, and means, variances and medians are NaN.
"""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from ..errors import DTypeError
from ..ops import reduce as plain
from ..ops import statistics
from ..ops.creation import cast_to
from ..ops.shape import reshape
from ..prims import elementwise as ew
from ..tensor import Tensor
from .choice import chosen, converted, filled, highest, lowest

__all__ = [
    "amax",
    "amin",
    "argmax",
    "argmin",
    "logsumexp",
    "mean",
    "median",
    "norm",
    "prod",
    "std",
    "sum",
    "var",
]

Dims = plain.Dims


def sum(
    input: Tensor,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The sum of the chosen elements; 0 where there are none.

    Args:
        input: (...).
        dim: an axis, several, or None for all.
        keepdim: keep reduced axes with length one.
        dtype: of the result; default that of input, int64 for integers and booleans.
        mask: True where elements count; broadcasts to input.

    Example:
        >>> from triptych import tensor
        >>> sum(tensor([1.0, 2.0, 4.0]), mask=tensor([True, False, True])).item()
        5.0
    """
    return plain.sum(filled("sum", input, mask, 0), dim, keepdim, dtype=dtype)


def prod(
    input: Tensor,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The product of the chosen elements; 1 where there are none. Arguments as for `sum`."""
    return plain.prod(filled("prod", input, mask, 1), dim, keepdim, dtype=dtype)


def amax(
    input: Tensor,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The largest of the chosen elements; -inf or the lowest integer where there are none.
    Arguments as for `sum`.

    Raises:
        DTypeError: elements are complex or boolean.
    """
    x = filled("amax", input, mask, lowest("amax", input.dtype))
    return converted(plain.amax(x, dim, keepdim), dtype)


def amin(
    input: Tensor,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The smallest of the chosen elements; inf or the highest integer where there are none.
    Arguments as for `sum`.

    Raises:
        DTypeError: elements are complex or boolean.
    """
    x = filled("amin", input, mask, highest("amin", input.dtype))
    return converted(plain.amin(x, dim, keepdim), dtype)


def argmax(
    input: Tensor,
    dim: int | None = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The index of the largest of the chosen elements, along dim or in the flattened tensor.

    Args:
        input: (...).
        dim: an axis, or None for the flattened tensor.
        keepdim: keep reduced axes with length one.
        dtype: of the result; as in torch the default is that of input.
        mask: True where elements count; broadcasts to input.
    """
    x = filled("argmax", input, mask, lowest("argmax", input.dtype))
    return converted(plain.argmax(x, dim, keepdim), input.dtype if dtype is None else dtype)


def argmin(
    input: Tensor,
    dim: int | None = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The index of the smallest of the chosen elements; arguments as for `argmax`."""
    x = filled("argmin", input, mask, highest("argmin", input.dtype))
    return converted(plain.argmin(x, dim, keepdim), input.dtype if dtype is None else dtype)


def _count(name: str, input: Tensor, dim: Dims, keepdim: bool, mask: Tensor | None) -> Tensor:
    """How many elements take part."""
    if mask is None:
        everywhere = ew.fill_like(input.detach(), value=1)
        return plain.sum(cast_to(everywhere, dtypes.BOOL), dim, keepdim)
    return plain.sum(chosen(name, input, mask), dim, keepdim)


def mean(
    input: Tensor,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The mean of the chosen elements; NaN where there are none. Arguments as for `sum`.

    Raises:
        DTypeError: elements are integers and no floating dtype is given.
    """
    x = converted(input, dtype)
    if not dtypes.is_inexact(x._data.dtype):
        raise DTypeError(
            f"masked.mean: wanted floating or complex elements, got {x.dtype}; pass dtype= or use "
            ".float()"
        )
    total = sum(x, dim, keepdim=keepdim, mask=mask)
    return ew.div(total, cast_to(_count("mean", x, dim, keepdim, mask), total._data.dtype))


def median(
    input: Tensor,
    dim: int = -1,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The median of the chosen elements along dim, the lower of two; NaN where there are none.

    Args:
        input: (...).
        dim: an axis.
        keepdim: keep it with length one.
        dtype: of the result, for integers; default theirs.
        mask: True where elements count; broadcasts to input.

    Raises:
        DTypeError: elements are integers, and somewhere none is chosen.
    """
    floating = input.is_floating_point()
    x = input if floating else cast_to(input, dtypes.float32.dtype)
    found = statistics.nanmedian(filled("median", x, mask, math.nan), dim, keepdim).values
    if floating:
        return found
    if bool(plain.any(ew.isnan(found))):
        raise DTypeError(
            f"masked.median: somewhere along dim {dim} no element is chosen, and {input.dtype} has "
            "no NaN to say so; convert with .float() first"
        )
    return converted(found, input.dtype if dtype is None else dtype)


def logsumexp(
    input: Tensor,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """log(sum(exp(x))) of the chosen elements; -inf where there are none. Arguments as for `sum`,
    but the default dtype is that of input, integers included, as in torch.
    """
    if input._data.dtype == dtypes.BOOL:
        raise DTypeError("masked.logsumexp: not defined for booleans; convert with .float()")
    x = input if dtypes.is_inexact(input._data.dtype) else cast_to(input, _default())
    out = plain.logsumexp(filled("logsumexp", x, mask, -math.inf), dim, keepdim)
    return converted(out, input.dtype if dtype is None else dtype)


def _default() -> Any:
    return dtypes.get_default_dtype().dtype


def norm(
    input: Tensor,
    ord: float | None = 2.0,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The vector norm of the chosen elements, as `linalg.vector_norm`; 0 where there are none, for
    ord = -inf infinite. Arguments as for `sum`.
    """
    from ..linalg import vector_norm

    order = 2.0 if ord is None else ord
    x = filled("norm", input, mask, math.inf if order == -math.inf else 0)
    return vector_norm(x, order, dim, keepdim, dtype=dtype)


def var(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    *,
    correction: float | None = None,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The variance of the chosen elements; NaN where there are too few.

    Args:
        input: (...).
        dim: an axis, several, or None for all.
        unbiased: True is correction 1, False is correction 0.
        correction: taken from the count before dividing; default 1.
        keepdim: keep reduced axes with length one.
        dtype: to compute in; default that of input, for integers float32.
        mask: True where elements count; broadcasts to input.

    Raises:
        DTypeError: unbiased and correction are both given.
    """
    if unbiased is not None and correction is not None:
        raise DTypeError("masked.var: give unbiased or correction, not both")
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    kind = input.dtype if dtypes.is_inexact(input._data.dtype) else dtypes.float32
    x = converted(input, kind if dtype is None else dtype)
    centred = ew.sub(x, mean(x, dim, keepdim=True, mask=mask))
    total = sum(plain._squared(centred), dim, keepdim=keepdim, mask=mask)
    count = reshape(_count("var", x, dim, keepdim, mask), total.shape)
    room = ew.maximum(ew.sub(cast_to(count, total._data.dtype), correction), 0)
    return cast_to(ew.div(total, room), x._data.dtype)


def std(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    *,
    correction: float | None = None,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The standard deviation of the chosen elements: the square root of `var`, whose arguments it
    takes.
    """
    spread = var(
        input, dim, unbiased, correction=correction, keepdim=keepdim, dtype=dtype, mask=mask
    )
    return ew.sqrt(spread)

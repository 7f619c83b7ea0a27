"""Random tensors. All take ``generator=``; the default generator is seeded by `manual_seed`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import dtypes
from ..avals import broadcast_shapes as _broadcast_shapes
from ..errors import DomainError, DTypeError, ShapeError
from ..prims import create
from ..prims.promotion import kind_of
from ..random import Generator, default_generator
from ..tensor import Symbol, Tensor
from .creation import DeviceLike, DimNames, DTypeLike, _device, _dtype, _finish, _sizes, zeros
from .named import with_names
from .search import searchsorted

__all__ = [
    "bernoulli",
    "multinomial",
    "normal",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
]


def _draw(
    prim: Any,
    shape: Sequence[int],
    dtype: DTypeLike,
    device: DeviceLike,
    generator: Generator | None,
    **params: Any,
) -> Tensor:
    wanted = _dtype(dtype)
    if kind_of(wanted) not in ("iuf" if prim is create.integers else "fc"):
        raise DTypeError(
            f"{prim.prim.name}: random numbers of {wanted} are not defined; draw floating ones and "
            "compare or convert them"
        )
    return prim(
        shape=tuple(shape),
        dtype=wanted,
        device=_device(device),
        generator=generator or default_generator,
        **params,
    )


def rand(
    *size: Any,
    generator: Generator | None = None,
    dtype: DTypeLike = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    names: DimNames = None,
) -> Tensor:
    """Uniform numbers from [0, 1)."""
    made = _draw(create.uniform, _sizes("rand", size), dtype, device, generator)
    return _finish(made, requires_grad, names)


def randn(
    *size: Any,
    generator: Generator | None = None,
    dtype: DTypeLike = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    names: DimNames = None,
) -> Tensor:
    """Numbers from the standard normal distribution."""
    made = _draw(create.normal, _sizes("randn", size), dtype, device, generator)
    return _finish(made, requires_grad, names)


def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    names: DimNames = None,
) -> Tensor:
    """Integers from low (0 if left out) up to but not including high: ``randint(10, (2, 3))``.

    Raises:
        ShapeError: the range is empty.
    """
    if size is None:
        low, high, size = 0, low, high
    if high <= low:
        raise ShapeError(f"randint: the range from {low} to {high} is empty")
    shape = _sizes("randint", (size,))
    dtype = dtypes.int64 if dtype is None else dtype
    span = {"low": int(low), "high": int(high)}
    made = _draw(create.integers, shape, dtype, device, generator, **span)
    return _finish(made, requires_grad, names)


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    names: DimNames = None,
) -> Tensor:
    """The numbers 0 to n - 1 in random order."""
    order = create.permutation(
        shape=(n,),
        dtype=dtypes.INT64,
        device=_device(device),
        generator=generator or default_generator,
    )
    return _finish(order if dtype is None else order.to(dtype), False, names)


def _like(
    prim: Any,
    input: Tensor,
    dtype: DTypeLike,
    generator: Generator | None,
    device: DeviceLike = None,
) -> Tensor:
    dtype = input.dtype if dtype is None else dtype
    made = _draw(prim, input.shape, dtype, input.device if device is None else device, generator)
    return with_names(made, input._names)


def rand_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Uniform numbers from [0, 1) in the shape, dtype and device of another tensor."""
    return _finish(_like(create.uniform, input, dtype, generator, device), requires_grad)


def randn_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Standard normal numbers in the shape, dtype and device of another tensor."""
    return _finish(_like(create.normal, input, dtype, generator, device), requires_grad)


def bernoulli(input: Tensor, *, generator: Generator | None = None) -> Tensor:
    """One with the probability that each element of input gives, else zero."""
    draws = _like(create.uniform, input, None, generator)
    return (draws < input).to(input.dtype)


def normal(
    mean: Any,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal numbers around mean, as wide as std.

    Args:
        mean, std: numbers, or tensors that broadcast.
        size: the shape wanted; may be left out if mean or std is a tensor.
        generator: source of the draws.
        dtype: default that of mean, or else of std, if they are floating tensors.
        device: default that of mean or std.
        requires_grad: record operations on the result.

    Raises:
        DomainError: std is a negative number.
        ShapeError: neither a size nor a tensor is given.

    Example:
        >>> normal(10.0, 0.0, (2, 2)).tolist()
        [[10.0, 10.0], [10.0, 10.0]]
    """
    given = [x for x in (mean, std) if isinstance(x, Tensor)]
    if not given and size is None:
        raise ShapeError("normal: give a size, or a tensor as mean or std")
    if isinstance(std, (int, float)) and std < 0:
        raise DomainError(f"normal: wanted std >= 0, got {std}")
    if size is None:
        size = _broadcast_shapes("normal", *(tuple(x.shape) for x in given))
    if given:
        floating = given[0].is_floating_point() or given[0].is_complex()
        dtype = given[0].dtype if dtype is None and floating else dtype
        device = given[0].device if device is None else device
    draws = randn(size, generator=generator, dtype=dtype, device=device)
    return _finish((draws * std + mean).to(draws.dtype), requires_grad)


def _check_weights(weights: Tensor, num_samples: int, replacement: bool) -> None:
    """Refuse weights to draw from that are none, where their numbers are at hand."""
    usable = (weights >= 0) & weights.isfinite()
    if not usable.all() or not (weights.sum(-1) > 0).all():
        raise ShapeError(
            "multinomial: wanted finite weights >= 0, in every row at least one above zero"
        )
    if not replacement and num_samples > int((weights > 0).sum(-1).min()):
        raise ShapeError(
            f"multinomial: {num_samples} samples without replacement from too few weights"
        )


def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Indices drawn in proportion to non-negative weights.

    Args:
        input: (v,) or (n, v) weights; they need not add up to one.
        num_samples: how many indices per row.
        replacement: whether an index may come twice.

    Returns:
        (num_samples,) or (n, num_samples) int64.

    Raises:
        ShapeError: without replacement, more samples than positive weights.
    """
    if not input.is_floating_point():
        raise DTypeError(f"multinomial: wanted floating weights, got {input.dtype}; use .float()")
    if input.ndim not in (1, 2) or input.shape[-1] == 0 or num_samples < 1:
        raise ShapeError(
            "multinomial: wanted (v,) or (n, v) weights with v >= 1 and num_samples >= 1, got "
            f"{tuple(input.shape)} and {num_samples}"
        )
    if input.shape[0] == 0:
        return zeros(0, num_samples, dtype=dtypes.int64, device=input.device)
    weights = input.detach().double()
    if not isinstance(weights._data, Symbol):
        _check_weights(weights, num_samples, replacement)
    if not replacement:
        # Efraimidis and Spirakis 2006: the largest of u ** (1 / w) are a weighted sample.
        keys = _like(create.uniform, weights, None, generator).log() / weights
        return keys.topk(num_samples).indices
    edges = weights.cumsum(-1)
    draws = _draw(
        create.uniform, (*weights.shape[:-1], num_samples), dtypes.float64, input.device, generator
    )
    return searchsorted(edges, draws * edges[..., -1:], right=True)

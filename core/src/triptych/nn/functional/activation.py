"""Activations: elementwise functions, and softmax along a dim."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import dtypes
from ...avals import normalize_axis
from ...errors import DomainError, DTypeError, ShapeError
from ...ops.inplace import over
from ...ops.pointwise import log_softmax as _log_softmax
from ...ops.pointwise import sigmoid, tanh
from ...ops.pointwise import softmax as _softmax
from ...prims import composite, create, piecewise
from ...prims import elementwise as ew
from ...prims import movement as mv
from ...prims.precision import rounds_once
from ...random import Generator, default_generator
from ...tensor import Tensor
from .arguments import recorded, replaced, softmax_dim

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "log_softmax",
    "logsigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "rrelu",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
]

# Klambauer et al. 2017, eq. 14: the fixed point of mean 0 and variance 1.
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805

_GELU = {"none": composite.gelu, "tanh": composite.gelu_tanh}


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """The larger of x and zero."""
    return over(input, ew.relu, "relu_") if inplace else ew.relu(input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6)."""
    if not dtypes.is_inexact(input._data.dtype):
        return replaced(input, _limited("relu6", input, 0, 6), inplace, "relu6")
    return over(input, piecewise.relu6, "relu6_") if inplace else piecewise.relu6(input)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """Elements below min_val become min_val, above max_val max_val; no gradient at either bound.

    Args:
        input: real numbers; for integers the bounds lose their fractions.
        min_val, max_val: the bounds.
        inplace: write into input.

    Raises:
        DomainError: min_val is above max_val, or negative for unsigned integers.
        DTypeError: the input is boolean.
    """
    if min_val > max_val:
        raise DomainError(f"hardtanh: min_val {min_val} is above max_val {max_val}")
    return replaced(input, _limited("hardtanh", input, min_val, max_val), inplace, "hardtanh")


def _limited(name: str, x: Tensor, low: float, high: float) -> Tensor:
    """x within bounds, in its own dtype."""
    kind = x._data.dtype.kind
    if kind == "b":
        raise DTypeError(f"{name}: not defined for bool elements; convert with .to(dtype) first")
    if kind in "iu":
        low, high = int(low), int(high)
    if kind == "u" and low < 0:
        raise DomainError(f"{name}: {x.dtype} holds no numbers down to {low}; convert with .int()")
    if not recorded(x):
        return ew.clamp_max(ew.clamp_min(x, low), high)
    y = ew.where(ew.le(x, low), low, x)
    return ew.where(ew.ge(y, high), high, y)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """relu6(x + 3) / 6: a piecewise linear sigmoid."""
    if inplace:
        return over(input, piecewise.hardsigmoid, "hardsigmoid_")
    return piecewise.hardsigmoid(input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * hardsigmoid(x). Source: Howard et al. 2019, eq. 1."""
    return over(input, piecewise.hardswish, "hardswish_") if inplace else piecewise.hardswish(input)


def gelu(input: Tensor, *, approximate: str = "none") -> Tensor:
    """x times the probability that a standard normal number is below x.

    Args:
        input: floating.
        approximate: "none" for the exact function, "tanh" for the cheaper approximation.

    Raises:
        ShapeError: approximate is another word.

    Source: Hendrycks and Gimpel 2016, section 2.
    """
    if approximate not in _GELU:
        raise ShapeError(f"gelu: approximate is 'none' or 'tanh', got {approximate!r}")
    return _GELU[approximate](input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x * sigmoid(x), also known as swish."""
    return over(input, composite.silu, "silu_") if inplace else composite.silu(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * tanh(softplus(x))."""
    return replaced(input, _mish(input), inplace, "mish")


@rounds_once
def _mish(x: Tensor) -> Tensor:
    return ew.mul(x, ew.tanh(softplus(x)))


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x above zero, negative_slope * x below."""
    above = ew.gt(input, 0)
    if 0 <= negative_slope <= 1 and dtypes.is_floating(input._data.dtype):
        # The slope of every element: cheaper than a choice of results, above all backwards.
        slopes = ew.maximum(ew.cast(above, dtype=input._data.dtype), negative_slope)
        return replaced(input, ew.mul(input, slopes), inplace, "leaky_relu")
    out = ew.where(above, input, ew.mul(input, negative_slope))
    return replaced(input, out, inplace, "leaky_relu")


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """`leaky_relu` with learned slopes.

    Args:
        input: (n, c, ...), or any shape when there is one slope.
        weight: (1,) one slope, or (c,) one per channel.

    Raises:
        ShapeError: the slopes are not as many as the channels.
    """
    if weight._data.size > 1:
        channels = input.shape[1] if input.ndim > 1 else 1
        if weight.ndim != 1 or weight.shape[0] != channels:
            raise ShapeError(
                f"prelu: wanted one slope or one for each of {channels} channels, got "
                f"{tuple(weight.shape)} for input {tuple(input.shape)}"
            )
        weight = mv.reshape(weight, shape=(channels, *[1] * (input.ndim - 2)))
    elif weight.ndim > input.ndim:
        weight = mv.reshape(weight, shape=())
    return ew.where(ew.gt(input, 0), input, ew.mul(input, weight))


def rrelu(
    input: Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """`leaky_relu` with slopes drawn from [lower, upper) in training, else with their mean.

    Raises:
        DomainError: lower is above upper.
    """
    if lower > upper:
        raise DomainError(f"rrelu: lower {lower} is above upper {upper}")
    slope: Any = (lower + upper) / 2
    if training:
        draws = create.uniform(
            shape=tuple(input.shape),
            dtype=input._data.dtype,
            device=input.device,
            generator=generator or default_generator,
        )
        slope = ew.add(ew.mul(draws, upper - lower), lower)
    out = ew.where(ew.gt(input, 0), input, ew.mul(input, slope))
    return replaced(input, out, inplace, "rrelu")


def _exponential(x: Tensor, alpha: float, scale: float, rate: float) -> Tensor:
    """scale * x above zero, scale * alpha * (exp(rate * x) - 1) below."""
    above = ew.gt(x, 0)
    low = ew.where(above, 0.0, x)  # keeps the branch not taken from overflowing in backward
    low = ew.mul(ew.expm1(low if rate == 1 else ew.mul(low, rate)), alpha * scale)
    return ew.where(above, x if scale == 1 else ew.mul(x, scale), low)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x above zero, alpha * (exp(x) - 1) below."""
    return replaced(input, _exponential(input, alpha, 1.0, 1.0), inplace, "elu")


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """The scaled `elu` that keeps mean 0 and variance 1. Source: Klambauer et al. 2017, eq. 2."""
    return replaced(input, _exponential(input, SELU_ALPHA, SELU_SCALE, 1.0), inplace, "selu")


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x above zero, alpha * (exp(x / alpha) - 1) below: `elu` with a continuous slope."""
    return replaced(input, _exponential(input, alpha, 1.0, 1 / alpha), inplace, "celu")


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta * x)) / beta: a smooth relu; linear where beta * x > threshold."""
    scaled = input if beta == 1 else ew.mul(input, beta)
    if scaled._data.dtype.itemsize == 2:  # float16 holds exp(x) to 11, and rounds alike from 10
        threshold = min(threshold, 10.0)
    large = ew.gt(scaled, threshold)
    curve = ew.log1p(ew.exp(ew.where(large, 0.0, scaled)))
    return ew.where(large, input, curve if beta == 1 else ew.div(curve, beta))


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|): a sign with soft shoulders."""
    return ew.div(input, ew.add(ew.abs(input), 1))


def logsigmoid(input: Tensor) -> Tensor:
    """log(sigmoid(x)), without overflow."""
    # x - log(1 + exp(x)) below zero, -log(1 + exp(-x)) from there on: each is smooth where it
    # holds, zero included, which -|x| in the exponent would not be.
    below = ew.lt(input, 0)
    tail = ew.log1p(ew.exp(ew.where(below, input, ew.neg(input))))
    return ew.sub(ew.where(below, input, 0.0), tail)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x): what tanh takes away."""
    return ew.sub(input, ew.tanh(input))


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x, or zero where |x| <= lambd."""
    return ew.where(ew.le(ew.abs(input), lambd), 0.0, input)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved towards zero by lambd, and zero where |x| <= lambd.

    Raises:
        ShapeError: lambd is negative.
    """
    if lambd < 0:
        raise ShapeError(f"softshrink: wanted lambd >= 0, got {lambd}")
    inside = ew.le(ew.abs(input), lambd)
    return ew.where(inside, 0.0, ew.sub(input, ew.mul(ew.sign(input), lambd)))


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where it is above threshold, else value."""
    return replaced(input, ew.where(ew.le(input, threshold), value, input), inplace, "threshold")


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half along dim times the sigmoid of the second. Source: Dauphin et al. 2016, eq. 1.

    Raises:
        ShapeError: the length of dim is odd.
    """
    axis = normalize_axis("glu", dim, input.ndim, input)
    length = input.shape[axis] if input.ndim else 1
    if length % 2:
        raise ShapeError(f"glu: dim {dim} is split in halves, but has length {length}")
    lead = (slice(None),) * axis
    value = mv.slice_(input, key=(*lead, slice(0, length // 2)))
    return ew.mul(value, ew.sigmoid(mv.slice_(input, key=(*lead, slice(length // 2, length)))))


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """exp(x) / sum(exp(x)) along dim: positive numbers that add up to one.

    Args:
        input: any shape.
        dim: the dim of the numbers that compete.
        dtype: what to convert to first.
    """
    return _softmax(input, softmax_dim("softmax", input.ndim) if dim is None else dim, dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """log(softmax(x)) along dim, without overflow."""
    return _log_softmax(
        input, softmax_dim("log_softmax", input.ndim) if dim is None else dim, dtype
    )


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """softmax(-x) along dim."""
    return softmax(ew.neg(input), dim, dtype=dtype)


def gumbel_softmax(
    logits: Tensor,
    tau: float = 1,
    hard: bool = False,
    eps: float = 1e-10,
    dim: int = -1,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """A sample from categories that gradients pass through.

    Args:
        logits: unnormalised log probabilities.
        tau: temperature; towards zero samples become one-hot.
        hard: give one-hot samples, with the gradient of the soft ones.
        eps: unused, as in torch.
        dim: the dim of categories.
        generator: source of the draws.

    Raises:
        DTypeError: logits are not floating.

    Source: Jang, Gu and Poole 2016, eq. 2.
    """
    if not dtypes.is_floating(logits._data.dtype):
        raise DTypeError(f"gumbel_softmax: wanted floating logits, got {logits.dtype}")
    draws = create.uniform(
        shape=tuple(logits.shape),
        dtype=logits._data.dtype,
        device=logits.device,
        generator=generator or default_generator,
    )
    # 1 - u lies in (0, 1], so the outer log is finite once the inner one is kept off zero.
    tiny = np.finfo(np.float32).tiny
    inner = ew.maximum(ew.neg(ew.log(ew.sub(1, draws))), float(tiny))
    soft = softmax(ew.div(ew.sub(logits, ew.log(inner)), tau), dim)
    if not hard:
        return soft
    axis = normalize_axis("gumbel_softmax", dim, logits.ndim, logits)
    top = soft.detach().argmax(axis, keepdim=True)
    shape = tuple(-1 if i == axis else 1 for i in range(logits.ndim))
    classes = top.new_tensor(range(logits.shape[axis])).reshape(shape)
    one = ew.cast(ew.eq(top, classes), dtype=logits._data.dtype)
    return ew.add(ew.sub(one, soft.detach()), soft)

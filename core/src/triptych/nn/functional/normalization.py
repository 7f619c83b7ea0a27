"""Normalisation: numbers brought to mean 0 and variance 1, or to unit length."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ... import dtypes
from ...autograd.modes import no_grad
from ...errors import ShapeError
from ...ops.named import keeps_names
from ...ops.reduce import norm
from ...prims import elementwise as ew
from ...prims import movement as mv
from ...prims import normalization as nm
from ...prims import reduce as rd
from ...prims.precision import computes_in, rounds_once
from ...tensor import Tensor
from .arguments import onto

__all__ = [
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "local_response_norm",
    "normalize",
    "rms_norm",
]


def _check_vector(name: str, label: str, v: Tensor, input: Tensor) -> None:
    channels = input.shape[1]
    if tuple(v.shape) != (channels,):
        raise ShapeError(
            f"{name}: {label} has shape {tuple(v.shape)}, wanted ({channels},) for the channels of "
            f"the input {tuple(input.shape)}"
        )


def _channelwise(name: str, label: str, v: Tensor, input: Tensor) -> Tensor:
    """(c,) as (c, 1, ...), to broadcast along axis 1 of input."""
    _check_vector(name, label, v, input)
    spread = (input.shape[1], *[1] * (input.ndim - 2))
    return v if input.ndim == 2 else mv.reshape(v, shape=spread)


def _check_channels(name: str, input: Tensor, **vectors: Tensor | None) -> None:
    """Refuse vectors that do not have one number per channel, before anything is changed."""
    for label, v in vectors.items():
        if v is not None:
            _check_vector(name, label, v, input)


def _affine(name: str, y: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """y times weight plus bias, per channel; nothing else holds y, or there is a weight."""
    if weight is not None:
        y = ew.mul(y, _channelwise(name, "weight", weight, y))
    if bias is not None:
        y = onto(y, _channelwise(name, "bias", bias, y))
    return y


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Channels brought to mean 0 and variance 1 over the batch, then scaled and shifted.

    Args:
        input: (n, c, ...).
        running_mean, running_var: (c,) statistics; used when not training, else updated in place.
        weight, bias: (c,).
        training: take the statistics from the batch.
        momentum: share of the batch in the running statistics.
        eps: added to the variance.

    Raises:
        ShapeError: shapes do not fit; or in training, there is one value per channel.

    Source: Ioffe and Szegedy 2015, algorithm 1.
    """
    shape = input._data.shape
    if shape == (0,):  # as torch, which looks at the shape only if there are elements
        return mv.copy(input)
    if len(shape) < 2:
        raise ShapeError(f"batch_norm: wanted (n, c, ...), got {tuple(shape)}")
    if not training and 0 not in shape:
        return _by_running(input, running_mean, running_var, weight, bias, eps)
    vectors = {"running_mean": running_mean, "running_var": running_var}
    _check_channels("batch_norm", input, **vectors, weight=weight, bias=bias)
    if 0 in shape:
        return _affine("batch_norm", mv.copy(input), weight, bias)
    _check_count("batch_norm", input)
    given = (weight, bias) if _alike(input, weight, bias) else (None, None)
    rest = (weight, bias) if given[0] is None else (None, None)
    y, mean, var = nm.batch_norm(input, *_present(given), eps=eps)
    _update_running(input, (mean, var), (running_mean, running_var), momentum)
    return _affine("batch_norm", y, *rest)


def _by_running(
    x: Tensor,
    mean: Tensor | None,
    var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
) -> Tensor:
    """Batch normalisation in evaluation: by statistics that are given."""
    if mean is None or var is None:
        raise ShapeError(
            "batch_norm: without training=True, running_mean and running_var are needed"
        )
    if _alike(x, mean, var):
        if weight is not None and _alike(x, weight, bias):
            return nm.batch_norm_eval(x, mean, var, *_present((weight, bias)), eps=eps)
        y = nm.batch_norm_eval(x, mean, var, eps=eps)
        return _affine("batch_norm", y, weight, bias)
    _check_channels("batch_norm", x, running_mean=mean, running_var=var)
    scale = ew.rsqrt(ew.add(var, eps))
    if weight is not None:
        scale = ew.mul(scale, weight)
    shift = ew.neg(ew.mul(mean, scale))
    if bias is not None:
        shift = ew.add(shift, bias)
    return _affine("batch_norm", x, scale, shift)


def _alike(input: Tensor, first: Tensor | None, second: Tensor | None) -> bool:
    """Whether a fused operation takes both vectors: the first is there, and dtypes are equal."""
    dtype = input._data.dtype
    if first is None or first._data.dtype != dtype:
        return False
    return second is None or second._data.dtype == dtype


def _present(vectors: tuple[Tensor | None, ...]) -> list[Tensor]:
    return [v for v in vectors if v is not None]


def _check_count(name: str, x: Tensor) -> int:
    """How many values a channel has.

    Raises:
        ShapeError: one.
    """
    count = math.prod(x.shape) // max(x.shape[1], 1)
    if count == 1:
        raise ShapeError(
            f"{name}: one value per channel has no variance to train on ({tuple(x.shape)})"
        )
    return count


def _update_running(
    x: Tensor,
    found: tuple[Tensor, Tensor],
    running: tuple[Tensor | None, Tensor | None],
    momentum: float,
) -> None:
    """Move running statistics towards those of the batch, with the variance over count - 1."""
    count = math.prod(x.shape) // x.shape[1]
    with no_grad():
        if running[0] is not None:
            _move(running[0], found[0].detach(), momentum)
        if running[1] is not None:
            _move(running[1], ew.mul(found[1].detach(), count / (count - 1)), momentum)


def _move(running: Tensor, value: Tensor, momentum: float) -> None:
    running.mul_(1 - momentum).add_(ew.mul(value, momentum))


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Every channel of every sample brought to mean 0 and variance 1.

    Args:
        input: (n, c, ...).
        running_mean, running_var: (c,) statistics; updated with the means over the batch, or used
            in place of the input's when use_input_stats is False.
        weight, bias: (c,).
        use_input_stats: take the statistics from the input.
        momentum: share of the input in the running statistics.
        eps: added to the variance.

    Raises:
        ShapeError: shapes do not fit, or a channel has one value.
    """
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    if input.ndim < 3:
        raise ShapeError(f"instance_norm: wanted (n, c, space axes), got {tuple(input.shape)}")
    count = math.prod(input.shape[2:])
    if count == 1:
        raise ShapeError(
            f"instance_norm: wanted more than one value per channel, got {tuple(input.shape)}"
        )
    vectors = {"running_mean": running_mean, "running_var": running_var}
    _check_channels("instance_norm", input, **vectors, weight=weight, bias=bias)
    if running_mean is not None or running_var is not None:
        _update_instances(input, running_mean, running_var, momentum, count)
    return _over_groups("instance_norm", input, input.shape[1], weight, bias, eps)


def _over_groups(
    name: str, x: Tensor, groups: int, weight: Tensor | None, bias: Tensor | None, eps: float
) -> Tensor:
    """Groups of channels; an affine map of another dtype is a step of its own."""
    if _alike(x, weight, bias):
        _check_channels(name, x, weight=weight, bias=bias)
        return nm.group_norm(x, *_present((weight, bias)), groups=groups, eps=eps)
    return _affine(name, nm.group_norm(x, groups=groups, eps=eps), weight, bias)


def _update_instances(
    x: Tensor, mean: Tensor | None, var: Tensor | None, momentum: float, count: int
) -> None:
    axes = tuple(range(2, x.ndim))
    with no_grad():
        centre = ew.div(rd.sum(x, axes=axes, keepdim=True), count)
        if mean is not None:
            level = rd.sum(centre, axes=(0, *axes))
            _move(mean, ew.div(level, x.shape[0]), momentum)
        if var is not None:
            spread = rd.sum(ew.square(ew.sub(x, centre)), axes=(0, *axes))
            _move(var, ew.div(spread, (count - 1) * x.shape[0]), momentum)


@computes_in("single")
def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """The last axes brought to mean 0 and variance 1, then scaled and shifted.

    Args:
        input: (..., *normalized_shape).
        normalized_shape: the axes to normalise over, an int for the last alone.
        weight, bias: of normalized_shape; float32 ones fit inputs of half precision, too.
        eps: added to the variance.

    Returns:
        In the shape and dtype of input.

    Raises:
        ShapeError: the input does not end in normalized_shape.
        DTypeError: dtypes differ otherwise.

    Source: Ba, Kiros and Hinton 2016, eq. 4.
    """
    dims = _dims("layer_norm", input, normalized_shape)
    if weight is None and bias is None:
        return nm.layer_norm(input, dims=dims, eps=eps)
    if _beside_single(input, weight, bias):
        wide = layer_norm(input.float(), normalized_shape, weight, bias, eps)
        return ew.cast(wide, dtype=input._data.dtype)
    if weight is None:
        return ew.add(nm.layer_norm(input, dims=dims, eps=eps), bias)
    affine = (weight,) if bias is None else (weight, bias)
    return nm.layer_norm(input, *affine, dims=dims, eps=eps)


def _beside_single(input: Tensor, *affine: Tensor | None) -> bool:
    """Whether an input of half precision comes with parameters in float32."""
    half = dtypes.is_floating(input._data.dtype) and input._data.dtype.itemsize == 2
    return half and all(v is None or v._data.dtype == dtypes.float32.dtype for v in affine)


def _dims(name: str, input: Tensor, shape: int | Sequence[int]) -> int:
    """How many of the last axes `shape` names."""
    wanted = (shape,) if isinstance(shape, int) else tuple(shape)
    if not wanted or tuple(input.shape[-len(wanted) :]) != wanted:
        raise ShapeError(
            f"{name}: input {tuple(input.shape)} does not end in normalized_shape {wanted}; is the "
            "feature axis the last?"
        )
    return len(wanted)


@computes_in("single")
@rounds_once
def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """The last axes divided by the root of their mean square.

    Args:
        input: (..., *normalized_shape).
        normalized_shape: the axes to normalise over, an int for the last alone.
        weight: of normalized_shape.
        eps: added to the mean square; default the machine epsilon of the dtype.

    Raises:
        ShapeError: the input does not end in normalized_shape.

    Source: Zhang and Sennrich 2019, eq. 4.
    """
    dims = _dims("rms_norm", input, normalized_shape)
    limits: Any = dtypes.finfo(input.dtype)
    guard = limits.eps if eps is None else eps
    if _alike(input, weight, None):
        return nm.rms_norm(input, weight, dims=dims, eps=guard)
    y = nm.rms_norm(input, dims=dims, eps=guard)
    return y if weight is None else ew.mul(y, weight)


@computes_in("single")
@keeps_names
def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Groups of channels of every sample brought to mean 0 and variance 1.

    Args:
        input: (n, c, ...).
        num_groups: how many groups the channels are split into.
        weight, bias: (c,).
        eps: added to the variance.

    Raises:
        ShapeError: channels do not split evenly.

    Source: Wu and He 2018, eq. 7.
    """
    if input.ndim < 2 or num_groups <= 0 or input.shape[1] % num_groups:
        raise ShapeError(
            f"group_norm: channels of {tuple(input.shape)} do not split into {num_groups} groups"
        )
    return _over_groups("group_norm", input, num_groups, weight, bias, eps)


@computes_in("single")
@keeps_names
def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Every element divided by a power of the mean square of its neighbours across channels.

    Args:
        input: (n, c, space axes).
        size: how many neighbouring channels count.
        alpha, beta, k: the divisor is (k + alpha * mean square) ** beta.

    Raises:
        ShapeError: there is no space axis.

    Source: Krizhevsky, Sutskever and Hinton 2012, section 3.3.
    """
    if input.ndim < 3:
        raise ShapeError(
            f"local_response_norm: wanted (n, c, space axes), got {tuple(input.shape)}"
        )
    widths = [(0, 0)] * input.ndim
    widths[1] = (size // 2, (size - 1) // 2)
    padded = mv.pad(ew.square(input), widths=tuple(widths))
    power = mv.slice_(padded, key=(slice(None), slice(0, input.shape[1])))
    for i in range(1, size):
        power = ew.add(power, mv.slice_(padded, key=(slice(None), slice(i, i + input.shape[1]))))
    return ew.div(input, ew.pow(ew.add(ew.mul(power, alpha / size), k), beta))


@computes_in("single")
def normalize(
    input: Tensor, p: float = 2.0, dim: int | Sequence[int] = 1, eps: float = 1e-12
) -> Tensor:
    """Vectors along dim divided by their p-norm, which is at least eps."""
    return ew.div(input, ew.maximum(norm(input, p, dim, True), eps))

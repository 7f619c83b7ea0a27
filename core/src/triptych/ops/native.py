"""Neural network functions under the signatures that torch itself, not torch.nn, gives them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..errors import ShapeError
from ..nn import functional as F
from ..prims import elementwise as ew
from ..prims import movement as mv
from ..tensor import Tensor
from .creation import cast_to, zeros
from .random import rand_like
from .reduce import mean, var
from .shape import reshape

__all__ = [
    "batch_norm",
    "constant_pad_nd",
    "embedding",
    "grid_sampler",
    "grid_sampler_2d",
    "grid_sampler_3d",
    "instance_norm",
    "native_batch_norm",
    "native_dropout",
    "native_group_norm",
    "native_layer_norm",
]

_MODES = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")


def constant_pad_nd(input: Tensor, pad: Sequence[int], value: Any = 0) -> Tensor:
    """`nn.functional.pad` with a constant.

    Args:
        input: (...).
        pad: (before, after) of the last axis, then of the one before it, and so on; negative widths
            cut.
        value: what goes there.

    Raises:
        ShapeError: the widths are odd in number, too many, or cut more than there is.
    """
    return F.pad(input, pad, "constant", value)


def batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool = True,
) -> Tensor:
    """`nn.functional.batch_norm` with weight and bias in front."""
    return F.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def instance_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool = True,
) -> Tensor:
    """`nn.functional.instance_norm` with weight and bias in front."""
    return F.instance_norm(
        input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps
    )


def embedding(
    weight: Tensor,
    indices: Tensor,
    padding_idx: int = -1,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """`nn.functional.embedding` with the table in front; a padding_idx of -1 means none."""
    place = None if padding_idx == -1 else padding_idx
    return F.embedding(indices, weight, place, scale_grad_by_freq=scale_grad_by_freq, sparse=sparse)


def grid_sampler(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """`nn.functional.grid_sample` with its modes as numbers.

    Args:
        input: (n, c, h, w) or (n, c, d, h, w).
        grid: (n, h', w', 2) or (n, d', h', w', 3) places in [-1, 1].
        interpolation_mode: 0 bilinear, 1 nearest, 2 bicubic.
        padding_mode: 0 zeros, 1 border, 2 reflection.
        align_corners: whether -1 and 1 are the centres of the corner pixels.

    Raises:
        ShapeError: input and grid do not fit, or a mode is another number.
    """
    for label, mode in (("interpolation_mode", interpolation_mode), ("padding_mode", padding_mode)):
        if mode not in (0, 1, 2):
            raise ShapeError(f"grid_sampler: {label} is 0, 1 or 2, got {mode!r}")
    return F.grid_sample(
        input, grid, _MODES[interpolation_mode], _PADDINGS[padding_mode], align_corners
    )


grid_sampler_2d = grid_sampler_3d = grid_sampler


def native_layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """`nn.functional.layer_norm`, and the mean and one over the standard deviation it used.

    Returns:
        The normalised tensor, and two tensors with length one along the last
        ``len(normalized_shape)`` axes.
    """
    axes = tuple(range(input.ndim - len(normalized_shape), input.ndim))
    out = F.layer_norm(input, normalized_shape, weight, bias, eps)
    return out, mean(input, axes, True), _inverse_deviation(input, axes, eps)


def _inverse_deviation(x: Tensor, axes: tuple[int, ...], eps: float) -> Tensor:
    return ew.rsqrt(ew.add(var(x, axes, keepdim=True, correction=0), eps))


def native_batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """`nn.functional.batch_norm`, and the mean and one over the standard deviation of each channel
    that training used; without training, two empty tensors.
    """
    out = F.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
    if not training:
        none = zeros(0, dtype=input.dtype, device=input.device)
        return out, none, none.clone()
    axes = (0, *range(2, input.ndim))
    scale = _inverse_deviation(input, axes, eps)
    return out, mean(input, axes), reshape(scale, (input.shape[1],))


def native_group_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    N: int,
    C: int,
    HxW: int,
    group: int,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """`nn.functional.group_norm`, and the mean and one over the standard deviation of each group.

    Args:
        input: (N, C, ...), with HxW elements per channel.
        weight, bias: (C,).
        group: how many groups.
        eps: added to the variance.

    Raises:
        ShapeError: input does not have N * C * HxW elements, or C is no multiple of group.
    """
    if math.prod(input.shape) != N * C * HxW:
        raise ShapeError(
            f"native_group_norm: input {tuple(input.shape)} does not have {N} * {C} * {HxW} "
            "elements"
        )
    out = F.group_norm(input, group, weight, bias, eps)
    rows = mv.reshape(input, shape=(N, group, C // group * HxW))
    return out, mean(rows, 2), reshape(_inverse_deviation(rows, (2,), eps), (N, group))


def dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`nn.functional.dropout`, written over the input; returns the input.

    Raises:
        ShapeError: p is no probability.
    """
    from ..nn.functional import dropout

    return dropout(input, p, train, True)


def native_dropout(input: Tensor, p: float, train: bool | None) -> tuple[Tensor, Tensor]:
    """Elements zeroed with probability p and the rest scaled by 1 / (1 - p), and where they stayed.

    Raises:
        ShapeError: p is no probability.
    """
    if not 0 <= p <= 1:
        raise ShapeError(f"native_dropout: wanted a probability from 0 to 1, got {p}")
    draws = rand_like(input.detach())
    kept = ew.ge(draws, p if train in (True, None) else 0)
    scale = 1 / (1 - p) if train in (True, None) and p < 1 else 1
    return ew.mul(ew.mul(input, cast_to(kept, input._data.dtype)), scale), kept

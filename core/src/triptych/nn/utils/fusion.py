"""Batch norm in evaluation folded into the layer before it."""

from __future__ import annotations

import copy
from typing import Any

from ...errors import ShapeError
from ...ops.pointwise import rsqrt
from ...tensor import Tensor
from ..module import Module
from ..parameter import Parameter

__all__ = [
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
]


def _folded(
    weight: Any, bias: Any, mean: Any, var: Any, eps: float, scale: Any, shift: Any, axis: int
) -> tuple[Parameter, Parameter]:
    """(weight, bias) that do what the layer and the norm do; axis of weight counts outputs."""
    factor = rsqrt(var + eps) if scale is None else scale * rsqrt(var + eps)
    spread = [1] * weight.ndim
    spread[axis] = -1
    moved = -mean if bias is None else bias - mean
    new_bias = moved * factor if shift is None else moved * factor + shift
    wanted = (
        bool(weight.requires_grad),
        weight.requires_grad if bias is None else bias.requires_grad,
    )
    new_weight = (weight * factor.reshape(spread)).to(weight.dtype)
    pair = (new_weight.detach(), new_bias.to(weight.dtype if bias is None else bias.dtype).detach())
    return Parameter(pair[0], wanted[0]), Parameter(pair[1], wanted[1])


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of a convolution that does what it and the batch norm after it do.

    Args:
        conv_w, conv_b: of the convolution.
        bn_rm, bn_rv, bn_eps: running mean and variance (c,) of the norm, and its eps.
        bn_w, bn_b: its scale and shift (c,), or None.
        transpose: the convolution is a transposed one.
    """
    return _folded(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, 1 if transpose else 0)


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:
    """`fuse_conv_bn_weights` for a linear layer."""
    return _folded(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, 0)


def _fused(name: str, layer: Any, bn: Any, axis: int) -> Any:
    if layer.training or bn.training:
        raise ShapeError(f"{name}: both layers must be in evaluation; call eval() first")
    if bn.running_mean is None or bn.running_var is None:
        raise ShapeError(f"{name}: the batch norm keeps no running statistics")
    fused = copy.deepcopy(layer)
    settings = (bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias)
    fused.weight, fused.bias = _folded(fused.weight, fused.bias, *settings, axis)
    return fused


def fuse_conv_bn_eval(conv: Module, bn: Module, transpose: bool = False) -> Module:
    """A copy of a convolution that also does what the batch norm after it does.

    Args:
        conv, bn: both in evaluation.
        transpose: conv is a transposed convolution.

    Raises:
        ShapeError: one is in training, or bn keeps no statistics.

    Example:
        >>> conv = triptych.nn.Conv2d(3, 4, 3).eval()
        >>> fuse_conv_bn_eval(conv, triptych.nn.BatchNorm2d(4).eval())
        Conv2d(3, 4, kernel_size=(3, 3), stride=(1, 1))
    """
    return _fused("fuse_conv_bn_eval", conv, bn, 1 if transpose else 0)


def fuse_linear_bn_eval(linear: Module, bn: Any) -> Module:
    """A copy of a linear layer that also does what the batch norm after it does.

    Args:
        linear, bn: both in evaluation.

    Raises:
        ShapeError: one is in training, or their features differ.
    """
    features = linear.out_features
    if features != bn.num_features and bn.num_features != 1:
        raise ShapeError(
            f"fuse_linear_bn_eval: the linear layer gives {features} features, the batch norm "
            f"takes {bn.num_features}"
        )
    return _fused("fuse_linear_bn_eval", linear, bn, 0)

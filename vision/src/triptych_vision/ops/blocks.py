"""Layers that nearly every convolutional network repeats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from triptych import nn

__all__ = ["Conv2dNormActivation"]


class Conv2dNormActivation(nn.Sequential):
    """A convolution, a normalisation and an activation, as layers "0", "1" and "2".

    Args:
        in_channels: channels before.
        out_channels: channels after.
        kernel_size: height and width of the kernel, odd.
        stride: step between outputs in pixels.
        padding: zeros around the image; default as many as keep height and width at stride 1.
        groups: parts the channels are split into; as many as channels makes it depthwise.
        norm_layer: called with the number of channels; None for no normalisation.
        activation_layer: called with inplace if that is given; None for no activation.
        dilation: distance between the kernel's taps in pixels.
        inplace: whether the activation may write into its input; None says nothing.
        bias: whether the convolution has one; default only when there is no normalisation.

    Example:
        >>> import triptych
        >>> Conv2dNormActivation(3, 8, stride=2)(triptych.zeros(1, 3, 8, 8)).shape
        Size([1, 8, 4, 4])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        padding: int | None = None,
        groups: int = 1,
        norm_layer: Callable[..., nn.Module] | None = nn.BatchNorm2d,
        activation_layer: Callable[..., nn.Module] | None = nn.ReLU,
        dilation: int = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
    ) -> None:
        if padding is None:
            padding = (kernel_size - 1) // 2 * dilation
        conv = nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation=dilation,
            groups=groups,
            bias=norm_layer is None if bias is None else bias,
        )
        layers: list[Any] = [conv]
        if norm_layer is not None:
            layers.append(norm_layer(out_channels))
        if activation_layer is not None:
            layers.append(activation_layer(**({} if inplace is None else {"inplace": inplace})))
        super().__init__(*layers)
        self.out_channels = out_channels

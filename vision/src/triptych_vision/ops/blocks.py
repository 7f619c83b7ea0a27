"""Layers that nearly every convolutional network repeats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError

__all__ = [
    "Conv2dNormActivation",
    "Conv3dNormActivation",
    "ConvNormActivation",
    "FrozenBatchNorm2d",
    "MLP",
    "Permute",
    "SqueezeExcitation",
]

Layer = Callable[..., nn.Module]
Ints = int | Sequence[int]


class ConvNormActivation(nn.Sequential):
    """A convolution, a normalisation and an activation, as layers "0", "1" and "2".

    Args:
        in_channels: channels before.
        out_channels: channels after.
        kernel_size: of the kernel, odd; one number or one for each axis.
        stride: step between outputs in pixels.
        padding: zeros around the image; default as many as keep the size at stride 1.
        groups: parts the channels are split into; as many as channels makes it depthwise.
        norm_layer: called with the number of channels; None for no normalisation.
        activation_layer: called with inplace if that is given; None for no activation.
        dilation: distance between the kernel's taps in pixels.
        inplace: whether the activation may write into its input; None says nothing.
        bias: whether the convolution has one; default only when there is no normalisation.
        conv_layer: the convolution's class.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints = 3,
        stride: Ints = 1,
        padding: Ints | str | None = None,
        groups: int = 1,
        norm_layer: Layer | None = nn.BatchNorm2d,
        activation_layer: Layer | None = nn.ReLU,
        dilation: Ints = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
        conv_layer: Layer = nn.Conv2d,
    ) -> None:
        conv = conv_layer(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            same_padding(kernel_size, dilation) if padding is None else padding,
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


def same_padding(kernel_size: Ints, dilation: Ints) -> int | tuple[int, ...]:
    """Zeros on each side that keep the size at stride 1.

    Args:
        kernel_size: odd; one number or one for each axis.
        dilation: likewise.

    Returns:
        One number when both are one, else one for each axis.

    Example:
        >>> same_padding(3, 2), same_padding((3, 5), 1)
        (2, (1, 2))
    """
    if isinstance(kernel_size, int) and isinstance(dilation, int):
        return (kernel_size - 1) // 2 * dilation
    axes = len(dilation if isinstance(kernel_size, int) else kernel_size)  # type: ignore[arg-type]
    kernels = [kernel_size] * axes if isinstance(kernel_size, int) else kernel_size
    steps = [dilation] * axes if isinstance(dilation, int) else dilation
    return tuple((k - 1) // 2 * d for k, d in zip(kernels, steps, strict=True))


class Conv2dNormActivation(ConvNormActivation):
    """A 2-d convolution, a normalisation and an activation, as layers "0", "1" and "2".

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
        >>> Conv2dNormActivation(3, 8, stride=2)(tp.zeros(1, 3, 8, 8)).shape
        Size([1, 8, 4, 4])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints = 3,
        stride: Ints = 1,
        padding: Ints | str | None = None,
        groups: int = 1,
        norm_layer: Layer | None = nn.BatchNorm2d,
        activation_layer: Layer | None = nn.ReLU,
        dilation: Ints = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            groups,
            norm_layer,
            activation_layer,
            dilation,
            inplace,
            bias,
        )


class Conv3dNormActivation(ConvNormActivation):
    """A 3-d convolution, a normalisation and an activation, as layers "0", "1" and "2".

    Args:
        in_channels: channels before.
        out_channels: channels after.
        kernel_size: duration, height and width of the kernel, odd.
        stride: step between outputs in frames and pixels.
        padding: zeros around the video; default as many as keep its size at stride 1.
        groups: parts the channels are split into; as many as channels makes it depthwise.
        norm_layer: called with the number of channels; None for no normalisation.
        activation_layer: called with inplace if that is given; None for no activation.
        dilation: distance between the kernel's taps.
        inplace: whether the activation may write into its input; None says nothing.
        bias: whether the convolution has one; default only when there is no normalisation.

    Example:
        >>> Conv3dNormActivation(3, 8, (1, 3, 3))(tp.zeros(1, 3, 4, 8, 8)).shape
        Size([1, 8, 4, 8, 8])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints = 3,
        stride: Ints = 1,
        padding: Ints | str | None = None,
        groups: int = 1,
        norm_layer: Layer | None = nn.BatchNorm3d,
        activation_layer: Layer | None = nn.ReLU,
        dilation: Ints = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            groups,
            norm_layer,
            activation_layer,
            dilation,
            inplace,
            bias,
            nn.Conv3d,
        )


class SqueezeExcitation(nn.Module):
    """Weigh each channel by what the means of all channels say.

    Args:
        input_channels: channels before and after.
        squeeze_channels: in the middle.
        activation: between the two layers.
        scale_activation: of the weights.

    Example:
        >>> SqueezeExcitation(8, 2)(tp.zeros(1, 8, 4, 4)).shape
        Size([1, 8, 4, 4])

    Source: Hu, Shen and Sun 2018, figure 1 and equation 3.
    """

    def __init__(
        self,
        input_channels: int,
        squeeze_channels: int,
        activation: Layer = nn.ReLU,
        scale_activation: Layer = nn.Sigmoid,
    ) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(input_channels, squeeze_channels, 1)
        self.fc2 = nn.Conv2d(squeeze_channels, input_channels, 1)
        self.activation = activation()
        self.scale_activation = scale_activation()

    def forward(self, input: tp.Tensor) -> tp.Tensor:
        """(n, input_channels, h, w) to the same shape."""
        layers = self.avgpool, self.fc1, self.activation, self.fc2, self.scale_activation
        scale: tp.Tensor = nn.chain(input, *layers)  # (n, input_channels, 1, 1)
        return scale * input


class MLP(nn.Sequential):
    """Linear layers with an activation and dropout after each, but no activation after the last.

    Args:
        in_channels: features before.
        hidden_channels: features after each layer; the last number is the outputs'.
        norm_layer: called with the number of features; None for no normalisation.
        activation_layer: called with inplace if that is given; None for no activation.
        inplace: whether activation and dropout may write into their input; None says nothing.
        bias: whether the linear layers have one.
        dropout: part of the features that are zeroed while training.

    Raises:
        ShapeError: hidden_channels is empty.

    Example:
        >>> MLP(4, [8, 2])(tp.zeros(3, 4)).shape
        Size([3, 2])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: Sequence[int],
        norm_layer: Layer | None = None,
        activation_layer: Layer | None = nn.ReLU,
        inplace: bool | None = None,
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        if len(hidden_channels) == 0:
            raise ShapeError("MLP: hidden_channels is empty; give the features after each layer")
        how = {} if inplace is None else {"inplace": inplace}
        layers: list[nn.Module] = []
        for width in hidden_channels[:-1]:
            layers.append(nn.Linear(in_channels, width, bias=bias))
            if norm_layer is not None:
                layers.append(norm_layer(width))
            if activation_layer is not None:
                layers.append(activation_layer(**how))
            layers.append(nn.Dropout(dropout, **how))
            in_channels = width
        layers.append(nn.Linear(in_channels, hidden_channels[-1], bias=bias))
        layers.append(nn.Dropout(dropout, **how))
        super().__init__(*layers)


class Permute(nn.Module):
    """The axes in another order.

    Args:
        dims: which old axis each new one is.

    Example:
        >>> Permute([0, 2, 3, 1])(tp.zeros(1, 3, 4, 5)).shape
        Size([1, 4, 5, 3])
    """

    def __init__(self, dims: Sequence[int]) -> None:
        super().__init__()
        self.dims = list(dims)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(a, b, ...) to the same numbers with axes in the order `dims`."""
        return x.permute(*self.dims)


class FrozenBatchNorm2d(nn.Module):
    """Batch normalisation whose statistics, scale and offset do not change.

    Its four vectors are buffers, so no optimiser sees them; a file's num_batches_tracked is
    ignored.

    Args:
        num_features: channels.
        eps: added to the variance.

    Example:
        >>> FrozenBatchNorm2d(3)(tp.ones(1, 3, 2, 2)).shape
        Size([1, 3, 2, 2])
    """

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.register_buffer("weight", tp.ones(num_features))
        self.register_buffer("bias", tp.zeros(num_features))
        self.register_buffer("running_mean", tp.zeros(num_features))
        self.register_buffer("running_var", tp.ones(num_features))

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, *others: Any, **named: Any
    ) -> None:
        state_dict.pop(f"{prefix}num_batches_tracked", None)
        super()._load_from_state_dict(state_dict, prefix, *others, **named)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, num_features, h, w) to the same shape."""
        scale = self.weight * (self.running_var + self.eps).rsqrt()  # (num_features,)
        offset = self.bias - self.running_mean * scale
        return x * scale[:, None, None] + offset[:, None, None]

    def extra_repr(self) -> str:
        """The arguments, for printing."""
        return f"{self.weight.shape[0]}, eps={self.eps}"

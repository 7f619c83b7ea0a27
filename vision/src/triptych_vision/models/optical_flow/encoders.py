"""From images to features at an eighth of the size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError

from ...ops.misc import Conv2dNormActivation

__all__ = ["BottleneckBlock", "FeatureEncoder", "ResidualBlock"]

Layer = Callable[..., nn.Module]


class ResidualBlock(nn.Module):
    """Two convolutions with biases and a way around them.

    Args:
        in_channels: before.
        out_channels: after.
        norm_layer: called with the channels; None for none.
        stride: of the first convolution.
        always_project: have a convolution on the way around, whatever the stride.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        norm_layer: Layer | None,
        stride: int = 1,
        always_project: bool = False,
    ) -> None:
        super().__init__()
        conv = partial(Conv2dNormActivation, norm_layer=norm_layer, bias=True)
        self.convnormrelu1 = conv(in_channels, out_channels, stride=stride)
        self.convnormrelu2 = conv(out_channels, out_channels)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or always_project:
            self.downsample = conv(in_channels, out_channels, 1, stride, activation_layer=None)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, in_channels, h, w) to (n, out_channels, h / stride, w / stride)."""
        return self.relu(self.downsample(x) + self.convnormrelu2(self.convnormrelu1(x)))


class BottleneckBlock(nn.Module):
    """Narrow, convolution, widen, all with biases, and a way around.

    Args:
        in_channels: before.
        out_channels: after.
        norm_layer: called with the channels; None for none.
        stride: of the convolution in the middle.
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, norm_layer: Layer | None, stride: int = 1
    ) -> None:
        super().__init__()
        conv = partial(Conv2dNormActivation, norm_layer=norm_layer, bias=True)
        middle = out_channels // 4
        self.convnormrelu1 = conv(in_channels, middle, kernel_size=1)
        self.convnormrelu2 = conv(middle, middle, stride=stride)
        self.convnormrelu3 = conv(middle, out_channels, kernel_size=1)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1:
            self.downsample = conv(in_channels, out_channels, 1, stride, activation_layer=None)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, in_channels, h, w) to (n, out_channels, h / stride, w / stride)."""
        inner = self.convnormrelu3(self.convnormrelu2(self.convnormrelu1(x)))
        return self.relu(self.downsample(x) + inner)


class FeatureEncoder(nn.Module):
    """A convolution, three stages of two blocks each, and a convolution.

    Args:
        block: of the stages.
        layers: channels of the first convolution, the stages and the last convolution.
        strides: of the first convolution and the stages.
        norm_layer: called with the channels; None for none.

    Raises:
        ShapeError: layers has not five numbers.
    """

    def __init__(
        self,
        *,
        block: Layer = ResidualBlock,
        layers: Sequence[int] = (64, 64, 96, 128, 256),
        strides: Sequence[int] = (2, 1, 2, 2),
        norm_layer: Layer | None = nn.BatchNorm2d,
    ) -> None:
        super().__init__()
        if len(layers) != 5:
            raise ShapeError(f"FeatureEncoder: layers has five numbers, got {layers}")
        self.convnormrelu = Conv2dNormActivation(
            3, layers[0], kernel_size=7, stride=strides[0], norm_layer=norm_layer, bias=True
        )
        for number in (1, 2, 3):
            before, after = layers[number - 1], layers[number]
            stage = nn.Sequential(
                block(before, after, norm_layer=norm_layer, stride=strides[number]),
                block(after, after, norm_layer=norm_layer),
            )
            setattr(self, f"layer{number}", stage)
        self.conv = nn.Conv2d(layers[3], layers[4], kernel_size=1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        self.output_dim = layers[-1]
        self.downsample_factor = 2 ** sum(stride == 2 for stride in strides)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, 3, h, w) to (n, layers[4], h / 8, w / 8)."""
        return self.conv(self.layer3(self.layer2(self.layer1(self.convnormrelu(x)))))

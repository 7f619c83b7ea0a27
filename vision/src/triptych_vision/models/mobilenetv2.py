"""MobileNetV2: inverted residuals and linear bottlenecks.

Source: Sandler, Howard, Zhu, Zhmoginov and Chen 2018, table 2; layers, names and initial values
are those of torchvision, so that its weights load unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError

from ..ops import Conv2dNormActivation
from ..weights import WeightsEnum
from ._building import builder
from .published import published

__all__ = ["MobileNetV2", "MobileNet_V2_Weights", "mobilenet_v2"]

# expansion, output channels, number of blocks, stride of the first of them
INVERTED_RESIDUAL_SETTING = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
STEM_CHANNELS, LAST_CHANNELS = 32, 1280


def make_divisible(channels: float, divisor: int, least: int | None = None) -> int:
    """The multiple of a divisor that is nearest to a number of channels.

    Args:
        channels: wanted, any positive number.
        divisor: what the result is a multiple of.
        least: the result is at least this; default the divisor.

    Returns:
        The multiple; the next one where the nearest would take away more than a tenth.

    Example:
        >>> make_divisible(33.6, 8), make_divisible(11.3, 8)
        (32, 16)
    """
    rounded = max(least or divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


class InvertedResidual(nn.Module):
    """Widen, filter each channel, narrow; add the input when the shapes agree.

    Args:
        inp: channels before.
        oup: channels after.
        stride: 1 or 2.
        expand_ratio: how many times wider the middle is.
        norm_layer: of all three convolutions.

    Raises:
        ValueError: another stride.
    """

    def __init__(
        self,
        inp: int,
        oup: int,
        stride: int,
        expand_ratio: int,
        norm_layer: Callable[..., nn.Module] = nn.BatchNorm2d,
    ) -> None:
        super().__init__()
        if stride not in (1, 2):
            raise ValueError(f"InvertedResidual: stride is 1 or 2, got {stride}")
        self.stride = stride
        self.use_res_connect = stride == 1 and inp == oup
        self.out_channels = oup
        block = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.ReLU6)
        middle = round(inp * expand_ratio)
        widen = [] if expand_ratio == 1 else [block(inp, middle, kernel_size=1)]
        self.conv = nn.Sequential(
            *widen,
            block(middle, middle, stride=stride, groups=middle),
            nn.Conv2d(middle, oup, 1, bias=False),
            norm_layer(oup),
        )

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, inp, h, w) to (n, oup, h / stride, w / stride)."""
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


class MobileNetV2(nn.Module):
    """MobileNetV2, a classifier for phones.

    Args:
        num_classes: outputs.
        width_mult: how many times wider each layer is.
        inverted_residual_setting: rows of (expansion, output channels, number of blocks, stride).
        round_nearest: channels are a multiple of this.
        block: in place of `InvertedResidual`.
        norm_layer: in place of batch normalisation.
        dropout: part of the features that are zeroed while training.

    Raises:
        ShapeError: inverted_residual_setting is empty or its rows have not four numbers.

    Example:
        >>> MobileNetV2(num_classes=5).eval()(tp.zeros(1, 3, 32, 32)).shape
        Size([1, 5])
    """

    def __init__(
        self,
        num_classes: int = 1000,
        width_mult: float = 1.0,
        inverted_residual_setting: Sequence[Sequence[int]] | None = None,
        round_nearest: int = 8,
        block: Callable[..., nn.Module] | None = None,
        norm_layer: Callable[..., nn.Module] | None = None,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        setting = _checked(inverted_residual_setting or INVERTED_RESIDUAL_SETTING)
        block, norm_layer = block or InvertedResidual, norm_layer or nn.BatchNorm2d
        stem = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.ReLU6)
        channels = make_divisible(STEM_CHANNELS * width_mult, round_nearest)
        self.last_channel = make_divisible(LAST_CHANNELS * max(1.0, width_mult), round_nearest)
        layers: list[nn.Module] = [stem(3, channels, stride=2)]
        for expansion, width, count, first_stride in setting:
            out = make_divisible(width * width_mult, round_nearest)
            for place in range(count):
                stride = first_stride if place == 0 else 1
                layers.append(block(channels, out, stride, expansion, norm_layer))
                channels = out
        layers.append(stem(channels, self.last_channel, kernel_size=1))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(self.last_channel, num_classes)
        )
        initialise(self)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, 3, h, w) normalised images to (n, num_classes) logits."""
        x = self.features(x)  # (n, last_channel, h / 32, w / 32)
        return self.classifier(x.mean((2, 3)))


def _checked(setting: Sequence[Sequence[int]]) -> Sequence[Sequence[int]]:
    if len(setting) == 0 or any(len(row) != 4 for row in setting):
        raise ShapeError(
            "MobileNetV2: inverted_residual_setting is a non-empty sequence of (expansion, "
            f"channels, blocks, stride), got {setting}"
        )
    return setting


def initialise(model: nn.Module) -> None:
    """Draw the initial values of a MobileNet.

    Args:
        model: any; its convolutions, normalisations and linear layers are drawn anew.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d | nn.GroupNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, 0.01)
            nn.init.zeros_(module.bias)


class MobileNet_V2_Weights(WeightsEnum):
    """Weights for `mobilenet_v2`."""

    IMAGENET1K_V1 = published("MobileNet_V2_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("MobileNet_V2_Weights.IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


mobilenet_v2 = builder(
    "mobilenet_v2", MobileNetV2, MobileNet_V2_Weights, "MobileNetV2, for phones."
)

"""EfficientNet, versions 1 and 2: depth, width and image size grow together.

Source: Tan and Le 2019, table 1, and 2021, table 4; layers, names and initial values are
torchvision's.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import triptych as tp
from triptych import nn
from triptych.errors import DTypeError, ShapeError

from ..ops.misc import Conv2dNormActivation, SqueezeExcitation
from ..ops.stochastic_depth import StochasticDepth
from ..weights import WeightsEnum
from ._building import builder
from .mobilenetv2 import initialise, make_divisible
from .published import published

__all__ = [
    "EfficientNet",
    "EfficientNet_B0_Weights",
    "EfficientNet_B1_Weights",
    "EfficientNet_B2_Weights",
    "EfficientNet_B3_Weights",
    "EfficientNet_B4_Weights",
    "EfficientNet_B5_Weights",
    "EfficientNet_B6_Weights",
    "EfficientNet_B7_Weights",
    "EfficientNet_V2_L_Weights",
    "EfficientNet_V2_M_Weights",
    "EfficientNet_V2_S_Weights",
    "efficientnet_b0",
    "efficientnet_b1",
    "efficientnet_b2",
    "efficientnet_b3",
    "efficientnet_b4",
    "efficientnet_b5",
    "efficientnet_b6",
    "efficientnet_b7",
    "efficientnet_v2_l",
    "efficientnet_v2_m",
    "efficientnet_v2_s",
]

Layer = Callable[..., nn.Module]

# expansion, kernel size, stride, channels before, channels after, number of layers
B_STAGES = (
    (1, 3, 1, 32, 16, 1),
    (6, 3, 2, 16, 24, 2),
    (6, 5, 2, 24, 40, 2),
    (6, 3, 2, 40, 80, 3),
    (6, 5, 1, 80, 112, 3),
    (6, 5, 2, 112, 192, 4),
    (6, 3, 1, 192, 320, 1),
)
# the same; the first three stages are of FusedMBConv
V2_STAGES = {
    "s": (
        (1, 3, 1, 24, 24, 2),
        (4, 3, 2, 24, 48, 4),
        (4, 3, 2, 48, 64, 4),
        (4, 3, 2, 64, 128, 6),
        (6, 3, 1, 128, 160, 9),
        (6, 3, 2, 160, 256, 15),
    ),
    "m": (
        (1, 3, 1, 24, 24, 3),
        (4, 3, 2, 24, 48, 5),
        (4, 3, 2, 48, 80, 5),
        (4, 3, 2, 80, 160, 7),
        (6, 3, 1, 160, 176, 14),
        (6, 3, 2, 176, 304, 18),
        (6, 3, 1, 304, 512, 5),
    ),
    "l": (
        (1, 3, 1, 32, 32, 4),
        (4, 3, 2, 32, 64, 7),
        (4, 3, 2, 64, 96, 7),
        (4, 3, 2, 96, 192, 10),
        (6, 3, 1, 192, 224, 19),
        (6, 3, 2, 224, 384, 25),
        (6, 3, 1, 384, 640, 7),
    ),
}
V2_FUSED_STAGES, V2_LAST_CHANNEL = 3, 1280


@dataclass
class StageConfig:
    """One stage of an EfficientNet; see `MBConvConfig` and `FusedMBConvConfig`."""

    expand_ratio: float
    kernel: int
    stride: int
    input_channels: int
    out_channels: int
    num_layers: int
    block: Layer

    @staticmethod
    def adjust_channels(channels: int, width_mult: float, min_value: int | None = None) -> int:
        """The multiple of 8 nearest to channels * width_mult."""
        return make_divisible(channels * width_mult, 8, min_value)

    @property
    def expanded_channels(self) -> int:
        """Channels in the middle of a block."""
        return self.adjust_channels(self.input_channels, self.expand_ratio)


class MBConvConfig(StageConfig):
    """A stage of inverted residuals with squeeze and excitation.

    Args:
        expand_ratio: how many times wider the middle of a block is.
        kernel: size of the depthwise convolution's kernel.
        stride: of the first block.
        input_channels: before, at width 1.
        out_channels: after, at width 1.
        num_layers: number of blocks, at depth 1.
        width_mult: how many times wider.
        depth_mult: how many times deeper.
        block: in place of `MBConv`.
    """

    def __init__(
        self,
        expand_ratio: float,
        kernel: int,
        stride: int,
        input_channels: int,
        out_channels: int,
        num_layers: int,
        width_mult: float = 1.0,
        depth_mult: float = 1.0,
        block: Layer | None = None,
    ) -> None:
        super().__init__(
            expand_ratio,
            kernel,
            stride,
            self.adjust_channels(input_channels, width_mult),
            self.adjust_channels(out_channels, width_mult),
            self.adjust_depth(num_layers, depth_mult),
            block or MBConv,
        )

    @staticmethod
    def adjust_depth(num_layers: int, depth_mult: float) -> int:
        """num_layers * depth_mult, rounded up."""
        return math.ceil(num_layers * depth_mult)


class FusedMBConvConfig(StageConfig):
    """A stage whose blocks widen and filter in one convolution.

    Args:
        expand_ratio: how many times wider the middle of a block is.
        kernel: size of the convolution's kernel.
        stride: of the first block.
        input_channels: before.
        out_channels: after.
        num_layers: number of blocks.
        block: in place of `FusedMBConv`.
    """

    def __init__(
        self,
        expand_ratio: float,
        kernel: int,
        stride: int,
        input_channels: int,
        out_channels: int,
        num_layers: int,
        block: Layer | None = None,
    ) -> None:
        super().__init__(
            expand_ratio,
            kernel,
            stride,
            input_channels,
            out_channels,
            num_layers,
            block or FusedMBConv,
        )


class ResidualBlock(nn.Module):
    """A block with a way around it where shapes agree; the base of both kinds.

    Args:
        cnf: the block's numbers.
        stochastic_depth_prob: probability of leaving the block out while training.
        layers: of the block.

    Raises:
        ValueError: the stride is neither 1 nor 2.
    """

    def __init__(
        self, cnf: StageConfig, stochastic_depth_prob: float, layers: Sequence[nn.Module]
    ) -> None:
        super().__init__()
        if cnf.stride not in (1, 2):
            raise ValueError(f"{type(self).__name__}: stride is 1 or 2, got {cnf.stride}")
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        self.block = nn.Sequential(*layers)
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.out_channels = cnf.out_channels

    def forward(self, input: tp.Tensor) -> tp.Tensor:
        """(n, input_channels, h, w) to (n, out_channels, h / stride, w / stride)."""
        result = self.block(input)
        return input + self.stochastic_depth(result) if self.use_res_connect else result


class MBConv(ResidualBlock):
    """Widen, filter each channel, weigh the channels, narrow.

    Args:
        cnf: the block's numbers.
        stochastic_depth_prob: probability of leaving the block out while training.
        norm_layer: of all convolutions.
        se_layer: called with the channels, those in the middle, and the activation.
    """

    def __init__(
        self,
        cnf: StageConfig,
        stochastic_depth_prob: float,
        norm_layer: Layer,
        se_layer: Layer = SqueezeExcitation,
    ) -> None:
        conv = partial(Conv2dNormActivation, norm_layer=norm_layer)
        wide, silu = cnf.expanded_channels, partial(nn.SiLU, inplace=True)
        layers: list[nn.Module] = []
        if wide != cnf.input_channels:
            layers.append(conv(cnf.input_channels, wide, 1, activation_layer=nn.SiLU))
        layers += [
            conv(wide, wide, cnf.kernel, cnf.stride, groups=wide, activation_layer=nn.SiLU),
            se_layer(wide, max(1, cnf.input_channels // 4), activation=silu),
            conv(wide, cnf.out_channels, 1, activation_layer=None),
        ]
        super().__init__(cnf, stochastic_depth_prob, layers)


class FusedMBConv(ResidualBlock):
    """Widen and filter in one convolution, then narrow.

    Args:
        cnf: the block's numbers.
        stochastic_depth_prob: probability of leaving the block out while training.
        norm_layer: of all convolutions.
    """

    def __init__(self, cnf: StageConfig, stochastic_depth_prob: float, norm_layer: Layer) -> None:
        conv = partial(Conv2dNormActivation, norm_layer=norm_layer)
        wide, kernel, stride = cnf.expanded_channels, cnf.kernel, cnf.stride
        layers: list[nn.Module] = []
        if wide != cnf.input_channels:
            layers = [
                conv(cnf.input_channels, wide, kernel, stride, activation_layer=nn.SiLU),
                conv(wide, cnf.out_channels, 1, activation_layer=None),
            ]
        else:
            layers = [
                conv(wide, cnf.out_channels, kernel, stride, activation_layer=nn.SiLU),
            ]
        super().__init__(cnf, stochastic_depth_prob, layers)


class EfficientNet(nn.Module):
    """EfficientNet.

    Args:
        inverted_residual_setting: the stages, `MBConvConfig` or `FusedMBConvConfig`.
        dropout: part of the features that are zeroed while training.
        stochastic_depth_prob: probability of leaving out the last block while training; it grows
            linearly from 0 at the first.
        num_classes: outputs.
        norm_layer: in place of batch normalisation.
        last_channel: features before the classifier; default four times the last stage's.

    Raises:
        ShapeError: inverted_residual_setting is empty.
        DTypeError: an entry of it is no configuration of a stage.

    Example:
        >>> stages = [MBConvConfig(2, 3, 2, 8, 16, num_layers=2)]
        >>> EfficientNet(stages, 0.2, num_classes=5).eval()(tp.zeros(1, 3, 32, 32)).shape
        Size([1, 5])
    """

    def __init__(
        self,
        inverted_residual_setting: Sequence[StageConfig],
        dropout: float,
        stochastic_depth_prob: float = 0.2,
        num_classes: int = 1000,
        norm_layer: Layer | None = None,
        last_channel: int | None = None,
    ) -> None:
        super().__init__()
        stages = _checked(inverted_residual_setting)
        norm_layer = norm_layer or nn.BatchNorm2d
        plain = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.SiLU)
        layers: list[nn.Module] = [plain(3, stages[0].input_channels, kernel_size=3, stride=2)]
        total, done = sum(cnf.num_layers for cnf in stages), 0
        for cnf in stages:
            later = copy.copy(cnf)
            later.input_channels, later.stride = cnf.out_channels, 1
            blocks = []
            for place in range(cnf.num_layers):
                prob = stochastic_depth_prob * done / total
                blocks.append(cnf.block(later if place else cnf, prob, norm_layer))
                done += 1
            layers.append(nn.Sequential(*blocks))
        before = stages[-1].out_channels
        width = 4 * before if last_channel is None else last_channel
        layers.append(plain(before, width, kernel_size=1))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout, inplace=True), nn.Linear(width, num_classes)
        )
        initialise(self)
        reach = 1.0 / math.sqrt(max(num_classes, 1))
        nn.init.uniform_(self.classifier[1].weight, -reach, reach)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, 3, h, w) normalised images to (n, num_classes) logits."""
        x = self.avgpool(self.features(x))  # (n, width, 1, 1)
        return self.classifier(x.flatten(1))


def _checked(stages: Sequence[StageConfig]) -> Sequence[StageConfig]:
    if len(stages) == 0:
        raise ShapeError("EfficientNet: inverted_residual_setting is empty; give a stage or more")
    for stage in stages:
        if not isinstance(stage, StageConfig):
            raise DTypeError(
                "EfficientNet: inverted_residual_setting is a sequence of MBConvConfig and "
                f"FusedMBConvConfig, got {type(stage).__name__} in it"
            )
    return stages


class EfficientNet_B0_Weights(WeightsEnum):
    """Weights for `efficientnet_b0`."""

    IMAGENET1K_V1 = published("EfficientNet_B0_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B1_Weights(WeightsEnum):
    """Weights for `efficientnet_b1`."""

    IMAGENET1K_V1 = published("EfficientNet_B1_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("EfficientNet_B1_Weights.IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class EfficientNet_B2_Weights(WeightsEnum):
    """Weights for `efficientnet_b2`."""

    IMAGENET1K_V1 = published("EfficientNet_B2_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B3_Weights(WeightsEnum):
    """Weights for `efficientnet_b3`."""

    IMAGENET1K_V1 = published("EfficientNet_B3_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B4_Weights(WeightsEnum):
    """Weights for `efficientnet_b4`."""

    IMAGENET1K_V1 = published("EfficientNet_B4_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B5_Weights(WeightsEnum):
    """Weights for `efficientnet_b5`."""

    IMAGENET1K_V1 = published("EfficientNet_B5_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B6_Weights(WeightsEnum):
    """Weights for `efficientnet_b6`."""

    IMAGENET1K_V1 = published("EfficientNet_B6_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B7_Weights(WeightsEnum):
    """Weights for `efficientnet_b7`."""

    IMAGENET1K_V1 = published("EfficientNet_B7_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_V2_L_Weights(WeightsEnum):
    """Weights for `efficientnet_v2_l`."""

    IMAGENET1K_V1 = published("EfficientNet_V2_L_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_V2_M_Weights(WeightsEnum):
    """Weights for `efficientnet_v2_m`."""

    IMAGENET1K_V1 = published("EfficientNet_V2_M_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_V2_S_Weights(WeightsEnum):
    """Weights for `efficientnet_v2_s`."""

    IMAGENET1K_V1 = published("EfficientNet_V2_S_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


def _version_1(
    weights: type[WeightsEnum],
    number: int,
    width_mult: float,
    depth_mult: float,
    dropout: float,
    **fixed: Any,
) -> Callable[..., EfficientNet]:
    def make(**config: Any) -> EfficientNet:
        stages = [
            MBConvConfig(*row, width_mult=width_mult, depth_mult=depth_mult) for row in B_STAGES
        ]
        return EfficientNet(stages, **{"dropout": dropout, **fixed, **config})

    name = f"efficientnet_b{number}"
    return builder(name, EfficientNet, weights, f"EfficientNet B{number}.", make)


def _version_2(
    weights: type[WeightsEnum], letter: str, dropout: float
) -> Callable[..., EfficientNet]:
    def make(**config: Any) -> EfficientNet:
        rows = V2_STAGES[letter]
        stages: list[StageConfig] = [FusedMBConvConfig(*row) for row in rows[:V2_FUSED_STAGES]]
        stages += [MBConvConfig(*row) for row in rows[V2_FUSED_STAGES:]]
        norm_layer = partial(nn.BatchNorm2d, eps=1e-3)
        own = {"dropout": dropout, "last_channel": V2_LAST_CHANNEL, "norm_layer": norm_layer}
        return EfficientNet(stages, **{**own, **config})

    name = f"efficientnet_v2_{letter}"
    return builder(name, EfficientNet, weights, f"EfficientNetV2 {letter.upper()}.", make)


LARGE_NORM = partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)

efficientnet_b0 = _version_1(EfficientNet_B0_Weights, 0, 1.0, 1.0, 0.2)
efficientnet_b1 = _version_1(EfficientNet_B1_Weights, 1, 1.0, 1.1, 0.2)
efficientnet_b2 = _version_1(EfficientNet_B2_Weights, 2, 1.1, 1.2, 0.3)
efficientnet_b3 = _version_1(EfficientNet_B3_Weights, 3, 1.2, 1.4, 0.3)
efficientnet_b4 = _version_1(EfficientNet_B4_Weights, 4, 1.4, 1.8, 0.4)
efficientnet_b5 = _version_1(EfficientNet_B5_Weights, 5, 1.6, 2.2, 0.4, norm_layer=LARGE_NORM)
efficientnet_b6 = _version_1(EfficientNet_B6_Weights, 6, 1.8, 2.6, 0.5, norm_layer=LARGE_NORM)
efficientnet_b7 = _version_1(EfficientNet_B7_Weights, 7, 2.0, 3.1, 0.5, norm_layer=LARGE_NORM)
efficientnet_v2_s = _version_2(EfficientNet_V2_S_Weights, "s", 0.2)
efficientnet_v2_m = _version_2(EfficientNet_V2_M_Weights, "m", 0.3)
efficientnet_v2_l = _version_2(EfficientNet_V2_L_Weights, "l", 0.4)

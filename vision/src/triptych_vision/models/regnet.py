"""RegNet: residual networks whose widths follow a line.

Source: Radosavovic, Kosaraju, Girshick, He and Dollar 2020, equations 2 to 4 and appendix; layers,
names and initial values are torchvision's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import triptych as tp
from triptych import nn
from triptych.errors import DomainError

from ..ops.misc import Conv2dNormActivation, SqueezeExcitation
from ..weights import WeightsEnum
from ._building import builder
from .mobilenetv2 import make_divisible
from .published import published

__all__ = [
    "RegNet",
    "RegNet_X_16GF_Weights",
    "RegNet_X_1_6GF_Weights",
    "RegNet_X_32GF_Weights",
    "RegNet_X_3_2GF_Weights",
    "RegNet_X_400MF_Weights",
    "RegNet_X_800MF_Weights",
    "RegNet_X_8GF_Weights",
    "RegNet_Y_128GF_Weights",
    "RegNet_Y_16GF_Weights",
    "RegNet_Y_1_6GF_Weights",
    "RegNet_Y_32GF_Weights",
    "RegNet_Y_3_2GF_Weights",
    "RegNet_Y_400MF_Weights",
    "RegNet_Y_800MF_Weights",
    "RegNet_Y_8GF_Weights",
    "regnet_x_16gf",
    "regnet_x_1_6gf",
    "regnet_x_32gf",
    "regnet_x_3_2gf",
    "regnet_x_400mf",
    "regnet_x_800mf",
    "regnet_x_8gf",
    "regnet_y_128gf",
    "regnet_y_16gf",
    "regnet_y_1_6gf",
    "regnet_y_32gf",
    "regnet_y_3_2gf",
    "regnet_y_400mf",
    "regnet_y_800mf",
    "regnet_y_8gf",
]

Layer = Callable[..., nn.Module]

WIDTH_QUANTUM = 8
SE_RATIO = 0.25  # of the Y models
# name -> depth, first width, slope, ratio of widths, channels of a group, whether it is a Y model
MODELS: dict[str, tuple[int, int, float, float, int, bool]] = {
    "y_400mf": (16, 48, 27.89, 2.09, 8, True),
    "y_800mf": (14, 56, 38.84, 2.4, 16, True),
    "y_1_6gf": (27, 48, 20.71, 2.65, 24, True),
    "y_3_2gf": (21, 80, 42.63, 2.66, 24, True),
    "y_8gf": (17, 192, 76.82, 2.19, 56, True),
    "y_16gf": (18, 200, 106.23, 2.48, 112, True),
    "y_32gf": (20, 232, 115.89, 2.53, 232, True),
    "y_128gf": (27, 456, 160.83, 2.52, 264, True),
    "x_400mf": (22, 24, 24.48, 2.54, 16, False),
    "x_800mf": (16, 56, 35.73, 2.28, 16, False),
    "x_1_6gf": (18, 80, 34.01, 2.25, 24, False),
    "x_3_2gf": (25, 88, 26.31, 2.25, 48, False),
    "x_8gf": (23, 80, 49.56, 2.88, 120, False),
    "x_16gf": (22, 216, 55.59, 2.1, 128, False),
    "x_32gf": (23, 320, 69.86, 2.0, 168, False),
}


class SimpleStemIN(Conv2dNormActivation):
    """A 3 x 3 convolution with stride 2, a normalisation and an activation.

    Args:
        width_in: channels before.
        width_out: channels after.
        norm_layer: called with the channels.
        activation_layer: called with inplace.
    """

    def __init__(
        self, width_in: int, width_out: int, norm_layer: Layer, activation_layer: Layer
    ) -> None:
        super().__init__(
            width_in,
            width_out,
            kernel_size=3,
            stride=2,
            norm_layer=norm_layer,
            activation_layer=activation_layer,
        )


class BottleneckTransform(nn.Sequential):
    """Three convolutions, the middle one in groups, with squeeze and excitation or without.

    Args:
        width_in: channels before.
        width_out: channels after.
        stride: of the middle convolution.
        norm_layer: of all convolutions.
        activation_layer: of the first two.
        group_width: channels of a group.
        bottleneck_multiplier: width of the middle over that of the output.
        se_ratio: channels in the middle of squeeze and excitation over width_in; None for none.
    """

    def __init__(
        self,
        width_in: int,
        width_out: int,
        stride: int,
        norm_layer: Layer,
        activation_layer: Layer,
        group_width: int,
        bottleneck_multiplier: float,
        se_ratio: float | None,
    ) -> None:
        super().__init__()
        middle = round(width_out * bottleneck_multiplier)
        shared: dict[str, Any] = {"norm_layer": norm_layer, "activation_layer": activation_layer}
        self.a = Conv2dNormActivation(width_in, middle, kernel_size=1, **shared)
        self.b = Conv2dNormActivation(
            middle, middle, stride=stride, groups=middle // group_width, **shared
        )
        if se_ratio:
            squeezed = round(se_ratio * width_in)
            self.se = SqueezeExcitation(middle, squeezed, activation=activation_layer)
        shared["activation_layer"] = None
        self.c = Conv2dNormActivation(middle, width_out, kernel_size=1, **shared)


class ResBottleneckBlock(nn.Module):
    """A bottleneck and a way around it.

    Args:
        width_in: channels before.
        width_out: channels after.
        stride: 1 or 2.
        norm_layer: of all convolutions.
        activation_layer: called with inplace.
        group_width: channels of a group.
        bottleneck_multiplier: width of the middle over that of the output.
        se_ratio: of `BottleneckTransform`.
    """

    def __init__(
        self,
        width_in: int,
        width_out: int,
        stride: int,
        norm_layer: Layer,
        activation_layer: Layer,
        group_width: int = 1,
        bottleneck_multiplier: float = 1.0,
        se_ratio: float | None = None,
    ) -> None:
        super().__init__()
        self.proj = None
        if width_in != width_out or stride != 1:
            self.proj = Conv2dNormActivation(
                width_in,
                width_out,
                kernel_size=1,
                stride=stride,
                norm_layer=norm_layer,
                activation_layer=None,
            )
        self.f = BottleneckTransform(
            width_in,
            width_out,
            stride,
            norm_layer,
            activation_layer,
            group_width,
            bottleneck_multiplier,
            se_ratio,
        )
        self.activation = activation_layer(inplace=True)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, width_in, h, w) to (n, width_out, h / stride, w / stride)."""
        around = x if self.proj is None else self.proj(x)
        return self.activation(around + self.f(x))


class AnyStage(nn.Sequential):
    """Blocks of one width; only the first has a stride.

    Args:
        width_in: channels before.
        width_out: channels after.
        stride: of the first block.
        depth: number of blocks.
        block_constructor: called with widths, stride and the rest.
        norm_layer: of the blocks.
        activation_layer: of the blocks.
        group_width: of the blocks.
        bottleneck_multiplier: of the blocks.
        se_ratio: of the blocks.
        stage_index: number in the blocks' names.
    """

    def __init__(
        self,
        width_in: int,
        width_out: int,
        stride: int,
        depth: int,
        block_constructor: Layer,
        norm_layer: Layer,
        activation_layer: Layer,
        group_width: int,
        bottleneck_multiplier: float,
        se_ratio: float | None = None,
        stage_index: int = 0,
    ) -> None:
        super().__init__()
        for place in range(depth):
            block = block_constructor(
                width_out if place else width_in,
                width_out,
                1 if place else stride,
                norm_layer,
                activation_layer,
                group_width,
                bottleneck_multiplier,
                se_ratio,
            )
            self.add_module(f"block{stage_index}-{place}", block)


class BlockParams:
    """The numbers of all stages.

    Args:
        depths: number of blocks of each.
        widths: channels of each.
        group_widths: channels of a group of each.
        bottleneck_multipliers: of each.
        strides: of each.
        se_ratio: of all.
    """

    def __init__(
        self,
        depths: Sequence[int],
        widths: Sequence[int],
        group_widths: Sequence[int],
        bottleneck_multipliers: Sequence[float],
        strides: Sequence[int],
        se_ratio: float | None = None,
    ) -> None:
        self.depths = list(depths)
        self.widths = list(widths)
        self.group_widths = list(group_widths)
        self.bottleneck_multipliers = list(bottleneck_multipliers)
        self.strides = list(strides)
        self.se_ratio = se_ratio

    @classmethod
    def from_init_params(
        cls,
        depth: int,
        w_0: int,
        w_a: float,
        w_m: float,
        group_width: int,
        bottleneck_multiplier: float = 1.0,
        se_ratio: float | None = None,
    ) -> BlockParams:
        """Stages from the four numbers of a RegNet.

        The width of block j is w_0 + w_a * j, rounded to a power of w_m times w_0, then to a
        multiple of 8. Blocks of one width are a stage.

        Args:
            depth: number of blocks.
            w_0: first width, a multiple of 8.
            w_a: slope of the widths, not negative.
            w_m: ratio of one stage's width to that of the one before, above 1.
            group_width: channels of a group.
            bottleneck_multiplier: width of the middle of a block over that of its output.
            se_ratio: of the blocks.

        Returns:
            The numbers of all stages.

        Raises:
            DomainError: a number is outside of its range.

        Example:
            >>> BlockParams.from_init_params(22, 24, 24.48, 2.54, 16).widths
            [32, 64, 160, 400]
        """
        if w_a < 0 or w_0 <= 0 or w_m <= 1 or w_0 % WIDTH_QUANTUM:
            raise DomainError(
                "RegNet: wanted w_a >= 0, w_0 a positive multiple of 8 and w_m > 1, got "
                f"{w_a}, {w_0} and {w_m}"
            )
        powers = np.round(np.log((np.arange(depth) * w_a + w_0) / w_0) / math.log(w_m))
        every = np.round(w_0 * w_m**powers / WIDTH_QUANTUM).astype(int) * WIDTH_QUANTUM
        stages, depths = np.unique(every, return_counts=True)  # widths never fall
        widths, group_widths = [], []
        for stage in stages.tolist():
            middle = int(stage * bottleneck_multiplier)
            group_widths.append(min(group_width, middle))
            whole = make_divisible(middle, group_widths[-1])
            widths.append(int(whole / bottleneck_multiplier))
        count = len(widths)
        return cls(
            depths.tolist(),
            widths,
            group_widths,
            [bottleneck_multiplier] * count,
            [2] * count,
            se_ratio,
        )

    def stages(self) -> Iterator[tuple[int, int, int, int, float]]:
        """Width, stride, depth, channels of a group and multiplier of each stage.

        Yields:
            A tuple for each stage.
        """
        yield from zip(
            self.widths,
            self.strides,
            self.depths,
            self.group_widths,
            self.bottleneck_multipliers,
            strict=True,
        )


class RegNet(nn.Module):
    """RegNet.

    Args:
        block_params: the numbers of all stages.
        num_classes: outputs.
        stem_width: channels of the first convolution.
        stem_type: in place of `SimpleStemIN`.
        block_type: in place of `ResBottleneckBlock`.
        norm_layer: in place of batch normalisation.
        activation: in place of relu.

    Example:
        >>> numbers = BlockParams.from_init_params(2, 8, 8.0, 2.0, group_width=8)
        >>> RegNet(numbers, num_classes=5).eval()(tp.zeros(1, 3, 32, 32)).shape
        Size([1, 5])
    """

    def __init__(
        self,
        block_params: BlockParams,
        num_classes: int = 1000,
        stem_width: int = 32,
        stem_type: Layer | None = None,
        block_type: Layer | None = None,
        norm_layer: Layer | None = None,
        activation: Layer | None = None,
    ) -> None:
        super().__init__()
        norm_layer, activation = norm_layer or nn.BatchNorm2d, activation or nn.ReLU
        block_type = block_type or ResBottleneckBlock
        self.stem = (stem_type or SimpleStemIN)(3, stem_width, norm_layer, activation)
        self.trunk_output = nn.Sequential()
        before = stem_width
        for number, row in enumerate(block_params.stages(), start=1):
            width, stride, depth, group_width, multiplier = row
            stage = AnyStage(
                before,
                width,
                stride,
                depth,
                block_type,
                norm_layer,
                activation,
                group_width,
                multiplier,
                block_params.se_ratio,
                number,
            )
            self.trunk_output.add_module(f"block{number}", stage)
            before = width
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(before, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):  # groups are not counted, as in torchvision
                fan_out = math.prod(module.kernel_size) * module.out_channels
                nn.init.normal_(module.weight, std=math.sqrt(2.0 / fan_out))
        nn.init.normal_(self.fc.weight, std=0.01)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, 3, h, w) normalised images to (n, num_classes) logits."""
        x = self.trunk_output(self.stem(x))  # (n, width, h / 32, w / 32)
        return self.fc(self.avgpool(x).flatten(1))


class RegNet_X_16GF_Weights(WeightsEnum):
    """Weights for `regnet_x_16gf`."""

    IMAGENET1K_V1 = published("RegNet_X_16GF_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("RegNet_X_16GF_Weights.IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class RegNet_X_1_6GF_Weights(WeightsEnum):
    """Weights for `regnet_x_1_6gf`."""

    IMAGENET1K_V1 = published("RegNet_X_1_6GF_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("RegNet_X_1_6GF_Weights.IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class RegNet_X_32GF_Weights(WeightsEnum):
    """Weights for `regnet_x_32gf`."""

    IMAGENET1K_V1 = published("RegNet_X_32GF_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("RegNet_X_32GF_Weights.IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class RegNet_X_3_2GF_Weights(WeightsEnum):
    """Weights for `regnet_x_3_2gf`."""

    IMAGENET1K_V1 = published("RegNet_X_3_2GF_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("RegNet_X_3_2GF_Weights.IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class RegNet_X_400MF_Weights(WeightsEnum):
    """Weights for `regnet_x_400mf`."""

    IMAGENET1K_V1 = published("RegNet_X_400MF_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("RegNet_X_400MF_Weights.IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class RegNet_X_800MF_Weights(WeightsEnum):
    """Weights for `regnet_x_800mf`."""

    IMAGENET1K_V1 = published("RegNet_X_800MF_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("RegNet_X_800MF_Weights.IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class RegNet_X_8GF_Weights(WeightsEnum):
    """Weights for `regnet_x_8gf`."""

    IMAGENET1K_V1 = published("RegNet_X_8GF_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("RegNet_X_8GF_Weights.IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class RegNet_Y_128GF_Weights(WeightsEnum):
    """Weights for `regnet_y_128gf`."""

    IMAGENET1K_SWAG_E2E_V1 = published("RegNet_Y_128GF_Weights.IMAGENET1K_SWAG_E2E_V1")
    IMAGENET1K_SWAG_LINEAR_V1 = published("RegNet_Y_128GF_Weights.IMAGENET1K_SWAG_LINEAR_V1")
    DEFAULT = IMAGENET1K_SWAG_E2E_V1


class RegNet_Y_16GF_Weights(WeightsEnum):
    """Weights for `regnet_y_16gf`."""

    IMAGENET1K_V1 = published("RegNet_Y_16GF_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("RegNet_Y_16GF_Weights.IMAGENET1K_V2")
    IMAGENET1K_SWAG_E2E_V1 = published("RegNet_Y_16GF_Weights.IMAGENET1K_SWAG_E2E_V1")
    IMAGENET1K_SWAG_LINEAR_V1 = published("RegNet_Y_16GF_Weights.IMAGENET1K_SWAG_LINEAR_V1")
    DEFAULT = IMAGENET1K_V2


class RegNet_Y_1_6GF_Weights(WeightsEnum):
    """Weights for `regnet_y_1_6gf`."""

    IMAGENET1K_V1 = published("RegNet_Y_1_6GF_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("RegNet_Y_1_6GF_Weights.IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class RegNet_Y_32GF_Weights(WeightsEnum):
    """Weights for `regnet_y_32gf`."""

    IMAGENET1K_V1 = published("RegNet_Y_32GF_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("RegNet_Y_32GF_Weights.IMAGENET1K_V2")
    IMAGENET1K_SWAG_E2E_V1 = published("RegNet_Y_32GF_Weights.IMAGENET1K_SWAG_E2E_V1")
    IMAGENET1K_SWAG_LINEAR_V1 = published("RegNet_Y_32GF_Weights.IMAGENET1K_SWAG_LINEAR_V1")
    DEFAULT = IMAGENET1K_V2


class RegNet_Y_3_2GF_Weights(WeightsEnum):
    """Weights for `regnet_y_3_2gf`."""

    IMAGENET1K_V1 = published("RegNet_Y_3_2GF_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("RegNet_Y_3_2GF_Weights.IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class RegNet_Y_400MF_Weights(WeightsEnum):
    """Weights for `regnet_y_400mf`."""

    IMAGENET1K_V1 = published("RegNet_Y_400MF_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("RegNet_Y_400MF_Weights.IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class RegNet_Y_800MF_Weights(WeightsEnum):
    """Weights for `regnet_y_800mf`."""

    IMAGENET1K_V1 = published("RegNet_Y_800MF_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("RegNet_Y_800MF_Weights.IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class RegNet_Y_8GF_Weights(WeightsEnum):
    """Weights for `regnet_y_8gf`."""

    IMAGENET1K_V1 = published("RegNet_Y_8GF_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("RegNet_Y_8GF_Weights.IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


def _builder(size: str, weights: type[WeightsEnum]) -> Callable[..., RegNet]:
    def make(**config: Any) -> RegNet:
        depth, w_0, w_a, w_m, group_width, is_y = MODELS[size]
        params = BlockParams.from_init_params(
            depth, w_0, w_a, w_m, group_width, se_ratio=SE_RATIO if is_y else None
        )
        return RegNet(params, **config)

    return builder(f"regnet_{size}", RegNet, weights, f"RegNet {size.upper()}.", make)


regnet_y_400mf = _builder("y_400mf", RegNet_Y_400MF_Weights)
regnet_y_800mf = _builder("y_800mf", RegNet_Y_800MF_Weights)
regnet_y_1_6gf = _builder("y_1_6gf", RegNet_Y_1_6GF_Weights)
regnet_y_3_2gf = _builder("y_3_2gf", RegNet_Y_3_2GF_Weights)
regnet_y_8gf = _builder("y_8gf", RegNet_Y_8GF_Weights)
regnet_y_16gf = _builder("y_16gf", RegNet_Y_16GF_Weights)
regnet_y_32gf = _builder("y_32gf", RegNet_Y_32GF_Weights)
regnet_y_128gf = _builder("y_128gf", RegNet_Y_128GF_Weights)
regnet_x_400mf = _builder("x_400mf", RegNet_X_400MF_Weights)
regnet_x_800mf = _builder("x_800mf", RegNet_X_800MF_Weights)
regnet_x_1_6gf = _builder("x_1_6gf", RegNet_X_1_6GF_Weights)
regnet_x_3_2gf = _builder("x_3_2gf", RegNet_X_3_2GF_Weights)
regnet_x_8gf = _builder("x_8gf", RegNet_X_8GF_Weights)
regnet_x_16gf = _builder("x_16gf", RegNet_X_16GF_Weights)
regnet_x_32gf = _builder("x_32gf", RegNet_X_32GF_Weights)

"""MobileNetV3: inverted residuals with squeeze and excitation, found by search.

Source: Howard et al. 2019, tables 1 and 2; layers, names and initial values are torchvision's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import triptych as tp
from triptych import nn
from triptych.errors import DTypeError, ShapeError

from ..ops.misc import Conv2dNormActivation, SqueezeExcitation
from ..weights import WeightsEnum
from ._building import builder
from .mobilenetv2 import initialise, make_divisible
from .published import published

__all__ = [
    "MobileNetV3",
    "MobileNet_V3_Large_Weights",
    "MobileNet_V3_Small_Weights",
    "mobilenet_v3_large",
    "mobilenet_v3_small",
]

Layer = Callable[..., nn.Module]
HARD_SQUEEZE = partial(SqueezeExcitation, scale_activation=nn.Hardsigmoid)
Row = tuple[int, int, int, int, bool, str, int, bool]

# channels before, kernel size, channels in between, channels after, squeeze and excitation,
# activation, stride, whether the row belongs to the tail, which may be thinner or dilated
LARGE: tuple[Row, ...] = (
    (16, 3, 16, 16, False, "RE", 1, False),
    (16, 3, 64, 24, False, "RE", 2, False),
    (24, 3, 72, 24, False, "RE", 1, False),
    (24, 5, 72, 40, True, "RE", 2, False),
    (40, 5, 120, 40, True, "RE", 1, False),
    (40, 5, 120, 40, True, "RE", 1, False),
    (40, 3, 240, 80, False, "HS", 2, False),
    (80, 3, 200, 80, False, "HS", 1, False),
    (80, 3, 184, 80, False, "HS", 1, False),
    (80, 3, 184, 80, False, "HS", 1, False),
    (80, 3, 480, 112, True, "HS", 1, False),
    (112, 3, 672, 112, True, "HS", 1, False),
    (112, 5, 672, 160, True, "HS", 2, True),
    (160, 5, 960, 160, True, "HS", 1, True),
    (160, 5, 960, 160, True, "HS", 1, True),
)
SMALL: tuple[Row, ...] = (
    (16, 3, 16, 16, True, "RE", 2, False),
    (16, 3, 72, 24, False, "RE", 2, False),
    (24, 3, 88, 24, False, "RE", 1, False),
    (24, 5, 96, 40, True, "HS", 2, False),
    (40, 5, 240, 40, True, "HS", 1, False),
    (40, 5, 240, 40, True, "HS", 1, False),
    (40, 5, 120, 48, True, "HS", 1, False),
    (48, 5, 144, 48, True, "HS", 1, False),
    (48, 5, 288, 96, True, "HS", 2, True),
    (96, 5, 576, 96, True, "HS", 1, True),
    (96, 5, 576, 96, True, "HS", 1, True),
)
# rows, channels of the layer before the last
ARCHITECTURES: dict[str, tuple[tuple[Row, ...], int]] = {
    "mobilenet_v3_large": (LARGE, 1280),
    "mobilenet_v3_small": (SMALL, 1024),
}


class InvertedResidualConfig:
    """One block of MobileNetV3; channels are rounded to multiples of 8.

    Args:
        input_channels: before.
        kernel: size of the depthwise convolution's kernel.
        expanded_channels: in between.
        out_channels: after.
        use_se: with squeeze and excitation.
        activation: "RE" for relu, "HS" for hardswish.
        stride: 1 or 2.
        dilation: of the depthwise convolution; above 1 the stride is left out.
        width_mult: how many times wider all is.
    """

    def __init__(
        self,
        input_channels: int,
        kernel: int,
        expanded_channels: int,
        out_channels: int,
        use_se: bool,
        activation: str,
        stride: int,
        dilation: int,
        width_mult: float,
    ) -> None:
        self.input_channels = self.adjust_channels(input_channels, width_mult)
        self.kernel = kernel
        self.expanded_channels = self.adjust_channels(expanded_channels, width_mult)
        self.out_channels = self.adjust_channels(out_channels, width_mult)
        self.use_se = use_se
        self.use_hs = activation == "HS"
        self.stride = stride
        self.dilation = dilation

    @staticmethod
    def adjust_channels(channels: int, width_mult: float) -> int:
        """The multiple of 8 nearest to channels * width_mult."""
        return make_divisible(channels * width_mult, 8)


class InvertedResidual(nn.Module):
    """Widen, filter each channel, weigh the channels, narrow; add the input where shapes agree.

    Args:
        cnf: the block's numbers.
        norm_layer: of all convolutions.
        se_layer: called with the channels and those in the middle.

    Raises:
        ValueError: the stride is neither 1 nor 2.
    """

    def __init__(
        self,
        cnf: InvertedResidualConfig,
        norm_layer: Layer,
        se_layer: Layer = HARD_SQUEEZE,
    ) -> None:
        super().__init__()
        if cnf.stride not in (1, 2):
            raise ValueError(f"InvertedResidual: stride is 1 or 2, got {cnf.stride}")
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        activation = nn.Hardswish if cnf.use_hs else nn.ReLU
        block = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=activation)
        layers: list[nn.Module] = []
        if cnf.expanded_channels != cnf.input_channels:
            layers.append(block(cnf.input_channels, cnf.expanded_channels, kernel_size=1))
        layers.append(
            block(
                cnf.expanded_channels,
                cnf.expanded_channels,
                kernel_size=cnf.kernel,
                stride=1 if cnf.dilation > 1 else cnf.stride,
                dilation=cnf.dilation,
                groups=cnf.expanded_channels,
            )
        )
        if cnf.use_se:
            squeezed = make_divisible(cnf.expanded_channels // 4, 8)
            layers.append(se_layer(cnf.expanded_channels, squeezed))
        layers.append(block(cnf.expanded_channels, cnf.out_channels, 1, activation_layer=None))
        self.block = nn.Sequential(*layers)
        self.out_channels = cnf.out_channels
        self._is_cn = cnf.stride > 1  # where detectors and segmenters take features

    def forward(self, input: tp.Tensor) -> tp.Tensor:
        """(n, input_channels, h, w) to (n, out_channels, h / stride, w / stride)."""
        return input + self.block(input) if self.use_res_connect else self.block(input)


class MobileNetV3(nn.Module):
    """MobileNetV3.

    Args:
        inverted_residual_setting: the blocks.
        last_channel: features of the layer before the last.
        num_classes: outputs.
        block: in place of `InvertedResidual`.
        norm_layer: in place of batch normalisation.
        dropout: part of the features that are zeroed while training.

    Raises:
        ShapeError: inverted_residual_setting is empty.
        DTypeError: an entry of it is no `InvertedResidualConfig`.

    Example:
        >>> mobilenet_v3_small(num_classes=5).eval()(tp.zeros(1, 3, 32, 32)).shape
        Size([1, 5])
    """

    def __init__(
        self,
        inverted_residual_setting: Sequence[InvertedResidualConfig],
        last_channel: int,
        num_classes: int = 1000,
        block: Layer | None = None,
        norm_layer: Layer | None = None,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        setting = _checked(inverted_residual_setting)
        block = block or InvertedResidual
        norm_layer = norm_layer or partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)
        plain = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.Hardswish)
        before, width = setting[-1].out_channels, 6 * setting[-1].out_channels
        self.features = nn.Sequential(
            plain(3, setting[0].input_channels, kernel_size=3, stride=2),
            *(block(cnf, norm_layer) for cnf in setting),
            plain(before, width, kernel_size=1),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Linear(width, last_channel),
            nn.Hardswish(inplace=True),
            nn.Dropout(dropout, inplace=True),
            nn.Linear(last_channel, num_classes),
        )
        initialise(self)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, 3, h, w) normalised images to (n, num_classes) logits."""
        x = self.avgpool(self.features(x))  # (n, width, 1, 1)
        return self.classifier(x.flatten(1))


def _checked(setting: Sequence[InvertedResidualConfig]) -> Sequence[InvertedResidualConfig]:
    if len(setting) == 0:
        raise ShapeError("MobileNetV3: inverted_residual_setting is empty; give a block or more")
    for entry in setting:
        if not isinstance(entry, InvertedResidualConfig):
            raise DTypeError(
                "MobileNetV3: inverted_residual_setting is a sequence of InvertedResidualConfig, "
                f"got {type(entry).__name__} in it"
            )
    return setting


def _make(
    arch: str,
    *,
    width_mult: float = 1.0,
    reduced_tail: bool = False,
    dilated: bool = False,
    **config: Any,
) -> MobileNetV3:
    rows, last_channel = ARCHITECTURES[arch]
    divider, dilation = 2 if reduced_tail else 1, 2 if dilated else 1
    last_out = rows[-1][3]
    setting = []
    for before, kernel, middle, after, use_se, activation, stride, tail in rows:
        # the tail is thinner from its first output on
        if tail:
            after //= divider
            if before == last_out:
                before, middle = before // divider, middle // divider
        setting.append(
            InvertedResidualConfig(
                before,
                kernel,
                middle,
                after,
                use_se,
                activation,
                stride,
                dilation if tail else 1,
                width_mult,
            )
        )
    last = InvertedResidualConfig.adjust_channels(last_channel // divider, width_mult)
    return MobileNetV3(setting, last, **config)


class MobileNet_V3_Large_Weights(WeightsEnum):
    """Weights for `mobilenet_v3_large`."""

    IMAGENET1K_V1 = published("MobileNet_V3_Large_Weights.IMAGENET1K_V1")
    IMAGENET1K_V2 = published("MobileNet_V3_Large_Weights.IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class MobileNet_V3_Small_Weights(WeightsEnum):
    """Weights for `mobilenet_v3_small`."""

    IMAGENET1K_V1 = published("MobileNet_V3_Small_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


mobilenet_v3_large = builder(
    "mobilenet_v3_large",
    MobileNetV3,
    MobileNet_V3_Large_Weights,
    "MobileNetV3, large.",
    partial(_make, "mobilenet_v3_large"),
)
mobilenet_v3_small = builder(
    "mobilenet_v3_small",
    MobileNetV3,
    MobileNet_V3_Small_Weights,
    "MobileNetV3, small.",
    partial(_make, "mobilenet_v3_small"),
)

"""ShuffleNetV2: half of the channels pass by, then both halves are mixed.

Source: Ma, Zhang, Zheng and Sun 2018, figure 3 and table 5; layers and names are torchvision's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import triptych as tp
from triptych import nn
from triptych.errors import DomainError, ShapeError

from ..weights import WeightsEnum
from ._building import builder
from .published import published

__all__ = [
    "ShuffleNetV2",
    "ShuffleNet_V2_X0_5_Weights",
    "ShuffleNet_V2_X1_0_Weights",
    "ShuffleNet_V2_X1_5_Weights",
    "ShuffleNet_V2_X2_0_Weights",
    "shufflenet_v2_x0_5",
    "shufflenet_v2_x1_0",
    "shufflenet_v2_x1_5",
    "shufflenet_v2_x2_0",
]

REPEATS = (4, 8, 4)
CHANNELS = {
    "0.5": (24, 48, 96, 192, 1024),
    "1.0": (24, 116, 232, 464, 1024),
    "1.5": (24, 176, 352, 704, 1024),
    "2.0": (24, 244, 488, 976, 2048),
}


def channel_shuffle(x: tp.Tensor, groups: int) -> tp.Tensor:
    """Take channels from the groups in turn.

    Args:
        x: (n, c, h, w), where c is a multiple of groups.
        groups: how many runs of channels there are.

    Returns:
        Same shape.

    Example:
        >>> channel_shuffle(tp.arange(6).reshape(1, 6, 1, 1), 2).flatten().tolist()
        [0, 3, 1, 4, 2, 5]
    """
    n, c, h, w = x.shape
    return x.reshape(n, groups, c // groups, h, w).transpose(1, 2).reshape(n, c, h, w)


class InvertedResidual(nn.Module):
    """One branch filters, the other passes half of the channels; with a stride, both filter.

    Args:
        inp: channels before.
        oup: channels after.
        stride: from 1 to 3.

    Raises:
        DomainError: another stride.
        ShapeError: at stride 1, inp and oup differ or are odd.
    """

    def __init__(self, inp: int, oup: int, stride: int) -> None:
        super().__init__()
        if not 1 <= stride <= 3:
            raise DomainError(f"InvertedResidual: stride is from 1 to 3, got {stride}")
        half = oup // 2
        if stride == 1 and inp != 2 * half:
            raise ShapeError(
                f"InvertedResidual: at stride 1 inp is oup, an even number; got {inp} and {oup}"
            )
        self.stride = stride
        self.branch1 = nn.Sequential()
        if stride > 1:
            self.branch1 = nn.Sequential(*_filtered(inp, stride), *_mixed(inp, half))
        self.branch2 = nn.Sequential(
            *_mixed(inp if stride > 1 else half, half),
            *_filtered(half, stride),
            *_mixed(half, half),
        )

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, inp, h, w) to (n, oup, h / stride, w / stride)."""
        if self.stride == 1:
            passed, rest = x.chunk(2, dim=1)
            branches = [passed, self.branch2(rest)]
        else:
            branches = [self.branch1(x), self.branch2(x)]
        return channel_shuffle(tp.cat(branches, dim=1), 2)


def _filtered(channels: int, stride: int) -> tuple[nn.Module, nn.Module]:
    conv = nn.Conv2d(channels, channels, 3, stride, padding=1, groups=channels, bias=False)
    return conv, nn.BatchNorm2d(channels)


def _mixed(before: int, after: int) -> tuple[nn.Module, nn.Module, nn.Module]:
    conv = nn.Conv2d(before, after, kernel_size=1, bias=False)
    return conv, nn.BatchNorm2d(after), nn.ReLU(inplace=True)


class ShuffleNetV2(nn.Module):
    """ShuffleNetV2.

    Args:
        stages_repeats: number of blocks of each of the three stages.
        stages_out_channels: of the first convolution, the three stages and the last convolution.
        num_classes: outputs.
        inverted_residual: in place of `InvertedResidual`.

    Raises:
        ShapeError: stages_repeats has not three numbers or stages_out_channels not five.

    Example:
        >>> ShuffleNetV2([1, 1, 1], [4, 8, 8, 8, 16], num_classes=5)(tp.zeros(2, 3, 64, 64)).shape
        Size([2, 5])
    """

    def __init__(
        self,
        stages_repeats: Sequence[int],
        stages_out_channels: Sequence[int],
        num_classes: int = 1000,
        inverted_residual: Callable[..., nn.Module] = InvertedResidual,
    ) -> None:
        super().__init__()
        if len(stages_repeats) != 3 or len(stages_out_channels) != 5:
            raise ShapeError(
                "ShuffleNetV2: wanted three stages_repeats and five stages_out_channels, got "
                f"{stages_repeats} and {stages_out_channels}"
            )
        first, *widths, last = stages_out_channels
        self.conv1 = nn.Sequential(
            nn.Conv2d(3, first, 3, 2, 1, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(inplace=True),
        )
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        before = first
        for number, (count, width) in enumerate(zip(stages_repeats, widths, strict=True), start=2):
            blocks = [inverted_residual(before, width, 2)]
            blocks += [inverted_residual(width, width, 1) for _ in range(count - 1)]
            setattr(self, f"stage{number}", nn.Sequential(*blocks))
            before = width
        self.conv5 = nn.Sequential(*_mixed(before, last))
        self.fc = nn.Linear(last, num_classes)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, 3, h, w) normalised images to (n, num_classes) logits."""
        x = self.maxpool(self.conv1(x))  # (n, 24, h / 4, w / 4)
        x = self.conv5(self.stage4(self.stage3(self.stage2(x))))
        return self.fc(x.mean((2, 3)))


class ShuffleNet_V2_X0_5_Weights(WeightsEnum):
    """Weights for `shufflenet_v2_x0_5`."""

    IMAGENET1K_V1 = published("ShuffleNet_V2_X0_5_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class ShuffleNet_V2_X1_0_Weights(WeightsEnum):
    """Weights for `shufflenet_v2_x1_0`."""

    IMAGENET1K_V1 = published("ShuffleNet_V2_X1_0_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class ShuffleNet_V2_X1_5_Weights(WeightsEnum):
    """Weights for `shufflenet_v2_x1_5`."""

    IMAGENET1K_V1 = published("ShuffleNet_V2_X1_5_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class ShuffleNet_V2_X2_0_Weights(WeightsEnum):
    """Weights for `shufflenet_v2_x2_0`."""

    IMAGENET1K_V1 = published("ShuffleNet_V2_X2_0_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


def _builder(width: str, weights: type[WeightsEnum]) -> Callable[..., ShuffleNetV2]:
    fixed: dict[str, Any] = {"stages_repeats": REPEATS, "stages_out_channels": CHANNELS[width]}
    name = f"shufflenet_v2_x{width.replace('.', '_')}"
    return builder(name, ShuffleNetV2, weights, f"ShuffleNetV2, {width} times wide.", **fixed)


shufflenet_v2_x0_5 = _builder("0.5", ShuffleNet_V2_X0_5_Weights)
shufflenet_v2_x1_0 = _builder("1.0", ShuffleNet_V2_X1_0_Weights)
shufflenet_v2_x1_5 = _builder("1.5", ShuffleNet_V2_X1_5_Weights)
shufflenet_v2_x2_0 = _builder("2.0", ShuffleNet_V2_X2_0_Weights)

"""MNASNet: inverted residuals found by a search that measured phones.

Source: Tan et al. 2019, figure 7, variant B1; layers, names and initial values are torchvision's.
"""

from __future__ import annotations

import warnings
from typing import Any

import triptych as tp
from triptych import nn
from triptych.errors import DomainError

from ..weights import WeightsEnum
from ._building import builder
from .mobilenetv2 import make_divisible
from .published import published

__all__ = [
    "MNASNet",
    "MNASNet0_5_Weights",
    "MNASNet0_75_Weights",
    "MNASNet1_0_Weights",
    "MNASNet1_3_Weights",
    "mnasnet0_5",
    "mnasnet0_75",
    "mnasnet1_0",
    "mnasnet1_3",
]

BN_MOMENTUM = 1 - 0.9997  # the paper's, in the other convention
CHANNELS = (32, 16, 24, 40, 80, 96, 192, 320)
# kernel size, stride, expansion, number of blocks of each stack
STACKS = ((3, 2, 3, 3), (5, 2, 3, 3), (5, 2, 6, 3), (3, 1, 6, 2), (5, 2, 6, 4), (3, 1, 6, 1))
LAST_CHANNELS = 1280


class InvertedResidual(nn.Module):
    """Widen, filter each channel, narrow; add the input when the shapes agree.

    Args:
        in_ch: channels before.
        out_ch: channels after.
        kernel_size: 3 or 5.
        stride: 1 or 2.
        expansion_factor: how many times wider the middle is.
        bn_momentum: of the batch normalisations.

    Raises:
        DomainError: another kernel_size or stride.
    """

    def __init__(
        self,
        in_ch: int,
        out_ch: int,
        kernel_size: int,
        stride: int,
        expansion_factor: int,
        bn_momentum: float = 0.1,
    ) -> None:
        super().__init__()
        if stride not in (1, 2) or kernel_size not in (3, 5):
            raise DomainError(
                "InvertedResidual: stride is 1 or 2 and kernel_size 3 or 5, got "
                f"{stride} and {kernel_size}"
            )
        mid_ch = in_ch * expansion_factor
        self.apply_residual = in_ch == out_ch and stride == 1
        self.layers = nn.Sequential(
            nn.Conv2d(in_ch, mid_ch, 1, bias=False),
            nn.BatchNorm2d(mid_ch, momentum=bn_momentum),
            nn.ReLU(inplace=True),
            *depthwise(mid_ch, kernel_size, stride, bn_momentum),
            nn.Conv2d(mid_ch, out_ch, 1, bias=False),
            nn.BatchNorm2d(out_ch, momentum=bn_momentum),
        )

    def forward(self, input: tp.Tensor) -> tp.Tensor:
        """(n, in_ch, h, w) to (n, out_ch, h / stride, w / stride)."""
        return self.layers(input) + input if self.apply_residual else self.layers(input)


def depthwise(
    channels: int, kernel_size: int, stride: int, bn_momentum: float
) -> tuple[nn.Module, nn.Module, nn.Module]:
    """A filter for each channel, normalisation and relu.

    Args:
        channels: before and after.
        kernel_size: of the filters, odd.
        stride: between outputs in pixels.
        bn_momentum: of the batch normalisation.

    Returns:
        The three layers.
    """
    conv = nn.Conv2d(
        channels,
        channels,
        kernel_size,
        padding=kernel_size // 2,
        stride=stride,
        groups=channels,
        bias=False,
    )
    norm = nn.BatchNorm2d(channels, momentum=bn_momentum)
    return conv, norm, nn.ReLU(inplace=True)


class MNASNet(nn.Module):
    """MNASNet-B1.

    Files of torchvision 0.4 and before, whose first layers have the same width for every alpha,
    load too, and give the model their layers.

    Args:
        alpha: how many times wider each layer is.
        num_classes: outputs.
        dropout: part of the features that are zeroed while training.

    Raises:
        DomainError: alpha is not positive.

    Example:
        >>> MNASNet(0.5, num_classes=5).eval()(tp.zeros(1, 3, 32, 32)).shape
        Size([1, 5])
    """

    def __init__(self, alpha: float, num_classes: int = 1000, dropout: float = 0.2) -> None:
        super().__init__()
        if alpha <= 0.0:
            raise DomainError(f"MNASNet: alpha is positive, got {alpha}")
        self.alpha = alpha
        self.num_classes = num_classes
        channels = self._channels()
        self.layers = nn.Sequential(
            *_stem(channels[0], channels[1]),
            *(
                _stack(before, after, *row)
                for before, after, row in zip(channels[1:], channels[2:], STACKS, strict=False)
            ),
            nn.Conv2d(channels[-1], LAST_CHANNELS, 1, bias=False),
            nn.BatchNorm2d(LAST_CHANNELS, momentum=BN_MOMENTUM),
            nn.ReLU(inplace=True),
        )
        self.classifier = nn.Sequential(
            nn.Dropout(dropout, inplace=True), nn.Linear(LAST_CHANNELS, num_classes)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        last = self.classifier[1]
        nn.init.kaiming_uniform_(last.weight, mode="fan_out", nonlinearity="sigmoid")
        nn.init.zeros_(last.bias)

    def _channels(self) -> list[int]:
        return [make_divisible(width * self.alpha, 8) for width in CHANNELS]

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, *others: Any, **named: Any
    ) -> None:
        first = state_dict.get(f"{prefix}layers.0.weight")
        if first is not None and first.shape[0] == CHANNELS[0] != self.layers[0].out_channels:
            old = [*_stem(*CHANNELS[:2]), _stack(CHANNELS[1], self._channels()[2], *STACKS[0])]
            for place, layer in enumerate(old):
                self.layers[place] = layer.train(self.training)
            warnings.warn(
                f"MNASNet: the file is of the first version, whose stem has {CHANNELS[0]} channels "
                f"for every alpha; the model has now such a stem, too",
                UserWarning,
                stacklevel=2,
            )
        super()._load_from_state_dict(state_dict, prefix, *others, **named)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, 3, h, w) normalised images to (n, num_classes) logits."""
        x = self.layers(x)  # (n, LAST_CHANNELS, h / 32, w / 32)
        return self.classifier(x.mean((2, 3)))


def _stem(first: int, second: int) -> list[nn.Module]:
    return [
        nn.Conv2d(3, first, 3, padding=1, stride=2, bias=False),
        nn.BatchNorm2d(first, momentum=BN_MOMENTUM),
        nn.ReLU(inplace=True),
        *depthwise(first, 3, 1, BN_MOMENTUM),
        nn.Conv2d(first, second, 1, bias=False),
        nn.BatchNorm2d(second, momentum=BN_MOMENTUM),
    ]


def _stack(
    before: int, after: int, kernel_size: int, stride: int, expansion: int, count: int
) -> nn.Sequential:
    blocks = [InvertedResidual(before, after, kernel_size, stride, expansion, BN_MOMENTUM)]
    for _ in range(1, count):
        blocks.append(InvertedResidual(after, after, kernel_size, 1, expansion, BN_MOMENTUM))
    return nn.Sequential(*blocks)


class MNASNet0_5_Weights(WeightsEnum):
    """Weights for `mnasnet0_5`."""

    IMAGENET1K_V1 = published("MNASNet0_5_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class MNASNet0_75_Weights(WeightsEnum):
    """Weights for `mnasnet0_75`."""

    IMAGENET1K_V1 = published("MNASNet0_75_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class MNASNet1_0_Weights(WeightsEnum):
    """Weights for `mnasnet1_0`."""

    IMAGENET1K_V1 = published("MNASNet1_0_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class MNASNet1_3_Weights(WeightsEnum):
    """Weights for `mnasnet1_3`."""

    IMAGENET1K_V1 = published("MNASNet1_3_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


mnasnet0_5 = builder("mnasnet0_5", MNASNet, MNASNet0_5_Weights, "MNASNet, half wide.", alpha=0.5)
mnasnet0_75 = builder(
    "mnasnet0_75", MNASNet, MNASNet0_75_Weights, "MNASNet, three quarters wide.", alpha=0.75
)
mnasnet1_0 = builder("mnasnet1_0", MNASNet, MNASNet1_0_Weights, "MNASNet.", alpha=1.0)
mnasnet1_3 = builder(
    "mnasnet1_3", MNASNet, MNASNet1_3_Weights, "MNASNet, 1.3 times as wide.", alpha=1.3
)

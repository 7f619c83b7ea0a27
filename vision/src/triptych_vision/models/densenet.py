"""DenseNet: every layer sees the outputs of all before it.

Source: Huang, Liu, van der Maaten and Weinberger 2017, table 1; layers, names and initial values
are torchvision's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych import nn
from triptych.nn import functional as F
from triptych.utils.checkpoint import checkpoint

from ..weights import WeightsEnum
from ._building import builder
from .published import published

__all__ = [
    "DenseNet",
    "DenseNet121_Weights",
    "DenseNet161_Weights",
    "DenseNet169_Weights",
    "DenseNet201_Weights",
    "densenet121",
    "densenet161",
    "densenet169",
    "densenet201",
]


class DenseLayer(nn.Module):
    """Narrow to a bottleneck, then a 3 x 3 convolution that adds a few channels.

    Args:
        num_input_features: channels of all layers before, together.
        growth_rate: channels it gives.
        bn_size: the bottleneck is this many times growth_rate wide.
        drop_rate: part of the output that is zeroed while training.
        memory_efficient: compute the bottleneck again in backward instead of keeping it.
    """

    def __init__(
        self,
        num_input_features: int,
        growth_rate: int,
        bn_size: int,
        drop_rate: float,
        memory_efficient: bool = False,
    ) -> None:
        super().__init__()
        width = bn_size * growth_rate
        self.norm1 = nn.BatchNorm2d(num_input_features)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(num_input_features, width, kernel_size=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, growth_rate, kernel_size=3, padding=1, bias=False)
        self.drop_rate = float(drop_rate)
        self.memory_efficient = memory_efficient

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, *others: Any, **named: Any
    ) -> None:
        """Old files, the published ones among them, say norm.1 where the layer is norm1."""
        for old in [key for key in state_dict if key.startswith(prefix)]:
            kind, number, rest = [*old[len(prefix) :].split(".", 2), "", ""][:3]
            if kind in ("norm", "conv") and number in ("1", "2"):
                state_dict[f"{prefix}{kind}{number}.{rest}"] = state_dict.pop(old)
        super()._load_from_state_dict(state_dict, prefix, *others, **named)

    def _bottleneck(self, *features: tp.Tensor) -> tp.Tensor:
        return self.conv1(self.relu1(self.norm1(tp.cat(features, dim=1))))

    def forward(self, input: tp.Tensor | Sequence[tp.Tensor]) -> tp.Tensor:
        """One or several (n, c, h, w) to (n, growth_rate, h, w)."""
        features = [input] if isinstance(input, tp.Tensor) else input
        if self.memory_efficient and any(part.requires_grad for part in features):
            narrow = checkpoint(self._bottleneck, *features, use_reentrant=False)
        else:
            narrow = self._bottleneck(*features)
        new = self.conv2(self.relu2(self.norm2(narrow)))
        return F.dropout(new, self.drop_rate, self.training) if self.drop_rate > 0 else new


class DenseBlock(nn.ModuleDict):
    """Layers each of which sees the block's input and all layers before.

    Args:
        num_layers: how many.
        num_input_features: channels of the input.
        bn_size: of each `DenseLayer`.
        growth_rate: of each `DenseLayer`.
        drop_rate: of each `DenseLayer`.
        memory_efficient: of each `DenseLayer`.
    """

    def __init__(
        self,
        num_layers: int,
        num_input_features: int,
        bn_size: int,
        growth_rate: int,
        drop_rate: float,
        memory_efficient: bool = False,
    ) -> None:
        super().__init__()
        for place in range(num_layers):
            channels = num_input_features + place * growth_rate
            layer = DenseLayer(channels, growth_rate, bn_size, drop_rate, memory_efficient)
            self.add_module(f"denselayer{place + 1}", layer)

    def forward(self, init_features: tp.Tensor) -> tp.Tensor:
        """(n, c, h, w) to (n, c + num_layers * growth_rate, h, w)."""
        features = [init_features]
        for layer in self.values():
            features.append(layer(features))
        return tp.cat(features, dim=1)


class Transition(nn.Sequential):
    """Fewer channels and half the size.

    Args:
        num_input_features: channels before.
        num_output_features: channels after.
    """

    def __init__(self, num_input_features: int, num_output_features: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(num_input_features)
        self.relu = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(num_input_features, num_output_features, 1, bias=False)
        self.pool = nn.AvgPool2d(kernel_size=2, stride=2)


class DenseNet(nn.Module):
    """DenseNet-BC.

    Args:
        growth_rate: channels that each layer adds.
        block_config: layers of each block.
        num_init_features: channels of the first convolution.
        bn_size: bottlenecks are this many times growth_rate wide.
        drop_rate: part of each layer's output that is zeroed while training.
        num_classes: outputs.
        memory_efficient: compute bottlenecks again in backward instead of keeping them.

    Example:
        >>> DenseNet(8, (2, 2), 16, num_classes=5).eval()(tp.zeros(1, 3, 32, 32)).shape
        Size([1, 5])
    """

    def __init__(
        self,
        growth_rate: int = 32,
        block_config: Sequence[int] = (6, 12, 24, 16),
        num_init_features: int = 64,
        bn_size: int = 4,
        drop_rate: float = 0,
        num_classes: int = 1000,
        memory_efficient: bool = False,
    ) -> None:
        super().__init__()
        width = num_init_features
        self.features = nn.Sequential()
        self.features.add_module("conv0", nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False))
        self.features.add_module("norm0", nn.BatchNorm2d(width))
        self.features.add_module("relu0", nn.ReLU(inplace=True))
        self.features.add_module("pool0", nn.MaxPool2d(kernel_size=3, stride=2, padding=1))
        for number, count in enumerate(block_config, start=1):
            block = DenseBlock(count, width, bn_size, growth_rate, drop_rate, memory_efficient)
            self.features.add_module(f"denseblock{number}", block)
            width += count * growth_rate
            if number < len(block_config):
                self.features.add_module(f"transition{number}", Transition(width, width // 2))
                width //= 2
        self.features.add_module("norm5", nn.BatchNorm2d(width))
        self.classifier = nn.Linear(width, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, 3, h, w) normalised images, 29 pixels or more, to (n, num_classes) logits."""
        x = F.relu(self.features(x))  # (n, width, h / 32, w / 32)
        return self.classifier(x.mean((2, 3)))


class DenseNet121_Weights(WeightsEnum):
    """Weights for `densenet121`."""

    IMAGENET1K_V1 = published("DenseNet121_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class DenseNet161_Weights(WeightsEnum):
    """Weights for `densenet161`."""

    IMAGENET1K_V1 = published("DenseNet161_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class DenseNet169_Weights(WeightsEnum):
    """Weights for `densenet169`."""

    IMAGENET1K_V1 = published("DenseNet169_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class DenseNet201_Weights(WeightsEnum):
    """Weights for `densenet201`."""

    IMAGENET1K_V1 = published("DenseNet201_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


densenet121 = builder("densenet121", DenseNet, DenseNet121_Weights, "DenseNet with 121 layers.")
densenet161 = builder(
    "densenet161",
    DenseNet,
    DenseNet161_Weights,
    "DenseNet with 161 layers.",
    growth_rate=48,
    block_config=(6, 12, 36, 24),
    num_init_features=96,
)
densenet169 = builder(
    "densenet169",
    DenseNet,
    DenseNet169_Weights,
    "DenseNet with 169 layers.",
    block_config=(6, 12, 32, 32),
)
densenet201 = builder(
    "densenet201",
    DenseNet,
    DenseNet201_Weights,
    "DenseNet with 201 layers.",
    block_config=(6, 12, 48, 32),
)

"""SqueezeNet: AlexNet's accuracy with a fiftieth of its parameters.

Source: Iandola et al. 2016; 1.1 is the authors' later version with 2.4 times fewer operations.
Layers and names are torchvision's.
"""

from __future__ import annotations

import triptych as tp
from triptych import nn
from triptych.errors import UnknownNameError

from ..weights import WeightsEnum
from ._building import builder
from .published import published

__all__ = [
    "SqueezeNet",
    "SqueezeNet1_0_Weights",
    "SqueezeNet1_1_Weights",
    "squeezenet1_0",
    "squeezenet1_1",
]

POOL = "pool"
# channels squeezed to, then channels of each of the two expansions
FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
# version -> (channels, kernel size of the first layer), then fires by number and poolings
LAYOUTS: dict[str, tuple[tuple[int, int], tuple[int | str, ...]]] = {
    "1_0": ((96, 7), (POOL, 0, 1, 2, POOL, 3, 4, 5, 6, POOL, 7)),
    "1_1": ((64, 3), (POOL, 0, 1, POOL, 2, 3, POOL, 4, 5, 6, 7)),
}


class Fire(nn.Module):
    """Squeeze the channels, then expand them with small and larger kernels side by side.

    Args:
        inplanes: channels before.
        squeeze_planes: channels in between.
        expand1x1_planes: channels from 1 x 1 kernels.
        expand3x3_planes: channels from 3 x 3 kernels.
    """

    def __init__(
        self, inplanes: int, squeeze_planes: int, expand1x1_planes: int, expand3x3_planes: int
    ) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inplanes, squeeze_planes, kernel_size=1)
        self.squeeze_activation = nn.ReLU(inplace=True)
        self.expand1x1 = nn.Conv2d(squeeze_planes, expand1x1_planes, kernel_size=1)
        self.expand1x1_activation = nn.ReLU(inplace=True)
        self.expand3x3 = nn.Conv2d(squeeze_planes, expand3x3_planes, kernel_size=3, padding=1)
        self.expand3x3_activation = nn.ReLU(inplace=True)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, inplanes, h, w) to (n, expand1x1_planes + expand3x3_planes, h, w)."""
        x = self.squeeze_activation(self.squeeze(x))
        small = self.expand1x1_activation(self.expand1x1(x))
        large = self.expand3x3_activation(self.expand3x3(x))
        return tp.cat([small, large], dim=1)


class SqueezeNet(nn.Module):
    """SqueezeNet.

    Args:
        version: "1_0" or "1_1".
        num_classes: outputs.
        dropout: part of the features that are zeroed while training.

    Raises:
        UnknownNameError: another version.
    """

    def __init__(self, version: str = "1_0", num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        if version not in LAYOUTS:
            raise UnknownNameError(f"SqueezeNet: version is 1_0 or 1_1, got {version!r}")
        self.num_classes = num_classes
        (channels, kernel_size), layout = LAYOUTS[version]
        layers: list[nn.Module] = [
            nn.Conv2d(3, channels, kernel_size, stride=2),
            nn.ReLU(inplace=True),
        ]
        for part in layout:
            if isinstance(part, str):
                layers.append(nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True))
                continue
            squeeze, expand = FIRES[part]
            layers.append(Fire(channels, squeeze, expand, expand))
            channels = 2 * expand
        self.features = nn.Sequential(*layers)
        last = nn.Conv2d(channels, num_classes, kernel_size=1)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), last, nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d((1, 1))
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        nn.init.normal_(last.weight, mean=0.0, std=0.01)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, 3, h, w) normalised images, 21 pixels or more, to (n, num_classes) logits."""
        return self.classifier(self.features(x)).flatten(1)


class SqueezeNet1_0_Weights(WeightsEnum):
    """Weights for `squeezenet1_0`."""

    IMAGENET1K_V1 = published("SqueezeNet1_0_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class SqueezeNet1_1_Weights(WeightsEnum):
    """Weights for `squeezenet1_1`."""

    IMAGENET1K_V1 = published("SqueezeNet1_1_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


squeezenet1_0 = builder(
    "squeezenet1_0", SqueezeNet, SqueezeNet1_0_Weights, "SqueezeNet 1.0.", version="1_0"
)
squeezenet1_1 = builder(
    "squeezenet1_1", SqueezeNet, SqueezeNet1_1_Weights, "SqueezeNet 1.1.", version="1_1"
)

"""VGG: nothing but 3 x 3 convolutions and pooling.

Source: Simonyan and Zisserman 2014, table 1; layers and names are torchvision's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import triptych as tp
from triptych import nn

from ..weights import WeightsEnum
from ._building import builder
from .published import published

__all__ = [
    "VGG",
    "VGG11_BN_Weights",
    "VGG11_Weights",
    "VGG13_BN_Weights",
    "VGG13_Weights",
    "VGG16_BN_Weights",
    "VGG16_Weights",
    "VGG19_BN_Weights",
    "VGG19_Weights",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
]

# channels of the convolutions of each stage; a pooling follows each stage
STAGES = {
    11: ((64,), (128,), (256,) * 2, (512,) * 2, (512,) * 2),
    13: ((64,) * 2, (128,) * 2, (256,) * 2, (512,) * 2, (512,) * 2),
    16: ((64,) * 2, (128,) * 2, (256,) * 3, (512,) * 3, (512,) * 3),
    19: ((64,) * 2, (128,) * 2, (256,) * 4, (512,) * 4, (512,) * 4),
}


class VGG(nn.Module):
    """VGG on top of given features.

    Args:
        features: from images to (n, 512, h, w).
        num_classes: outputs.
        init_weights: draw initial values as the authors did; else those of the layers stay.
        dropout: part of the features that are zeroed while training.
    """

    def __init__(
        self,
        features: nn.Module,
        num_classes: int = 1000,
        init_weights: bool = True,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, num_classes),
        )
        if init_weights:
            self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0, 0.01)
                nn.init.zeros_(module.bias)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, 3, h, w) normalised images, 32 pixels or more, to (n, num_classes) logits."""
        x = self.avgpool(self.features(x))  # (n, 512, 7, 7)
        return self.classifier(x.flatten(1))


def make_features(depth: int, batch_norm: bool) -> nn.Sequential:
    """The convolutions of a VGG.

    Args:
        depth: 11, 13, 16 or 19 layers with weights, three of them in the classifier.
        batch_norm: normalise after each convolution.

    Returns:
        From (n, 3, h, w) to (n, 512, h / 32, w / 32).
    """
    layers: list[nn.Module] = []
    channels = 3
    for stage in STAGES[depth]:
        for out in stage:
            layers.append(nn.Conv2d(channels, out, kernel_size=3, padding=1))
            layers += [nn.BatchNorm2d(out)] if batch_norm else []
            layers.append(nn.ReLU(inplace=True))
            channels = out
        layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
    return nn.Sequential(*layers)


class VGG11_Weights(WeightsEnum):
    """Weights for `vgg11`."""

    IMAGENET1K_V1 = published("VGG11_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class VGG11_BN_Weights(WeightsEnum):
    """Weights for `vgg11_bn`."""

    IMAGENET1K_V1 = published("VGG11_BN_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class VGG13_Weights(WeightsEnum):
    """Weights for `vgg13`."""

    IMAGENET1K_V1 = published("VGG13_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class VGG13_BN_Weights(WeightsEnum):
    """Weights for `vgg13_bn`."""

    IMAGENET1K_V1 = published("VGG13_BN_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class VGG16_Weights(WeightsEnum):
    """Weights for `vgg16`."""

    IMAGENET1K_V1 = published("VGG16_Weights.IMAGENET1K_V1")
    IMAGENET1K_FEATURES = published("VGG16_Weights.IMAGENET1K_FEATURES")
    DEFAULT = IMAGENET1K_V1


class VGG16_BN_Weights(WeightsEnum):
    """Weights for `vgg16_bn`."""

    IMAGENET1K_V1 = published("VGG16_BN_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class VGG19_Weights(WeightsEnum):
    """Weights for `vgg19`."""

    IMAGENET1K_V1 = published("VGG19_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class VGG19_BN_Weights(WeightsEnum):
    """Weights for `vgg19_bn`."""

    IMAGENET1K_V1 = published("VGG19_BN_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


def _builder(
    weights: type[WeightsEnum], depth: int, batch_norm: bool = False
) -> Callable[..., VGG]:
    def make(**config: Any) -> VGG:
        return VGG(make_features(depth, batch_norm), **config)

    name = f"vgg{depth}_bn" if batch_norm else f"vgg{depth}"
    summary = f"VGG with {depth} layers{', with batch normalisation' if batch_norm else ''}."
    return builder(name, VGG, weights, summary, make)


vgg11 = _builder(VGG11_Weights, 11)
vgg11_bn = _builder(VGG11_BN_Weights, 11, batch_norm=True)
vgg13 = _builder(VGG13_Weights, 13)
vgg13_bn = _builder(VGG13_BN_Weights, 13, batch_norm=True)
vgg16 = _builder(VGG16_Weights, 16)
vgg16_bn = _builder(VGG16_BN_Weights, 16, batch_norm=True)
vgg19 = _builder(VGG19_Weights, 19)
vgg19_bn = _builder(VGG19_BN_Weights, 19, batch_norm=True)

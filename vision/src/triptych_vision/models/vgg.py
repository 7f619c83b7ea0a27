"""VGG: nothing but 3 x 3 convolutions and pooling.

Source: Simonyan and Zisserman 2014, table 1; layers and names are torchvision's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import triptych as tp
from triptych import nn

from ..weights import WeightsEnum
from ._building import build_model
from ._registry import register_model

__all__ = [
    "VGG",
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


def _builder(depth: int, batch_norm: bool) -> Callable[..., VGG]:
    name = f"vgg{depth}_bn" if batch_norm else f"vgg{depth}"

    def make(**config: Any) -> VGG:
        return VGG(make_features(depth, batch_norm), **config)

    def build(
        *, weights: WeightsEnum | str | None = None, progress: bool | None = None, **kwargs: Any
    ) -> VGG:
        return build_model(name, make, WeightsEnum.verify(weights), progress, kwargs)

    build.__name__ = build.__qualname__ = name
    build.__doc__ = f"""VGG with {depth} layers{", with batch normalisation" if batch_norm else ""}.

    Args:
        weights: None; no file is registered.
        progress: show a bar while fetching the weights; None shows it on a terminal only.
        **kwargs: arguments of `VGG` but its features.

    Returns:
        The model, in training mode as every new module.
    """
    return register_model()(build)


vgg11, vgg11_bn = _builder(11, False), _builder(11, True)
vgg13, vgg13_bn = _builder(13, False), _builder(13, True)
vgg16, vgg16_bn = _builder(16, False), _builder(16, True)
vgg19, vgg19_bn = _builder(19, False), _builder(19, True)

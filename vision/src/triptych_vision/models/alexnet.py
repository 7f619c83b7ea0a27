"""AlexNet.

Source: Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks"; layers
and names are torchvision's.
"""

from __future__ import annotations

import triptych as tp
from triptych import nn

from ..weights import WeightsEnum
from ._building import builder
from .published import published

__all__ = ["AlexNet", "AlexNet_Weights", "alexnet"]


class AlexNet(nn.Module):
    """AlexNet, the classifier that began it.

    Args:
        num_classes: outputs.
        dropout: part of the features that are zeroed while training.
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(64, 192, kernel_size=5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(192, 384, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, 3, h, w) normalised images, 63 pixels or more, to (n, num_classes) logits."""
        x = self.avgpool(self.features(x))  # (n, 256, 6, 6)
        return self.classifier(x.flatten(1))


class AlexNet_Weights(WeightsEnum):
    """Weights for `alexnet`."""

    IMAGENET1K_V1 = published("AlexNet_Weights.IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


alexnet = builder("alexnet", AlexNet, AlexNet_Weights, "AlexNet.")

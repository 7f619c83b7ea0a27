"""A small classifier of 28 x 28 grey pictures of clothes, with weights inside this package."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError

from ..ops.blocks import Conv2dNormActivation
from ..transforms import Compose, Grayscale
from ..transforms.presets import ImageClassification
from ..weights import WeightsEnum
from ._building import builder
from .shipped import FOLDER, ShippedWeights

__all__ = ["FashionCNN", "Fashion_CNN_Weights", "fashion_cnn"]

# Of the 60,000 training pictures of Fashion-MNIST, values from 0 to 1.
MEAN, STD = 0.2860, 0.3530

# Source: the data set's description, Xiao, Rasul and Vollgraf 2017, table 2.
CATEGORIES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


class Residual(nn.Module):
    """x + relu(norm(conv(x))), of the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch = Conv2dNormActivation(channels, channels)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, channels, h, w) to the same."""
        return x + self.branch(x)


class FashionCNN(nn.Module):
    """Stages of two convolutions, each stage at half the size of the one before.

    The first convolution has steps of two already: most of the time goes where pictures are large.

    Args:
        num_classes: how many scores come out.
        in_channels: of the pictures.
        widths: channels of the stages.

    Raises:
        ShapeError: there are no stages.
    """

    def __init__(
        self, num_classes: int = 10, in_channels: int = 1, widths: Sequence[int] = (24, 64, 128)
    ) -> None:
        super().__init__()
        if not widths:
            raise ShapeError("FashionCNN: widths is the channels of each stage, got none")
        layers: list[nn.Module] = [
            Conv2dNormActivation(in_channels, widths[0], kernel_size=5, stride=2),
            Residual(widths[0]),
        ]
        for before, after in pairwise(widths):
            layers += [Conv2dNormActivation(before, after, stride=2), Residual(after)]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(widths[-1], num_classes)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, in_channels, h, w) normalised pictures to (n, num_classes) logits."""
        return self.classifier(self.features(x).mean((2, 3)))


def preparation() -> Compose:
    """What the weights expect done to a picture, PIL or (..., c, h, w) with 1 or 3 channels.

    Clothes are to be bright on black: invert a photograph on a white ground first.

    Returns:
        A transform that gives (..., 1, 28, 28), normalised float32.
    """
    size = ImageClassification(crop_size=28, resize_size=28, mean=(MEAN,), std=(STD,))
    return Compose([Grayscale(), size])


class Fashion_CNN_Weights(WeightsEnum):
    """Weights for `fashion_cnn`; `DEFAULT.weights.card` says how they came about."""

    FASHION_MNIST_V1 = ShippedWeights(
        sources=((FOLDER / "fashion_cnn-b5495028.safetensors").as_uri(),),
        sha256="b5495028a2f5db426050678606652be4fdeeb89d7b766eac6851702fd2a11c06",
        size=568_152,
        licence="Apache-2.0",
        transforms=preparation,
        meta={
            "num_params": 279_810,
            "min_size": (1, 1),
            "categories": CATEGORIES,
            "recipe": "examples/train_fashion.py",
            "_metrics": {"Fashion-MNIST": {"acc@1": 92.16}},
            "_ops": 0.007,  # 10^9 multiply-adds for a picture
            "_file_size": 0.542,  # in 2^20 bytes
        },
        description="FashionCNN, FASHION_MNIST_V1: 279,810 parameters",
    )
    DEFAULT = FASHION_MNIST_V1


fashion_cnn = builder(
    "fashion_cnn", FashionCNN, Fashion_CNN_Weights, "Ten kinds of clothes, 28 x 28 grey pixels."
)

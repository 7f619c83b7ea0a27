"""What looks into a pooled box: features, then classes and codes."""

from __future__ import annotations

from collections.abc import Sequence

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError
from triptych.nn import functional as F

from ...ops.blocks import Conv2dNormActivation, Layer

__all__ = ["FastRCNNConvFCHead", "FastRCNNPredictor", "TwoMLPHead", "initialise_convolutions"]


class TwoMLPHead(nn.Module):
    """Two linear layers.

    Args:
        in_channels: features of a pooled box, all its pixels.
        representation_size: features after each layer.
    """

    def __init__(self, in_channels: int, representation_size: int) -> None:
        super().__init__()
        self.fc6 = nn.Linear(in_channels, representation_size)
        self.fc7 = nn.Linear(representation_size, representation_size)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(k, c, h, w) to (k, representation_size)."""
        return F.relu(self.fc7(F.relu(self.fc6(x.flatten(1)))))


class FastRCNNConvFCHead(nn.Sequential):
    """Convolutions, then linear layers.

    Args:
        input_size: (c, h, w) of a pooled box.
        conv_layers: channels after each convolution.
        fc_layers: features after each linear layer.
        norm_layer: of the convolutions; None for no normalisation.
    """

    def __init__(
        self,
        input_size: tuple[int, int, int],
        conv_layers: Sequence[int],
        fc_layers: Sequence[int],
        norm_layer: Layer | None = None,
    ) -> None:
        width, height, across = input_size
        layers: list[nn.Module] = []
        for channels in conv_layers:
            layers.append(Conv2dNormActivation(width, channels, norm_layer=norm_layer))
            width = channels
        layers.append(nn.Flatten())
        width = width * height * across
        for features in fc_layers:
            layers += [nn.Linear(width, features), nn.ReLU(inplace=True)]
            width = features
        super().__init__(*layers)
        initialise_convolutions(self)


def initialise_convolutions(module: nn.Module) -> None:
    """Draw the weights of all convolutions of a head as He et al. 2015 do, zero the offsets."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


class FastRCNNPredictor(nn.Module):
    """Logits of the classes, and a box's code for each class.

    Args:
        in_channels: features of each box.
        num_classes: with the background.

    Example:
        >>> logits, codes = FastRCNNPredictor(8, 3)(tp.zeros(5, 8))
        >>> logits.shape, codes.shape
        (Size([5, 3]), Size([5, 12]))
    """

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.cls_score = nn.Linear(in_channels, num_classes)
        self.bbox_pred = nn.Linear(in_channels, num_classes * 4)

    def forward(self, x: tp.Tensor) -> tuple[tp.Tensor, tp.Tensor]:
        """(k, in_channels) or (k, in_channels, 1, 1) to (k, classes) and (k, 4 * classes)."""
        if x.ndim == 4 and tuple(x.shape[2:]) != (1, 1):
            raise ShapeError(
                f"FastRCNNPredictor: x is (k, c) or (k, c, 1, 1), got {tuple(x.shape)}"
            )
        x = x.flatten(1)
        return self.cls_score(x), self.bbox_pred(x)

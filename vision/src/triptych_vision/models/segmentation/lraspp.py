"""LR-ASPP: a small segmenter on MobileNetV3.

Source: Howard et al. 2019, figure 10; layers and names are torchvision's.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import triptych as tp
from triptych import nn

from ...weights import WeightsEnum
from .._utils import IntermediateLayerGetter
from ..mobilenetv3 import MobileNet_V3_Large_Weights, MobileNetV3, mobilenet_v3_large
from ..published import published
from ._building import segmenter_builder
from .segmenter import mobilenet_stages, resized

__all__ = ["LRASPP", "LRASPP_MobileNet_V3_Large_Weights", "lraspp_mobilenet_v3_large"]


class LRASPP(nn.Module):
    """Scores from coarse features, weighed by the whole image's mean, and from finer ones.

    Args:
        backbone: gives a dict of features "low", the finer ones, and "high".
        low_channels: of the features "low".
        high_channels: of the features "high".
        num_classes: outputs, the background among them.
        inter_channels: in the middle.

    Example:
        >>> model = lraspp_mobilenet_v3_large(weights_backbone=None, num_classes=5).eval()
        >>> model(tp.zeros(1, 3, 64, 80))["out"].shape
        Size([1, 5, 64, 80])
    """

    def __init__(
        self,
        backbone: nn.Module,
        low_channels: int,
        high_channels: int,
        num_classes: int,
        inter_channels: int = 128,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.classifier = LRASPPHead(low_channels, high_channels, num_classes, inter_channels)

    def forward(self, input: tp.Tensor) -> OrderedDict[str, tp.Tensor]:
        """(n, 3, h, w) normalised images to (n, num_classes, h, w) under "out"."""
        out = self.classifier(self.backbone(input))
        return OrderedDict(out=resized(out, tuple(input.shape[-2:])))


class LRASPPHead(nn.Module):
    """From both features to scores at the size of the finer ones.

    Args:
        low_channels: of the features "low".
        high_channels: of the features "high".
        num_classes: of the scores.
        inter_channels: in the middle.
    """

    def __init__(
        self, low_channels: int, high_channels: int, num_classes: int, inter_channels: int
    ) -> None:
        super().__init__()
        self.cbr = nn.Sequential(
            nn.Conv2d(high_channels, inter_channels, 1, bias=False),
            nn.BatchNorm2d(inter_channels),
            nn.ReLU(inplace=True),
        )
        self.scale = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(high_channels, inter_channels, 1, bias=False),
            nn.Sigmoid(),
        )
        self.low_classifier = nn.Conv2d(low_channels, num_classes, 1)
        self.high_classifier = nn.Conv2d(inter_channels, num_classes, 1)

    def forward(self, input: Mapping[str, tp.Tensor]) -> tp.Tensor:
        """Features "low" (n, low_channels, h, w) and "high" to (n, num_classes, h, w)."""
        low, high = input["low"], input["high"]
        x = resized(self.cbr(high) * self.scale(high), tuple(low.shape[-2:]))
        return self.low_classifier(low) + self.high_classifier(x)


def _on_mobilenet(backbone: MobileNetV3, num_classes: int, **config: Any) -> LRASPP:
    features, stages = mobilenet_stages(backbone)
    (low_place, low_channels), (high_place, high_channels) = stages[-4], stages[-1]
    body = IntermediateLayerGetter(features, {str(low_place): "low", str(high_place): "high"})
    return LRASPP(body, low_channels, high_channels, num_classes, **config)


class LRASPP_MobileNet_V3_Large_Weights(WeightsEnum):
    """Weights for `lraspp_mobilenet_v3_large`."""

    COCO_WITH_VOC_LABELS_V1 = published("LRASPP_MobileNet_V3_Large_Weights.COCO_WITH_VOC_LABELS_V1")
    DEFAULT = COCO_WITH_VOC_LABELS_V1


lraspp_mobilenet_v3_large = segmenter_builder(
    "lraspp_mobilenet_v3_large",
    LRASPP,
    LRASPP_MobileNet_V3_Large_Weights,
    "LR-ASPP on the large MobileNetV3.",
    mobilenet_v3_large,
    MobileNet_V3_Large_Weights.IMAGENET1K_V1,
    _on_mobilenet,
    has_aux=False,
    dilated=True,
)

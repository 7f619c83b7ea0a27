"""Fully convolutional networks.

Source: Long, Shelhamer and Darrell 2015; layers and names are torchvision's.
"""

from __future__ import annotations

from triptych import nn

from ...weights import WeightsEnum
from .._utils import IntermediateLayerGetter
from ..published import published
from ..resnet import ResNet, ResNet50_Weights, ResNet101_Weights, resnet50, resnet101
from ._building import segmenter_builder
from .segmenter import Segmenter

__all__ = ["FCN", "FCN_ResNet101_Weights", "FCN_ResNet50_Weights", "fcn_resnet101", "fcn_resnet50"]

RESNET_CHANNELS = {"layer3": 1024, "layer4": 2048}
DILATED = [False, True, True]


class FCN(Segmenter):
    """A backbone and convolutions.

    Args:
        backbone: gives a dict of features with "out" and, for a second classifier, "aux".
        classifier: from the features "out" to scores.
        aux_classifier: from the features "aux" to scores; None for none.

    Example:
        >>> import triptych as tp
        >>> model = fcn_resnet50(weights_backbone=None, num_classes=5).eval()
        >>> model(tp.zeros(1, 3, 32, 40))["out"].shape
        Size([1, 5, 32, 40])
    """


class FCNHead(nn.Sequential):
    """A 3 x 3 convolution to a quarter of the channels, then one to the scores.

    Args:
        in_channels: of the features.
        channels: of the scores.
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        middle = in_channels // 4
        super().__init__(
            nn.Conv2d(in_channels, middle, 3, padding=1, bias=False),
            nn.BatchNorm2d(middle),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Conv2d(middle, channels, 1),
        )


def resnet_features(
    backbone: ResNet, num_classes: int, aux: bool | None
) -> tuple[nn.Module, nn.Module | None]:
    """A residual network without its end, and a second classifier if there is to be one.

    Args:
        backbone: with bottlenecks.
        num_classes: outputs of the second classifier.
        aux: whether there is to be one.

    Returns:
        A module that gives features "out" and, with aux, "aux"; and the classifier or None.
    """
    layers = {"layer4": "out"} | ({"layer3": "aux"} if aux else {})
    head = FCNHead(RESNET_CHANNELS["layer3"], num_classes) if aux else None
    return IntermediateLayerGetter(backbone, layers), head


def _assemble(backbone: ResNet, num_classes: int, aux_loss: bool | None = None) -> FCN:
    body, aux = resnet_features(backbone, num_classes, aux_loss)
    return FCN(body, FCNHead(RESNET_CHANNELS["layer4"], num_classes), aux)


class FCN_ResNet101_Weights(WeightsEnum):
    """Weights for `fcn_resnet101`."""

    COCO_WITH_VOC_LABELS_V1 = published("FCN_ResNet101_Weights.COCO_WITH_VOC_LABELS_V1")
    DEFAULT = COCO_WITH_VOC_LABELS_V1


class FCN_ResNet50_Weights(WeightsEnum):
    """Weights for `fcn_resnet50`."""

    COCO_WITH_VOC_LABELS_V1 = published("FCN_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1")
    DEFAULT = COCO_WITH_VOC_LABELS_V1


fcn_resnet50 = segmenter_builder(
    "fcn_resnet50",
    FCN,
    FCN_ResNet50_Weights,
    "A fully convolutional network on ResNet-50.",
    resnet50,
    ResNet50_Weights.IMAGENET1K_V1,
    _assemble,
    replace_stride_with_dilation=DILATED,
)
fcn_resnet101 = segmenter_builder(
    "fcn_resnet101",
    FCN,
    FCN_ResNet101_Weights,
    "A fully convolutional network on ResNet-101.",
    resnet101,
    ResNet101_Weights.IMAGENET1K_V1,
    _assemble,
    replace_stride_with_dilation=DILATED,
)

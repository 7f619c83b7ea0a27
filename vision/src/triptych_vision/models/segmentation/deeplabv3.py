"""DeepLabV3: convolutions of several dilations side by side.

Source: Chen, Papandreou, Schroff and Adam 2017, figure 5; layers and names are torchvision's.
"""

from __future__ import annotations

from collections.abc import Sequence

import triptych as tp
from triptych import nn

from ...weights import WeightsEnum
from .._utils import IntermediateLayerGetter
from ..mobilenetv3 import MobileNet_V3_Large_Weights, MobileNetV3, mobilenet_v3_large
from ..published import published
from ..resnet import ResNet, ResNet50_Weights, ResNet101_Weights, resnet50, resnet101
from ._building import segmenter_builder
from .fcn import DILATED, RESNET_CHANNELS, FCNHead, resnet_features
from .segmenter import Segmenter, mobilenet_stages, resized

__all__ = [
    "DeepLabV3",
    "DeepLabV3_MobileNet_V3_Large_Weights",
    "DeepLabV3_ResNet101_Weights",
    "DeepLabV3_ResNet50_Weights",
    "deeplabv3_mobilenet_v3_large",
    "deeplabv3_resnet101",
    "deeplabv3_resnet50",
]

HEAD_CHANNELS = 256


class DeepLabV3(Segmenter):
    """A backbone and a pyramid of dilated convolutions.

    Args:
        backbone: gives a dict of features with "out" and, for a second classifier, "aux".
        classifier: from the features "out" to scores.
        aux_classifier: from the features "aux" to scores; None for none.
    """


class ASPPConv(nn.Sequential):
    """A dilated 3 x 3 convolution, normalisation and relu.

    Args:
        in_channels: before.
        out_channels: after.
        dilation: distance between the kernel's taps in pixels.
    """

    def __init__(self, in_channels: int, out_channels: int, dilation: int) -> None:
        super().__init__(
            nn.Conv2d(
                in_channels, out_channels, 3, padding=dilation, dilation=dilation, bias=False
            ),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
        )


class ASPPPooling(nn.Sequential):
    """The mean of the whole image, everywhere.

    Args:
        in_channels: before.
        out_channels: after.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(in_channels, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
        )

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, in_channels, h, w) to (n, out_channels, h, w)."""
        return resized(super().forward(x), tuple(x.shape[-2:]))


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling: a 1 x 1, dilated 3 x 3 convolutions, and the mean.

    Args:
        in_channels: before.
        atrous_rates: dilations.
        out_channels: after each, and after all.
    """

    def __init__(
        self, in_channels: int, atrous_rates: Sequence[int], out_channels: int = HEAD_CHANNELS
    ) -> None:
        super().__init__()
        plain = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
        )
        spread = [ASPPConv(in_channels, out_channels, rate) for rate in atrous_rates]
        self.convs = nn.ModuleList([plain, *spread, ASPPPooling(in_channels, out_channels)])
        self.project = nn.Sequential(
            nn.Conv2d(len(self.convs) * out_channels, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
            nn.Dropout(0.5),
        )

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, in_channels, h, w) to (n, out_channels, h, w)."""
        return self.project(tp.cat([conv(x) for conv in self.convs], dim=1))


class DeepLabHead(nn.Sequential):
    """The pyramid, then convolutions to the scores.

    Args:
        in_channels: of the features.
        num_classes: of the scores.
        atrous_rates: dilations of the pyramid.
    """

    def __init__(
        self, in_channels: int, num_classes: int, atrous_rates: Sequence[int] = (12, 24, 36)
    ) -> None:
        super().__init__(
            ASPP(in_channels, atrous_rates),
            nn.Conv2d(HEAD_CHANNELS, HEAD_CHANNELS, 3, padding=1, bias=False),
            nn.BatchNorm2d(HEAD_CHANNELS),
            nn.ReLU(),
            nn.Conv2d(HEAD_CHANNELS, num_classes, 1),
        )


def _on_resnet(backbone: ResNet, num_classes: int, aux_loss: bool | None = None) -> DeepLabV3:
    body, aux = resnet_features(backbone, num_classes, aux_loss)
    return DeepLabV3(body, DeepLabHead(RESNET_CHANNELS["layer4"], num_classes), aux)


def _on_mobilenet(
    backbone: MobileNetV3, num_classes: int, aux_loss: bool | None = None
) -> DeepLabV3:
    features, stages = mobilenet_stages(backbone)
    (aux_place, aux_channels), (out_place, out_channels) = stages[-4], stages[-1]
    layers = {str(out_place): "out"} | ({str(aux_place): "aux"} if aux_loss else {})
    return DeepLabV3(
        IntermediateLayerGetter(features, layers),
        DeepLabHead(out_channels, num_classes),
        FCNHead(aux_channels, num_classes) if aux_loss else None,
    )


class DeepLabV3_MobileNet_V3_Large_Weights(WeightsEnum):
    """Weights for `deeplabv3_mobilenet_v3_large`."""

    COCO_WITH_VOC_LABELS_V1 = published(
        "DeepLabV3_MobileNet_V3_Large_Weights.COCO_WITH_VOC_LABELS_V1"
    )
    DEFAULT = COCO_WITH_VOC_LABELS_V1


class DeepLabV3_ResNet101_Weights(WeightsEnum):
    """Weights for `deeplabv3_resnet101`."""

    COCO_WITH_VOC_LABELS_V1 = published("DeepLabV3_ResNet101_Weights.COCO_WITH_VOC_LABELS_V1")
    DEFAULT = COCO_WITH_VOC_LABELS_V1


class DeepLabV3_ResNet50_Weights(WeightsEnum):
    """Weights for `deeplabv3_resnet50`."""

    COCO_WITH_VOC_LABELS_V1 = published("DeepLabV3_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1")
    DEFAULT = COCO_WITH_VOC_LABELS_V1


deeplabv3_resnet50 = segmenter_builder(
    "deeplabv3_resnet50",
    DeepLabV3,
    DeepLabV3_ResNet50_Weights,
    "DeepLabV3 on ResNet-50.",
    resnet50,
    ResNet50_Weights.IMAGENET1K_V1,
    _on_resnet,
    replace_stride_with_dilation=DILATED,
)
deeplabv3_resnet101 = segmenter_builder(
    "deeplabv3_resnet101",
    DeepLabV3,
    DeepLabV3_ResNet101_Weights,
    "DeepLabV3 on ResNet-101.",
    resnet101,
    ResNet101_Weights.IMAGENET1K_V1,
    _on_resnet,
    replace_stride_with_dilation=DILATED,
)
deeplabv3_mobilenet_v3_large = segmenter_builder(
    "deeplabv3_mobilenet_v3_large",
    DeepLabV3,
    DeepLabV3_MobileNet_V3_Large_Weights,
    "DeepLabV3 on the large MobileNetV3.",
    mobilenet_v3_large,
    MobileNet_V3_Large_Weights.IMAGENET1K_V1,
    _on_mobilenet,
    dilated=True,
)

"""SSDLite: SSD from depthwise convolutions, for phones.

Source: Sandler, Howard, Zhu, Zhmoginov and Chen 2018, section 6.2; Howard et al. 2019, section 6.3.
Layers and names are torchvision's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import triptych as tp
from triptych import nn
from triptych.errors import DomainError

from ...ops.blocks import Conv2dNormActivation, Layer
from ...weights import WeightsEnum
from .._registry import register_model
from ..mobilenetv3 import MobileNet_V3_Large_Weights, MobileNetV3, mobilenet_v3_large
from ..published import published
from ._building import build_detector, choose
from .anchor_utils import DefaultBoxGenerator
from .backbone_utils import freeze, retrieve_out_channels, stage_starts
from .one_stage import Outputs
from .ssd import SSD, SSDScoringHead, check_maps, warn_of_size

__all__ = ["SSDLite320_MobileNet_V3_Large_Weights", "ssdlite320_mobilenet_v3_large"]

SIZE = (320, 320)
EXTRA_CHANNELS = (512, 256, 256, 128)
DEFAULTS: dict[str, Any] = {
    "score_thresh": 0.001,
    "nms_thresh": 0.55,
    "detections_per_img": 300,
    "topk_candidates": 300,
    "image_mean": (0.5,) * 3,  # values from -1 to 1
    "image_std": (0.5,) * 3,
}


def _prediction_block(
    in_channels: int, out_channels: int, kernel_size: int, norm_layer: Layer
) -> nn.Sequential:
    depthwise = Conv2dNormActivation(
        in_channels,
        in_channels,
        kernel_size=kernel_size,
        groups=in_channels,
        norm_layer=norm_layer,
        activation_layer=nn.ReLU6,
    )
    return nn.Sequential(depthwise, nn.Conv2d(in_channels, out_channels, 1))


def _extra_block(in_channels: int, out_channels: int, norm_layer: Layer) -> nn.Sequential:
    block = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.ReLU6)
    middle = out_channels // 2
    return nn.Sequential(
        block(in_channels, middle, kernel_size=1),
        block(middle, middle, kernel_size=3, stride=2, groups=middle),
        block(middle, out_channels, kernel_size=1),
    )


def _draw_normal(module: nn.Module) -> None:
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, mean=0.0, std=0.03)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


class SSDLiteHead(nn.Module):
    """Logits and codes of every box, by depthwise convolutions.

    Args:
        in_channels: of each map.
        num_anchors: at each pixel, for each map.
        num_classes: with the background.
        norm_layer: of the depthwise convolutions.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        num_anchors: Sequence[int],
        num_classes: int,
        norm_layer: Layer,
    ) -> None:
        super().__init__()
        heads = []
        for columns in (num_classes, 4):
            layers = nn.ModuleList(
                _prediction_block(channels, columns * count, 3, norm_layer)
                for channels, count in zip(in_channels, num_anchors, strict=True)
            )
            _draw_normal(layers)
            heads.append(SSDScoringHead(layers, columns))
        self.classification_head, self.regression_head = heads

    def forward(self, x: Sequence[tp.Tensor]) -> Outputs:
        """Maps to bbox_regression (n, boxes, 4) and cls_logits (n, boxes, classes)."""
        return {
            "bbox_regression": self.regression_head(x),
            "cls_logits": self.classification_head(x),
        }


class SSDLiteFeatureExtractorMobileNet(nn.Module):
    """MobileNet without its classifier, cut in two, and blocks for smaller maps.

    Args:
        backbone: MobileNet's features.
        c4_pos: place of the block in whose middle they are cut.
        norm_layer: of the further blocks.
        width_mult: how many times wider these are.
        min_depth: they have at least so many channels.

    Raises:
        DomainError: the block adds its input, so it cannot be cut.
    """

    def __init__(
        self,
        backbone: nn.Sequential,
        c4_pos: int,
        norm_layer: Layer,
        width_mult: float = 1.0,
        min_depth: int = 16,
    ) -> None:
        super().__init__()
        cut = backbone[c4_pos]
        if cut.use_res_connect:
            raise DomainError(
                f"SSDLiteFeatureExtractorMobileNet: block {c4_pos} adds its input to its output "
                "and cannot be cut; choose one of stride 2"
            )
        self.features = nn.Sequential(
            nn.Sequential(*backbone[:c4_pos], cut.block[0]),
            nn.Sequential(cut.block[1:], *backbone[c4_pos + 1 :]),
        )
        widths = [max(min_depth, int(width * width_mult)) for width in EXTRA_CHANNELS]
        before = [backbone[-1].out_channels, *widths]
        self.extra = nn.ModuleList(
            _extra_block(b, a, norm_layer) for b, a in zip(before, widths, strict=False)
        )
        _draw_normal(self.extra)

    def forward(self, x: tp.Tensor) -> dict[str, tp.Tensor]:
        """(n, 3, 320, 320) to six maps "0" to "5", largest first."""
        maps = []
        for block in (*self.features, *self.extra):
            x = block(x)
            maps.append(x)
        return {str(i): m for i, m in enumerate(maps)}


def _extractor(
    backbone: MobileNetV3, trainable_layers: int, norm_layer: Layer
) -> SSDLiteFeatureExtractorMobileNet:
    starts = stage_starts(backbone.features)
    freeze(backbone.features, starts, trainable_layers)
    return SSDLiteFeatureExtractorMobileNet(backbone.features, starts[-2], norm_layer)


class SSDLite320_MobileNet_V3_Large_Weights(WeightsEnum):
    """Weights for `ssdlite320_mobilenet_v3_large`."""

    COCO_V1 = published("SSDLite320_MobileNet_V3_Large_Weights.COCO_V1")
    DEFAULT = COCO_V1


@register_model()
def ssdlite320_mobilenet_v3_large(
    *,
    weights: SSDLite320_MobileNet_V3_Large_Weights | str | None = None,
    progress: bool | None = None,
    num_classes: int | None = None,
    weights_backbone: MobileNet_V3_Large_Weights
    | str
    | None = MobileNet_V3_Large_Weights.IMAGENET1K_V1,
    trainable_backbone_layers: int | None = None,
    norm_layer: Layer | None = None,
    **kwargs: Any,
) -> SSD:
    """SSDLite for pictures of 320 by 320 pixels, with MobileNetV3.

    Args:
        weights: a member of `SSDLite320_MobileNet_V3_Large_Weights`, its name, "DEFAULT", or None.
        progress: show a bar while fetching weights; None shows it on a terminal only.
        num_classes: with the background; default 91, those of COCO.
        weights_backbone: of MobileNetV3; not used when there are weights. Without them its tail is
            half as wide, as in the paper.
        trainable_backbone_layers: stages that learn, 0 to 6; default 6.
        norm_layer: default batch normalisation with eps 0.001 and momentum 0.03.
        **kwargs: arguments of `SSD`.

    Returns:
        The model, in training mode as every new module; call eval() before use.

    Raises:
        ValueError: num_classes differs from the weights'.
    """
    config = {**DEFAULTS, **warn_of_size(kwargs)}
    norm = norm_layer or partial(nn.BatchNorm2d, eps=0.001, momentum=0.03)
    choice = choose(
        "ssdlite320_mobilenet_v3_large",
        SSDLite320_MobileNet_V3_Large_Weights.verify(weights),
        MobileNet_V3_Large_Weights.verify(weights_backbone),
        num_classes,
        trainable_backbone_layers,
        progress,
        stages=(6, 6),
    )

    def make() -> SSD:
        drawn = choice.weights_backbone is None
        body = mobilenet_v3_large(
            weights=choice.weights_backbone, progress=progress, norm_layer=norm, reduced_tail=drawn
        )
        if drawn:
            _draw_normal(body)
        backbone = _extractor(body, choice.trainable_layers, norm)
        boxes = DefaultBoxGenerator([[2, 3]] * 6, min_ratio=0.2, max_ratio=0.95)
        channels = retrieve_out_channels(backbone, SIZE)
        check_maps(channels, boxes)
        counts = boxes.num_anchors_per_location()
        head = SSDLiteHead(channels, counts, choice.num_classes, norm)
        return SSD(backbone, boxes, SIZE, choice.num_classes, **{"head": head, **config})

    return build_detector(make, choice)

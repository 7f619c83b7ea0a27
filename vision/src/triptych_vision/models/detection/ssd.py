"""SSD: boxes of many sizes on maps of many sizes, in one pass.

Source: Liu et al. 2016. Layers and names are torchvision's.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych import nn
from triptych.errors import DomainError, ShapeError
from triptych.nn import functional as F

from ...weights import WeightsEnum
from .._registry import register_model
from ..published import published
from ..vgg import VGG, VGG16_Weights, vgg16
from ._building import build_detector, choose
from .anchor_utils import DefaultBoxGenerator
from .backbone_utils import freeze, retrieve_out_channels
from .box_coding import BoxCoder
from .faster_rcnn import IMAGE_MEAN, IMAGE_STD
from .matching import SSDMatcher
from .one_stage import OneStageDetector, Outputs, Sizes, best_of_image
from .retinanet import match_anchors
from .rpn import per_anchor
from .targets import Target
from .transform import GeneralizedRCNNTransform

__all__ = ["SSD", "SSD300_VGG16_Weights", "SSDHead", "ssd300_vgg16", "warn_of_size"]

CODE_WEIGHTS = (10.0, 10.0, 5.0, 5.0)
VGG_MEAN = (0.48235, 0.45882, 0.40784)  # the weights were trained on values from 0 to 255
VGG_STD = (1.0 / 255.0,) * 3
FIRST_SCALE = 20.0  # Liu et al. 2016, section 3.1
# channels in between, channels after, and size, stride and padding of the second convolution
EXTRA_LAYERS = (
    (256, 512, 3, 2, 1),
    (128, 256, 3, 2, 1),
    (128, 256, 3, 1, 0),
    (128, 256, 3, 1, 0),
)
HIGHRES_LAYER = (128, 256, 4, 1, 0)


class SSDScoringHead(nn.Module):
    """One layer for each map.

    Args:
        module_list: the layers.
        num_columns: numbers for each box.
    """

    def __init__(self, module_list: nn.ModuleList, num_columns: int) -> None:
        super().__init__()
        self.module_list = module_list
        self.num_columns = num_columns

    def forward(self, x: Sequence[tp.Tensor]) -> tp.Tensor:
        """Maps to (n, boxes, num_columns)."""
        pairs = zip(self.module_list, x, strict=True)
        return tp.cat([per_anchor(layer(m), self.num_columns) for layer, m in pairs], 1)


class SSDHead(nn.Module):
    """Logits and codes of every box.

    Args:
        in_channels: of each map.
        num_anchors: at each pixel, for each map.
        num_classes: with the background.
    """

    def __init__(
        self, in_channels: Sequence[int], num_anchors: Sequence[int], num_classes: int
    ) -> None:
        super().__init__()
        self.classification_head = _scoring_head(in_channels, num_anchors, num_classes)
        self.regression_head = _scoring_head(in_channels, num_anchors, 4)

    def forward(self, x: Sequence[tp.Tensor]) -> Outputs:
        """Maps to bbox_regression (n, boxes, 4) and cls_logits (n, boxes, classes)."""
        return {
            "bbox_regression": self.regression_head(x),
            "cls_logits": self.classification_head(x),
        }


def _scoring_head(
    in_channels: Sequence[int], num_anchors: Sequence[int], columns: int
) -> SSDScoringHead:
    layers = nn.ModuleList(
        nn.Conv2d(channels, columns * count, 3, padding=1)
        for channels, count in zip(in_channels, num_anchors, strict=False)
    )
    _draw_xavier(layers)
    return SSDScoringHead(layers, columns)


def _draw_xavier(module: nn.Module) -> None:
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


class SSD(OneStageDetector):
    """SSD on any backbone.

    Args:
        backbone: from (n, 3, h, w) to a dict of maps.
        anchor_generator: makes the boxes.
        size: (w, h) that all pictures are resized to.
        num_classes: with the background.
        image_mean: of each channel, values from 0 to 1; default ImageNet's.
        image_std: deviation of each channel; likewise.
        head: default `SSDHead`.
        score_thresh: probability below which a detection is dropped.
        nms_thresh: overlap at which a detection is dropped.
        detections_per_img: at most so many.
        iou_thresh: boxes that overlap a true box so much are to find it.
        topk_candidates: of each class before suppression.
        positive_fraction: of the boxes that the loss looks at, so many are true; the hardest
            others fill up.
        **kwargs: of `GeneralizedRCNNTransform`.

    Raises:
        ShapeError: the backbone has not as many maps as anchor_generator.
    """

    def __init__(
        self,
        backbone: nn.Module,
        anchor_generator: DefaultBoxGenerator,
        size: tuple[int, int],
        num_classes: int,
        image_mean: Sequence[float] | None = None,
        image_std: Sequence[float] | None = None,
        head: nn.Module | None = None,
        score_thresh: float = 0.01,
        nms_thresh: float = 0.45,
        detections_per_img: int = 200,
        iou_thresh: float = 0.5,
        topk_candidates: int = 400,
        positive_fraction: float = 0.25,
        **kwargs: Any,
    ) -> None:
        if head is None:
            channels = getattr(backbone, "out_channels", None)
            if not isinstance(channels, list | tuple):  # unknown, or one number for all maps
                channels = retrieve_out_channels(backbone, size)
            check_maps(channels, anchor_generator)
            head = SSDHead(channels, anchor_generator.num_anchors_per_location(), num_classes)
        mean, std = image_mean or IMAGE_MEAN, image_std or IMAGE_STD
        how = {"size_divisible": 1, "fixed_size": size, **kwargs}
        transform = GeneralizedRCNNTransform(min(size), max(size), mean, std, **how)
        super().__init__(backbone, anchor_generator, head, transform)
        self.box_coder = BoxCoder(CODE_WEIGHTS)
        self.proposal_matcher = SSDMatcher(iou_thresh)
        self.score_thresh = score_thresh
        self.nms_thresh = nms_thresh
        self.detections_per_img = detections_per_img
        self.topk_candidates = topk_candidates
        self.neg_to_pos_ratio = (1.0 - positive_fraction) / positive_fraction

    def compute_loss(
        self,
        targets: Sequence[Target],
        head_outputs: Outputs,
        anchors: Sequence[tp.Tensor],
        num_anchors_per_level: Sequence[int],
    ) -> dict[str, tp.Tensor]:
        """Losses "bbox_regression" and "classification"; see `OneStageDetector`."""
        matched = match_anchors(self.proposal_matcher, targets, anchors)
        box_losses, classes, count = [], [], 0
        for target, codes, own, at in zip(
            targets, head_outputs["bbox_regression"].unbind(0), anchors, matched, strict=True
        ):
            true = tp.where(at >= 0)[0]
            count += int(true.shape[0])
            wanted = self.box_coder.encode_single(target["boxes"][at[true]], own[true])
            box_losses.append(F.smooth_l1_loss(codes[true], wanted, reduction="sum"))
            own_classes = tp.zeros(own.shape[0], dtype=tp.int64, device=own.device)
            own_classes[true] = target["labels"][at[true]]
            classes.append(own_classes)
        class_loss = self._class_loss(head_outputs["cls_logits"], tp.stack(classes))
        return {
            "bbox_regression": tp.stack(box_losses).sum() / max(1, count),
            "classification": class_loss / max(1, count),
        }

    def _class_loss(self, logits: tp.Tensor, classes: tp.Tensor) -> tp.Tensor:
        """Cross entropy of the true boxes and of the hardest others, (n, boxes, ...) to a number.

        Source: Liu et al. 2016, section 2.2, hard negative mining.
        """
        loss = F.cross_entropy(logits.flatten(0, 1), classes.flatten(), reduction="none")
        loss = loss.reshape(classes.shape)
        true = classes > 0
        with tp.no_grad():
            hardness = loss.masked_fill(true, -math.inf)
            rank = hardness.argsort(1, descending=True).argsort(1)
            hard = rank < self.neg_to_pos_ratio * true.sum(1, keepdim=True)
        return loss[true].sum() + loss[hard].sum()

    def postprocess_detections(
        self,
        head_outputs: Outputs,
        anchors: Sequence[tp.Tensor],
        image_shapes: Sizes,
        num_anchors_per_level: Sequence[int],
    ) -> list[Target]:
        """Detections; see `OneStageDetector`."""
        chances = head_outputs["cls_logits"].softmax(-1)
        found = []
        for codes, chance, own, shape in zip(
            head_outputs["bbox_regression"], chances, anchors, image_shapes, strict=True
        ):
            decoded = self.box_coder.decode_single(codes, own)
            scores, at, labels = self._candidates(chance)
            found.append(
                best_of_image(
                    decoded[at], scores, labels, shape, self.nms_thresh, self.detections_per_img
                )
            )
        return found

    def _candidates(self, chance: tp.Tensor) -> tuple[tp.Tensor, tp.Tensor, tp.Tensor]:
        """(boxes, classes) to scores, boxes and classes: the best of each class but background."""
        most = min(self.topk_candidates, int(chance.shape[0]))
        scores, at = chance[:, 1:].T.topk(most, dim=1)  # (classes - 1, most)
        rows, places = tp.where(scores > self.score_thresh)
        return scores[rows, places], at[rows, places], rows + 1


def check_maps(channels: Sequence[int], anchor_generator: DefaultBoxGenerator) -> None:
    """Raise if a backbone has not as many maps as aspect ratios are given for.

    Args:
        channels: of each map.
        anchor_generator: makes the boxes.

    Raises:
        ShapeError: the numbers differ.
    """
    if len(channels) != len(anchor_generator.aspect_ratios):
        raise ShapeError(
            f"SSD: the backbone has {len(channels)} maps, of {list(channels)} channels, and "
            f"anchor_generator has {len(anchor_generator.aspect_ratios)} aspect_ratios"
        )


class SSDFeatureExtractorVGG(nn.Module):
    """VGG-16 without its classifier, and convolutions for smaller maps.

    Args:
        backbone: VGG's features.
        highres: for pictures of 512 pixels, with one map more.
    """

    def __init__(self, backbone: nn.Sequential, highres: bool) -> None:
        super().__init__()
        pools = [i for i, layer in enumerate(backbone) if isinstance(layer, nn.MaxPool2d)]
        backbone[pools[2]].ceil_mode = True  # 75 pixels become 38
        self.scale_weight = nn.Parameter(tp.ones(512) * FIRST_SCALE)
        self.features = nn.Sequential(*backbone[: pools[3]])
        rest = nn.Sequential(
            nn.MaxPool2d(kernel_size=3, stride=1, padding=1, ceil_mode=False),
            nn.Conv2d(512, 1024, 3, padding=6, dilation=6),
            nn.ReLU(inplace=True),
            nn.Conv2d(1024, 1024, 1),
            nn.ReLU(inplace=True),
        )
        layers, width = [], 1024
        for row in (*EXTRA_LAYERS, *((HIGHRES_LAYER,) if highres else ())):
            layers.append(_extra_layer(width, *row))
            width = row[1]
        for module in (*layers, rest):
            _draw_xavier(module)
        self.extra = nn.ModuleList([nn.Sequential(*backbone[pools[3] : -1], rest), *layers])

    def forward(self, x: tp.Tensor) -> dict[str, tp.Tensor]:
        """(n, 3, 300, 300) to six maps "0" to "5", largest first."""
        x = self.features(x)
        maps = [self.scale_weight[:, None, None] * F.normalize(x)]
        for block in self.extra:
            x = block(x)
            maps.append(x)
        return {str(i): m for i, m in enumerate(maps)}


def _extra_layer(
    width: int, middle: int, after: int, kernel: int, stride: int, padding: int
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, middle, 1),
        nn.ReLU(inplace=True),
        nn.Conv2d(middle, after, kernel, stride, padding),
        nn.ReLU(inplace=True),
    )


def _vgg_extractor(backbone: VGG, highres: bool, trainable_layers: int) -> SSDFeatureExtractorVGG:
    features: Any = backbone.features
    pools = [i for i, layer in enumerate(features) if isinstance(layer, nn.MaxPool2d)]
    starts = [0, *pools[:-1]]
    if not 0 <= trainable_layers <= len(starts):
        raise DomainError(
            f"SSD: trainable_layers is from 0 to {len(starts)}, got {trainable_layers}"
        )
    freeze(features, starts, trainable_layers)
    return SSDFeatureExtractorVGG(features, highres)


def warn_of_size(config: dict[str, Any]) -> dict[str, Any]:
    """The arguments without size, which a builder fixes."""
    if "size" in config:
        warnings.warn("size is fixed by the builder; the argument is ignored", stacklevel=3)
    return {name: value for name, value in config.items() if name != "size"}


class SSD300_VGG16_Weights(WeightsEnum):
    """Weights for `ssd300_vgg16`."""

    COCO_V1 = published("SSD300_VGG16_Weights.COCO_V1")
    DEFAULT = COCO_V1


@register_model()
def ssd300_vgg16(
    *,
    weights: SSD300_VGG16_Weights | str | None = None,
    progress: bool | None = None,
    num_classes: int | None = None,
    weights_backbone: VGG16_Weights | str | None = VGG16_Weights.IMAGENET1K_FEATURES,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> SSD:
    """SSD for pictures of 300 by 300 pixels, with VGG-16.

    Args:
        weights: a member of `SSD300_VGG16_Weights`, its name, "DEFAULT", or None.
        progress: show a bar while fetching weights; None shows it on a terminal only.
        num_classes: with the background; default 91, those of COCO.
        weights_backbone: of VGG-16; not used when there are weights.
        trainable_backbone_layers: stages that learn, 0 to 5; default 4.
        **kwargs: arguments of `SSD`.

    Returns:
        The model, in training mode as every new module; call eval() before use.

    Raises:
        ValueError: num_classes differs from the weights'.
    """
    config = {"image_mean": VGG_MEAN, "image_std": VGG_STD, **warn_of_size(kwargs)}
    choice = choose(
        "ssd300_vgg16",
        SSD300_VGG16_Weights.verify(weights),
        VGG16_Weights.verify(weights_backbone),
        num_classes,
        trainable_backbone_layers,
        progress,
        stages=(5, 4),
    )

    def make() -> SSD:
        body = vgg16(weights=choice.weights_backbone, progress=progress)
        boxes = DefaultBoxGenerator(
            [[2], [2, 3], [2, 3], [2, 3], [2], [2]],
            scales=[0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05],
            steps=[8, 16, 32, 64, 100, 300],
        )
        backbone = _vgg_extractor(body, False, choice.trainable_layers)
        return SSD(backbone, boxes, (300, 300), choice.num_classes, **config)

    return build_detector(make, choice)

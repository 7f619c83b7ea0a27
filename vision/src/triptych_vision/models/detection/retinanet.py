"""RetinaNet: every anchor is asked, and the many easy ones count little.

Source: Lin, Goyal, Girshick, He and Dollar 2017; the second version follows Zhang et al. 2020
(ATSS). Layers and names are torchvision's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import triptych as tp
from triptych import nn

from ...ops import LastLevelP6P7, box_iou, sigmoid_focal_loss
from ...ops.blocks import Conv2dNormActivation, Layer
from ...ops.feature_pyramid_network import rename_keys
from ...weights import WeightsEnum
from .._registry import register_model
from ..published import published
from ..resnet import ResNet50_Weights, resnet50
from ._building import build_detector, choose
from .anchor_utils import AnchorGenerator
from .backbone_utils import resnet_fpn_extractor
from .box_coding import BoxCoder, box_loss
from .faster_rcnn import (
    ANCHOR_SIDES,
    ASPECT_RATIOS,
    IMAGE_MEAN,
    IMAGE_STD,
    check_parts,
    resnet50_pyramid,
)
from .matching import Matcher
from .one_stage import OneStageDetector, Outputs, Sizes, best_of_image, top_candidates
from .rpn import per_anchor
from .targets import Target
from .transform import GeneralizedRCNNTransform

__all__ = [
    "RetinaNet",
    "RetinaNet_ResNet50_FPN_V2_Weights",
    "RetinaNet_ResNet50_FPN_Weights",
    "retinanet_resnet50_fpn",
    "retinanet_resnet50_fpn_v2",
]

CONVOLUTIONS = 4


def default_anchors() -> AnchorGenerator:
    """Three sizes for each of five levels, in three shapes."""
    sizes = tuple(tuple(int(side * 2 ** (i / 3)) for i in range(3)) for side in ANCHOR_SIDES)
    return AnchorGenerator(sizes, (ASPECT_RATIOS,) * len(sizes))


class RetinaNetHead(nn.Module):
    """Logits and codes of every anchor.

    Args:
        in_channels: of the feature maps.
        num_anchors: at each pixel.
        num_classes: with the background.
        norm_layer: of the convolutions; None for no normalisation.
    """

    def __init__(
        self,
        in_channels: int,
        num_anchors: int,
        num_classes: int,
        norm_layer: Layer | None = None,
    ) -> None:
        super().__init__()
        self.classification_head = RetinaNetClassificationHead(
            in_channels, num_anchors, num_classes, norm_layer=norm_layer
        )
        self.regression_head = RetinaNetRegressionHead(
            in_channels, num_anchors, norm_layer=norm_layer
        )

    def compute_loss(
        self,
        targets: Sequence[Target],
        head_outputs: Outputs,
        anchors: Sequence[tp.Tensor],
        matched_idxs: Sequence[tp.Tensor],
    ) -> dict[str, tp.Tensor]:
        """Both losses; matched_idxs are for each image (anchors,), as `Matcher` gives them."""
        classes = self.classification_head.compute_loss(targets, head_outputs, matched_idxs)
        boxes = self.regression_head.compute_loss(targets, head_outputs, anchors, matched_idxs)
        return {"classification": classes, "bbox_regression": boxes}

    def forward(self, x: Sequence[tp.Tensor]) -> Outputs:
        """Maps to cls_logits (n, anchors, classes) and bbox_regression (n, anchors, 4)."""
        return {
            "cls_logits": self.classification_head(x),
            "bbox_regression": self.regression_head(x),
        }


class _Tower(nn.Module):
    """Convolutions before the last one of a head."""

    _version = 2

    def __init__(self, in_channels: int, norm_layer: Layer | None) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            *(
                Conv2dNormActivation(in_channels, in_channels, norm_layer=norm_layer)
                for _ in range(CONVOLUTIONS)
            )
        )
        for layer in self.conv.modules():
            if isinstance(layer, nn.Conv2d):
                draw_small(layer)

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, *others: Any
    ) -> None:
        if (local_metadata.get("version") or 1) < 2:
            names = {f"conv.{2 * i}.": f"conv.{i}.0." for i in range(CONVOLUTIONS)}
            rename_keys(state_dict, {prefix + old: prefix + new for old, new in names.items()})
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *others)


def draw_small(layer: nn.Conv2d, probability: float | None = None) -> None:
    """Draw the weights of a head's convolution, deviation 0.01, and set its offset.

    Args:
        layer: the convolution.
        probability: that its outputs start with, as a logit; None for an offset of 0.
    """
    nn.init.normal_(layer.weight, std=0.01)
    if layer.bias is not None:
        offset = 0.0 if probability is None else -math.log((1 - probability) / probability)
        nn.init.constant_(layer.bias, offset)


class RetinaNetClassificationHead(_Tower):
    """Logits of every anchor.

    Files of torchvision's older layout, with conv.2.weight for conv.1.0.weight, load as well.

    Args:
        in_channels: of the feature maps.
        num_anchors: at each pixel.
        num_classes: with the background.
        prior_probability: of every class at the start.
        norm_layer: of the convolutions; None for no normalisation.
    """

    def __init__(
        self,
        in_channels: int,
        num_anchors: int,
        num_classes: int,
        prior_probability: float = 0.01,
        norm_layer: Layer | None = None,
    ) -> None:
        super().__init__(in_channels, norm_layer)
        self.cls_logits = nn.Conv2d(in_channels, num_anchors * num_classes, 3, padding=1)
        draw_small(self.cls_logits, prior_probability)
        self.num_classes = num_classes
        self.num_anchors = num_anchors

    def compute_loss(
        self,
        targets: Sequence[Target],
        head_outputs: Outputs,
        matched_idxs: Sequence[tp.Tensor],
    ) -> tp.Tensor:
        """Focal loss of all anchors but the unclear ones, over the number of true ones."""
        losses = []
        for target, logits, at in zip(
            targets, head_outputs["cls_logits"].unbind(0), matched_idxs, strict=True
        ):
            true, clear = tp.where(at >= 0)[0], at != Matcher.BETWEEN_THRESHOLDS
            wanted = tp.zeros_like(logits)
            wanted[true, target["labels"][at[true]]] = 1.0
            loss = sigmoid_focal_loss(logits[clear], wanted[clear], reduction="sum")
            losses.append(loss / max(1, int(true.shape[0])))
        return tp.stack(losses).sum() / len(targets)

    def forward(self, x: Sequence[tp.Tensor]) -> tp.Tensor:
        """Maps to (n, anchors, classes)."""
        maps = [self.cls_logits(self.conv(features)) for features in x]
        return tp.cat([per_anchor(m, self.num_classes) for m in maps], 1)


class RetinaNetRegressionHead(_Tower):
    """Codes of every anchor's box.

    Files of torchvision's older layout, with conv.2.weight for conv.1.0.weight, load as well.

    Args:
        in_channels: of the feature maps.
        num_anchors: at each pixel.
        norm_layer: of the convolutions; None for no normalisation.
    """

    def __init__(self, in_channels: int, num_anchors: int, norm_layer: Layer | None = None) -> None:
        super().__init__(in_channels, norm_layer)
        self.bbox_reg = nn.Conv2d(in_channels, num_anchors * 4, 3, padding=1)
        draw_small(self.bbox_reg)
        self.box_coder = BoxCoder((1.0, 1.0, 1.0, 1.0))
        self._loss_type = "l1"

    def compute_loss(
        self,
        targets: Sequence[Target],
        head_outputs: Outputs,
        anchors: Sequence[tp.Tensor],
        matched_idxs: Sequence[tp.Tensor],
    ) -> tp.Tensor:
        """Loss of the boxes of the true anchors, over their number."""
        losses = []
        for target, codes, own, at in zip(
            targets, head_outputs["bbox_regression"].unbind(0), anchors, matched_idxs, strict=True
        ):
            true = tp.where(at >= 0)[0]
            wanted = target["boxes"][at[true]]
            loss = box_loss(self._loss_type, self.box_coder, own[true], wanted, codes[true])
            losses.append(loss / max(1, int(true.shape[0])))
        return tp.stack(losses).sum() / max(1, len(targets))

    def forward(self, x: Sequence[tp.Tensor]) -> tp.Tensor:
        """Maps to (n, anchors, 4)."""
        return tp.cat([per_anchor(self.bbox_reg(self.conv(features)), 4) for features in x], 1)


class RetinaNet(OneStageDetector):
    """RetinaNet on any backbone.

    Args:
        backbone: from (n, 3, h, w) to a dict of maps, with an attribute out_channels.
        num_classes: with the background.
        min_size: length of the shorter side the pictures are resized to, in pixels.
        max_size: the longer side is at most so long.
        image_mean: of each channel, values from 0 to 1; default ImageNet's.
        image_std: deviation of each channel; likewise.
        anchor_generator: default three sizes for each of five levels, in three shapes.
        head: default `RetinaNetHead`.
        proposal_matcher: default by the two thresholds below.
        score_thresh: probability below which a detection is dropped.
        nms_thresh: overlap at which a detection is dropped.
        detections_per_img: at most so many.
        fg_iou_thresh: anchors that overlap a true box so much are to find it.
        bg_iou_thresh: anchors that overlap none so much are background.
        topk_candidates: of each level before suppression.
        **kwargs: of `GeneralizedRCNNTransform`.

    Raises:
        ValueError: the backbone has no out_channels.
        DTypeError: anchor_generator is of another class.
    """

    def __init__(
        self,
        backbone: nn.Module,
        num_classes: int,
        min_size: int | Sequence[int] = 800,
        max_size: int = 1333,
        image_mean: Sequence[float] | None = None,
        image_std: Sequence[float] | None = None,
        anchor_generator: AnchorGenerator | None = None,
        head: nn.Module | None = None,
        proposal_matcher: Matcher | None = None,
        score_thresh: float = 0.05,
        nms_thresh: float = 0.5,
        detections_per_img: int = 300,
        fg_iou_thresh: float = 0.5,
        bg_iou_thresh: float = 0.4,
        topk_candidates: int = 1000,
        **kwargs: Any,
    ) -> None:
        check_parts(
            "RetinaNet", backbone, {"anchor_generator": (anchor_generator, AnchorGenerator)}
        )
        anchors = anchor_generator or default_anchors()
        per_place = anchors.num_anchors_per_location()[0]
        mean, std = image_mean or IMAGE_MEAN, image_std or IMAGE_STD
        super().__init__(
            backbone,
            anchors,
            head or RetinaNetHead(backbone.out_channels, per_place, num_classes),
            GeneralizedRCNNTransform(min_size, max_size, mean, std, **kwargs),
        )
        self.proposal_matcher = proposal_matcher or Matcher(
            fg_iou_thresh, bg_iou_thresh, allow_low_quality_matches=True
        )
        self.box_coder = BoxCoder((1.0, 1.0, 1.0, 1.0))
        self.score_thresh = score_thresh
        self.nms_thresh = nms_thresh
        self.detections_per_img = detections_per_img
        self.topk_candidates = topk_candidates

    def compute_loss(
        self,
        targets: Sequence[Target],
        head_outputs: Outputs,
        anchors: Sequence[tp.Tensor],
        num_anchors_per_level: Sequence[int],
    ) -> dict[str, tp.Tensor]:
        """Losses "classification" and "bbox_regression"; see `OneStageDetector`."""
        matched = match_anchors(self.proposal_matcher, targets, anchors)
        return self.head.compute_loss(targets, head_outputs, anchors, matched)

    def postprocess_detections(
        self,
        head_outputs: Outputs,
        anchors: Sequence[tp.Tensor],
        image_shapes: Sizes,
        num_anchors_per_level: Sequence[int],
    ) -> list[Target]:
        """Detections; see `OneStageDetector`."""
        found = []
        for i, shape in enumerate(image_shapes):
            levels = zip(
                head_outputs["cls_logits"][i].split(num_anchors_per_level),
                head_outputs["bbox_regression"][i].split(num_anchors_per_level),
                anchors[i].split(num_anchors_per_level),
                strict=True,
            )
            rows = []
            for logits, codes, own in levels:
                scores, at, labels = top_candidates(
                    logits.sigmoid(), self.score_thresh, self.topk_candidates
                )
                rows.append((self.box_coder.decode_single(codes[at], own[at]), scores, labels))
            boxes, scores, labels = (tp.cat(list(column)) for column in zip(*rows, strict=True))
            found.append(
                best_of_image(
                    boxes, scores, labels, shape, self.nms_thresh, self.detections_per_img
                )
            )
        return found


def match_anchors(
    matcher: Matcher, targets: Sequence[Target], anchors: Sequence[tp.Tensor]
) -> list[tp.Tensor]:
    """For each image (anchors,) int64, as the matcher gives them; all -1 without true boxes."""
    return [
        matcher(box_iou(target["boxes"], own))
        if target["boxes"].numel()
        else tp.full((own.shape[0],), Matcher.BELOW_LOW_THRESHOLD, device=own.device)
        for target, own in zip(targets, anchors, strict=True)
    ]


class RetinaNet_ResNet50_FPN_Weights(WeightsEnum):
    """Weights for `retinanet_resnet50_fpn`."""

    COCO_V1 = published("RetinaNet_ResNet50_FPN_Weights.COCO_V1")
    DEFAULT = COCO_V1


class RetinaNet_ResNet50_FPN_V2_Weights(WeightsEnum):
    """Weights for `retinanet_resnet50_fpn_v2`."""

    COCO_V1 = published("RetinaNet_ResNet50_FPN_V2_Weights.COCO_V1")
    DEFAULT = COCO_V1


@register_model()
def retinanet_resnet50_fpn(
    *,
    weights: RetinaNet_ResNet50_FPN_Weights | str | None = None,
    progress: bool | None = None,
    num_classes: int | None = None,
    weights_backbone: ResNet50_Weights | str | None = ResNet50_Weights.IMAGENET1K_V1,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> RetinaNet:
    """RetinaNet with ResNet-50 and a pyramid.

    Args:
        weights: a member of `RetinaNet_ResNet50_FPN_Weights`, its name, "DEFAULT", or None.
        progress: show a bar while fetching weights; None shows it on a terminal only.
        num_classes: with the background; default 91, those of COCO.
        weights_backbone: of ResNet-50; not used when there are weights.
        trainable_backbone_layers: stages that learn, 0 to 5; default 3.
        **kwargs: arguments of `RetinaNet`.

    Returns:
        The model, in training mode as every new module; call eval() before use.

    Raises:
        ValueError: num_classes differs from the weights'.
    """
    choice = choose(
        "retinanet_resnet50_fpn",
        RetinaNet_ResNet50_FPN_Weights.verify(weights),
        ResNet50_Weights.verify(weights_backbone),
        num_classes,
        trainable_backbone_layers,
        progress,
    )

    def make() -> RetinaNet:
        extra = LastLevelP6P7(256, 256)
        backbone = resnet50_pyramid(choice, returned_layers=(2, 3, 4), extra_blocks=extra)
        return RetinaNet(backbone, choice.num_classes, **kwargs)

    return build_detector(make, choice, eps=0.0)


@register_model()
def retinanet_resnet50_fpn_v2(
    *,
    weights: RetinaNet_ResNet50_FPN_V2_Weights | str | None = None,
    progress: bool | None = None,
    num_classes: int | None = None,
    weights_backbone: ResNet50_Weights | str | None = None,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> RetinaNet:
    """RetinaNet with ResNet-50 and a pyramid, second version: normalised heads, GIoU loss.

    Args:
        weights: a member of `RetinaNet_ResNet50_FPN_V2_Weights`, its name, "DEFAULT", or None.
        progress: show a bar while fetching weights; None shows it on a terminal only.
        num_classes: with the background; default 91, those of COCO.
        weights_backbone: of ResNet-50; not used when there are weights.
        trainable_backbone_layers: stages that learn, 0 to 5; default 3.
        **kwargs: arguments of `RetinaNet`.

    Returns:
        The model, in training mode as every new module; call eval() before use.

    Raises:
        ValueError: num_classes differs from the weights'.
    """
    choice = choose(
        "retinanet_resnet50_fpn_v2",
        RetinaNet_ResNet50_FPN_V2_Weights.verify(weights),
        ResNet50_Weights.verify(weights_backbone),
        num_classes,
        trainable_backbone_layers,
        progress,
    )

    def make() -> RetinaNet:
        body = resnet50(weights=choice.weights_backbone, progress=progress)
        backbone = resnet_fpn_extractor(
            body, choice.trainable_layers, (2, 3, 4), LastLevelP6P7(2048, 256)
        )
        anchors = default_anchors()
        head = RetinaNetHead(
            backbone.out_channels,
            anchors.num_anchors_per_location()[0],
            choice.num_classes,
            norm_layer=partial(nn.GroupNorm, 32),
        )
        head.regression_head._loss_type = "giou"
        parts = {"anchor_generator": anchors, "head": head, **kwargs}
        return RetinaNet(backbone, choice.num_classes, **parts)

    return build_detector(make, choice)

"""FCOS: every pixel says how far the sides of its box are.

Source: Tian, Shen, Chen and He 2019. Layers and names are torchvision's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import triptych as tp
from triptych import nn
from triptych.errors import DomainError
from triptych.nn import functional as F

from ...ops import LastLevelP6P7, generalized_box_iou_loss, sigmoid_focal_loss
from ...ops.blocks import Layer
from ...weights import WeightsEnum
from .._registry import register_model
from ..published import published
from ..resnet import ResNet50_Weights
from ._building import build_detector, choose
from .anchor_utils import AnchorGenerator
from .box_coding import BoxLinearCoder
from .faster_rcnn import IMAGE_MEAN, IMAGE_STD, check_parts, resnet50_pyramid
from .matching import Matcher
from .one_stage import OneStageDetector, Outputs, Sizes, best_of_image, top_candidates
from .retinanet import draw_small
from .rpn import per_anchor
from .targets import Target
from .transform import GeneralizedRCNNTransform

__all__ = ["FCOS", "FCOS_ResNet50_FPN_Weights", "fcos_resnet50_fpn"]

ANCHOR_SIDES = (8, 16, 32, 64, 128)  # strides of the levels, in pixels
SMALLEST, LARGEST = 4, 8  # a level finds boxes whose far side is so many strides away
LARGER_THAN_ANY_AREA = 1e8  # of a box, in square pixels


class FCOSHead(nn.Module):
    """Logits, distances and centredness of every pixel.

    Args:
        in_channels: of the feature maps.
        num_anchors: at each pixel, 1.
        num_classes: with the background.
        num_convs: convolutions before the last ones.
    """

    def __init__(
        self, in_channels: int, num_anchors: int, num_classes: int, num_convs: int = 4
    ) -> None:
        super().__init__()
        self.box_coder = BoxLinearCoder(normalize_by_size=True)
        self.classification_head = FCOSClassificationHead(
            in_channels, num_anchors, num_classes, num_convs
        )
        self.regression_head = FCOSRegressionHead(in_channels, num_anchors, num_convs)

    def compute_loss(
        self,
        targets: Sequence[Target],
        head_outputs: Outputs,
        anchors: Sequence[tp.Tensor],
        matched_idxs: Sequence[tp.Tensor],
    ) -> dict[str, tp.Tensor]:
        """The three losses; matched_idxs are for each image (anchors,), -1 for background."""
        pairs = list(zip(targets, matched_idxs, strict=True))
        classes = tp.stack([_looked_up(target["labels"], at) for target, at in pairs])
        boxes = tp.stack([_looked_up(target["boxes"], at) for target, at in pairs])
        true = tp.stack(list(matched_idxs)) >= 0  # (n, anchors)
        count, own = max(1, int(true.sum())), tp.stack(list(anchors))[true]
        losses = {
            "classification": _class_loss(head_outputs["cls_logits"], classes, true),
            "bbox_regression": generalized_box_iou_loss(
                self.box_coder.decode(head_outputs["bbox_regression"][true], own),
                boxes[true],
                reduction="sum",
            ),
            "bbox_ctrness": F.binary_cross_entropy_with_logits(
                head_outputs["bbox_ctrness"].squeeze(2)[true],
                _centredness(self.box_coder.encode(own, boxes[true])),
                reduction="sum",
            ),
        }
        return {name: loss / count for name, loss in losses.items()}

    def forward(self, x: Sequence[tp.Tensor]) -> Outputs:
        """Maps to cls_logits (n, anchors, classes), bbox_regression (n, anchors, 4) and
        bbox_ctrness (n, anchors, 1).
        """
        distances, centredness = self.regression_head(x)
        return {
            "cls_logits": self.classification_head(x),
            "bbox_regression": distances,
            "bbox_ctrness": centredness,
        }


def _looked_up(values: tp.Tensor, at: tp.Tensor) -> tp.Tensor:
    """Rows of values; zeros where there are none."""
    if values.shape[0] == 0:
        return values.new_zeros((at.shape[0], *values.shape[1:]))
    return values[at.clamp(min=0)]


def _class_loss(logits: tp.Tensor, classes: tp.Tensor, true: tp.Tensor) -> tp.Tensor:
    image, anchor = tp.where(true)
    wanted = tp.zeros_like(logits)
    wanted[image, anchor, classes[image, anchor]] = 1.0
    return sigmoid_focal_loss(logits, wanted, reduction="sum")


def _centredness(distances: tp.Tensor) -> tp.Tensor:
    """(k, 4) left, top, right, bottom to (k,): 1 in the middle of the box, 0 at its edge.

    Source: Tian, Shen, Chen and He 2019, equation 3.
    """
    near = tp.minimum(distances[:, :2], distances[:, 2:])
    far = tp.maximum(distances[:, :2], distances[:, 2:])
    return (near / far).prod(1).sqrt()


class _Tower(nn.Module):
    """Normalised convolutions before the last ones of a head."""

    def __init__(self, in_channels: int, num_convs: int, norm_layer: Layer | None) -> None:
        super().__init__()
        norm = norm_layer or partial(nn.GroupNorm, 32)
        layers: list[nn.Module] = []
        for _ in range(num_convs):
            layers += [nn.Conv2d(in_channels, in_channels, 3, padding=1), norm(in_channels)]
            layers.append(nn.ReLU())
        self.conv = nn.Sequential(*layers)
        for layer in self.conv.children():
            if isinstance(layer, nn.Conv2d):
                draw_small(layer)


class FCOSClassificationHead(_Tower):
    """Logits of every pixel.

    Args:
        in_channels: of the feature maps.
        num_anchors: at each pixel, 1.
        num_classes: with the background.
        num_convs: convolutions before the last one.
        prior_probability: of every class at the start.
        norm_layer: default group normalisation with 32 groups.
    """

    def __init__(
        self,
        in_channels: int,
        num_anchors: int,
        num_classes: int,
        num_convs: int = 4,
        prior_probability: float = 0.01,
        norm_layer: Layer | None = None,
    ) -> None:
        super().__init__(in_channels, num_convs, norm_layer)
        self.num_classes = num_classes
        self.num_anchors = num_anchors
        self.cls_logits = nn.Conv2d(in_channels, num_anchors * num_classes, 3, padding=1)
        draw_small(self.cls_logits, prior_probability)

    def forward(self, x: Sequence[tp.Tensor]) -> tp.Tensor:
        """Maps to (n, anchors, classes)."""
        maps = [self.cls_logits(self.conv(features)) for features in x]
        return tp.cat([per_anchor(m, self.num_classes) for m in maps], 1)


class FCOSRegressionHead(_Tower):
    """Distances to the box's sides, and how near to its centre, of every pixel.

    Args:
        in_channels: of the feature maps.
        num_anchors: at each pixel, 1.
        num_convs: convolutions before the last ones.
        norm_layer: default group normalisation with 32 groups.
    """

    def __init__(
        self,
        in_channels: int,
        num_anchors: int,
        num_convs: int = 4,
        norm_layer: Layer | None = None,
    ) -> None:
        super().__init__(in_channels, num_convs, norm_layer)
        self.bbox_reg = nn.Conv2d(in_channels, num_anchors * 4, 3, padding=1)
        self.bbox_ctrness = nn.Conv2d(in_channels, num_anchors, 3, padding=1)
        for layer in (self.bbox_reg, self.bbox_ctrness):
            draw_small(layer)

    def forward(self, x: Sequence[tp.Tensor]) -> tuple[tp.Tensor, tp.Tensor]:
        """Maps to (n, anchors, 4), at least 0, and (n, anchors, 1) logits."""
        hidden = [self.conv(features) for features in x]
        distances = [per_anchor(F.relu(self.bbox_reg(h)), 4) for h in hidden]
        centredness = [per_anchor(self.bbox_ctrness(h), 1) for h in hidden]
        return tp.cat(distances, 1), tp.cat(centredness, 1)


class FCOS(OneStageDetector):
    """FCOS on any backbone.

    Args:
        backbone: from (n, 3, h, w) to a dict of maps, with an attribute out_channels.
        num_classes: with the background.
        min_size: length of the shorter side the pictures are resized to, in pixels.
        max_size: the longer side is at most so long.
        image_mean: of each channel, values from 0 to 1; default ImageNet's.
        image_std: deviation of each channel; likewise.
        anchor_generator: one square at each pixel, as large as the stride.
        head: default `FCOSHead`.
        center_sampling_radius: pixels at most so many strides from a box's centre are to find it.
        score_thresh: probability below which a detection is dropped.
        nms_thresh: overlap at which a detection is dropped.
        detections_per_img: at most so many.
        topk_candidates: of each level before suppression.
        **kwargs: of `GeneralizedRCNNTransform`.

    Raises:
        ValueError: the backbone has no out_channels.
        DTypeError: anchor_generator is of another class.
        DomainError: it makes more than one box at each pixel.
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
        center_sampling_radius: float = 1.5,
        score_thresh: float = 0.2,
        nms_thresh: float = 0.6,
        detections_per_img: int = 100,
        topk_candidates: int = 1000,
        **kwargs: Any,
    ) -> None:
        check_parts("FCOS", backbone, {"anchor_generator": (anchor_generator, AnchorGenerator)})
        squares = tuple((side,) for side in ANCHOR_SIDES)
        anchors = anchor_generator or AnchorGenerator(squares, ((1.0,),) * len(squares))
        per_place = anchors.num_anchors_per_location()[0]
        if per_place != 1:
            raise DomainError(f"FCOS: anchor_generator makes 1 box at each pixel, not {per_place}")
        mean, std = image_mean or IMAGE_MEAN, image_std or IMAGE_STD
        super().__init__(
            backbone,
            anchors,
            head or FCOSHead(backbone.out_channels, per_place, num_classes),
            GeneralizedRCNNTransform(min_size, max_size, mean, std, **kwargs),
        )
        self.box_coder = BoxLinearCoder(normalize_by_size=True)
        self.center_sampling_radius = center_sampling_radius
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
        """Losses "classification", "bbox_regression" and "bbox_ctrness"."""
        matched = [
            self._matched(target["boxes"], own, num_anchors_per_level)
            for target, own in zip(targets, anchors, strict=True)
        ]
        return self.head.compute_loss(targets, head_outputs, anchors, matched)

    def _matched(
        self, boxes: tp.Tensor, anchors: tp.Tensor, num_anchors_per_level: Sequence[int]
    ) -> tp.Tensor:
        """(anchors,) int64: the smallest box that a pixel is to find, or -1.

        Source: Tian, Shen, Chen and He 2019, section 3.2; and centre sampling, Tian et al. 2020.
        """
        if boxes.numel() == 0:
            nothing = Matcher.BELOW_LOW_THRESHOLD
            return tp.full((anchors.shape[0],), nothing, device=anchors.device)
        centres = (anchors[:, None, :2] + anchors[:, None, 2:]) / 2  # (anchors, 1, 2)
        stride = anchors[:, 2] - anchors[:, 0]
        away = (centres - (boxes[:, :2] + boxes[:, 2:]) / 2).abs().amax(2)  # (anchors, boxes)
        sides = tp.cat((centres - boxes[:, :2], boxes[:, 2:] - centres), 2)
        low, high = stride * SMALLEST, stride * LARGEST
        low[: num_anchors_per_level[0]] = 0
        high[-num_anchors_per_level[-1] :] = math.inf
        far = sides.amax(2)
        fits = (away < self.center_sampling_radius * stride[:, None]) & (sides.amin(2) > 0)
        fits = fits & (far > low[:, None]) & (far < high[:, None])
        areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        merit, best = (fits.to(boxes.dtype) * (LARGER_THAN_ANY_AREA - areas)).max(1)
        return tp.where(merit < 1e-5, Matcher.BELOW_LOW_THRESHOLD, best)

    def postprocess_detections(
        self,
        head_outputs: Outputs,
        anchors: Sequence[tp.Tensor],
        image_shapes: Sizes,
        num_anchors_per_level: Sequence[int],
    ) -> list[Target]:
        """Detections; see `OneStageDetector`. A score is the root of class times centredness."""
        found = []
        for i, shape in enumerate(image_shapes):
            chance = head_outputs["cls_logits"][i].sigmoid()
            centred = head_outputs["bbox_ctrness"][i].sigmoid()
            levels = zip(
                (chance * centred).sqrt().split(num_anchors_per_level),
                head_outputs["bbox_regression"][i].split(num_anchors_per_level),
                anchors[i].split(num_anchors_per_level),
                strict=True,
            )
            rows = []
            for merit, distances, own in levels:
                scores, at, labels = top_candidates(merit, self.score_thresh, self.topk_candidates)
                rows.append((self.box_coder.decode(distances[at], own[at]), scores, labels))
            boxes, scores, labels = (tp.cat(list(column)) for column in zip(*rows, strict=True))
            found.append(
                best_of_image(
                    boxes, scores, labels, shape, self.nms_thresh, self.detections_per_img
                )
            )
        return found


class FCOS_ResNet50_FPN_Weights(WeightsEnum):
    """Weights for `fcos_resnet50_fpn`."""

    COCO_V1 = published("FCOS_ResNet50_FPN_Weights.COCO_V1")
    DEFAULT = COCO_V1


@register_model()
def fcos_resnet50_fpn(
    *,
    weights: FCOS_ResNet50_FPN_Weights | str | None = None,
    progress: bool | None = None,
    num_classes: int | None = None,
    weights_backbone: ResNet50_Weights | str | None = ResNet50_Weights.IMAGENET1K_V1,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> FCOS:
    """FCOS with ResNet-50 and a pyramid.

    Args:
        weights: a member of `FCOS_ResNet50_FPN_Weights`, its name, "DEFAULT", or None.
        progress: show a bar while fetching weights; None shows it on a terminal only.
        num_classes: with the background; default 91, those of COCO.
        weights_backbone: of ResNet-50; not used when there are weights.
        trainable_backbone_layers: stages that learn, 0 to 5; default 3.
        **kwargs: arguments of `FCOS`.

    Returns:
        The model, in training mode as every new module; call eval() before use.

    Raises:
        ValueError: num_classes differs from the weights'.
    """
    choice = choose(
        "fcos_resnet50_fpn",
        FCOS_ResNet50_FPN_Weights.verify(weights),
        ResNet50_Weights.verify(weights_backbone),
        num_classes,
        trainable_backbone_layers,
        progress,
    )

    def make() -> FCOS:
        extra = LastLevelP6P7(256, 256)
        backbone = resnet50_pyramid(choice, returned_layers=(2, 3, 4), extra_blocks=extra)
        return FCOS(backbone, choice.num_classes, **kwargs)

    return build_detector(make, choice)

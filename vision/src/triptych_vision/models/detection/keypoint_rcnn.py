"""Keypoint R-CNN: Faster R-CNN with key points for each box, such as a person's joints.

Source: He, Gkioxari, Dollar and Girshick 2017, section 5. Layers and names are torchvision's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych import nn
from triptych.nn import functional as F

from ...ops import MultiScaleRoIAlign
from ...weights import WeightsEnum
from .._registry import register_model
from ..published import published
from ..resnet import ResNet50_Weights
from ._building import build_detector, choose
from .box_heads import initialise_convolutions
from .faster_rcnn import (
    PYRAMID,
    FasterRCNN,
    check_parts,
    resnet50_pyramid,
)

__all__ = ["KeypointRCNN", "KeypointRCNN_ResNet50_FPN_Weights", "keypointrcnn_resnet50_fpn"]

KEYPOINT_LAYERS = (512,) * 8
COCO_KEYPOINTS = 17
MIN_SIZES = (640, 672, 704, 736, 768, 800)  # in pixels


class KeypointRCNN(FasterRCNN):
    """Keypoint R-CNN on any backbone.

    Args:
        backbone: from (n, 3, h, w) to a map, or a dict of maps, with an attribute out_channels.
        num_classes: with the background; None when box_predictor is given.
        min_size: as in `FasterRCNN`; default 640 to 800 pixels.
        *others: further arguments of `FasterRCNN`, in its order.
        keypoint_roi_pool: default `MultiScaleRoIAlign` on maps "0" to "3", 14 by 14 bins.
        keypoint_head: default eight convolutions.
        keypoint_predictor: default `KeypointRCNNPredictor`.
        num_keypoints: of each box; default 17; None when keypoint_predictor is given.
        **config: further arguments of `FasterRCNN`.

    Raises:
        ValueError: both num_keypoints and keypoint_predictor are given.
        DTypeError: a part is of another class.
    """

    def __init__(
        self,
        backbone: nn.Module,
        num_classes: int | None = None,
        min_size: int | Sequence[int] | None = None,
        *others: Any,
        keypoint_roi_pool: MultiScaleRoIAlign | None = None,
        keypoint_head: nn.Module | None = None,
        keypoint_predictor: nn.Module | None = None,
        num_keypoints: int | None = None,
        **config: Any,
    ) -> None:
        parts = {"keypoint_roi_pool": (keypoint_roi_pool, MultiScaleRoIAlign)}
        check_parts("KeypointRCNN", backbone, parts)
        if num_keypoints is not None and keypoint_predictor is not None:
            raise ValueError("KeypointRCNN: give either num_keypoints or keypoint_predictor")
        pool = keypoint_roi_pool or MultiScaleRoIAlign(PYRAMID, output_size=14, sampling_ratio=2)
        head = keypoint_head or KeypointRCNNHeads(backbone.out_channels, KEYPOINT_LAYERS)
        predictor = keypoint_predictor or KeypointRCNNPredictor(
            KEYPOINT_LAYERS[-1], num_keypoints or COCO_KEYPOINTS
        )
        super().__init__(backbone, num_classes, min_size or MIN_SIZES, *others, **config)
        self.roi_heads.keypoint_roi_pool = pool
        self.roi_heads.keypoint_head = head
        self.roi_heads.keypoint_predictor = predictor


class KeypointRCNNHeads(nn.Sequential):
    """Convolutions on the pooled boxes, each with a relu.

    Args:
        in_channels: of the pooled boxes.
        layers: channels after each convolution.
    """

    def __init__(self, in_channels: int, layers: Sequence[int]) -> None:
        widths, made = [in_channels, *layers], []
        for before, after in zip(widths, layers, strict=False):
            made += [nn.Conv2d(before, after, 3, stride=1, padding=1), nn.ReLU(inplace=True)]
        super().__init__(*made)
        initialise_convolutions(self)


class KeypointRCNNPredictor(nn.Module):
    """A heat map of each point for each box, four times as large as what comes in.

    Args:
        in_channels: before.
        num_keypoints: of each box.
    """

    def __init__(self, in_channels: int, num_keypoints: int) -> None:
        super().__init__()
        self.kps_score_lowres = nn.ConvTranspose2d(in_channels, num_keypoints, 4, 2, 1)
        nn.init.kaiming_normal_(self.kps_score_lowres.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(self.kps_score_lowres.bias)
        self.up_scale = 2
        self.out_channels = num_keypoints

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(k, in_channels, m, m) to (k, num_keypoints, 4 * m, 4 * m) logits."""
        small = self.kps_score_lowres(x)
        scale = float(self.up_scale)
        return F.interpolate(small, scale_factor=scale, mode="bilinear", align_corners=False)


class KeypointRCNN_ResNet50_FPN_Weights(WeightsEnum):
    """Weights for `keypointrcnn_resnet50_fpn`; COCO_LEGACY is from an early epoch."""

    COCO_LEGACY = published("KeypointRCNN_ResNet50_FPN_Weights.COCO_LEGACY")
    COCO_V1 = published("KeypointRCNN_ResNet50_FPN_Weights.COCO_V1")
    DEFAULT = COCO_V1


@register_model()
def keypointrcnn_resnet50_fpn(
    *,
    weights: KeypointRCNN_ResNet50_FPN_Weights | str | None = None,
    progress: bool | None = None,
    num_classes: int | None = None,
    num_keypoints: int | None = None,
    weights_backbone: ResNet50_Weights | str | None = ResNet50_Weights.IMAGENET1K_V1,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> KeypointRCNN:
    """Keypoint R-CNN with ResNet-50 and a pyramid.

    Args:
        weights: a member of `KeypointRCNN_ResNet50_FPN_Weights`, its name, "DEFAULT", or None.
        progress: show a bar while fetching weights; None shows it on a terminal only.
        num_classes: with the background; default 2: a person or not.
        num_keypoints: of each box; default 17, those of COCO.
        weights_backbone: of ResNet-50; not used when there are weights.
        trainable_backbone_layers: stages that learn, 0 to 5; default 3.
        **kwargs: arguments of `KeypointRCNN`.

    Returns:
        The model, in training mode as every new module; call eval() before use.

    Raises:
        ValueError: num_classes or num_keypoints differs from the weights'.
    """
    chosen = KeypointRCNN_ResNet50_FPN_Weights.verify(weights)
    choice = choose(
        "keypointrcnn_resnet50_fpn",
        chosen,
        ResNet50_Weights.verify(weights_backbone),
        num_classes,
        trainable_backbone_layers,
        progress,
        classes=2,
    )
    if chosen is not None:
        held = len(chosen.meta["keypoint_names"])
        if num_keypoints not in (None, held):
            raise ValueError(
                f"keypointrcnn_resnet50_fpn: {chosen!r} has num_keypoints={held}, num_keypoints is "
                f"{num_keypoints}; leave num_keypoints out"
            )

    def make() -> KeypointRCNN:
        return KeypointRCNN(
            resnet50_pyramid(choice), choice.num_classes, num_keypoints=num_keypoints, **kwargs
        )

    legacy = chosen is KeypointRCNN_ResNet50_FPN_Weights.COCO_V1
    return build_detector(make, choice, eps=0.0 if legacy else None)

"""Faster R-CNN: propose boxes, then say what is in them.

Source: Ren, He, Girshick and Sun 2015; Lin et al. 2017 for the pyramid; the second version follows
Li et al. 2021 (Benchmarking Detection Transfer Learning with Vision Transformers). Layers and names
are torchvision's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from triptych import nn
from triptych.errors import DTypeError

from ...ops import MultiScaleRoIAlign
from ...weights import WeightsEnum
from .._registry import register_model
from ..mobilenetv3 import MobileNet_V3_Large_Weights, mobilenet_v3_large
from ..published import published
from ..resnet import ResNet50_Weights, resnet50
from ._building import Choice, build_detector, choose
from .anchor_utils import AnchorGenerator
from .backbone_utils import BackboneWithFPN, mobilenet_extractor, resnet_fpn_extractor
from .box_heads import FastRCNNConvFCHead, FastRCNNPredictor, TwoMLPHead
from .generalized_rcnn import GeneralizedRCNN
from .roi_heads import RoIHeads
from .rpn import RegionProposalNetwork, RPNHead
from .transform import GeneralizedRCNNTransform

__all__ = [
    "FasterRCNN",
    "FasterRCNN_MobileNet_V3_Large_320_FPN_Weights",
    "FasterRCNN_MobileNet_V3_Large_FPN_Weights",
    "FasterRCNN_ResNet50_FPN_V2_Weights",
    "FasterRCNN_ResNet50_FPN_Weights",
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "fasterrcnn_mobilenet_v3_large_fpn",
    "fasterrcnn_resnet50_fpn",
    "fasterrcnn_resnet50_fpn_v2",
]

# Mean and deviation of the training images of ImageNet-1k, values from 0 to 1.
IMAGE_MEAN = (0.485, 0.456, 0.406)
IMAGE_STD = (0.229, 0.224, 0.225)
ANCHOR_SIDES = (32, 64, 128, 256, 512)  # in pixels, one for each level of the pyramid
ASPECT_RATIOS = (0.5, 1.0, 2.0)
PYRAMID = ("0", "1", "2", "3")
FEATURES = 1024  # of each box


def default_anchors() -> AnchorGenerator:
    """One size for each of five levels, in three shapes."""
    sizes = tuple((side,) for side in ANCHOR_SIDES)
    return AnchorGenerator(sizes, (ASPECT_RATIOS,) * len(sizes))


def check_parts(name: str, backbone: nn.Module, parts: Mapping[str, tuple[Any, type]]) -> None:
    """Raise for a backbone or parts of a detector that cannot be.

    Args:
        name: of the detector, for the error's text.
        backbone: must have out_channels.
        parts: by their names, what came and of which class it should be; None may come.

    Raises:
        ValueError: the backbone has no out_channels.
        DTypeError: a part is of another class.
    """
    if not hasattr(backbone, "out_channels"):
        raise ValueError(
            f"{name}: the backbone has an attribute out_channels, the channels of its maps, the "
            f"same for all levels; {type(backbone).__name__} has none"
        )
    for part, (value, kind) in parts.items():
        if value is not None and not isinstance(value, kind):
            raise DTypeError(
                f"{name}: {part} is of {kind.__name__} or None, got {type(value).__name__}"
            )


class FasterRCNN(GeneralizedRCNN):
    """Faster R-CNN on any backbone.

    Args:
        backbone: from (n, 3, h, w) to a map, or a dict of maps, with an attribute out_channels.
        num_classes: with the background, which is 0; None when box_predictor is given.
        min_size: length of the shorter side the pictures are resized to, in pixels; of several
            one is drawn while training, and the last one is used afterwards.
        max_size: the longer side is at most so long.
        image_mean: of each channel, values from 0 to 1; default ImageNet's.
        image_std: deviation of each channel; likewise.
        rpn_anchor_generator: default five sizes, in three shapes.
        rpn_head: default `RPNHead`.
        rpn_pre_nms_top_n_train: proposals of each level before suppression, while training.
        rpn_pre_nms_top_n_test: afterwards.
        rpn_post_nms_top_n_train: proposals of each picture after suppression, while training.
        rpn_post_nms_top_n_test: afterwards.
        rpn_nms_thresh: overlap at which a proposal is dropped.
        rpn_fg_iou_thresh: anchors that overlap a true box so much are to find it.
        rpn_bg_iou_thresh: anchors that overlap none so much are background.
        rpn_batch_size_per_image: anchors that the loss looks at.
        rpn_positive_fraction: at most this part of them are true.
        rpn_score_thresh: probability below which a proposal is dropped.
        box_roi_pool: default `MultiScaleRoIAlign` on maps "0" to "3", 7 by 7 bins.
        box_head: default two linear layers.
        box_predictor: default `FastRCNNPredictor`.
        box_score_thresh: probability below which a detection is dropped.
        box_nms_thresh: overlap at which a detection is dropped.
        box_detections_per_img: at most so many.
        box_fg_iou_thresh: proposals that overlap a true box so much are to find it.
        box_bg_iou_thresh: proposals that overlap none so much are background.
        box_batch_size_per_image: proposals that the loss looks at.
        box_positive_fraction: at most this part of them are true.
        bbox_reg_weights: of the boxes' codes; default (10, 10, 5, 5).
        **kwargs: of `GeneralizedRCNNTransform`.

    Raises:
        ValueError: the backbone has no out_channels, or not exactly one of num_classes and
            box_predictor is given.
        DTypeError: a part is of another class.

    Example:
        >>> import triptych as tp
        >>> from triptych_vision.models.detection import resnet_fpn_backbone
        >>> backbone = resnet_fpn_backbone(backbone_name="resnet18", weights=None)
        >>> detector = FasterRCNN(backbone, num_classes=2, min_size=64).eval()
        >>> sorted(detector([tp.rand(3, 48, 64)])[0])
        ['boxes', 'labels', 'scores']
    """

    def __init__(
        self,
        backbone: nn.Module,
        num_classes: int | None = None,
        min_size: int | Sequence[int] = 800,
        max_size: int = 1333,
        image_mean: Sequence[float] | None = None,
        image_std: Sequence[float] | None = None,
        rpn_anchor_generator: AnchorGenerator | None = None,
        rpn_head: nn.Module | None = None,
        rpn_pre_nms_top_n_train: int = 2000,
        rpn_pre_nms_top_n_test: int = 1000,
        rpn_post_nms_top_n_train: int = 2000,
        rpn_post_nms_top_n_test: int = 1000,
        rpn_nms_thresh: float = 0.7,
        rpn_fg_iou_thresh: float = 0.7,
        rpn_bg_iou_thresh: float = 0.3,
        rpn_batch_size_per_image: int = 256,
        rpn_positive_fraction: float = 0.5,
        rpn_score_thresh: float = 0.0,
        box_roi_pool: MultiScaleRoIAlign | None = None,
        box_head: nn.Module | None = None,
        box_predictor: nn.Module | None = None,
        box_score_thresh: float = 0.05,
        box_nms_thresh: float = 0.5,
        box_detections_per_img: int = 100,
        box_fg_iou_thresh: float = 0.5,
        box_bg_iou_thresh: float = 0.5,
        box_batch_size_per_image: int = 512,
        box_positive_fraction: float = 0.25,
        bbox_reg_weights: tuple[float, float, float, float] | None = None,
        **kwargs: Any,
    ) -> None:
        name = type(self).__name__
        parts = {
            "rpn_anchor_generator": (rpn_anchor_generator, AnchorGenerator),
            "box_roi_pool": (box_roi_pool, MultiScaleRoIAlign),
        }
        check_parts(name, backbone, parts)
        if (num_classes is None) == (box_predictor is None):
            raise ValueError(f"{name}: give either num_classes or box_predictor")
        channels = backbone.out_channels
        anchors = rpn_anchor_generator or default_anchors()
        rpn = RegionProposalNetwork(
            anchors,
            rpn_head or RPNHead(channels, anchors.num_anchors_per_location()[0]),
            rpn_fg_iou_thresh,
            rpn_bg_iou_thresh,
            rpn_batch_size_per_image,
            rpn_positive_fraction,
            {"training": rpn_pre_nms_top_n_train, "testing": rpn_pre_nms_top_n_test},
            {"training": rpn_post_nms_top_n_train, "testing": rpn_post_nms_top_n_test},
            rpn_nms_thresh,
            score_thresh=rpn_score_thresh,
        )
        pool = box_roi_pool or MultiScaleRoIAlign(PYRAMID, output_size=7, sampling_ratio=2)
        roi_heads = RoIHeads(
            pool,
            box_head or TwoMLPHead(channels * pool.output_size[0] ** 2, FEATURES),
            box_predictor or FastRCNNPredictor(FEATURES, num_classes or 0),
            box_fg_iou_thresh,
            box_bg_iou_thresh,
            box_batch_size_per_image,
            box_positive_fraction,
            bbox_reg_weights,
            box_score_thresh,
            box_nms_thresh,
            box_detections_per_img,
        )
        mean, std = image_mean or IMAGE_MEAN, image_std or IMAGE_STD
        transform = GeneralizedRCNNTransform(min_size, max_size, mean, std, **kwargs)
        super().__init__(backbone, rpn, roi_heads, transform)


class FasterRCNN_ResNet50_FPN_Weights(WeightsEnum):
    """Weights for `fasterrcnn_resnet50_fpn`."""

    COCO_V1 = published("FasterRCNN_ResNet50_FPN_Weights.COCO_V1")
    DEFAULT = COCO_V1


class FasterRCNN_ResNet50_FPN_V2_Weights(WeightsEnum):
    """Weights for `fasterrcnn_resnet50_fpn_v2`."""

    COCO_V1 = published("FasterRCNN_ResNet50_FPN_V2_Weights.COCO_V1")
    DEFAULT = COCO_V1


class FasterRCNN_MobileNet_V3_Large_FPN_Weights(WeightsEnum):
    """Weights for `fasterrcnn_mobilenet_v3_large_fpn`."""

    COCO_V1 = published("FasterRCNN_MobileNet_V3_Large_FPN_Weights.COCO_V1")
    DEFAULT = COCO_V1


class FasterRCNN_MobileNet_V3_Large_320_FPN_Weights(WeightsEnum):
    """Weights for `fasterrcnn_mobilenet_v3_large_320_fpn`."""

    COCO_V1 = published("FasterRCNN_MobileNet_V3_Large_320_FPN_Weights.COCO_V1")
    DEFAULT = COCO_V1


def resnet50_pyramid(choice: Choice, **config: Any) -> BackboneWithFPN:
    """ResNet-50 with a pyramid; config goes to `resnet_fpn_extractor`.

    Args:
        choice: weights, and how many stages learn.
        **config: returned_layers and extra_blocks.

    Returns:
        The backbone.
    """
    body = resnet50(
        weights=choice.weights_backbone, progress=choice.progress, norm_layer=choice.norm_layer
    )
    return resnet_fpn_extractor(body, choice.trainable_layers, **config)


def second_version(choice: Choice) -> tuple[BackboneWithFPN, dict[str, Any]]:
    """Backbone and heads of the second version: normalised, and deeper.

    Args:
        choice: weights, and how many stages learn.

    Returns:
        The backbone, and arguments of `FasterRCNN`.
    """
    body = resnet50(weights=choice.weights_backbone, progress=choice.progress)
    backbone = resnet_fpn_extractor(body, choice.trainable_layers, norm_layer=nn.BatchNorm2d)
    channels, anchors = backbone.out_channels, default_anchors()
    parts = {
        "rpn_anchor_generator": anchors,
        "rpn_head": RPNHead(channels, anchors.num_anchors_per_location()[0], conv_depth=2),
        "box_head": FastRCNNConvFCHead(
            (channels, 7, 7), [256] * 4, [FEATURES], norm_layer=nn.BatchNorm2d
        ),
    }
    return backbone, parts


@register_model()
def fasterrcnn_resnet50_fpn(
    *,
    weights: FasterRCNN_ResNet50_FPN_Weights | str | None = None,
    progress: bool | None = None,
    num_classes: int | None = None,
    weights_backbone: ResNet50_Weights | str | None = ResNet50_Weights.IMAGENET1K_V1,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> FasterRCNN:
    """Faster R-CNN with ResNet-50 and a pyramid.

    Args:
        weights: a member of `FasterRCNN_ResNet50_FPN_Weights`, its name, "DEFAULT", or None.
        progress: show a bar while fetching weights; None shows it on a terminal only.
        num_classes: with the background; default 91, those of COCO.
        weights_backbone: of ResNet-50; not used when there are weights.
        trainable_backbone_layers: stages that learn, 0 to 5; default 3.
        **kwargs: arguments of `FasterRCNN`.

    Returns:
        The model, in training mode as every new module; call eval() before use.

    Raises:
        ValueError: num_classes differs from the weights'.

    Example:
        >>> model = fasterrcnn_resnet50_fpn(weights_backbone=None, num_classes=2)
        >>> model.roi_heads.box_predictor.cls_score.out_features
        2
    """
    choice = choose(
        "fasterrcnn_resnet50_fpn",
        FasterRCNN_ResNet50_FPN_Weights.verify(weights),
        ResNet50_Weights.verify(weights_backbone),
        num_classes,
        trainable_backbone_layers,
        progress,
    )

    def make() -> FasterRCNN:
        return FasterRCNN(resnet50_pyramid(choice), choice.num_classes, **kwargs)

    return build_detector(make, choice, eps=0.0)


@register_model()
def fasterrcnn_resnet50_fpn_v2(
    *,
    weights: FasterRCNN_ResNet50_FPN_V2_Weights | str | None = None,
    progress: bool | None = None,
    num_classes: int | None = None,
    weights_backbone: ResNet50_Weights | str | None = None,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> FasterRCNN:
    """Faster R-CNN with ResNet-50 and a pyramid, second version: normalised, deeper heads.

    Args:
        weights: a member of `FasterRCNN_ResNet50_FPN_V2_Weights`, its name, "DEFAULT", or None.
        progress: show a bar while fetching weights; None shows it on a terminal only.
        num_classes: with the background; default 91, those of COCO.
        weights_backbone: of ResNet-50; not used when there are weights.
        trainable_backbone_layers: stages that learn, 0 to 5; default 3.
        **kwargs: arguments of `FasterRCNN`.

    Returns:
        The model, in training mode as every new module; call eval() before use.

    Raises:
        ValueError: num_classes differs from the weights'.
    """
    choice = choose(
        "fasterrcnn_resnet50_fpn_v2",
        FasterRCNN_ResNet50_FPN_V2_Weights.verify(weights),
        ResNet50_Weights.verify(weights_backbone),
        num_classes,
        trainable_backbone_layers,
        progress,
    )

    def make() -> FasterRCNN:
        backbone, parts = second_version(choice)
        return FasterRCNN(backbone, choice.num_classes, **{**parts, **kwargs})

    return build_detector(make, choice)


def _mobilenet(
    name: str,
    weights: WeightsEnum | None,
    weights_backbone: MobileNet_V3_Large_Weights | str | None,
    num_classes: int | None,
    trainable_layers: int | None,
    progress: bool | None,
    config: dict[str, Any],
) -> FasterRCNN:
    choice = choose(
        name,
        weights,
        MobileNet_V3_Large_Weights.verify(weights_backbone),
        num_classes,
        trainable_layers,
        progress,
        stages=(6, 3),
    )

    def make() -> FasterRCNN:
        body = mobilenet_v3_large(
            weights=choice.weights_backbone, progress=progress, norm_layer=choice.norm_layer
        )
        backbone = mobilenet_extractor(body, True, choice.trainable_layers)
        anchors = AnchorGenerator((ANCHOR_SIDES,) * 3, (ASPECT_RATIOS,) * 3)
        parts = {"rpn_anchor_generator": anchors, **config}
        return FasterRCNN(backbone, choice.num_classes, **parts)

    return build_detector(make, choice)


@register_model()
def fasterrcnn_mobilenet_v3_large_fpn(
    *,
    weights: FasterRCNN_MobileNet_V3_Large_FPN_Weights | str | None = None,
    progress: bool | None = None,
    num_classes: int | None = None,
    weights_backbone: MobileNet_V3_Large_Weights
    | str
    | None = MobileNet_V3_Large_Weights.IMAGENET1K_V1,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> FasterRCNN:
    """Faster R-CNN with MobileNetV3 and a pyramid.

    Args:
        weights: a member of `FasterRCNN_MobileNet_V3_Large_FPN_Weights`, its name, "DEFAULT", or
            None.
        progress: show a bar while fetching weights; None shows it on a terminal only.
        num_classes: with the background; default 91, those of COCO.
        weights_backbone: of MobileNetV3; not used when there are weights.
        trainable_backbone_layers: stages that learn, 0 to 6; default 3.
        **kwargs: arguments of `FasterRCNN`.

    Returns:
        The model, in training mode as every new module; call eval() before use.

    Raises:
        ValueError: num_classes differs from the weights'.
    """
    return _mobilenet(
        "fasterrcnn_mobilenet_v3_large_fpn",
        FasterRCNN_MobileNet_V3_Large_FPN_Weights.verify(weights),
        weights_backbone,
        num_classes,
        trainable_backbone_layers,
        progress,
        {"rpn_score_thresh": 0.05, **kwargs},
    )


@register_model()
def fasterrcnn_mobilenet_v3_large_320_fpn(
    *,
    weights: FasterRCNN_MobileNet_V3_Large_320_FPN_Weights | str | None = None,
    progress: bool | None = None,
    num_classes: int | None = None,
    weights_backbone: MobileNet_V3_Large_Weights
    | str
    | None = MobileNet_V3_Large_Weights.IMAGENET1K_V1,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> FasterRCNN:
    """Faster R-CNN with MobileNetV3 and a pyramid, for small pictures: fast.

    Args:
        weights: a member of `FasterRCNN_MobileNet_V3_Large_320_FPN_Weights`, its name, "DEFAULT",
            or None.
        progress: show a bar while fetching weights; None shows it on a terminal only.
        num_classes: with the background; default 91, those of COCO.
        weights_backbone: of MobileNetV3; not used when there are weights.
        trainable_backbone_layers: stages that learn, 0 to 6; default 3.
        **kwargs: arguments of `FasterRCNN`.

    Returns:
        The model, in training mode as every new module; call eval() before use.

    Raises:
        ValueError: num_classes differs from the weights'.
    """
    small = {
        "min_size": 320,
        "max_size": 640,
        "rpn_pre_nms_top_n_test": 150,
        "rpn_post_nms_top_n_test": 150,
        "rpn_score_thresh": 0.05,
    }
    return _mobilenet(
        "fasterrcnn_mobilenet_v3_large_320_fpn",
        FasterRCNN_MobileNet_V3_Large_320_FPN_Weights.verify(weights),
        weights_backbone,
        num_classes,
        trainable_backbone_layers,
        progress,
        {**small, **kwargs},
    )

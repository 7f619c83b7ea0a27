"""Mask R-CNN: Faster R-CNN with a mask for each box.

Source: He, Gkioxari, Dollar and Girshick 2017. Layers and names are torchvision's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from triptych import nn

from ...ops import MultiScaleRoIAlign
from ...ops.blocks import Conv2dNormActivation, Layer
from ...ops.feature_pyramid_network import rename_keys
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
    second_version,
)

__all__ = [
    "MaskRCNN",
    "MaskRCNN_ResNet50_FPN_V2_Weights",
    "MaskRCNN_ResNet50_FPN_Weights",
    "maskrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn_v2",
]

MASK_LAYERS = (256, 256, 256, 256)


class MaskRCNN(FasterRCNN):
    """Mask R-CNN on any backbone.

    Args:
        backbone: from (n, 3, h, w) to a map, or a dict of maps, with an attribute out_channels.
        num_classes: with the background; None when box_predictor and mask_predictor are given.
        *others: further arguments of `FasterRCNN`, in its order.
        mask_roi_pool: default `MultiScaleRoIAlign` on maps "0" to "3", 14 by 14 bins.
        mask_head: default four convolutions.
        mask_predictor: default `MaskRCNNPredictor`.
        **config: further arguments of `FasterRCNN`.

    Raises:
        ValueError: not exactly one of num_classes and mask_predictor is given.
        DTypeError: a part is of another class.
    """

    def __init__(
        self,
        backbone: nn.Module,
        num_classes: int | None = None,
        *others: Any,
        mask_roi_pool: MultiScaleRoIAlign | None = None,
        mask_head: nn.Module | None = None,
        mask_predictor: nn.Module | None = None,
        **config: Any,
    ) -> None:
        check_parts("MaskRCNN", backbone, {"mask_roi_pool": (mask_roi_pool, MultiScaleRoIAlign)})
        if (num_classes is None) == (mask_predictor is None):
            raise ValueError("MaskRCNN: give either num_classes or mask_predictor")
        pool = mask_roi_pool or MultiScaleRoIAlign(PYRAMID, output_size=14, sampling_ratio=2)
        head = mask_head or MaskRCNNHeads(backbone.out_channels, MASK_LAYERS, 1)
        predictor = mask_predictor or MaskRCNNPredictor(256, 256, num_classes or 0)
        super().__init__(backbone, num_classes, *others, **config)
        self.roi_heads.mask_roi_pool = pool
        self.roi_heads.mask_head = head
        self.roi_heads.mask_predictor = predictor


class MaskRCNNHeads(nn.Sequential):
    """Convolutions on the pooled boxes.

    Files of torchvision's older layout, with mask_fcn1.weight for 0.0.weight, load as well.

    Args:
        in_channels: of the pooled boxes.
        layers: channels after each convolution.
        dilation: of the kernels.
        norm_layer: called with the number of channels; None for no normalisation.
    """

    _version = 2

    def __init__(
        self,
        in_channels: int,
        layers: Sequence[int],
        dilation: int,
        norm_layer: Layer | None = None,
    ) -> None:
        widths = [in_channels, *layers]
        how: dict[str, Any] = {
            "padding": dilation,
            "dilation": dilation,
            "norm_layer": norm_layer,
        }
        super().__init__(
            *(
                Conv2dNormActivation(before, after, **how)
                for before, after in zip(widths, layers, strict=False)
            )
        )
        initialise_convolutions(self)

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, *others: Any
    ) -> None:
        if (local_metadata.get("version") or 1) < 2:
            places = range(len(self))
            rename_keys(
                state_dict, {f"{prefix}mask_fcn{i + 1}.": f"{prefix}{i}.0." for i in places}
            )
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *others)


class MaskRCNNPredictor(nn.Sequential):
    """A mask of each class for each box, twice as large as what comes in.

    Args:
        in_channels: before.
        dim_reduced: channels in between.
        num_classes: with the background.
    """

    def __init__(self, in_channels: int, dim_reduced: int, num_classes: int) -> None:
        super().__init__(
            {
                "conv5_mask": nn.ConvTranspose2d(in_channels, dim_reduced, 2, 2, 0),
                "relu": nn.ReLU(inplace=True),
                "mask_fcn_logits": nn.Conv2d(dim_reduced, num_classes, 1, 1, 0),
            }
        )
        for name, parameter in self.named_parameters():
            if "weight" in name:
                nn.init.kaiming_normal_(parameter, mode="fan_out", nonlinearity="relu")


class MaskRCNN_ResNet50_FPN_Weights(WeightsEnum):
    """Weights for `maskrcnn_resnet50_fpn`."""

    COCO_V1 = published("MaskRCNN_ResNet50_FPN_Weights.COCO_V1")
    DEFAULT = COCO_V1


class MaskRCNN_ResNet50_FPN_V2_Weights(WeightsEnum):
    """Weights for `maskrcnn_resnet50_fpn_v2`."""

    COCO_V1 = published("MaskRCNN_ResNet50_FPN_V2_Weights.COCO_V1")
    DEFAULT = COCO_V1


@register_model()
def maskrcnn_resnet50_fpn(
    *,
    weights: MaskRCNN_ResNet50_FPN_Weights | str | None = None,
    progress: bool | None = None,
    num_classes: int | None = None,
    weights_backbone: ResNet50_Weights | str | None = ResNet50_Weights.IMAGENET1K_V1,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> MaskRCNN:
    """Mask R-CNN with ResNet-50 and a pyramid.

    Args:
        weights: a member of `MaskRCNN_ResNet50_FPN_Weights`, its name, "DEFAULT", or None.
        progress: show a bar while fetching weights; None shows it on a terminal only.
        num_classes: with the background; default 91, those of COCO.
        weights_backbone: of ResNet-50; not used when there are weights.
        trainable_backbone_layers: stages that learn, 0 to 5; default 3.
        **kwargs: arguments of `MaskRCNN`.

    Returns:
        The model, in training mode as every new module; call eval() before use.

    Raises:
        ValueError: num_classes differs from the weights'.
    """
    choice = choose(
        "maskrcnn_resnet50_fpn",
        MaskRCNN_ResNet50_FPN_Weights.verify(weights),
        ResNet50_Weights.verify(weights_backbone),
        num_classes,
        trainable_backbone_layers,
        progress,
    )

    def make() -> MaskRCNN:
        return MaskRCNN(resnet50_pyramid(choice), choice.num_classes, **kwargs)

    return build_detector(make, choice, eps=0.0)


@register_model()
def maskrcnn_resnet50_fpn_v2(
    *,
    weights: MaskRCNN_ResNet50_FPN_V2_Weights | str | None = None,
    progress: bool | None = None,
    num_classes: int | None = None,
    weights_backbone: ResNet50_Weights | str | None = None,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> MaskRCNN:
    """Mask R-CNN with ResNet-50 and a pyramid, second version: normalised, deeper heads.

    Args:
        weights: a member of `MaskRCNN_ResNet50_FPN_V2_Weights`, its name, "DEFAULT", or None.
        progress: show a bar while fetching weights; None shows it on a terminal only.
        num_classes: with the background; default 91, those of COCO.
        weights_backbone: of ResNet-50; not used when there are weights.
        trainable_backbone_layers: stages that learn, 0 to 5; default 3.
        **kwargs: arguments of `MaskRCNN`.

    Returns:
        The model, in training mode as every new module; call eval() before use.

    Raises:
        ValueError: num_classes differs from the weights'.
    """
    choice = choose(
        "maskrcnn_resnet50_fpn_v2",
        MaskRCNN_ResNet50_FPN_V2_Weights.verify(weights),
        ResNet50_Weights.verify(weights_backbone),
        num_classes,
        trainable_backbone_layers,
        progress,
    )

    def make() -> MaskRCNN:
        backbone, parts = second_version(choice)
        head = MaskRCNNHeads(backbone.out_channels, MASK_LAYERS, 1, norm_layer=nn.BatchNorm2d)
        return MaskRCNN(backbone, choice.num_classes, **{**parts, "mask_head": head, **kwargs})

    return build_detector(make, choice)

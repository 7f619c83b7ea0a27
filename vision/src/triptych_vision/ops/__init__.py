"""Layers and operators that vision models are made of."""

from .blocks import (
    MLP,
    Conv2dNormActivation,
    Conv3dNormActivation,
    ConvNormActivation,
    FrozenBatchNorm2d,
    Permute,
    SqueezeExcitation,
)
from .boxes import (
    batched_nms,
    box_area,
    box_convert,
    box_iou,
    clip_boxes_to_image,
    complete_box_iou,
    distance_box_iou,
    generalized_box_iou,
    mask_iou,
    masks_to_boxes,
    nms,
    remove_small_boxes,
    rotated_nms,
    soft_nms,
)
from .ciou_loss import complete_box_iou_loss
from .deform_conv import DeformConv2d, deform_conv2d
from .diou_loss import distance_box_iou_loss
from .drop_block import DropBlock2d, DropBlock3d, drop_block2d, drop_block3d
from .feature_pyramid_network import (
    ExtraFPNBlock,
    FeaturePyramidNetwork,
    LastLevelMaxPool,
    LastLevelP6P7,
)
from .focal_loss import sigmoid_focal_loss
from .giou_loss import generalized_box_iou_loss
from .image_losses import ssim_loss, total_variation
from .label_losses import AsymmetricLossMultiLabel, SoftTargetCrossEntropy
from .poolers import LevelMapper, MultiScaleRoIAlign
from .ps_roi_align import PSRoIAlign, ps_roi_align
from .ps_roi_pool import PSRoIPool, ps_roi_pool
from .roi_align import RoIAlign, roi_align
from .roi_pool import RoIPool, roi_pool
from .run_lengths import mask_to_rle, rle_area, rle_iou, rle_to_mask
from .segmentation_losses import dice_loss, focal_loss, lovasz_softmax_loss, tversky_loss
from .stochastic_depth import StochasticDepth, stochastic_depth

__all__ = [
    "AsymmetricLossMultiLabel",
    "Conv2dNormActivation",
    "Conv3dNormActivation",
    "ConvNormActivation",
    "DeformConv2d",
    "DropBlock2d",
    "DropBlock3d",
    "ExtraFPNBlock",
    "FeaturePyramidNetwork",
    "FrozenBatchNorm2d",
    "LastLevelMaxPool",
    "LastLevelP6P7",
    "LevelMapper",
    "MLP",
    "MultiScaleRoIAlign",
    "PSRoIAlign",
    "PSRoIPool",
    "Permute",
    "RoIAlign",
    "RoIPool",
    "SoftTargetCrossEntropy",
    "SqueezeExcitation",
    "StochasticDepth",
    "batched_nms",
    "box_area",
    "box_convert",
    "box_iou",
    "clip_boxes_to_image",
    "complete_box_iou",
    "complete_box_iou_loss",
    "deform_conv2d",
    "dice_loss",
    "distance_box_iou",
    "distance_box_iou_loss",
    "drop_block2d",
    "drop_block3d",
    "focal_loss",
    "generalized_box_iou",
    "generalized_box_iou_loss",
    "lovasz_softmax_loss",
    "mask_iou",
    "mask_to_rle",
    "masks_to_boxes",
    "nms",
    "ps_roi_align",
    "ps_roi_pool",
    "remove_small_boxes",
    "rle_area",
    "rle_iou",
    "rle_to_mask",
    "roi_align",
    "roi_pool",
    "rotated_nms",
    "sigmoid_focal_loss",
    "soft_nms",
    "ssim_loss",
    "stochastic_depth",
    "total_variation",
    "tversky_loss",
]

"""Losses of segmentation, classification and images; the same functions as in `ops`."""

from .ops import (
    AsymmetricLossMultiLabel,
    SoftTargetCrossEntropy,
    complete_box_iou_loss,
    dice_loss,
    distance_box_iou_loss,
    focal_loss,
    generalized_box_iou_loss,
    lovasz_softmax_loss,
    sigmoid_focal_loss,
    ssim_loss,
    total_variation,
    tversky_loss,
)

__all__ = [
    "AsymmetricLossMultiLabel",
    "SoftTargetCrossEntropy",
    "complete_box_iou_loss",
    "dice_loss",
    "distance_box_iou_loss",
    "focal_loss",
    "generalized_box_iou_loss",
    "lovasz_softmax_loss",
    "sigmoid_focal_loss",
    "ssim_loss",
    "total_variation",
    "tversky_loss",
]

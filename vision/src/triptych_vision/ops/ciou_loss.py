"""One less the complete IoU."""

from __future__ import annotations

import math

import triptych as tp

from .box_losses import box_pair, distance_loss, reduced

__all__ = ["complete_box_iou_loss"]


def complete_box_iou_loss(
    boxes1: tp.Tensor, boxes2: tp.Tensor, reduction: str = "none", eps: float = 1e-7
) -> tp.Tensor:
    """1 - CIoU of each box with its partner: overlap, distance and aspect ratio.

    Args:
        boxes1: (..., 4), xyxy in pixels.
        boxes2: same shape.
        reduction: "none", "mean" or "sum".
        eps: added to divisors.

    Returns:
        (...), at least 0, or a number.

    Raises:
        ShapeError: the shapes differ.
        DomainError: there is no such reduction.

    Source: Zheng et al. 2020, equations 8 to 11; the weight of the aspect ratio has no gradient.
    """
    boxes = box_pair("complete_box_iou_loss", boxes1, boxes2)
    loss, iou = distance_loss(boxes, 1e-7)
    angle1, angle2 = (tp.atan((b[..., 2] - b[..., 0]) / (b[..., 3] - b[..., 1])) for b in boxes)
    unlike = (4 / math.pi**2) * (angle2 - angle1) ** 2
    with tp.no_grad():
        weight = unlike / (1 - iou + unlike + eps)
    return reduced("complete_box_iou_loss", loss + weight * unlike, reduction)

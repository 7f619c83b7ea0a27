"""One less the distance IoU."""

from __future__ import annotations

import triptych as tp

from .box_losses import box_pair, distance_loss, reduced

__all__ = ["distance_box_iou_loss"]


def distance_box_iou_loss(
    boxes1: tp.Tensor, boxes2: tp.Tensor, reduction: str = "none", eps: float = 1e-7
) -> tp.Tensor:
    """1 - DIoU of each box with its partner.

    Args:
        boxes1: (..., 4), xyxy in pixels.
        boxes2: same shape.
        reduction: "none", "mean" or "sum".
        eps: added to divisors.

    Returns:
        (...), from 0 to 2, or a number.

    Raises:
        ShapeError: the shapes differ.
        DomainError: there is no such reduction.

    Source: Zheng et al. 2020, equations 5 to 7.
    """
    boxes = box_pair("distance_box_iou_loss", boxes1, boxes2)
    return reduced("distance_box_iou_loss", distance_loss(boxes, eps)[0], reduction)

"""One less the generalised IoU."""

from __future__ import annotations

import triptych as tp

from .box_losses import box_pair, frame_sides, iou_pairs, reduced

__all__ = ["generalized_box_iou_loss"]


def generalized_box_iou_loss(
    boxes1: tp.Tensor, boxes2: tp.Tensor, reduction: str = "none", eps: float = 1e-7
) -> tp.Tensor:
    """1 - GIoU of each box with its partner; has a gradient where boxes do not touch, too.

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

    Source: Rezatofighi et al. 2019, algorithm 1.
    """
    boxes = box_pair("generalized_box_iou_loss", boxes1, boxes2)
    iou, union = iou_pairs(boxes, eps)
    sides = frame_sides(boxes)
    frame = sides[..., 0] * sides[..., 1]
    loss = 1 - iou + (frame - union) / (frame + eps)
    return reduced("generalized_box_iou_loss", loss, reduction)

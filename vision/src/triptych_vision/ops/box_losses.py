"""What the losses between pairs of boxes have in common."""

from __future__ import annotations

from collections.abc import Callable

import triptych as tp
from triptych.errors import DomainError, ShapeError

__all__ = ["box_pair", "distance_loss", "frame_sides", "iou_pairs", "reduced"]

Boxes = tuple[tp.Tensor, tp.Tensor]


def _mean(loss: tp.Tensor) -> tp.Tensor:
    return loss.mean() if loss.numel() else 0.0 * loss.sum()  # no boxes, no loss


REDUCTIONS: dict[str, Callable[[tp.Tensor], tp.Tensor]] = {
    "none": lambda loss: loss,
    "mean": _mean,
    "sum": lambda loss: loss.sum(),
}


def reduced(name: str, loss: tp.Tensor, reduction: str) -> tp.Tensor:
    """The loss as it is, its mean or its sum.

    Args:
        name: of the function, for the error's text.
        loss: any shape.
        reduction: "none", "mean" (0 for no elements) or "sum".

    Returns:
        Same shape, or a number.

    Raises:
        DomainError: there is no such reduction.
    """
    if reduction not in REDUCTIONS:
        raise DomainError(f"{name}: reduction is one of {list(REDUCTIONS)}, got {reduction!r}")
    return REDUCTIONS[reduction](loss)


def box_pair(name: str, boxes1: tp.Tensor, boxes2: tp.Tensor) -> Boxes:
    """Both sets of boxes as float32 or float64.

    Args:
        name: of the function, for the error's text.
        boxes1: (..., 4).
        boxes2: same shape.

    Returns:
        The two.

    Raises:
        ShapeError: the shapes differ or do not end in 4.
    """
    if boxes1.shape != boxes2.shape or boxes1.ndim == 0 or boxes1.shape[-1] != 4:
        raise ShapeError(
            f"{name}: boxes1 and boxes2 have the same shape (..., 4), got {tuple(boxes1.shape)} "
            f"and {tuple(boxes2.shape)}"
        )
    wide = (tp.float32, tp.float64)
    one, two = (b if b.dtype in wide else b.to(tp.float32) for b in (boxes1, boxes2))
    return one, two


def iou_pairs(boxes: Boxes, eps: float) -> tuple[tp.Tensor, tp.Tensor]:
    """IoU of each box with its partner, and the area of their union, (...) each."""
    one, two = boxes
    low, high = tp.maximum(one[..., :2], two[..., :2]), tp.minimum(one[..., 2:], two[..., 2:])
    sides = high - low
    touch = (sides > 0).all(-1)
    inter = tp.where(touch, sides[..., 0] * sides[..., 1], tp.zeros_like(sides[..., 0]))
    areas = [(b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1]) for b in boxes]
    union = areas[0] + areas[1] - inter
    return inter / (union + eps), union


def frame_sides(boxes: Boxes) -> tp.Tensor:
    """Width and height of the smallest frame around each pair, (..., 2)."""
    one, two = boxes
    return tp.maximum(one[..., 2:], two[..., 2:]) - tp.minimum(one[..., :2], two[..., :2])


def distance_loss(boxes: Boxes, eps: float) -> tuple[tp.Tensor, tp.Tensor]:
    """1 - DIoU of each pair, and their IoU, (...) each."""
    iou, _ = iou_pairs(boxes, eps)
    diagonal = (frame_sides(boxes) ** 2).sum(-1) + eps
    centre1, centre2 = ((b[..., :2] + b[..., 2:]) / 2 for b in boxes)
    return 1 - iou + ((centre1 - centre2) ** 2).sum(-1) / diagonal, iou

"""Boxes: areas, overlaps, and what to do with boxes and images."""

from __future__ import annotations

import math

import triptych as tp
from triptych.errors import DomainError, ShapeError

from .box_formats import ROTATED, UPRIGHT, box_convert, check_boxes
from .rotated import rotated_iou
from .suppression import batched_nms, nms, rotated_nms, soft_nms

__all__ = [
    "batched_nms",
    "box_area",
    "box_convert",
    "box_iou",
    "clip_boxes_to_image",
    "complete_box_iou",
    "distance_box_iou",
    "generalized_box_iou",
    "mask_iou",
    "masks_to_boxes",
    "nms",
    "remove_small_boxes",
    "rotated_nms",
    "soft_nms",
]


def remove_small_boxes(boxes: tp.Tensor, min_size: float) -> tp.Tensor:
    """Indices of the boxes with both sides at least so long.

    Args:
        boxes: (n, 4), xyxy in pixels.
        min_size: in pixels.

    Returns:
        (k,) int64, ascending.

    Example:
        >>> remove_small_boxes(tp.tensor([[0.0, 0.0, 5.0, 5.0], [0.0, 0.0, 5.0, 1.0]]), 2)
        tensor([0])
    """
    check_boxes("remove_small_boxes", boxes, "xyxy")
    sides = boxes[..., 2:] - boxes[..., :2]
    return tp.where((sides >= min_size).all(-1))[0]


def clip_boxes_to_image(boxes: tp.Tensor, size: tuple[int, int]) -> tp.Tensor:
    """Boxes cut off at the edges of an image.

    Args:
        boxes: (..., 4), xyxy in pixels.
        size: (h, w) of the image.

    Returns:
        (..., 4) with x from 0 to w and y from 0 to h.

    Example:
        >>> clip_boxes_to_image(tp.tensor([[-5.0, 2.0, 30.0, 30.0]]), (20, 10))
        tensor([[ 0.,  2., 10., 20.]])
    """
    check_boxes("clip_boxes_to_image", boxes, "xyxy")
    height, width = size
    x, y = boxes[..., 0::2].clamp(0, width), boxes[..., 1::2].clamp(0, height)
    return tp.stack((x, y), -1).reshape(boxes.shape)


def box_area(boxes: tp.Tensor, fmt: str = "xyxy") -> tp.Tensor:
    """Area of each box.

    Args:
        boxes: (..., 4), or (..., 5) and (..., 8) for rotated ones, in pixels.
        fmt: "xyxy", "xywh", "cxcywh", "xywhr", "cxcywhr" or "xyxyxyxy".

    Returns:
        (...) in square pixels; half precision becomes float32, small integers int32.

    Raises:
        DomainError: there is no such format.

    Example:
        >>> box_area(tp.tensor([[10.0, 20.0, 30.0, 60.0]]))
        tensor([800.])
    """
    _check_format("box_area", fmt)
    check_boxes("box_area", boxes, fmt)
    boxes = _wide(boxes)
    if fmt == "xyxyxyxy":
        boxes = box_convert(boxes, fmt, "xywhr")
    if fmt == "xyxy":
        return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    return boxes[..., 2] * boxes[..., 3]


def box_iou(boxes1: tp.Tensor, boxes2: tp.Tensor, fmt: str = "xyxy") -> tp.Tensor:
    """Intersection over union of every box with every other.

    Args:
        boxes1: (..., n, 4), or (..., 5) and (..., 8) for rotated ones, in pixels.
        boxes2: (..., m, 4), likewise.
        fmt: "xyxy", "xywh", "cxcywh", "xywhr", "cxcywhr" or "xyxyxyxy".

    Returns:
        (..., n, m), from 0 to 1.

    Raises:
        DomainError: there is no such format.

    Example:
        >>> box_iou(tp.tensor([[0.0, 0.0, 2.0, 2.0]]), tp.tensor([[1.0, 0.0, 3.0, 2.0]]))
        tensor([[0.3333]])
    """
    _check_format("box_iou", fmt)
    check_boxes("box_iou", boxes1, fmt)
    check_boxes("box_iou", boxes2, fmt)
    if fmt in ROTATED:
        corners1, corners2 = (box_convert(_wide(b), fmt, "xyxyxyxy") for b in (boxes1, boxes2))
        return rotated_iou(corners1, corners2)
    boxes1, boxes2 = (b if fmt == "xyxy" else box_convert(b, fmt, "xyxy") for b in (boxes1, boxes2))
    inter, union = _inter_union(boxes1, boxes2)
    return inter / union


def generalized_box_iou(boxes1: tp.Tensor, boxes2: tp.Tensor) -> tp.Tensor:
    """IoU less the share of the smallest common frame that neither box covers.

    Args:
        boxes1: (..., n, 4), xyxy in pixels.
        boxes2: (..., m, 4), likewise.

    Returns:
        (..., n, m), from -1 to 1.

    Source: Rezatofighi et al. 2019, algorithm 1.
    """
    inter, union = _inter_union(boxes1, boxes2)
    sides = _frame_sides(boxes1, boxes2)
    frame = sides[..., 0] * sides[..., 1]
    return inter / union - (frame - union) / frame


def distance_box_iou(boxes1: tp.Tensor, boxes2: tp.Tensor, eps: float = 1e-7) -> tp.Tensor:
    """IoU less the squared distance of the centres over that of the common frame's corners.

    Args:
        boxes1: (..., n, 4), xyxy in pixels.
        boxes2: (..., m, 4), likewise.
        eps: added to the squared diagonal.

    Returns:
        (..., n, m), from -1 to 1.

    Source: Zheng et al. 2020, equation 7.
    """
    return _distance_iou(_wide(boxes1), _wide(boxes2), eps)[0]


def complete_box_iou(boxes1: tp.Tensor, boxes2: tp.Tensor, eps: float = 1e-7) -> tp.Tensor:
    """`distance_box_iou` less a penalty for different aspect ratios.

    Args:
        boxes1: (..., n, 4), xyxy in pixels.
        boxes2: (..., m, 4), likewise.
        eps: added to divisors.

    Returns:
        (..., n, m).

    Source: Zheng et al. 2020, equations 8 to 11; the weight of the penalty has no gradient.
    """
    boxes1, boxes2 = _wide(boxes1), _wide(boxes2)
    diou, iou = _distance_iou(boxes1, boxes2, eps)
    angle1, angle2 = (
        tp.atan((b[..., 2] - b[..., 0]) / (b[..., 3] - b[..., 1])) for b in (boxes1, boxes2)
    )
    unlike = (4 / math.pi**2) * (angle1[..., :, None] - angle2[..., None, :]) ** 2
    with tp.no_grad():
        weight = unlike / (1 - iou + unlike + eps)
    return diou - weight * unlike


def masks_to_boxes(masks: tp.Tensor) -> tp.Tensor:
    """The smallest box around each mask.

    Args:
        masks: (n, h, w); whatever is not zero belongs to the mask.

    Returns:
        (n, 4) float32, xyxy: the first and last column and row that the mask is in; zeros for an
        empty mask.

    Raises:
        ShapeError: masks has not three axes.

    Example:
        >>> mask = tp.zeros(1, 5, 8)
        >>> mask[0, 1:4, 2:7] = 1
        >>> masks_to_boxes(mask)
        tensor([[2., 1., 6., 3.]])
    """
    if masks.numel() == 0:
        return tp.zeros((0, 4), device=masks.device)
    if masks.ndim != 3:
        raise ShapeError(f"masks_to_boxes: masks are (n, h, w), got {tuple(masks.shape)}")
    inside = masks != 0
    first_last = []
    for line in (inside.any(1), inside.any(2)):  # (n, w), (n, h)
        line = line.to(tp.uint8)
        first_last += [line.argmax(1), line.shape[1] - 1 - line.flip(1).argmax(1)]
    left, right, top, bottom = first_last
    boxes = tp.stack((left, top, right, bottom), 1).to(tp.float32)
    return boxes * inside.flatten(1).any(1)[:, None]


def mask_iou(masks1: tp.Tensor, masks2: tp.Tensor) -> tp.Tensor:
    """Intersection over union of every mask with every other.

    Args:
        masks1: (n, h, w); whatever is not zero belongs to the mask.
        masks2: (m, h, w), likewise.

    Returns:
        (n, m) float32, from 0 to 1; 0 for two empty masks.

    Raises:
        ShapeError: the masks have not three axes or another size.

    Example:
        >>> mask_iou(tp.ones(1, 2, 2), tp.tensor([[[1, 1], [0, 0]]]))
        tensor([[0.5]])
    """
    if masks1.ndim != 3 or masks2.ndim != 3 or masks1.shape[1:] != masks2.shape[1:]:
        raise ShapeError(
            "mask_iou: wanted (n, h, w) and (m, h, w), got "
            f"{tuple(masks1.shape)} and {tuple(masks2.shape)}"
        )
    flat1, flat2 = ((m != 0).flatten(1).to(tp.float32) for m in (masks1, masks2))
    inter = flat1 @ flat2.T
    union = flat1.sum(1)[:, None] + flat2.sum(1) - inter
    return inter / union.clamp(min=1)


def _check_format(name: str, fmt: str) -> None:
    if fmt not in UPRIGHT + ROTATED:
        raise DomainError(f"{name}: fmt is one of {UPRIGHT + ROTATED}, got {fmt!r}")


def _wide(t: tp.Tensor) -> tp.Tensor:
    """A dtype in which areas do not overflow."""
    if t.is_floating_point():
        return t if t.dtype in (tp.float32, tp.float64) else t.to(tp.float32)
    return t if t.dtype in (tp.int32, tp.int64) else t.to(tp.int32)


def _inter_union(boxes1: tp.Tensor, boxes2: tp.Tensor) -> tuple[tp.Tensor, tp.Tensor]:
    """Areas of intersection and union, (..., n, m) each."""
    low = tp.maximum(boxes1[..., :, None, :2], boxes2[..., None, :, :2])
    high = tp.minimum(boxes1[..., :, None, 2:], boxes2[..., None, :, 2:])
    sides = _wide(high - low).clamp(min=0)
    inter = sides[..., 0] * sides[..., 1]
    return inter, box_area(boxes1)[..., :, None] + box_area(boxes2)[..., None, :] - inter


def _frame_sides(boxes1: tp.Tensor, boxes2: tp.Tensor) -> tp.Tensor:
    """Width and height of the smallest frame around both, (..., n, m, 2)."""
    low = tp.minimum(boxes1[..., :, None, :2], boxes2[..., None, :, :2])
    high = tp.maximum(boxes1[..., :, None, 2:], boxes2[..., None, :, 2:])
    return _wide(high - low).clamp(min=0)


def _distance_iou(boxes1: tp.Tensor, boxes2: tp.Tensor, eps: float) -> tuple[tp.Tensor, tp.Tensor]:
    """DIoU and IoU."""
    iou = box_iou(boxes1, boxes2)
    diagonal = (_frame_sides(boxes1, boxes2) ** 2).sum(-1) + eps
    centre1, centre2 = ((b[..., :2] + b[..., 2:]) / 2 for b in (boxes1, boxes2))
    apart = ((centre1[..., :, None, :] - centre2[..., None, :, :]) ** 2).sum(-1)
    return iou - apart / diagonal, iou

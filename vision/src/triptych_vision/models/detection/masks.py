"""Masks: from a network's squares to pictures, and the loss."""

from __future__ import annotations

from collections.abc import Sequence

import triptych as tp
from triptych.nn import functional as F

from ...ops import roi_align

__all__ = [
    "expand_boxes",
    "expand_masks",
    "maskrcnn_inference",
    "maskrcnn_loss",
    "paste_mask_in_image",
    "paste_masks_in_image",
    "project_masks_on_boxes",
]


def maskrcnn_inference(x: tp.Tensor, labels: Sequence[tp.Tensor]) -> list[tp.Tensor]:
    """Probabilities of the mask of each box's class.

    Args:
        x: (k, classes, m, m) logits for the boxes of all images together.
        labels: for each image (l,) class of each box.

    Returns:
        For each image (l, 1, m, m), from 0 to 1.
    """
    which = tp.cat(list(labels))
    chosen = x[tp.arange(x.shape[0], device=x.device), which][:, None]
    return list(chosen.sigmoid().split([label.shape[0] for label in labels]))


def project_masks_on_boxes(
    gt_masks: tp.Tensor, boxes: tp.Tensor, matched_idxs: tp.Tensor, M: int
) -> tp.Tensor:
    """The part of a mask that lies in a box, as a square.

    Args:
        gt_masks: (l, h, w), 0 or 1.
        boxes: (k, 4), xyxy.
        matched_idxs: (k,) which mask belongs to which box.
        M: side of the squares.

    Returns:
        (k, M, M), from 0 to 1.
    """
    rois = tp.cat((matched_idxs.to(boxes.dtype)[:, None], boxes), 1)
    return roi_align(gt_masks[:, None].to(rois.dtype), rois, (M, M), 1.0)[:, 0]


def maskrcnn_loss(
    mask_logits: tp.Tensor,
    proposals: Sequence[tp.Tensor],
    gt_masks: Sequence[tp.Tensor],
    gt_labels: Sequence[tp.Tensor],
    mask_matched_idxs: Sequence[tp.Tensor],
) -> tp.Tensor:
    """Binary cross entropy of the masks of the true classes.

    Args:
        mask_logits: (k, classes, m, m) for the boxes of all images together.
        proposals: for each image (l, 4), xyxy.
        gt_masks: for each image (true boxes, h, w).
        gt_labels: for each image (true boxes,).
        mask_matched_idxs: for each image (l,), the true box of each proposal.

    Returns:
        A number; 0 for no boxes.

    Source: He, Gkioxari, Dollar and Girshick 2017, section 3.
    """
    side = int(mask_logits.shape[-1])
    labels = tp.cat([own[at] for own, at in zip(gt_labels, mask_matched_idxs, strict=True)])
    wanted = tp.cat(
        [
            project_masks_on_boxes(masks, boxes, at, side)
            for masks, boxes, at in zip(gt_masks, proposals, mask_matched_idxs, strict=True)
        ]
    )
    if wanted.numel() == 0:
        return mask_logits.sum() * 0
    chosen = mask_logits[tp.arange(labels.shape[0], device=labels.device), labels]
    return F.binary_cross_entropy_with_logits(chosen, wanted)


def expand_boxes(boxes: tp.Tensor, scale: float) -> tp.Tensor:
    """Boxes (l, 4), xyxy, made larger about their centres."""
    half = (boxes[:, 2:] - boxes[:, :2]) * 0.5 * scale
    centre = (boxes[:, 2:] + boxes[:, :2]) * 0.5
    return tp.cat((centre - half, centre + half), 1)


def expand_masks(mask: tp.Tensor, padding: int) -> tuple[tp.Tensor, float]:
    """Masks (l, 1, m, m) with zeros around, and how many times larger they are now."""
    side = int(mask.shape[-1])
    return F.pad(mask, (padding,) * 4), float(side + 2 * padding) / side


def paste_mask_in_image(mask: tp.Tensor, box: Sequence[int], im_h: int, im_w: int) -> tp.Tensor:
    """A mask (m, m) of a box in whole pixels, as one of the picture, (im_h, im_w)."""
    x1, y1, x2, y2 = box
    width, height = max(x2 - x1 + 1, 1), max(y2 - y1 + 1, 1)
    large = F.interpolate(mask[None, None], (height, width), mode="bilinear", align_corners=False)
    left, right = max(x1, 0), min(x2 + 1, im_w)
    top, bottom = max(y1, 0), min(y2 + 1, im_h)
    picture = mask.new_zeros((im_h, im_w))
    if left < right and top < bottom:
        part = large[0, 0, top - y1 : bottom - y1, left - x1 : right - x1]
        picture[top:bottom, left:right] = part
    return picture


def paste_masks_in_image(
    masks: tp.Tensor, boxes: tp.Tensor, img_shape: tuple[int, int], padding: int = 1
) -> tp.Tensor:
    """Masks of boxes as masks of the picture.

    Args:
        masks: (l, 1, m, m), from 0 to 1.
        boxes: (l, 4), xyxy in pixels of the picture.
        img_shape: (h, w) of the picture.
        padding: zeros around each mask before it is resized.

    Returns:
        (l, 1, h, w), from 0 to 1.
    """
    padded, scale = expand_masks(masks, padding)
    corners = expand_boxes(boxes, scale).to(tp.int64).tolist()
    pasted = [
        paste_mask_in_image(mask[0], box, *img_shape)
        for mask, box in zip(padded, corners, strict=True)
    ]
    return tp.stack(pasted)[:, None] if pasted else masks.new_zeros((0, 1, *img_shape))

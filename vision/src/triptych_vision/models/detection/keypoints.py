"""Key points: from a network's heat maps to pictures, and the loss."""

from __future__ import annotations

from collections.abc import Sequence

import triptych as tp
from triptych.errors import ShapeError
from triptych.nn import functional as F

__all__ = [
    "heatmaps_to_keypoints",
    "keypointrcnn_inference",
    "keypointrcnn_loss",
    "keypoints_to_heatmap",
]


def keypoints_to_heatmap(
    keypoints: tp.Tensor, rois: tp.Tensor, heatmap_size: int
) -> tuple[tp.Tensor, tp.Tensor]:
    """The cell of a box's heat map that each point lies in.

    Args:
        keypoints: (l, k, 3): x, y in pixels, visibility.
        rois: (l, 4), xyxy.
        heatmap_size: side of the heat map.

    Returns:
        (l, k) int64 index of the cell, row by row, and (l, k) int64, 1 where the point is visible
        and lies in the box.
    """
    corner, far = rois[:, None, :2], rois[:, None, 2:]
    points = keypoints[..., :2]
    cell = ((points - corner) * (heatmap_size / (far - corner))).floor().to(tp.int64)
    cell = tp.where(points == far, heatmap_size - 1, cell)  # the far edge belongs to the box
    inside = ((cell >= 0) & (cell < heatmap_size)).all(-1)
    valid = (inside & (keypoints[..., 2] > 0)).to(tp.int64)
    return (cell[..., 1] * heatmap_size + cell[..., 0]) * valid, valid


def heatmaps_to_keypoints(maps: tp.Tensor, rois: tp.Tensor) -> tuple[tp.Tensor, tp.Tensor]:
    """The highest place of each heat map, in pixels of the picture.

    Args:
        maps: (l, k, m, m) logits.
        rois: (l, 4), xyxy.

    Returns:
        (l, k, 3): x, y, 1; and (l, k), the logit there, of the map resized to the box.
    """
    sizes = (rois[:, 2:] - rois[:, :2]).clamp(min=1)
    whole = sizes.ceil()
    places, scores = [], []
    for one, (width, height) in zip(maps, whole.to(tp.int64).tolist(), strict=True):
        large = F.interpolate(one[None], size=(height, width), mode="bicubic", align_corners=False)
        score, place = large[0].flatten(1).max(1)
        places.append(tp.stack((place % width, place // width), -1))
        scores.append(score)
    if not places:
        return maps.new_zeros((0, maps.shape[1], 3)), maps.new_zeros((0, maps.shape[1]))
    cells = tp.stack(places).to(rois.dtype) + 0.5  # (l, k, 2)
    points = cells * (sizes / whole)[:, None] + rois[:, None, :2]
    return tp.cat((points, tp.ones_like(points[..., :1])), -1), tp.stack(scores)


def keypointrcnn_loss(
    keypoint_logits: tp.Tensor,
    proposals: Sequence[tp.Tensor],
    gt_keypoints: Sequence[tp.Tensor],
    keypoint_matched_idxs: Sequence[tp.Tensor],
) -> tp.Tensor:
    """Cross entropy over the cells of each visible point's heat map.

    Args:
        keypoint_logits: (n, k, m, m) for the boxes of all images together.
        proposals: for each image (l, 4), xyxy.
        gt_keypoints: for each image (true boxes, k, 3).
        keypoint_matched_idxs: for each image (l,), the true box of each proposal.

    Returns:
        A number; 0 for no visible point.

    Raises:
        ShapeError: the heat maps are not square.

    Source: He, Gkioxari, Dollar and Girshick 2017, section 5.
    """
    side = int(keypoint_logits.shape[-1])
    if keypoint_logits.shape[-2] != side:
        raise ShapeError(
            f"keypointrcnn_loss: heat maps are square, got {tuple(keypoint_logits.shape)}"
        )
    pairs = [
        keypoints_to_heatmap(points[at], boxes, side)
        for boxes, points, at in zip(proposals, gt_keypoints, keypoint_matched_idxs, strict=True)
    ]
    wanted = tp.cat([cells.flatten() for cells, _ in pairs])
    visible = tp.where(tp.cat([valid.flatten() for _, valid in pairs]) > 0)[0]
    if visible.numel() == 0:
        return keypoint_logits.sum() * 0
    logits = keypoint_logits.reshape(-1, side * side)
    return F.cross_entropy(logits[visible], wanted[visible])


def keypointrcnn_inference(
    x: tp.Tensor, boxes: Sequence[tp.Tensor]
) -> tuple[list[tp.Tensor], list[tp.Tensor]]:
    """`heatmaps_to_keypoints` for each image.

    Args:
        x: (n, k, m, m) logits for the boxes of all images together.
        boxes: for each image (l, 4), xyxy.

    Returns:
        For each image (l, k, 3), and for each (l, k).
    """
    parts = x.split([b.shape[0] for b in boxes])
    pairs = [heatmaps_to_keypoints(maps, b) for maps, b in zip(parts, boxes, strict=True)]
    return [points for points, _ in pairs], [scores for _, scores in pairs]

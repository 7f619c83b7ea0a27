"""Non-maximum suppression: of boxes that mean the same thing, keep the best."""

from __future__ import annotations

import numpy as np

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych.library import accelerated, by_device

from .box_formats import NUMBERS, ROTATED, box_convert
from .rotated import rotated_iou

__all__ = ["batched_nms", "nms", "rotated_nms", "soft_nms"]

BLOCK = 256  # boxes compared with each other at once
# torchvision's limit on the CPU: up to here the classes are moved apart, above it they are
# treated one by one, because far away the coordinates lose digits.
NUMBERS_MOVED_APART = 4000
METHODS = ("linear", "gaussian")


def nms(boxes: tp.Tensor, scores: tp.Tensor, iou_threshold: float) -> tp.Tensor:
    """Indices of the boxes that no better box overlaps too much.

    Goes from the highest score to the lowest and drops each box whose IoU with a kept one is
    above the threshold. Of equal scores, the first in the input is the better.

    Args:
        boxes: (n, 4), xyxy in pixels.
        scores: (n,).
        iou_threshold: from 0 to 1.

    Returns:
        (k,) int64, highest score first.

    Raises:
        ShapeError: the shapes do not fit.

    Example:
        >>> boxes = tp.tensor([[0.0, 0, 10, 10], [1.0, 0, 11, 10], [20.0, 0, 30, 10]])
        >>> nms(boxes, tp.tensor([0.8, 0.9, 0.5]), 0.5)
        tensor([1, 2])
    """
    _check("nms", boxes, scores, 4)
    if boxes.device.type != "cpu":
        best = tp.argsort(scores.detach(), descending=True, stable=True).to(boxes.device)
        wide = boxes.detach() if boxes.dtype in (tp.float32, tp.float64) else boxes.detach().float()
        found = by_device("nms", wide[best], iou_threshold)
        if found is not None:
            return best[found]
    order = _best_first(scores)
    corners = _floats(boxes)[order]
    return _indices(order[_greedy(corners, iou_threshold)], boxes)


def batched_nms(
    boxes: tp.Tensor, scores: tp.Tensor, idxs: tp.Tensor, iou_threshold: float
) -> tp.Tensor:
    """`nms` within each class.

    Args:
        boxes: (n, 4), xyxy in pixels.
        scores: (n,).
        idxs: (n,) class of each box.
        iou_threshold: from 0 to 1.

    Returns:
        (k,) int64, highest score first.

    Raises:
        ShapeError: the shapes do not fit.
    """
    _check("batched_nms", boxes, scores, 4)
    if tuple(idxs.shape) != tuple(scores.shape):
        raise ShapeError(
            f"batched_nms: idxs has a class for each box, {tuple(scores.shape)}, got "
            f"{tuple(idxs.shape)}"
        )
    if boxes.numel() == 0:
        return tp.zeros((0,), dtype=tp.int64, device=boxes.device)
    if boxes.numel() <= NUMBERS_MOVED_APART:
        apart = idxs.to(boxes.dtype) * (boxes.max() + 1)
        return nms(boxes + apart[:, None], scores, iou_threshold)
    order = _best_first(scores)
    corners, classes = _floats(boxes)[order], _array(idxs)[order]
    kept = np.zeros(len(order), dtype=bool)
    for which in np.unique(classes):
        members = np.flatnonzero(classes == which)
        kept[members[_greedy(corners[members], iou_threshold)]] = True
    return _indices(order[kept], boxes)


def rotated_nms(
    boxes: tp.Tensor, scores: tp.Tensor, iou_threshold: float, fmt: str = "cxcywhr"
) -> tp.Tensor:
    """`nms` for rotated boxes.

    Args:
        boxes: (n, 5) or (n, 8), in pixels and degrees.
        scores: (n,).
        iou_threshold: from 0 to 1.
        fmt: "cxcywhr", "xywhr" or "xyxyxyxy".

    Returns:
        (k,) int64, highest score first.

    Raises:
        DomainError: there is no such format.
        ShapeError: the shapes do not fit.

    Example:
        >>> boxes = tp.tensor([[5.0, 5, 10, 10, 0], [5.0, 5, 10, 10, 45], [50.0, 5, 10, 10, 0]])
        >>> rotated_nms(boxes, tp.tensor([0.8, 0.9, 0.5]), 0.5)
        tensor([1, 2])
    """
    if fmt not in ROTATED:
        raise DomainError(f"rotated_nms: fmt is one of {ROTATED}, got {fmt!r}")
    _check("rotated_nms", boxes, scores, NUMBERS[fmt])
    order = _best_first(scores)
    sorted_boxes = tp.from_numpy(_floats(boxes)[order])
    corners = box_convert(sorted_boxes, fmt, "xyxyxyxy")
    kept = np.ones(len(order), dtype=bool)
    for i in range(len(order)):
        rest = i + 1 + np.flatnonzero(kept[i + 1 :])
        if kept[i] and rest.size:
            overlap = rotated_iou(corners[i : i + 1], corners[tp.from_numpy(rest)])[0]
            kept[rest[_array(overlap) > iou_threshold]] = False
    return _indices(order[kept], boxes)


def soft_nms(
    boxes: tp.Tensor,
    scores: tp.Tensor,
    iou_threshold: float = 0.3,
    *,
    method: str = "gaussian",
    sigma: float = 0.5,
    min_score: float = 1e-3,
) -> tuple[tp.Tensor, tp.Tensor]:
    """Lower the scores of boxes that better ones overlap, in place of dropping them.

    Args:
        boxes: (n, 4), xyxy in pixels.
        scores: (n,), from 0 to 1.
        iou_threshold: "linear" leaves scores alone up to here.
        method: "gaussian" multiplies a score by exp(-iou ** 2 / sigma), "linear" by 1 - iou.
        sigma: of "gaussian"; a larger one lowers less.
        min_score: boxes whose score falls below are dropped.

    Returns:
        Indices (k,) int64 in the order they were chosen, and their new scores (k,), descending.

    Raises:
        DomainError: there is no such method.
        ShapeError: the shapes do not fit.

    Example:
        >>> boxes = tp.tensor([[0.0, 0, 10, 10], [0.0, 0, 10, 8], [20.0, 0, 30, 10]])
        >>> soft_nms(boxes, tp.tensor([0.9, 0.8, 0.5]), method="linear")
        (tensor([0, 2, 1]), tensor([0.9 , 0.5 , 0.16]))

    Source: Bodla, Singh, Chellappa and Davis 2017, figure 2 and equations 2 and 3.
    """
    if method not in METHODS:
        raise DomainError(f"soft_nms: method is one of {METHODS}, got {method!r}")
    _check("soft_nms", boxes, scores, 4)
    corners, left = _floats(boxes), _array(scores).copy()
    areas, place = _areas(corners), np.arange(len(left))
    chosen, chosen_scores = [], []
    while left.size and left.max() >= min_score:
        best = int(left.argmax())
        chosen.append(place[best])
        chosen_scores.append(left[best])
        overlap = _iou(corners[best : best + 1], areas[best : best + 1], corners, areas)[0]
        if method == "gaussian":
            left = left * np.exp(-(overlap**2) / sigma)
        else:
            left = np.where(overlap > iou_threshold, left * (1 - overlap), left)
        stays = left >= min_score
        stays[best] = False
        corners, areas, left, place = (a[stays] for a in (corners, areas, left, place))
    new_scores = tp.from_numpy(np.array(chosen_scores, dtype=_array(scores).dtype))
    return _indices(np.array(chosen, dtype=np.int64), boxes), new_scores.to(scores.device)


def _check(name: str, boxes: tp.Tensor, scores: tp.Tensor, numbers: int) -> None:
    if boxes.ndim != 2 or boxes.shape[1] != numbers or tuple(scores.shape) != (boxes.shape[0],):
        raise ShapeError(
            f"{name}: wanted boxes (n, {numbers}) and scores (n,), got {tuple(boxes.shape)} and "
            f"{tuple(scores.shape)}"
        )


def _array(t: tp.Tensor) -> np.ndarray:
    return t.detach().cpu().numpy()


def _floats(boxes: tp.Tensor) -> np.ndarray:
    array = _array(boxes)
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float32)


def _best_first(scores: tp.Tensor) -> np.ndarray:
    return _array(tp.argsort(scores.detach(), descending=True, stable=True))


def _indices(kept: np.ndarray, boxes: tp.Tensor) -> tp.Tensor:
    return tp.from_numpy(np.ascontiguousarray(kept, dtype=np.int64)).to(boxes.device)


def _areas(corners: np.ndarray) -> np.ndarray:
    return (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])


def _iou(a: np.ndarray, area_a: np.ndarray, b: np.ndarray, area_b: np.ndarray) -> np.ndarray:
    """(n, 4), (n,), (m, 4), (m,) to (n, m); 0 / 0 is not a number."""
    width = np.minimum(a[:, None, 2], b[:, 2]) - np.maximum(a[:, None, 0], b[:, 0])
    height = np.minimum(a[:, None, 3], b[:, 3]) - np.maximum(a[:, None, 1], b[:, 1])
    inter = np.maximum(width, 0) * np.maximum(height, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return inter / (area_a[:, None] + area_b - inter)


@accelerated("nms")
def _greedy(corners: np.ndarray, threshold: float) -> np.ndarray:
    """Places of the kept ones among boxes (n, 4) in order of falling score."""
    limit = corners.dtype.type(threshold)
    if float(limit) > threshold:  # the comparison is with the exact number
        limit = np.nextafter(limit, corners.dtype.type(-np.inf))
    areas, place, kept = _areas(corners), np.arange(len(corners)), []
    while place.size:
        head, head_areas = corners[:BLOCK], areas[:BLOCK]
        good = _block_survivors(_iou(head, head_areas, head, head_areas) > limit)
        kept.append(place[:BLOCK][good])
        corners, areas, place = corners[BLOCK:], areas[BLOCK:], place[BLOCK:]
        if place.size:
            free = ~(_iou(head[good], head_areas[good], corners, areas) > limit).any(0)
            corners, areas, place = corners[free], areas[free], place[free]
    return np.concatenate(kept) if kept else np.zeros(0, dtype=np.int64)


def _block_survivors(overlaps: np.ndarray) -> np.ndarray:
    """Places that no earlier survivor overlaps; each row of (n, n) is a number of n bits."""
    rows = [
        int.from_bytes(row.tobytes(), "little")
        for row in np.packbits(overlaps, axis=1, bitorder="little")
    ]
    dropped, good = 0, []
    for i, row in enumerate(rows):
        if not dropped >> i & 1:
            good.append(i)
            dropped |= row
    return np.array(good, dtype=np.int64)

"""Non-maximum suppression against its definition."""

import numpy as np
import pytest

import triptych as tp
from triptych_vision.ops import batched_nms, box_iou, nms, rotated_nms, soft_nms
from triptych_vision.ops.suppression import BLOCK, NUMBERS_MOVED_APART


def draw(count: int, size: float = 100.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    corner = rng.random((count, 2)) * size
    boxes = np.concatenate((corner, corner + rng.random((count, 2)) * 30 + 1), 1)
    return boxes.astype(np.float32), rng.random(count).astype(np.float32)


def naive(boxes: np.ndarray, scores: np.ndarray, threshold: float) -> list[int]:
    overlaps = box_iou(tp.tensor(boxes), tp.tensor(boxes)).numpy()
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable"):
        if all(overlaps[i, k] <= threshold for k in kept):
            kept.append(int(i))
    return kept


@pytest.mark.parametrize("count", [0, 1, 7, BLOCK, 3 * BLOCK + 5])
@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.9])
def test_nms_keeps_what_nothing_better_overlaps(count: int, threshold: float) -> None:
    boxes, scores = draw(count)
    kept = nms(tp.tensor(boxes), tp.tensor(scores), threshold)
    assert kept.dtype == tp.int64
    assert kept.tolist() == naive(boxes, scores, threshold)


def test_the_threshold_itself_is_not_too_much() -> None:
    boxes = tp.tensor([[0.0, 0.0, 2.0, 1.0], [0.0, 0.0, 1.0, 1.0]])  # IoU is exactly 1 / 2
    scores = tp.tensor([0.9, 0.8])
    assert nms(boxes, scores, 0.5).tolist() == [0, 1]
    assert nms(boxes, scores, 0.4999).tolist() == [0]
    # 0.3 is a little less than its float32, which the IoU of these is.
    boxes = tp.tensor([[0.0, 0.0, 10.0, 1.0], [0.0, 0.0, 3.0, 1.0]])
    assert nms(boxes, scores, 0.3).tolist() == [0]


def test_equal_scores_and_empty_boxes() -> None:
    boxes = tp.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 2.0], [1.0, 1.0, 1.0, 1.0]])
    assert nms(boxes, tp.tensor([0.5, 0.5, 0.5]), 0.5).tolist() == [0, 2]
    assert nms(boxes[2:], tp.tensor([0.5]), 0.5).tolist() == [0]


@pytest.mark.parametrize("count", [40, NUMBERS_MOVED_APART // 4 + 50])
def test_batched_nms_is_nms_in_each_class(count: int) -> None:
    boxes, scores = draw(count)
    classes = np.random.default_rng(1).integers(0, 3, count)
    wanted: list[int] = []
    for which in range(3):
        members = np.flatnonzero(classes == which)
        wanted += members[naive(boxes[members], scores[members], 0.4)].tolist()
    got = batched_nms(tp.tensor(boxes), tp.tensor(scores), tp.tensor(classes), 0.4)
    assert got.tolist() == sorted(wanted, key=lambda i: -scores[i])


def test_no_boxes() -> None:
    empty = tp.zeros(0, 4), tp.zeros(0)
    assert batched_nms(*empty, tp.zeros(0, dtype=tp.int64), 0.5).tolist() == []
    assert soft_nms(*empty)[0].tolist() == []
    assert rotated_nms(tp.zeros(0, 5), tp.zeros(0), 0.5).tolist() == []


def test_rotated_nms() -> None:
    rows = [[0.0, 0, 10, 4, 0], [0.0, 0, 10, 4, 90], [0.0, 0, 10, 4, 3], [0.0, 0, 10, 4, 93]]
    kept = rotated_nms(tp.tensor(rows), tp.tensor([0.6, 0.7, 0.8, 0.5]), 0.5)
    assert kept.tolist() == [2, 1]
    with pytest.raises(ValueError, match="rotated_nms: fmt is one of"):
        rotated_nms(tp.tensor(rows), tp.zeros(4), 0.5, "xyxy")


def naive_soft(
    boxes: np.ndarray, scores: np.ndarray, method: str, sigma: float, threshold: float
) -> tuple[list[int], list[float]]:
    overlaps = box_iou(tp.tensor(boxes), tp.tensor(boxes)).numpy()
    left, order, found = dict(enumerate(scores.tolist())), [], []
    while left:
        best = max(left, key=lambda i: left[i])
        order.append(best)
        found.append(left.pop(best))
        for i in left:
            iou = overlaps[best, i]
            factor = np.exp(-(iou**2) / sigma)
            if method == "linear":
                factor = 1 - iou if iou > threshold else 1.0
            left[i] *= factor
        left = {i: score for i, score in left.items() if score >= 1e-3}
    return order, found


@pytest.mark.parametrize("method", ["linear", "gaussian"])
def test_soft_nms(method: str) -> None:
    boxes, scores = draw(60, size=40.0)
    order, found = naive_soft(boxes, scores, method, 0.4, 0.3)
    got, got_scores = soft_nms(tp.tensor(boxes), tp.tensor(scores), method=method, sigma=0.4)
    assert got.tolist() == order
    np.testing.assert_allclose(got_scores.numpy(), found, rtol=1e-4)
    with pytest.raises(ValueError, match="soft_nms: method is one of"):
        soft_nms(tp.tensor(boxes), tp.tensor(scores), method="cubic")


@pytest.mark.parametrize("shape", [(3, 5), (3,), (2, 4)])
def test_wrong_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"nms: wanted boxes \(n, 4\) and scores \(n,\)"):
        nms(tp.zeros(*shape), tp.zeros(3), 0.5)
    with pytest.raises(ValueError, match="idxs has a class for each box"):
        batched_nms(tp.zeros(3, 4), tp.zeros(3), tp.zeros(2), 0.5)

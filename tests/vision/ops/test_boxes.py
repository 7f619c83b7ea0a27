"""Areas, overlaps, and boxes in images."""

import math
from collections.abc import Callable

import numpy as np
import pytest

import triptych as tp
from triptych.autograd import gradcheck
from triptych_vision import ops
from triptych_vision.ops import boxes as box_ops

Overlap = Callable[..., tp.Tensor]


def draw(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    corner = rng.random((count, 2)) * 20
    return np.concatenate((corner, corner + rng.random((count, 2)) * 15 + 1), 1)


def pair_numbers(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
    """The four overlaps of two boxes, step by step."""
    width = max(min(a[2], b[2]) - max(a[0], b[0]), 0)
    height = max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    area_a = (a[2] - a[0]) * (a[3] - a[1])
    area_b = (b[2] - b[0]) * (b[3] - b[1])
    union = area_a + area_b - width * height
    iou = width * height / union
    across, down = max(a[2], b[2]) - min(a[0], b[0]), max(a[3], b[3]) - min(a[1], b[1])
    frame = across * down
    apart = ((a[0] + a[2] - b[0] - b[2]) / 2) ** 2 + ((a[1] + a[3] - b[1] - b[3]) / 2) ** 2
    diou = iou - apart / (across**2 + down**2)
    unlike = (
        4
        / math.pi**2
        * (math.atan((a[2] - a[0]) / (a[3] - a[1])) - math.atan((b[2] - b[0]) / (b[3] - b[1]))) ** 2
    )
    return {
        "box_iou": iou,
        "generalized_box_iou": iou - (frame - union) / frame,
        "distance_box_iou": diou,
        "complete_box_iou": diou - unlike**2 / (1 - iou + unlike),
    }


@pytest.mark.parametrize(
    "name", ["box_iou", "generalized_box_iou", "distance_box_iou", "complete_box_iou"]
)
def test_overlaps_are_those_of_each_pair(name: str) -> None:
    one, two = draw(4), draw(5, 1)
    wanted = [[pair_numbers(a, b)[name] for b in two] for a in one]
    overlap: Overlap = getattr(ops, name)
    np.testing.assert_allclose(overlap(tp.tensor(one), tp.tensor(two)).numpy(), wanted, atol=1e-6)
    batched = overlap(tp.tensor(one)[None].expand(3, -1, -1), tp.tensor(two))
    np.testing.assert_allclose(batched[2].numpy(), wanted, atol=1e-6)


@pytest.mark.parametrize("name", ["box_iou", "generalized_box_iou", "distance_box_iou"])
def test_gradients(name: str) -> None:
    one, two = (tp.tensor(draw(3, seed), requires_grad=True) for seed in (0, 1))
    assert gradcheck(getattr(ops, name), (one, two))


@pytest.mark.parametrize("fmt", ["xywh", "cxcywh"])
def test_formats(fmt: str) -> None:
    one, two = tp.tensor(draw(4)), tp.tensor(draw(5, 1))
    other = [ops.box_convert(b, "xyxy", fmt) for b in (one, two)]
    np.testing.assert_allclose(
        ops.box_iou(*other, fmt=fmt).numpy(), ops.box_iou(one, two).numpy(), atol=1e-9
    )
    np.testing.assert_allclose(ops.box_area(other[0], fmt).numpy(), ops.box_area(one).numpy())
    with pytest.raises(ValueError, match="box_iou: fmt is one of"):
        ops.box_iou(one, two, "yxyx")


def test_small_numbers_do_not_overflow() -> None:
    box = tp.tensor([[0, 0, 200, 200]], dtype=tp.uint8)
    assert ops.box_area(box).tolist() == [40000]
    assert ops.box_iou(box, box).tolist() == [[1.0]]
    half = tp.tensor([[0.0, 0.0, 500.0, 500.0]], dtype=tp.float16)
    assert ops.box_area(half).tolist() == [250000.0]


def test_clip_and_small() -> None:
    boxes = tp.tensor([[-5.0, 2.0, 30.0, 30.0], [3.0, 3.0, 4.0, 9.0], [1.0, 1.0, 8.0, 8.0]])
    clipped = ops.clip_boxes_to_image(boxes, (20, 10))
    assert clipped.tolist() == [[0, 2, 10, 20], [3, 3, 4, 9], [1, 1, 8, 8]]
    assert ops.remove_small_boxes(clipped, 2).tolist() == [0, 2]


def test_masks_to_boxes() -> None:
    masks = np.zeros((3, 6, 9), dtype=np.uint8)
    masks[0, 2:4, 1:8] = 1
    masks[1, 5, 8] = 7
    assert ops.masks_to_boxes(tp.tensor(masks)).tolist() == [
        [1, 2, 7, 3],
        [8, 5, 8, 5],
        [0, 0, 0, 0],
    ]
    assert ops.masks_to_boxes(tp.zeros(0, 4, 4)).shape == (0, 4)
    with pytest.raises(ValueError, match=r"masks are \(n, h, w\)"):
        ops.masks_to_boxes(tp.zeros(4, 4))


def test_mask_iou() -> None:
    one = np.random.default_rng(0).random((3, 5, 7)) > 0.5
    two = np.random.default_rng(1).random((2, 5, 7)) > 0.3
    wanted = [[(a & b).sum() / (a | b).sum() for b in two] for a in one]
    np.testing.assert_allclose(
        ops.mask_iou(tp.tensor(one), tp.tensor(two)).numpy(), wanted, rtol=1e-6
    )
    assert ops.mask_iou(tp.zeros(1, 2, 2), tp.zeros(1, 2, 2)).tolist() == [[0.0]]


def test_module_has_torchvisions_names() -> None:
    assert set(box_ops.__all__) <= set(dir(ops))

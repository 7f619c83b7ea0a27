"""Ways to write boxes down."""

import itertools

import numpy as np
import pytest

import triptych as tp
from triptych_vision.ops import box_convert
from triptych_vision.ops.box_formats import NUMBERS, ROTATED, UPRIGHT

PAIRS = [pair for family in (UPRIGHT, ROTATED) for pair in itertools.product(family, family)]


def boxes_in(fmt: str, dtype: tp.dtype = tp.float64) -> tp.Tensor:
    """The same five boxes in any format."""
    draw = np.random.default_rng(0).random((5, 5)) * [50, 50, 20, 20, 340] + [0, 0, 5, 5, -170]
    if fmt in UPRIGHT:
        return box_convert(tp.tensor(draw[:, :4], dtype=dtype), "xywh", fmt)
    return box_convert(tp.tensor(draw, dtype=dtype), "cxcywhr", fmt)


@pytest.mark.parametrize(("start", "end"), PAIRS)
def test_there_and_back(start: str, end: str) -> None:
    boxes = boxes_in(start)
    there = box_convert(boxes, start, end)
    assert there.shape == (5, NUMBERS[end])
    np.testing.assert_allclose(box_convert(there, end, start).numpy(), boxes.numpy(), atol=1e-9)


def test_upright_formats_by_hand() -> None:
    box = tp.tensor([10.0, 20.0, 30.0, 60.0])
    assert box_convert(box, "xyxy", "xywh").tolist() == [10, 20, 20, 40]
    assert box_convert(box, "xyxy", "cxcywh").tolist() == [20, 40, 20, 40]


def test_corners_of_a_turned_box() -> None:
    # A quarter turn counter-clockwise as one sees it: the top edge becomes the left one.
    corners = box_convert(tp.tensor([5.0, 5.0, 4.0, 2.0, 90.0]), "cxcywhr", "xyxyxyxy")
    np.testing.assert_allclose(corners.numpy(), [4, 7, 4, 3, 6, 3, 6, 7], atol=1e-6)


def test_a_turn_keeps_centre_and_sides() -> None:
    boxes = boxes_in("cxcywhr")
    corners = box_convert(boxes, "cxcywhr", "xyxyxyxy").unflatten(-1, (4, 2))
    np.testing.assert_allclose(corners.mean(1).numpy(), boxes[:, :2].numpy())
    sides = (corners.roll(-1, 1) - corners).norm(dim=-1)
    np.testing.assert_allclose(sides[:, :2].numpy(), boxes[:, 2:4].numpy())


def test_integers_stay_integers() -> None:
    out = box_convert(tp.tensor([[10, 10, 5, 3, 30]]), "xywhr", "xyxyxyxy")
    assert out.dtype == tp.int64
    exact = box_convert(tp.tensor([[10.0, 10, 5, 3, 30]]), "xywhr", "xyxyxyxy")
    np.testing.assert_array_equal(out.numpy(), exact.round().numpy())


def test_the_same_format_is_a_copy() -> None:
    boxes = boxes_in("xyxy")
    copy = box_convert(boxes, "xyxy", "xyxy")
    copy[0] = 0
    assert boxes[0].abs().sum() > 0


@pytest.mark.parametrize(("start", "end"), [("xyxy", "xywhr"), ("xyxy", "what"), ("", "xyxy")])
def test_no_way(start: str, end: str) -> None:
    with pytest.raises(ValueError, match="box_convert: in_fmt and out_fmt"):
        box_convert(tp.zeros(2, 4), start, end)


def test_wrong_numbers() -> None:
    with pytest.raises(ValueError, match=r"xywhr boxes have shape \(..., 5\), got \(2, 4\)"):
        box_convert(tp.zeros(2, 4), "xywhr", "cxcywhr")

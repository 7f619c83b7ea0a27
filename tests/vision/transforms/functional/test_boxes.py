"""Formats convert into each other; clamping and sanitizing do what they say."""

import itertools

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DTypeError
from triptych_vision import tv_tensors
from triptych_vision.transforms import functional as F
from triptych_vision.tv_tensors import BoundingBoxFormat

UPRIGHT, ROTATED = (
    [f.name for f in BoundingBoxFormat if f.rotated is rotated] for rotated in (False, True)
)
PLAIN = tp.tensor([[1.0, 2.0, 7.0, 5.0], [0.0, 3.0, 4.0, 9.0]])
TILTED = tp.tensor([[20.0, 15.0, 8.0, 4.0, 30.0], [12.0, 9.0, 3.0, 7.0, -70.0]])


@pytest.mark.parametrize(
    ("old", "new"), [*itertools.product(UPRIGHT, UPRIGHT), *itertools.product(ROTATED, ROTATED)]
)
def test_there_and_back(old: str, new: str) -> None:
    first = "CXCYWHR" if old in ROTATED else "XYXY"
    start = F.convert_bounding_box_format(TILTED if old in ROTATED else PLAIN, first, old)
    boxes = tv_tensors.BoundingBoxes(start, format=old, canvas_size=(30, 40))
    there = F.convert_bounding_box_format(boxes, new_format=new)
    assert there.format.name == new
    back = F.convert_bounding_box_format(there, new_format=old)
    np.testing.assert_allclose(back.numpy(), boxes.numpy(), atol=1e-4)


def test_integers_are_rounded_down() -> None:
    boxes = tp.tensor([[1, 2, 4, 8]])
    assert F.convert_bounding_box_format(boxes, "XYXY", "CXCYWH").tolist() == [[2, 5, 3, 6]]
    odd = tp.tensor([[5, 5, 3, 3]])
    assert F.convert_bounding_box_format(odd, "CXCYWH", "XYXY").tolist() == [[3, 3, 6, 6]]


def test_in_place_writes_to_the_argument() -> None:
    boxes = PLAIN.clone()
    F.convert_bounding_box_format(boxes, "XYXY", "XYWH", inplace=True)
    assert boxes.tolist() == [[1, 2, 6, 3], [0, 3, 4, 6]]


def test_arguments_of_plain_tensors_and_boxes() -> None:
    boxes = tv_tensors.BoundingBoxes(PLAIN, format="XYXY", canvas_size=(30, 40))
    with pytest.raises(ValueError, match="a plain tensor needs old_format="):
        F.convert_bounding_box_format(PLAIN, new_format="XYWH")
    with pytest.raises(ValueError, match="BoundingBoxes say their format"):
        F.convert_bounding_box_format(boxes, "XYXY", "XYWH")
    with pytest.raises(ValueError, match="new_format is missing"):
        F.convert_bounding_box_format(boxes)
    with pytest.raises(ValueError, match="one is rotated"):
        F.convert_bounding_box_format(boxes, new_format="XYWHR")
    with pytest.raises(DTypeError, match="has no kernel for Mask"):
        F.clamp_bounding_boxes(tv_tensors.Mask([[1]]))
    with pytest.raises(ValueError, match="a plain tensor needs clamping_mode="):
        F.clamp_bounding_boxes(PLAIN, "XYXY", (3, 3))


@pytest.mark.parametrize("name", UPRIGHT)
def test_upright_boxes_are_cut_to_the_canvas(name: str) -> None:
    boxes = tp.tensor([[-5.0, 3.0, 4.0, 50.0], [1.0, 1.0, 2.0, 2.0], [90.0, 1.0, 95.0, 2.0]])
    given = tv_tensors.BoundingBoxes(
        F.convert_bounding_box_format(boxes, "XYXY", name), format=name, canvas_size=(30, 40)
    )
    out = F.convert_bounding_box_format(F.clamp_bounding_boxes(given), new_format="XYXY")
    assert out.tolist() == [[0, 3, 4, 30], [1, 1, 2, 2], [40, 1, 40, 2]]
    assert F.clamp_bounding_boxes(given, clamping_mode=None).tolist() == given.tolist()


def test_boxes_that_are_no_boxes_go() -> None:
    boxes = [[0, 0, 9, 9], [3, 3, 3, 8], [5, 5, 8, 11], [-1, 0, 5, 5], [1, 1, 2, 2]]
    given = tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=(10, 10))
    out, valid = F.sanitize_bounding_boxes(given)
    assert valid.tolist() == [True, False, False, False, True]
    assert out.tolist() == [boxes[0], boxes[4]]
    assert type(out) is tv_tensors.BoundingBoxes
    assert F.sanitize_bounding_boxes(given, min_size=2)[1].tolist() == [True] + [False] * 4
    assert F.sanitize_bounding_boxes(given, min_area=82)[1].sum().item() == 0
    tilted = tv_tensors.BoundingBoxes(TILTED, format="CXCYWHR", canvas_size=(18, 40))
    assert F.sanitize_bounding_boxes(tilted)[1].tolist() == [False, True]  # one reaches y = 18.7
    assert F.sanitize_bounding_boxes(tilted, min_size=4)[1].tolist() == [False, False]

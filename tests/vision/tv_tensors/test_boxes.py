"""Boxes know their format and canvas, and refuse what is none."""

import pytest

import triptych as tp
from triptych.errors import DTypeError, ShapeError, UnknownNameError
from triptych_vision.tv_tensors import (
    BoundingBoxes,
    BoundingBoxFormat,
    is_rotated_bounding_format,
)
from triptych_vision.tv_tensors.boxes import bounding_box_format


@pytest.mark.parametrize(
    ("name", "length", "rotated"),
    [
        ("XYXY", 4, False),
        ("XYWH", 4, False),
        ("CXCYWH", 4, False),
        ("XYWHR", 5, True),
        ("CXCYWHR", 5, True),
        ("XYXYXYXY", 8, True),
    ],
)
def test_formats(name: str, length: int, rotated: bool) -> None:
    boxes = BoundingBoxes(tp.ones(length), format=name.lower(), canvas_size=(4, 5))
    assert boxes.shape == (1, length)
    assert boxes.format is BoundingBoxFormat[name]
    assert boxes.format.length == length
    assert is_rotated_bounding_format(name) is boxes.format.rotated is rotated
    with pytest.raises(ShapeError, match=f"{name} has {length} numbers per box"):
        BoundingBoxes(tp.ones(2, length + 1), format=name, canvas_size=(4, 5))


def test_what_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"wanted \(n, numbers\)"):
        BoundingBoxes(tp.ones(1, 2, 4), format="XYXY", canvas_size=(4, 5))
    with pytest.raises(DTypeError, match=r"rotated boxes .XYWHR. are floats, got"):
        BoundingBoxes([[1, 2, 3, 4, 5]], format="XYWHR", canvas_size=(4, 5))
    with pytest.raises(UnknownNameError, match=r"clamping_mode: .* got 'firm'"):
        BoundingBoxes([[1, 2, 3, 4]], format="XYXY", canvas_size=(4, 5), clamping_mode="firm")
    for word in ("YXYX", 3):
        with pytest.raises(UnknownNameError, match="format: wanted one of XYXY"):
            bounding_box_format(word)  # type: ignore[arg-type]


def test_no_boxes_are_boxes_too() -> None:
    assert BoundingBoxes(tp.zeros(0, 4), format="XYXY", canvas_size=(4, 5)).shape == (0, 4)

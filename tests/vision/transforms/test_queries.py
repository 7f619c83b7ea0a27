"""Samples are asked for their size and parts."""

import pytest
from PIL import Image

import triptych as tp
from triptych.errors import DTypeError, ShapeError
from triptych_vision import transforms as T
from triptych_vision import tv_tensors

BOXES = tv_tensors.BoundingBoxes([[0, 0, 1, 1]], format="XYXY", canvas_size=(4, 5))
POINTS = tv_tensors.KeyPoints([[0, 0]], canvas_size=(4, 5))
PARTS = [
    Image.new("RGB", (5, 4)),
    tp.zeros(3, 4, 5),
    tv_tensors.Mask(tp.zeros(4, 5)),
    BOXES,
    POINTS,
]


def test_sizes() -> None:
    assert T.query_size(PARTS) == (4, 5)
    assert [T.query_size([part]) for part in PARTS] == [(4, 5)] * 5
    assert T.query_chw(PARTS) == (3, 4, 5)
    with pytest.raises(ShapeError, match=r"differ in size: \[\(4, 5\), \(6, 6\)\]"):
        T.query_size([*PARTS, tp.zeros(3, 6, 6)])
    with pytest.raises(DTypeError, match="query_chw: the sample has no image"):
        T.query_chw([BOXES])


def test_parts() -> None:
    assert T.get_bounding_boxes(PARTS) is BOXES
    assert T.get_keypoints(PARTS) is POINTS
    with pytest.raises(ValueError, match="the sample has no KeyPoints"):
        T.get_keypoints(PARTS[:3])
    assert T.has_any(PARTS, tv_tensors.Video, T.is_pure_tensor)
    assert not T.has_all(PARTS, tv_tensors.Video, T.is_pure_tensor)
    assert T.check_type(3, (str, lambda x: x == 3))

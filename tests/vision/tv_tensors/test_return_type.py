"""Operations give kinds when asked to, for as long as asked."""

import pytest

import triptych as tp
from triptych.errors import UnknownNameError
from triptych_vision import tv_tensors
from triptych_vision.tv_tensors.return_type import returns_kind, set_return_type


def test_inside_a_with_block() -> None:
    boxes = tv_tensors.BoundingBoxes([[1.0, 2, 3, 4]], format="XYXY", canvas_size=(8, 9))
    with set_return_type("TVTensor"):
        for out in (boxes + 1, 1 - boxes, boxes.unbind(0)[0], boxes.max(0).values, boxes.mul_(1)):
            assert type(out) is tv_tensors.BoundingBoxes
            assert out.canvas_size == (8, 9)
        with set_return_type("tensor"):
            assert type(boxes + 1) is tp.Tensor
        assert returns_kind()
    assert type(boxes + 1) is tp.Tensor


def test_for_good_and_back() -> None:
    set_return_type("tvtensor")
    try:
        assert type(tv_tensors.Mask([[1]]) * 2) is tv_tensors.Mask
    finally:
        set_return_type("Tensor")
    assert type(tv_tensors.Mask([[1]]) * 2) is tp.Tensor


def test_other_words_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="wanted 'Tensor' or 'TVTensor', got 'Image'"):
        set_return_type("Image")
    assert not returns_kind()

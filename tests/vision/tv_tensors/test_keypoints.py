"""Points are pairs."""

import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_vision.tv_tensors import KeyPoints


def test_shapes() -> None:
    assert KeyPoints([1, 2], canvas_size=(4, 5)).shape == (1, 2)
    points = KeyPoints(tp.zeros(3, 7, 2), canvas_size=[4, 5])
    assert (points.shape, points.canvas_size) == ((3, 7, 2), (4, 5))
    with pytest.raises(ShapeError, match=r"KeyPoints: wanted \(\.\.\., 2\), got \(4, 3\)"):
        KeyPoints(tp.zeros(4, 3), canvas_size=(4, 5))

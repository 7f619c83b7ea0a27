"""Sizes of images."""

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych.errors import ShapeError
from triptych_vision.transforms import functional as F


@pytest.mark.parametrize(
    ("image", "dimensions"),
    [
        (Image.new("RGB", (5, 4)), [3, 4, 5]),
        (Image.new("L", (5, 4)), [1, 4, 5]),
        (np.zeros((4, 5, 3)), [3, 4, 5]),
        (np.zeros((4, 5)), [1, 4, 5]),
        (tp.zeros(2, 3, 4, 5), [3, 4, 5]),
        (tp.zeros(4, 5), [1, 4, 5]),
    ],
)
def test_dimensions(image: object, dimensions: list[int]) -> None:
    assert F.get_dimensions(image) == dimensions
    assert F.get_size(image) == dimensions[1:]
    assert F.get_num_channels(image) == F.get_image_num_channels(image) == dimensions[0]


def test_vector_is_no_image() -> None:
    with pytest.raises(ShapeError, match=r"\(c, h, w\)"):
        F.get_dimensions(tp.zeros(3))

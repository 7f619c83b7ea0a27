"""Random sizes stay in their ranges, for all parts of a sample."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import BoundsError
from triptych_vision import transforms as T
from triptych_vision import tv_tensors
from triptych_vision.transforms import functional as F


def sample() -> tuple[tv_tensors.Image, tv_tensors.BoundingBoxes]:
    boxes = tv_tensors.BoundingBoxes([[0.0, 0, 30, 20]], format="XYXY", canvas_size=(20, 30))
    return tv_tensors.Image(tp.ones(1, 20, 30)), boxes


@pytest.mark.parametrize(
    ("transform", "fits"),
    [
        (T.RandomResize(5, 9), lambda h, w: 5 <= h < 9 and w == int(h * 1.5)),
        (T.RandomShortestSize([7, 14]), lambda h, w: (h, w) in ((7, 10), (14, 21))),
        (T.RandomShortestSize(40, max_size=30), lambda h, w: (h, w) == (20, 30)),
        (T.ScaleJitter((60, 60), (0.5, 1)), lambda h, w: 30 <= w <= 60 and abs(w / h - 1.5) < 0.1),
    ],
)
def test_ranges(transform: T.Transform, fits: object) -> None:
    tp.manual_seed(0)
    for _ in range(20):
        image, boxes = transform(*sample())
        height, width = image.shape[-2:]
        assert fits(height, width)  # type: ignore[operator]
        assert boxes.canvas_size == (height, width)
        assert boxes.tolist() == [[0, 0, width, height]]


def test_zooming_out_keeps_the_image_somewhere() -> None:
    tp.manual_seed(0)
    places = set()
    for _ in range(20):
        image, boxes = T.RandomZoomOut(p=1, side_range=(1, 3))(*sample())
        left, top, right, bottom = (int(n) for n in boxes[0].tolist())
        assert (image[0, top:bottom, left:right] == 1).all().item()
        assert image.sum().item() == 600
        height, width = F.get_size(image)
        assert height <= 60
        assert abs(width / height - 1.5) < 0.1
        places.add((left, top, height))
    assert len(places) > 15
    kept = T.RandomZoomOut(p=0)(*sample())[0]
    assert np.array_equal(kept.numpy(), np.ones((1, 20, 30)))


def test_what_is_refused() -> None:
    with pytest.raises(BoundsError, match="side_range is"):
        T.RandomZoomOut(side_range=(0.5, 2))
    with pytest.raises(BoundsError, match="0 < min_size < max_size, got 5 and 5"):
        T.RandomResize(5, 5)

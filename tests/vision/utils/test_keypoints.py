"""Points on images, compared with what Pillow draws."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

import triptych as tp
from triptych.errors import BoundsError, ShapeError
from triptych_vision.utils import draw_keypoints

BLANK = tp.zeros(3, 40, 40, dtype=tp.uint8)
POINTS = tp.tensor([[[5.7, 5.2], [30.0, 8.0], [20.0, 33.0]]])


def test_as_pillow_draws_them() -> None:
    got = draw_keypoints(BLANK, POINTS, [(0, 1), (1, 2)], colors="red", radius=3, width=2)
    picture = Image.new("RGB", (40, 40))
    pen = ImageDraw.Draw(picture)
    for x, y in ((5, 5), (30, 8), (20, 33)):
        pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill="red", width=0)
    pen.line((5, 5, 30, 8), width=2)
    pen.line((30, 8, 20, 33), width=2)
    assert np.array_equal(got.numpy(), np.asarray(picture).transpose(2, 0, 1))


@pytest.mark.parametrize("shape", [(1, 3), (1, 3, 1)])
def test_hidden_points_have_no_lines(shape: tuple[int, ...]) -> None:
    seen = tp.tensor([1, 0, 2]).reshape(shape)
    got = draw_keypoints(BLANK, POINTS, [(0, 1), (0, 2)], "red", visibility=seen)
    assert (got == draw_keypoints(BLANK, POINTS[:, ::2], [(0, 1)], "red")).all()


def test_a_color_for_each_thing_and_floats() -> None:
    two = tp.cat([POINTS, POINTS + 4])
    drawn = draw_keypoints(BLANK.to(tp.float32), two, colors=["red", "blue"], radius=1)
    assert drawn[:, 5, 5].tolist() == [1.0, 0.0, 0.0]
    assert drawn[:, 9, 9].tolist() == [0.0, 0.0, 1.0]


def test_without_colors_only_lines_are_drawn() -> None:
    assert not draw_keypoints(BLANK, POINTS).any()
    assert draw_keypoints(BLANK, POINTS, [(0, 1)]).any()


def test_what_does_not_fit() -> None:
    with pytest.raises(ShapeError, match=r"keypoints \(n, k, 2\)"):
        draw_keypoints(BLANK, POINTS[0])
    with pytest.raises(ShapeError, match=r"visibility \(1, 3\)"):
        draw_keypoints(BLANK, POINTS, visibility=tp.ones(2, 3))
    with pytest.raises(BoundsError, match="beyond the 3 points"):
        draw_keypoints(BLANK, POINTS, [(0, 3)])

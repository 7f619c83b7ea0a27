"""Boxes on images; rectangles are compared with arrays, text and fill with Pillow."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

import triptych as tp
from triptych.errors import DTypeError, ShapeError
from triptych_vision.utils import draw_bounding_boxes

BLANK = tp.zeros(3, 60, 60, dtype=tp.uint8)
BOX = tp.tensor([[5, 6, 50, 40]])


def test_box_is_drawn_on_its_outline_only() -> None:
    image = tp.zeros(3, 12, 12, dtype=tp.uint8)
    drawn = draw_bounding_boxes(image, tp.tensor([[2, 3, 8, 9]]), colors="red").numpy()
    want = np.zeros((3, 12, 12), np.uint8)
    want[0, 3, 2:9] = want[0, 9, 2:9] = want[0, 3:10, 2] = want[0, 3:10, 8] = 255
    assert np.array_equal(drawn, want)
    assert not image.any()  # a new tensor


def test_fill_text_and_ground_as_pillow_draws_them() -> None:
    got = draw_bounding_boxes(
        BLANK,
        BOX,
        labels=["cat"],
        colors="red",
        fill=True,
        width=2,
        font_size=14,
        label_colors="blue",
        label_background_colors="white",
        fill_labels=True,
    )
    picture = Image.new("RGB", (60, 60))
    pen = ImageDraw.Draw(picture, "RGBA")
    pen.rectangle((5, 6, 50, 40), outline="red", fill=(255, 0, 0, 100), width=2)
    font = ImageFont.load_default(14)
    left, top, right, bottom = pen.textbbox((8, 9), "cat", font=font)
    pen.rectangle((left - 1, top - 1, right + 1, bottom + 1), fill="white")
    pen.text((8, 9), "cat", fill="blue", font=font)
    assert np.array_equal(got.numpy(), np.asarray(picture).transpose(2, 0, 1))


def test_colors_of_labels() -> None:
    def colors(**options: object) -> set[tuple[int, ...]]:
        drawn = draw_bounding_boxes(BLANK, BOX, ["I"], "red", font_size=20, **options).numpy()
        return {tuple(c) for c in drawn[:, 9:35, 8:30].reshape(3, -1).T.tolist()}

    assert all(green == blue == 0 for _, green, blue in colors())  # shades of red on black
    assert (0, 255, 0) in colors(label_colors=(0, 255, 0))
    assert {(255, 0, 0), (0, 0, 0)} <= colors(fill_labels=True)  # black on the box's colour


def test_none_is_no_label_and_no_box_is_a_copy() -> None:
    plain = draw_bounding_boxes(BLANK, BOX, colors="red")
    assert (draw_bounding_boxes(BLANK, BOX, [None], "red") == plain).all()
    grey = tp.full((1, 4, 4), 7, dtype=tp.uint8)
    assert draw_bounding_boxes(grey, tp.zeros(0, 4)).tolist() == tp.full((3, 4, 4), 7).tolist()


def test_default_colors_are_torchvisions_palette() -> None:
    boxes = tp.tensor([[0, 0, 3, 3], [10, 10, 20, 20], [30, 30, 40, 40]])
    drawn = draw_bounding_boxes(tp.full((3, 60, 60), 9, dtype=tp.uint8), boxes)
    assert drawn[:, 0, 0].tolist() == [0, 0, 0]
    assert drawn[:, 10, 10].tolist() == [(2**25 - 1) % 255, (2**15 - 1) % 255, (2**21 - 1) % 255]


def test_floats_from_0_to_1() -> None:
    drawn = draw_bounding_boxes(tp.full((1, 60, 60), 0.5), BOX, colors="red")
    assert drawn.dtype is tp.float32
    assert drawn[:, 6, 20].tolist() == [1.0, 0.0, 0.0]
    assert abs(float(drawn[0, 0, 0]) - 0.5) < 1 / 255


def test_rotated_box_has_a_dashed_first_edge() -> None:
    corners = tp.tensor([[10, 5, 50, 5, 50, 30, 10, 30]])
    drawn = draw_bounding_boxes(BLANK, corners, colors="red")[0].numpy() > 0
    assert drawn[30, 10:51].all()
    assert drawn[5:31, 10].all()
    assert drawn[5:31, 50].all()
    top = drawn[5, 11:50]
    assert 0.4 < top.mean() < 0.75  # five pixels on, five off
    assert not drawn[10:26, 15:46].any()
    filled = draw_bounding_boxes(BLANK, corners, colors="red", fill=True)
    assert filled[:, 20, 30].tolist() == [100, 0, 0]


@pytest.mark.parametrize(
    ("boxes", "options", "text"),
    [
        ([[0, 0, 1]], {}, r"boxes \(n, 4\) or \(n, 8\)"),
        ([[5, 0, 1, 1]], {}, "left <= right"),
        ([[0, 0, 1, 1]], {"labels": ["a", "b"]}, "2 labels for 1 boxes"),
        ([[0, 0, 1, 1]] * 2, {"colors": ["red"]}, "1 colors for 2 objects"),
    ],
)
def test_drawing_refuses_what_does_not_fit(
    boxes: list[list[int]], options: dict[str, list[str]], text: str
) -> None:
    with pytest.raises(ShapeError, match=text):
        draw_bounding_boxes(tp.zeros(3, 8, 8), tp.tensor(boxes), **options)
    with pytest.raises(DTypeError, match="uint8 or floats"):
        draw_bounding_boxes(tp.zeros(3, 8, 8, dtype=tp.int64), tp.zeros(0, 4))

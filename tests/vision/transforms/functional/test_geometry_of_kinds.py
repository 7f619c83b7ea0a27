"""Masks, boxes and points follow the image: what lay under them does afterwards."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError, UnknownNameError
from triptych_vision import tv_tensors
from triptych_vision.transforms import functional as F
from triptych_vision.tv_tensors import BoundingBoxFormat

CANVAS = (40, 60)
CORNERS = [[0, 0], [59, 0], [59, 39], [0, 39]]
FIELD = tp.from_numpy(np.random.default_rng(0).uniform(-0.02, 0.02, (1, *CANVAS, 2)))
Operation = Callable[[Any], Any]
EXACT: dict[str, Operation] = {
    "horizontal_flip": F.horizontal_flip,
    "vertical_flip": F.vertical_flip,
    "pad": lambda x: F.pad(x, [3, 1, 4, 2]),
    "crop": lambda x: F.crop(x, 4, -5, 33, 50),
    "center_crop": lambda x: F.center_crop(x, [50, 41]),
    "rotate 90": lambda x: F.rotate(x, 90, expand=True),
    "translate": lambda x: F.affine(x, 0, [7, -3], 1.0, 0),
}
SMOOTH: dict[str, Operation] = {
    "resize": lambda x: F.resize(x, [80, 150]),
    "resized_crop": lambda x: F.resized_crop(x, 5, 6, 30, 40, [60, 70]),
    "affine": lambda x: F.affine(x, 25.0, [3, -2], 1.3, [8.0, -4.0]),
    "affine about": lambda x: F.affine(x, -40.0, [0, 0], 0.9, [0, 0], center=[20, 15]),
    "rotate": lambda x: F.rotate(x, 37.0),
    "rotate wide": lambda x: F.rotate(x, 37.0, expand=True),
    "perspective": lambda x: F.perspective(x, CORNERS, [[4, 3], [50, 6], [56, 36], [2, 33]]),
    "elastic": lambda x: F.elastic(x, FIELD),
}
ALL = {**EXACT, **SMOOTH}


def block(top: int, left: int, height: int, width: int) -> tp.Tensor:
    """(h, w) ones in a rectangle, zeros elsewhere."""
    mask = tp.zeros(CANVAS, dtype=tp.uint8)
    mask[top : top + height, left : left + width] = 1
    return mask


def hull(mask: tp.Tensor) -> list[int]:
    """left, top, right, bottom of what is not zero."""
    rows, columns = np.nonzero(mask.numpy())
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


@pytest.mark.parametrize("name", ALL)
def test_masks_go_with_images(name: str) -> None:
    mask = tv_tensors.Mask(block(12, 20, 9, 14))
    out = ALL[name](mask)
    assert type(out) is tv_tensors.Mask
    image = F.rotate(mask[None], 37.0) if name == "rotate" else None
    if image is not None:
        assert np.array_equal(out.numpy(), image[0].numpy())
    assert set(np.unique(out.numpy())) == {0, 1}
    several = ALL[name](tv_tensors.Mask(tp.stack([mask, mask])))
    assert np.array_equal(several[1].numpy(), out.numpy())


@pytest.mark.parametrize("name", ALL)
def test_boxes_stay_around_what_they_hold(name: str) -> None:
    mask = tv_tensors.Mask(block(12, 20, 9, 14))
    boxes = tv_tensors.BoundingBoxes([[20.0, 12, 34, 21]], format="XYXY", canvas_size=CANVAS)
    out = ALL[name](boxes)
    moved = ALL[name](mask)
    assert out.canvas_size == tuple(moved.shape) == tuple(F.get_size(out))
    away = np.abs(np.array(hull(moved)) - out.numpy()[0])
    assert away.max() <= (0.01 if name in EXACT else 3.0)


@pytest.mark.parametrize("name", ALL)
def test_points_stay_on_what_they_mark(name: str) -> None:
    points = tv_tensors.KeyPoints([[26.0, 16.0]], canvas_size=CANVAS)
    out = ALL[name](points)
    moved = ALL[name](tv_tensors.Mask(block(14, 24, 5, 5)))
    assert out.canvas_size == tuple(moved.shape)
    left, top, right, bottom = hull(moved)
    middle = (left + right - 1) / 2, (top + bottom - 1) / 2
    # a flip counts pixels, the rest counts edges
    assert np.abs(np.array(middle) - out.numpy()[0]).max() <= (1.0 if name in EXACT else 2.0)


@pytest.mark.parametrize("name", [n for n in ALL if n != "elastic"])
@pytest.mark.parametrize("mode", ["soft", "hard", None])
def test_formats_agree(name: str, mode: str | None) -> None:
    """Converting first or last is the same, for upright and for rotated boxes."""
    rng = np.random.default_rng(1)
    upright = np.concatenate([rng.uniform(15, 25, (6, 2)), rng.uniform(4, 9, (6, 2))], 1)
    tilted = np.concatenate([upright, rng.uniform(-80, 80, (6, 1))], 1)
    for numbers, start in ((upright, "CXCYWH"), (tilted, "CXCYWHR")):
        given = tv_tensors.BoundingBoxes(
            tp.from_numpy(numbers), format=start, canvas_size=CANVAS, clamping_mode=mode
        )
        want = ALL[name](given)
        for other in BoundingBoxFormat:
            if other.rotated is given.format.rotated:
                converted = F.convert_bounding_box_format(given, new_format=other)
                back = F.convert_bounding_box_format(ALL[name](converted), new_format=start)
                assert back.clamping_mode == mode
                close = np.isclose(back.numpy()[:, :4], want.numpy()[:, :4], atol=1e-6)
                swapped = np.isclose(back.numpy()[:, :4], want.numpy()[:, [0, 1, 3, 2]], atol=1e-6)
                assert (close.all(1) | swapped.all(1)).all()


def test_mirrors_undo_themselves() -> None:
    for flip in (F.horizontal_flip, F.vertical_flip):
        for width, format in ((4, "XYWH"), (5, "XYWHR"), (8, "XYXYXYXY")):
            numbers = tp.arange(2.0 * width).reshape(2, width)
            boxes = tv_tensors.BoundingBoxes(numbers, format=format, canvas_size=CANVAS)
            again = flip(flip(boxes)).numpy()
            np.testing.assert_allclose(again, boxes.numpy(), atol=1e-4)


@pytest.mark.parametrize("name", ALL)
def test_integers_stay_integers_and_none_stays_none(name: str) -> None:
    boxes = tv_tensors.BoundingBoxes([[20, 12, 34, 21]], format="XYXY", canvas_size=CANVAS)
    points = tv_tensors.KeyPoints([[20, 12]], canvas_size=CANVAS)
    assert ALL[name](boxes).dtype is tp.int64
    assert ALL[name](points).dtype is tp.int64
    empty = tv_tensors.wrap(boxes[:0], like=boxes)
    assert ALL[name](empty).shape == (0, 4)


def test_what_is_refused() -> None:
    boxes = tv_tensors.BoundingBoxes([[20, 12, 34, 21]], format="XYXY", canvas_size=CANVAS)
    points = tv_tensors.KeyPoints([[20, 12]], canvas_size=CANVAS)
    for kind in (boxes, points):
        with pytest.raises(UnknownNameError, match="copies content"):
            F.pad(kind, 3, padding_mode="reflect")
        with pytest.raises(ShapeError, match=r"\(1, 40, 60, 2\)"):
            F.elastic(kind, tp.zeros(1, 3, 3, 2))
    with pytest.raises(ShapeError, match="the fill of a mask is one value"):
        F.pad(tv_tensors.Mask([[1]]), 1, fill=[1, 2])


def test_masks_never_mix() -> None:
    mask = tv_tensors.Mask(tp.tensor([[0, 9], [5, 0]]))
    for mode in ("bilinear", "nearest", "nearest-exact"):
        out = F.resize(mask, [7, 7], interpolation=mode)
        assert set(np.unique(out.numpy())) == {0, 5, 9}


@pytest.mark.parametrize("canvas", [(5, 6), (4, 7), (5, 7), (4, 6)])
@pytest.mark.parametrize("angle", [0, 90, 180, 270, -90, 450])
def test_quarter_turns_are_exact(canvas: tuple[int, int], angle: int) -> None:
    image = F.rotate(tp.zeros(1, *canvas), angle, expand=True)
    boxes = tv_tensors.BoundingBoxes([[1.0, 0, 3, 4]], format="XYXY", canvas_size=canvas)
    points = tv_tensors.KeyPoints([[1.0, 0]], canvas_size=canvas)
    turned, moved = (F.rotate(x, angle, expand=True) for x in (boxes, points))
    assert turned.canvas_size == moved.canvas_size == tuple(image.shape[1:])
    assert all(value == round(value) for value in (turned[0].tolist() + moved[0].tolist()))
    width, height = (turned[0, 2:] - turned[0, :2]).tolist()
    assert (width, height) == ((2, 4) if angle % 180 == 0 else (4, 2))

"""Bending by grids and lenses, the symmetries of a square, sizes by one side."""

from typing import Any

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_vision import transforms as T
from triptych_vision import tv_tensors

SIZE = (48, 64)


def sample() -> dict[str, Any]:
    """An image with a bright rectangle, and its mask, box and corner points."""
    image = tp.zeros(1, *SIZE)
    image[:, 12:40, 10:50] = 1.0
    mask = tv_tensors.Mask((image[0] > 0).to(tp.uint8))
    boxes = tv_tensors.BoundingBoxes([[10.0, 12, 50, 40]], format="XYXY", canvas_size=SIZE)
    points = tv_tensors.KeyPoints([[10.0, 12], [49, 39]], canvas_size=SIZE)
    return {"image": image, "mask": mask, "boxes": boxes, "points": points}


@pytest.mark.parametrize(
    "bend",
    [
        T.GridDistortion(4, 0.5, p=1),
        T.OpticalDistortion((0.5, 0.5), p=1),
        T.OpticalDistortion((-0.5, -0.5), p=1),
        T.Transpose(p=1),
        T.D4(),
    ],
)
def test_boxes_masks_and_points_go_along(bend: Any) -> None:
    for _ in range(8):
        out = bend(sample())
        rows, columns = np.nonzero(out["mask"].numpy())
        around = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert np.abs(np.array(out["boxes"].tolist()[0]) - around).max() <= 1.01
        assert out["boxes"].canvas_size == tuple(out["image"].shape[-2:])
        same = (out["image"][0].numpy() > 0.5) == (out["mask"].numpy() > 0)
        assert same.mean() > 0.97
        # the corners may be a row and column off: at an edge a point has no middle of a pixel
        for x, y in out["points"].round().to(tp.int64).tolist():
            assert out["mask"][max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].any()


def test_a_grid_moves_rows_and_columns_apart_and_fills_the_image() -> None:
    ramp = tp.arange(64.0).expand(1, 48, 64)
    out = T.GridDistortion(4, 0.5, p=1)(ramp).numpy()[0]
    assert np.allclose(out, out[:1], atol=1e-4)
    assert (np.diff(out[0]) >= -1e-4).all()
    assert out[0, 0] <= 1
    assert out[0, -1] >= 62
    assert np.abs(out[0] - np.arange(64)).max() > 0.5


def test_lenses_keep_the_middle_and_their_sign_says_which_way() -> None:
    image = tp.zeros(1, 65, 65)
    image[0, 32, 32] = image[0, 32, 56] = 1.0
    barrel = T.OpticalDistortion((0.4, 0.4), p=1)(image)[0, 32].numpy()
    cushion = T.OpticalDistortion((-0.4, -0.4), p=1)(image)[0, 32].numpy()
    assert barrel[32] == pytest.approx(1)
    assert 44 < barrel[40:].argmax() + 40 < 56 < cushion[40:].argmax() + 40


def test_transpose_and_the_eight_symmetries() -> None:
    x = np.arange(12).reshape(3, 4, 1)
    assert (T.Transpose(p=1)(x)[..., 0] == x[..., 0].T).all()
    square = np.arange(9).reshape(3, 3, 1)
    seen = {bytes(T.D4()(square)) for _ in range(150)}
    turns = [np.rot90(s, k) for s in (square, square.swapaxes(0, 1)) for k in range(4)]
    assert seen == {np.ascontiguousarray(t).tobytes() for t in turns}


def test_sizes_by_one_side() -> None:
    image = np.zeros((30, 50, 3), np.uint8)
    assert T.LongestMaxSize(25)(image).shape == (15, 25, 3)
    assert T.SmallestMaxSize(60)(image).shape == (60, 100, 3)
    assert {T.LongestMaxSize([10, 20])(image).shape[1] for _ in range(40)} == {10, 20}
    boxes = tv_tensors.BoundingBoxes([[0, 0, 50, 30]], format="XYXY", canvas_size=(30, 50))
    out = T.LongestMaxSize(25)(image, boxes)[1]
    assert out.tolist() == [[0, 0, 25, 15]]
    letterbox = T.Compose([T.LongestMaxSize(32), T.PadIfNeeded(32)])
    assert letterbox(image).shape == (32, 32, 3)
    for wrong in (0, []):
        with pytest.raises(ShapeError, match="LongestMaxSize"):
            T.LongestMaxSize(wrong)

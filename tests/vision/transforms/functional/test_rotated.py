"""Rotated boxes stay rectangles of their angle, and inside when they must."""

import numpy as np
import pytest

import triptych as tp
from triptych_vision.transforms import functional as F
from triptych_vision.transforms.functional.rotated import clamp_corners, rectangle

CANVAS = (30, 40)


def boxes(count: int, seed: int = 0) -> tp.Tensor:
    """(n, 5) centre, size, angle; most reach outside of the canvas."""
    rng = np.random.default_rng(seed)
    low, high = [-5, -5, 4, 4, -175], [45, 35, 20, 20, 175]
    return tp.from_numpy(rng.uniform(low, high, (count, 5)))


def corners_of(given: tp.Tensor) -> tp.Tensor:
    return F.convert_bounding_box_format(given, "CXCYWHR", "XYXYXYXY")


def test_rectangles_stay() -> None:
    given = corners_of(boxes(50))
    np.testing.assert_allclose(rectangle(given).numpy(), given.numpy(), atol=1e-9)
    whole = corners_of(boxes(5)).to(tp.int64)
    assert rectangle(whole).dtype is tp.int64


def test_parallelograms_become_rectangles_about_the_same_centre() -> None:
    given = corners_of(boxes(50)).reshape(-1, 4, 2)
    sheared = given @ tp.tensor([[1.0, 0.2], [0.3, 1.1]], dtype=given.dtype)
    out = rectangle(sheared.reshape(-1, 8)).reshape(-1, 4, 2)
    np.testing.assert_allclose(out.mean(1).numpy(), sheared.mean(1).numpy(), atol=1e-9)
    sides = out.roll(-1, 1) - out
    angles = (sides * sides.roll(-1, 1)).sum(-1) / (
        sides.norm(dim=-1) * sides.roll(-1, 1).norm(dim=-1)
    )
    assert angles.abs().max().item() < 1e-6


@pytest.mark.parametrize("hard", [False, True])
def test_inside_boxes_stay(hard: bool) -> None:
    small = boxes(200)
    small[:, 2:4] /= 4
    given = corners_of(small)
    points = given.reshape(-1, 4, 2)
    x, y = points.unbind(-1)
    inside = ((x > 0.1) & (x < 39.9) & (y > 0.1) & (y < 29.9)).all(1)
    assert inside.sum().item() > 50
    out = clamp_corners(given, CANVAS, hard)
    np.testing.assert_allclose(
        sorted_corners(out[inside]), sorted_corners(given[inside]), atol=1e-6
    )


def sorted_corners(flat: tp.Tensor) -> np.ndarray:
    """(n, 4, 2) without the order, which clamping may turn."""
    points = flat.reshape(-1, 4, 2).numpy()
    return np.take_along_axis(points, np.lexsort(np.moveaxis(points, -1, 0))[..., None], 1)


def test_hard_clamping_leaves_less_outside() -> None:
    """All corners of boxes with their middle inside; soft clamping lets some stay outside."""
    crossing = boxes(300)
    x, y = crossing[:, 0], crossing[:, 1]
    given = corners_of(crossing[(x > 8) & (x < 32) & (y > 8) & (y < 22)])
    hard = clamp_corners(given, CANVAS, hard=True).reshape(-1, 4, 2)
    limits = tp.tensor([40.0, 30.0])
    assert ((hard >= -1e-6) & (hard <= limits + 1e-6)).all().item()
    soft = clamp_corners(given, CANVAS, hard=False).reshape(-1, 4, 2)
    assert ((soft < -0.1) | (soft > limits + 0.1)).any().item()


def test_angles_stay() -> None:
    given = tp.tensor([[3.0, 15.0, 12.0, 6.0, 20.0]], dtype=tp.float64)
    out = F.clamp_bounding_boxes(given, "CXCYWHR", CANVAS, clamping_mode="soft")
    assert out[0, 4].item() % 90 == pytest.approx(20.0)
    assert out[0, 2].item() * out[0, 3].item() < 72

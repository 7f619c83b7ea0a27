"""Random warps draw within their ranges, once for all parts of a sample."""

from collections.abc import Callable

import numpy as np
import pytest

import triptych as tp
from triptych.errors import BoundsError, ShapeError
from triptych_vision import transforms as T
from triptych_vision import tv_tensors
from triptych_vision.transforms import functional as F

WARPS: dict[str, Callable[[], T.Transform]] = {
    "rotation": lambda: T.RandomRotation(40, expand=True),
    "affine": lambda: T.RandomAffine(40, (0.1, 0.2), (0.7, 1.2), (5, 10, -5, 5)),
    "perspective": lambda: T.RandomPerspective(0.4, p=1),
    "elastic": lambda: T.ElasticTransform(20.0, 2.0),
}


@pytest.mark.parametrize("name", WARPS)
def test_parts_move_together(name: str) -> None:
    tp.manual_seed(0)
    mask = tp.zeros(30, 40)
    mask[10:18, 12:25] = 1
    image, mask, boxes, points = WARPS[name]()(
        tv_tensors.Image(mask[None]),
        tv_tensors.Mask(mask),
        tv_tensors.BoundingBoxes([[12.0, 10, 25, 18]], format="XYXY", canvas_size=(30, 40)),
        tv_tensors.KeyPoints([[18.0, 13.5]], canvas_size=(30, 40)),
    )
    rows, columns = np.nonzero(mask.numpy())
    hull = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert np.abs(boxes.numpy()[0] - hull).max() < 3
    assert np.abs(points.numpy()[0] - [columns.mean(), rows.mean()]).max() < 2.5
    assert ((image[0] > 0.5).to(tp.float32) - mask).abs().mean().item() < 0.03
    assert boxes.canvas_size == points.canvas_size == tuple(mask.shape)


def test_draws_stay_in_range() -> None:
    tp.manual_seed(0)
    affine = T.RandomAffine((10, 20), (0.1, 0.5), (0.5, 2), (-3, 3, 4, 5))
    seen = [affine.make_params([tp.zeros(1, 20, 40)]) for _ in range(200)]
    for low, high, values in (
        (10, 20, [s["angle"] for s in seen]),
        (-4, 4, [s["translate"][0] for s in seen]),
        (-10, 10, [s["translate"][1] for s in seen]),
        (0.5, 2, [s["scale"] for s in seen]),
        (-3, 3, [s["shear"][0] for s in seen]),
        (4, 5, [s["shear"][1] for s in seen]),
    ):
        assert low <= min(values) < low + (high - low) * 0.1
        assert high - (high - low) * 0.1 < max(values) <= high
    still = T.RandomAffine(0).make_params([tp.zeros(1, 4, 4)])
    assert still == {"angle": 0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0]}


def test_corners_stay_in_their_quarter() -> None:
    tp.manual_seed(0)
    for _ in range(50):
        start, end = T.RandomPerspective.get_params(40, 20, 0.6)
        assert start == [[0, 0], [39, 0], [39, 19], [0, 19]]
        for (x, y), (u, v) in zip(start, end, strict=True):
            assert abs(x - u) <= 12
            assert abs(y - v) <= 6
            assert 0 <= u < 40
            assert 0 <= v < 20


def test_fields_are_smooth_and_as_strong_as_asked() -> None:
    tp.manual_seed(0)
    rough = T.ElasticTransform.get_params([8.0, 8.0], [0.0, 0.0], [30, 40])
    assert rough.shape == (1, 30, 40, 2)
    assert 0.19 < rough[..., 0].abs().max().item() <= 8 / 40
    assert 0.25 < rough[..., 1].abs().max().item() <= 8 / 30
    smooth = T.ElasticTransform.get_params([8.0, 8.0], [3.0, 3.0], [30, 40])
    assert smooth.diff(dim=1).abs().max().item() < 0.1 * rough.diff(dim=1).abs().max().item()


def test_get_params() -> None:
    assert 3 <= T.RandomRotation.get_params([3, 4]) <= 4
    angle, translate, scale, shear = T.RandomAffine.get_params([1, 1], [1, 0], None, [2, 2], [9, 5])
    assert (angle, translate[1], scale, shear) == (1, 0, 1, (2, 0))
    assert abs(translate[0]) <= 9
    seeds = [tp.Generator().manual_seed(3) for _ in range(2)]
    first, second = (T.RandomRotation.get_params([0, 90], generator=g) for g in seeds)
    assert first == second


def test_probability() -> None:
    x = tp.rand(1, 8, 8)
    assert T.RandomPerspective(p=0)(x) is x
    tp.manual_seed(0)
    changed = [T.RandomPerspective(p=0.5)(x) is not x for _ in range(40)]
    assert 8 < sum(changed) < 32


def test_fills_go_by_kind() -> None:
    turn = T.RandomRotation((45, 45), fill={tv_tensors.Mask: 3, "others": 7})
    image, mask = turn(tv_tensors.Image(tp.zeros(1, 9, 9)), tv_tensors.Mask(tp.zeros(9, 9)))
    assert (image[0, 0, 0].item(), mask[0, 0].item()) == (7, 3)


def test_what_is_refused() -> None:
    refusals: list[tuple[type[Exception], str, Callable[[], object]]] = [
        (BoundsError, "a single angle", lambda: T.RandomRotation(-3)),
        (ShapeError, "RandomRotation: wanted a number", lambda: T.RandomRotation([1, 2, 3])),
        (ShapeError, r"center is \(x, y\)", lambda: T.RandomRotation(3, center=[1])),
        (BoundsError, "translate is from 0 to 1", lambda: T.RandomAffine(0, (0, 2))),
        (ShapeError, "scale is a pair", lambda: T.RandomAffine(0, scale=[1])),
        (BoundsError, "scale is above zero", lambda: T.RandomAffine(0, scale=[0, 1])),
        (BoundsError, "distortion_scale is", lambda: T.RandomPerspective(2)),
        (ShapeError, "alpha is one number", lambda: T.ElasticTransform([1, 2, 3])),
        (ValueError, "p is a probability", lambda: T.RandomPerspective(p=2)),
        (ShapeError, "differ in size", lambda: T.ElasticTransform()(F_MIXED)),
    ]
    for error, text, call in refusals:
        with pytest.raises(error, match=text):
            call()


F_MIXED = {"a": tv_tensors.Image(tp.zeros(1, 4, 4)), "b": tv_tensors.Mask(tp.zeros(5, 4))}


def test_the_function_does_what_the_draw_says() -> None:
    x = tp.rand(1, 12, 12)
    turn = T.RandomRotation((30, 30), interpolation="bilinear")
    assert np.array_equal(turn(x).numpy(), F.rotate(x, 30, "bilinear", fill=0).numpy())

"""Points are clamped to pixels, or dropped."""

import triptych as tp
from triptych_vision import tv_tensors
from triptych_vision.transforms import functional as F

POINTS = [[-3.0, 2.0], [5.0, 9.0], [4.5, 3.5], [5.5, 1.0]]


def test_clamping() -> None:
    points = tv_tensors.KeyPoints(POINTS, canvas_size=(5, 6))
    out = F.clamp_keypoints(points)
    assert out.tolist() == [[0, 2], [5, 4], [4.5, 3.5], [5, 1]]
    assert type(out) is tv_tensors.KeyPoints
    assert F.clamp_keypoints(tp.tensor([[9, 9]]), (5, 6)).dtype is tp.int64


def test_dropping_points_and_groups() -> None:
    out, valid = F.sanitize_keypoints(tv_tensors.KeyPoints(POINTS, canvas_size=(5, 6)))
    assert valid.tolist() == [False, False, True, True]
    assert out.tolist() == POINTS[2:]
    groups = tv_tensors.KeyPoints([POINTS[:2], POINTS[2:]], canvas_size=(5, 6))
    out, valid = F.sanitize_keypoints(groups)
    assert valid.tolist() == [False, True]
    assert out.shape == (1, 2, 2)

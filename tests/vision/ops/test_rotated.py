"""Overlap of rotated boxes."""

import numpy as np
import pytest

import triptych as tp
from triptych.autograd import gradcheck
from triptych_vision.ops import box_convert, box_iou


def turned(rows: list[list[float]]) -> tp.Tensor:
    return tp.tensor(rows, dtype=tp.float64)


def counted(one: np.ndarray, two: np.ndarray, cells: int = 400) -> float:
    """IoU by counting the points of a fine grid that lie in the boxes."""
    at = np.stack(np.meshgrid(*[np.linspace(-20, 20, cells)] * 2), -1)

    def inside(box: np.ndarray) -> np.ndarray:
        angle = np.deg2rad(box[4])
        x, y = at[..., 0] - box[0], at[..., 1] - box[1]
        along = x * np.cos(angle) - y * np.sin(angle)
        across = x * np.sin(angle) + y * np.cos(angle)
        return (abs(along) <= box[2] / 2) & (abs(across) <= box[3] / 2)

    a, b = inside(one), inside(two)
    return (a & b).sum() / (a | b).sum()


def test_against_counting() -> None:
    rng = np.random.default_rng(0)
    one, two = (rng.random((6, 5)) * [8, 8, 12, 12, 360] + [-4, -4, 3, 3, -180] for _ in range(2))
    wanted = [[counted(a, b) for b in two] for a in one]
    got = box_iou(tp.tensor(one), tp.tensor(two), "cxcywhr")
    np.testing.assert_allclose(got.numpy(), wanted, atol=0.01)


def test_known_overlaps() -> None:
    square = [0.0, 0.0, 2.0, 2.0, 0.0]
    eighth = 8 * (np.sqrt(2) - 1)  # area of the octagon that two squares at 45 degrees share
    others = turned(
        [
            square,
            [0, 0, 2, 2, 90],
            [0, 0, 2, 2, 45],
            [1, 0, 2, 2, 0],
            [5, 0, 2, 2, 30],
            [0, 0, 1, 1, 17],
            [2, 0, 2, 2, 0],
            [0, 0, 0, 2, 0],
        ]
    )
    wanted = [1, 1, eighth / (8 - eighth), 1 / 3, 0, 1 / 4, 0, 0]
    got = box_iou(turned([square]), others, "cxcywhr")[0]
    np.testing.assert_allclose(got.numpy(), wanted, atol=1e-9)


@pytest.mark.parametrize("fmt", ["xywhr", "xyxyxyxy"])
def test_formats(fmt: str) -> None:
    one, two = turned([[0, 0, 4, 2, 30], [1, 1, 3, 3, 0]]), turned([[1, 0, 5, 2, 100]])
    other = [box_convert(b, "cxcywhr", fmt) for b in (one, two)]
    np.testing.assert_allclose(
        box_iou(*other, fmt=fmt).numpy(), box_iou(one, two, "cxcywhr").numpy(), atol=1e-9
    )


def test_upright_boxes_agree() -> None:
    one, two = turned([[0, 0, 4, 2, 0], [1, 1, 3, 3, 0]]), turned([[1, 0.5, 5, 2, 0]])
    np.testing.assert_allclose(
        box_iou(one, two, "cxcywhr").numpy(), box_iou(one[:, :4], two[:, :4], "cxcywh").numpy()
    )


def test_gradient() -> None:
    one = turned([[0, 0, 4, 2, 30]]).requires_grad_()
    two = turned([[1, 0.3, 5, 2, 100], [0.2, 0.4, 3, 3, 10]]).requires_grad_()
    assert gradcheck(lambda a, b: box_iou(a, b, "cxcywhr"), (one, two))


def test_no_boxes() -> None:
    assert box_iou(tp.zeros(0, 5), tp.zeros(3, 5), "cxcywhr").shape == (0, 3)


def test_nearly_parallel_sides() -> None:
    one = tp.tensor([[6.0, 5, 10, 16, 135], [18, 19, 16, 1, 45]])
    two = tp.tensor([[11.0, 10, 16, 9, 45], [18, 19, 16, 1, 45]])
    got = box_iou(one, two, fmt="cxcywhr")
    exact = box_iou(one.double(), two.double(), fmt="cxcywhr")
    np.testing.assert_allclose(got.numpy(), exact.numpy(), atol=1e-5)
    assert got[1, 1].item() == pytest.approx(1, abs=1e-5)


def test_single_precision_is_near_double() -> None:
    rng = np.random.default_rng(2)
    turn = rng.integers(-4, 5, (60, 1)) * 45.0  # many sides are parallel but for rounding
    boxes = np.concatenate([rng.integers(0, 20, (60, 2)), rng.integers(1, 20, (60, 2)), turn], 1)
    exact = box_iou(tp.tensor(boxes), tp.tensor(boxes), fmt="cxcywhr").numpy()
    single = tp.tensor(boxes.astype(np.float32))
    np.testing.assert_allclose(box_iou(single, single, fmt="cxcywhr").numpy(), exact, atol=1e-5)

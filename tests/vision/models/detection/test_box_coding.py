"""Codes of boxes."""

import math

import numpy as np
import pytest

import triptych as tp
from triptych_vision.models.detection import BoxCoder, BoxLinearCoder
from triptych_vision.models.detection.box_coding import WIDEST, box_loss
from triptych_vision.ops import generalized_box_iou_loss

BOXES = tp.tensor([[0.0, 0.0, 10.0, 20.0], [5.0, 5.0, 9.0, 30.0]])
OTHERS = tp.tensor([[2.0, -4.0, 8.0, 30.0], [0.0, 0.0, 50.0, 9.0]])


def test_codes_by_hand() -> None:
    codes = BoxCoder((1.0, 2.0, 3.0, 4.0)).encode_single(OTHERS[:1], BOXES[:1])
    wanted = [0.0, 2 * 3 / 20, 3 * math.log(6 / 10), 4 * math.log(34 / 20)]
    np.testing.assert_allclose(codes[0].numpy(), wanted, rtol=1e-5, atol=1e-6)


def test_there_and_back() -> None:
    coder = BoxCoder((10.0, 10.0, 5.0, 5.0))
    codes = coder.encode([OTHERS[:1], OTHERS[1:]], [BOXES[:1], BOXES[1:]])
    assert [c.shape for c in codes] == [(1, 4), (1, 4)]
    back = coder.decode(tp.cat(codes), [BOXES[:1], BOXES[1:]])
    assert back.shape == (2, 1, 4)
    np.testing.assert_allclose(back[:, 0].numpy(), OTHERS.numpy(), atol=1e-4)
    assert coder.decode(tp.zeros(0, 12), [tp.zeros(0, 4)]).shape == (0, 3, 4)


def test_several_classes_and_the_limit() -> None:
    codes = tp.tensor([[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 99.0, 99.0]])
    boxes = BoxCoder((1.0, 1.0, 1.0, 1.0)).decode(codes, [BOXES[:1]])[0]
    np.testing.assert_allclose(boxes[0].numpy(), BOXES[0].numpy())
    np.testing.assert_allclose(
        (boxes[1, 2:] - boxes[1, :2]).numpy(), np.exp(WIDEST) * np.array([10, 20]), rtol=1e-5
    )


@pytest.mark.parametrize("normalised", [False, True])
def test_distances(normalised: bool) -> None:
    coder = BoxLinearCoder(normalised)
    codes = coder.encode(BOXES, OTHERS)
    np.testing.assert_allclose(coder.decode(codes, BOXES).numpy(), OTHERS.numpy(), atol=1e-5)
    scale = np.array([10, 20, 10, 20]) if normalised else 1
    np.testing.assert_allclose(codes[0].numpy() * scale, [3, 14, 3, 20], rtol=1e-6)


def test_losses() -> None:
    coder = BoxCoder((1.0, 1.0, 1.0, 1.0))
    codes = coder.encode_single(OTHERS, BOXES)
    for kind in ("l1", "smooth_l1", "giou", "diou", "ciou"):
        assert box_loss(kind, coder, BOXES, OTHERS, codes).item() == pytest.approx(0, abs=1e-4)
    plain = box_loss("l1", coder, BOXES, OTHERS, codes + 0.5)
    assert plain.item() == pytest.approx(4.0)
    none = box_loss("giou", coder, BOXES, OTHERS, 0 * codes)
    wanted = generalized_box_iou_loss(BOXES, OTHERS, "sum")
    assert none.item() == pytest.approx(wanted.item())

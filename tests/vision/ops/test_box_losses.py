"""Losses between pairs of boxes."""

from collections.abc import Callable

import numpy as np
import pytest

import triptych as tp
from triptych.autograd import gradcheck
from triptych_vision import ops

PAIRS = [
    (ops.generalized_box_iou_loss, ops.generalized_box_iou),
    (ops.distance_box_iou_loss, ops.distance_box_iou),
    (ops.complete_box_iou_loss, ops.complete_box_iou),
]
Loss = Callable[..., tp.Tensor]


def draw(seed: int) -> tp.Tensor:
    rng = np.random.default_rng(seed)
    corner = rng.random((6, 2)) * 20
    return tp.tensor(np.concatenate((corner, corner + rng.random((6, 2)) * 15 + 1), 1))


@pytest.mark.parametrize(("loss", "overlap"), PAIRS)
def test_loss_is_one_less_the_overlap(loss: Loss, overlap: Loss) -> None:
    one, two = draw(0), draw(1)
    wanted = 1 - overlap(one, two).diagonal()
    np.testing.assert_allclose(loss(one, two).numpy(), wanted.numpy(), atol=1e-6)
    assert loss(one, two, "sum").item() == pytest.approx(wanted.sum().item())
    assert loss(one, two, "mean").item() == pytest.approx(wanted.mean().item())
    assert abs(loss(one, one, "sum").item()) < 1e-5


@pytest.mark.parametrize("loss", [loss for loss, _ in PAIRS[:2]])
def test_gradient(loss: Loss) -> None:
    assert gradcheck(loss, (draw(0).requires_grad_(), draw(1).requires_grad_()))


@pytest.mark.parametrize("loss", [loss for loss, _ in PAIRS])
def test_edges(loss: Loss) -> None:
    empty = tp.zeros(0, 4, requires_grad=True)
    total = loss(empty, empty, "mean")
    total.backward()
    assert total.item() == 0
    half = draw(0).to(tp.float16)
    assert loss(half, half).dtype == tp.float32
    with pytest.raises(ValueError, match="reduction is one of"):
        loss(draw(0), draw(1), "max")
    with pytest.raises(ValueError, match="the same shape"):
        loss(draw(0), draw(1)[:3])

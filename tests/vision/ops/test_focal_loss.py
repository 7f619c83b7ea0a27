"""The focal loss."""

import numpy as np
import pytest

import triptych as tp
from triptych.autograd import gradcheck
from triptych_vision.ops import sigmoid_focal_loss

LOGITS = tp.tensor([[-3.0, 0.5, 2.0], [4.0, -0.2, 0.0]], dtype=tp.float64)
TARGETS = tp.tensor([[0.0, 1.0, 1.0], [0.0, 1.0, 0.0]], dtype=tp.float64)


@pytest.mark.parametrize("alpha", [-1, 0.25, 1])
@pytest.mark.parametrize("gamma", [0, 2, 0.5])
def test_equation(alpha: float, gamma: float) -> None:
    p = 1 / (1 + np.exp(-LOGITS.numpy()))
    right = np.where(TARGETS.numpy() == 1, p, 1 - p)
    weight = np.where(TARGETS.numpy() == 1, alpha, 1 - alpha) if alpha >= 0 else 1.0
    wanted = -weight * (1 - right) ** gamma * np.log(right)
    got = sigmoid_focal_loss(LOGITS, TARGETS, alpha, gamma)
    np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-9)
    mean = sigmoid_focal_loss(LOGITS, TARGETS, alpha, gamma, "mean")
    assert mean.item() == pytest.approx(wanted.mean())


def test_gradient() -> None:
    assert gradcheck(lambda x: sigmoid_focal_loss(x, TARGETS), (LOGITS.clone().requires_grad_(),))


def test_wrong_words() -> None:
    with pytest.raises(ValueError, match="alpha is from 0 to 1"):
        sigmoid_focal_loss(LOGITS, TARGETS, alpha=2)
    with pytest.raises(ValueError, match="reduction is one of"):
        sigmoid_focal_loss(LOGITS, TARGETS, reduction="all")


def test_mean_of_nothing() -> None:
    none = tp.zeros(0, 3)
    assert sigmoid_focal_loss(none, none, reduction="mean").isnan().item()
    assert sigmoid_focal_loss(none, none, reduction="sum").item() == 0

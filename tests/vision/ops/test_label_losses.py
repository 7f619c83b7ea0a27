"""Losses for mixed and for several labels."""

import numpy as np
import pytest

import triptych as tp
from triptych.nn import functional as F
from triptych_vision.ops import AsymmetricLossMultiLabel, SoftTargetCrossEntropy

LOGITS = tp.tensor([[0.5, -1.0, 3.0], [0.1, 0.2, -0.3]], dtype=tp.float64)


def test_soft_targets() -> None:
    loss = SoftTargetCrossEntropy()
    classes = tp.tensor([2, 0])
    hard = F.one_hot(classes, 3).to(tp.float64)
    assert loss(LOGITS, hard).item() == pytest.approx(F.cross_entropy(LOGITS, classes).item())
    mixed = 0.3 * hard + 0.7 * hard.flip(0)
    wanted = 0.3 * loss(LOGITS, hard) + 0.7 * loss(LOGITS, hard.flip(0))
    assert loss(LOGITS, mixed).item() == pytest.approx(wanted.item())
    with pytest.raises(ValueError, match="the same shape"):
        loss(LOGITS, hard[:1])


def test_asymmetric() -> None:
    y = tp.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]], dtype=tp.float64)
    p, t = LOGITS.sigmoid().numpy(), y.numpy()
    shifted = np.maximum(p - 0.05, 0)
    wanted = t * (1 - p) * np.log(p) + (1 - t) * shifted**4 * np.log(1 - shifted)
    assert AsymmetricLossMultiLabel()(LOGITS, y).item() == pytest.approx(-wanted.sum())
    plain = AsymmetricLossMultiLabel(0, 0, 0)(LOGITS, y)
    entropy = F.binary_cross_entropy_with_logits(LOGITS, y, reduction="sum")
    assert plain.item() == pytest.approx(entropy.item())

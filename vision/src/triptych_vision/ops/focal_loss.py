"""A cross entropy that looks at the hard examples."""

from __future__ import annotations

import triptych as tp
from triptych.errors import DomainError
from triptych.nn import functional as F

from .box_losses import reduced

__all__ = ["sigmoid_focal_loss"]


def sigmoid_focal_loss(
    inputs: tp.Tensor,
    targets: tp.Tensor,
    alpha: float = 0.25,
    gamma: float = 2,
    reduction: str = "none",
) -> tp.Tensor:
    """Binary cross entropy, times (1 - p) ** gamma for the probability p of the right answer.

    Args:
        inputs: any shape, logits.
        targets: same shape, 0 or 1.
        alpha: weight of the positives, 1 - alpha of the negatives; from 0 to 1, or -1 for none.
        gamma: 0 is the plain cross entropy; a larger one turns easy examples down.
        reduction: "none", "mean" or "sum".

    Returns:
        Same shape, or a number.

    Raises:
        DomainError: alpha is out of range, or there is no such reduction.

    Source: Lin, Goyal, Girshick, He and Dollar 2017, equation 5.
    """
    if not (0 <= alpha <= 1 or alpha == -1):
        raise DomainError(f"sigmoid_focal_loss: alpha is from 0 to 1, or -1 for none, got {alpha}")
    p = inputs.sigmoid()
    entropy = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none")
    right = p * targets + (1 - p) * (1 - targets)
    loss = entropy * (1 - right) ** gamma
    if alpha >= 0:
        loss = (alpha * targets + (1 - alpha) * (1 - targets)) * loss
    if reduction == "mean":  # NaN for no elements
        return loss.mean()
    return reduced("sigmoid_focal_loss", loss, reduction)

"""Losses for labels that are not one class: mixed, or several at once."""

from __future__ import annotations

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError

__all__ = ["AsymmetricLossMultiLabel", "SoftTargetCrossEntropy"]


class SoftTargetCrossEntropy(nn.Module):
    """Cross entropy with probabilities as labels, such as MixUp and CutMix make.

    Example:
        >>> loss = SoftTargetCrossEntropy()
        >>> round(loss(tp.zeros(1, 4), tp.tensor([[0.5, 0.5, 0.0, 0.0]])).item(), 4)  # log 4
        1.3863
    """

    def forward(self, x: tp.Tensor, target: tp.Tensor) -> tp.Tensor:
        """The mean over the samples.

        Args:
            x: (..., classes) logits.
            target: same shape, probabilities.

        Returns:
            A number.

        Raises:
            ShapeError: the shapes differ.
        """
        _check("SoftTargetCrossEntropy", x, target)
        return -(target * x.log_softmax(-1)).sum(-1).mean()


class AsymmetricLossMultiLabel(nn.Module):
    """Binary cross entropy of every label, in which the many negatives count little.

    Args:
        gamma_neg: how much easy negatives are turned down.
        gamma_pos: how much easy positives are.
        clip: probabilities of negatives up to here cost nothing.
        eps: least argument of the logarithms.

    Source: Ridnik et al. 2021, equations 2 to 6.
    """

    def __init__(
        self,
        gamma_neg: float = 4,
        gamma_pos: float = 1,
        clip: float = 0.05,
        eps: float = 1e-8,
    ) -> None:
        super().__init__()
        self.gamma_neg = gamma_neg
        self.gamma_pos = gamma_pos
        self.clip = clip
        self.eps = eps

    def forward(self, x: tp.Tensor, y: tp.Tensor) -> tp.Tensor:
        """The sum over all samples and labels.

        Args:
            x: (n, labels) logits.
            y: same shape, 0 or 1.

        Returns:
            A number.

        Raises:
            ShapeError: the shapes differ.
        """
        _check("AsymmetricLossMultiLabel", x, y)
        positive = x.sigmoid()
        negative = (1 - positive + self.clip).clamp(max=1)
        with tp.no_grad():  # as the authors' code has it, the weights have no gradient
            right = positive * y + negative * (1 - y)
            weight = (1 - right) ** (self.gamma_pos * y + self.gamma_neg * (1 - y))
        logs = y * positive.clamp(min=self.eps).log()
        logs = logs + (1 - y) * negative.clamp(min=self.eps).log()
        return -(logs * weight).sum()


def _check(name: str, x: tp.Tensor, target: tp.Tensor) -> None:
    if x.shape != target.shape:
        raise ShapeError(
            f"{name}: logits and labels have the same shape, got {tuple(x.shape)} and "
            f"{tuple(target.shape)}"
        )

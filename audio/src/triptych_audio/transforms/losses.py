"""Losses as modules."""

from __future__ import annotations

from triptych import Tensor
from triptych.nn import Module
from triptych_audio.functional.transducer import rnnt_loss
from triptych_audio.interop import same_kind

__all__ = ["RNNTLoss"]


class RNNTLoss(Module):
    """`functional.rnnt_loss` with its settings fixed.

    Args:
        blank: label that stands for none; negative counts from the end.
        clamp: limit of the gradient of each sample's loss, in absolute value; none if not positive.
        reduction: "mean" over the batch, "sum" or "none".
        fused_log_softmax: normalise the logits; False if they are log probabilities already.

    Source: Graves 2012, section 2.4.
    """

    def __init__(
        self,
        blank: int = -1,
        clamp: float = -1.0,
        reduction: str = "mean",
        fused_log_softmax: bool = True,
    ) -> None:
        super().__init__()
        self.blank, self.clamp, self.reduction = blank, clamp, reduction
        self.fused_log_softmax = fused_log_softmax

    @same_kind
    def forward(
        self, logits: Tensor, targets: Tensor, logit_lengths: Tensor, target_lengths: Tensor
    ) -> Tensor:
        """The loss.

        Args:
            logits: (n, t, u + 1, v) scores of the joint network, floating.
            targets: (n, u) int32 labels.
            logit_lengths: (n,) int32, how many of the t frames count.
            target_lengths: (n,) int32, how many of the u labels count.

        Returns:
            A number, or (n,) with reduction "none".
        """
        settings = (self.blank, self.clamp, self.reduction, self.fused_log_softmax)
        return rnnt_loss(logits, targets, logit_lengths, target_lengths, *settings)

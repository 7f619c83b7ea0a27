"""How surprised a language model is."""

from __future__ import annotations

import math

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DomainError, ShapeError

__all__ = ["Perplexity", "perplexity"]

IGNORED = -100


def perplexity(
    logits: Tensor, labels: Tensor, ignore_index: int = IGNORED, shift: bool = False
) -> float:
    """Exponential of the mean negative log-likelihood of the labels.

    Args:
        logits: (n, l, v) or (l, v).
        labels: (n, l) or (l,) ids.
        ignore_index: labels that do not count.
        shift: labels are the inputs: compare each place with the label behind it.

    Returns:
        At least 1; v for a model that knows nothing.

    Raises:
        ShapeError: shapes do not fit, or no label counts.
        BoundsError: a label is none of the v.

    Example:
        >>> round(perplexity(tp.zeros(1, 3, 5), tp.tensor([[0, 4, -100]])), 4)
        5.0
    """
    metric = Perplexity(ignore_index, shift)
    metric.update(logits, labels)
    return metric.compute()


class Perplexity:
    """Perplexity over all labels of many batches.

    Args:
        ignore_index: labels that do not count.
        shift: labels are the inputs: compare each place with the label behind it.

    Attributes:
        nll: sum of negative log-likelihoods so far, in nats.
        count: labels that counted so far.
    """

    def __init__(self, ignore_index: int = IGNORED, shift: bool = False) -> None:
        self.ignore_index, self.shift = ignore_index, shift
        self.nll, self.count = 0.0, 0

    def update(self, logits: Tensor, labels: Tensor) -> None:
        """Add a batch.

        Args:
            logits: (n, l, v) or (l, v).
            labels: (n, l) or (l,) ids.

        Raises:
            ShapeError: shapes do not fit.
        """
        if tuple(logits.shape[:-1]) != tuple(labels.shape):
            raise ShapeError(
                f"perplexity: wanted logits (..., l, v) and labels (..., l), got "
                f"{tuple(logits.shape)} and {tuple(labels.shape)}"
            )
        if self.shift:
            logits, labels = logits[..., :-1, :], labels[..., 1:]
        with tp.no_grad():
            self.nll += float(
                nn.functional.cross_entropy(
                    logits.reshape(-1, logits.shape[-1]),
                    labels.reshape(-1),
                    ignore_index=self.ignore_index,
                    reduction="sum",
                )
            )
        self.count += int((labels != self.ignore_index).sum())

    def compute(self) -> float:
        """The perplexity so far; infinite where it is too large for a float.

        Raises:
            ShapeError: no label counted.
        """
        if not self.count:
            raise ShapeError("perplexity: no label counts; are all of them ignored?")
        try:
            return math.exp(self.nll / self.count)
        except OverflowError:
            return math.inf

    def bits_per_byte(self, num_bytes: int) -> float:
        """Bits that the model needs for each byte of a text, whatever its tokens are.

        Args:
            num_bytes: of the text in UTF-8, at least 1.

        Raises:
            DomainError: num_bytes is less than 1.
        """
        if num_bytes < 1:
            raise DomainError(f"Perplexity.bits_per_byte: wanted 1 byte or more, got {num_bytes}")
        return self.nll / math.log(2) / num_bytes

    def reset(self) -> None:
        """Forget all batches."""
        self.nll, self.count = 0.0, 0

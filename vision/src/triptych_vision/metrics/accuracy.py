"""Shares of right guesses among the k best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import triptych as tp
from triptych.errors import DomainError, ShapeError

from .metric import Metric

__all__ = ["Accuracy", "accuracy"]


def accuracy(output: tp.Tensor, target: tp.Tensor, topk: Sequence[int] = (1,)) -> list[tp.Tensor]:
    """Percentage of samples whose class is among the k highest scores.

    Args:
        output: (n, classes) scores.
        target: (n,) classes, or (n, classes) with the class as the largest, such as one-hot.
        topk: values of k.

    Returns:
        For each k a 0-d float32 tensor from 0 to 100, as in weights.meta["_metrics"].

    Raises:
        ShapeError: other shapes, or no samples.
        DomainError: a k below 1 or above the number of classes.

    Example:
        >>> scores = tp.tensor([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3]])
        >>> [float(a) for a in accuracy(scores, tp.tensor([1, 2]), topk=(1, 2))]
        [50.0, 100.0]
    """
    hits = _hits(output, target, topk)
    if not len(hits):
        raise ShapeError("accuracy: no samples")
    return [tp.tensor(float(share) * 100) for share in hits.mean(axis=0)]


def _hits(output: tp.Tensor, target: tp.Tensor, topk: Sequence[int]) -> np.ndarray:
    """(n, len(topk)) bool, whether the class is among the k best."""
    classes = target.argmax(1) if target.ndim == 2 else target
    if output.ndim != 2 or classes.shape != output.shape[:1]:
        raise ShapeError(
            f"accuracy: wanted scores (n, classes) and classes (n,), got {tuple(output.shape)} and "
            f"{tuple(target.shape)}"
        )
    if not all(1 <= k <= output.shape[1] for k in topk):
        raise DomainError(f"accuracy: topk {tuple(topk)} for {output.shape[1]} classes")
    best = output.detach().topk(max(topk), dim=1)[1]
    right = (best == classes[:, None]).cpu().numpy()
    return np.stack([right[:, :k].any(axis=1) for k in topk], axis=1)


class Accuracy(Metric):
    """Percentage of samples whose class is among the k highest scores, over all batches.

    Args:
        topk: values of k.

    Example:
        >>> top = Accuracy(topk=(1, 2))
        >>> top.update(tp.tensor([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3]]), tp.tensor([1, 2]))
        >>> top.compute()
        {'acc@1': 50.0, 'acc@2': 100.0}
    """

    def __init__(self, topk: Sequence[int] = (1,)) -> None:
        self.topk = tuple(topk)
        self.reset()

    def update(self, output: tp.Tensor, target: tp.Tensor) -> None:
        """Count a batch; arguments and errors as of `accuracy`."""
        hits = _hits(output, target, self.topk)
        self._right += hits.sum(axis=0)
        self._seen += len(hits)

    def compute(self) -> dict[str, float]:
        """Percentages by name, "acc@k".

        Raises:
            DomainError: there was no sample yet.
        """
        self._need(self._seen)
        shares = self._right / self._seen * 100
        return {f"acc@{k}": float(share) for k, share in zip(self.topk, shares, strict=True)}

    def reset(self) -> None:
        """Forget all batches."""
        self._right = np.zeros(len(self.topk), np.int64)
        self._seen = 0

"""Which class was taken for which, and what follows: precision, recall, overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import triptych as tp
from triptych.errors import BoundsError, DomainError, DTypeError, ShapeError

from .metric import Metric

__all__ = ["ClassReport", "ConfusionMatrix", "confusion_matrix", "mean_iou"]


class ConfusionMatrix(Metric):
    """Counts of every class taken for every class; of samples, or of pixels.

    Args:
        num_classes: classes are 0 to num_classes - 1.
        ignore_index: samples of this true class do not count, such as 255 for borders.

    Example:
        >>> matrix = ConfusionMatrix(2)
        >>> matrix.update(tp.tensor([0, 1, 1]), tp.tensor([0, 0, 1]))
        >>> matrix.compute().tolist()
        [[1, 1], [0, 1]]
        >>> [float(share) for share in matrix.iou()]
        [0.5, 0.5]
    """

    def __init__(self, num_classes: int, ignore_index: int | None = None) -> None:
        if num_classes < 1:
            raise DomainError(f"ConfusionMatrix: num_classes is 1 or more, got {num_classes}")
        self.num_classes, self.ignore_index = num_classes, ignore_index
        self.reset()

    def update(self, preds: tp.Tensor, target: tp.Tensor) -> None:
        """Count a batch.

        Args:
            preds: predicted classes, integers of target's shape; or scores, floats with the
                classes on axis 1: (n, classes) or (n, classes, h, w).
            target: true classes, integers (n,), (n, h, w) or any other shape.

        Raises:
            ShapeError: the shapes do not go together.
            DTypeError: target is not of integers.
            BoundsError: a class that is not there.
        """
        guessed, true = _classes(preds, target)
        if self.ignore_index is not None:
            counted = true != self.ignore_index
            guessed, true = guessed[counted], true[counted]
        for what, values in (("preds", guessed), ("target", true)):
            if values.size and not 0 <= values.min() <= values.max() < self.num_classes:
                raise BoundsError(
                    f"ConfusionMatrix.update: {what} has classes {values.min()} to {values.max()}, "
                    f"wanted 0 to {self.num_classes - 1}; see ignore_index"
                )
        pairs = true.astype(np.int64) * self.num_classes + guessed
        counts = np.bincount(pairs, minlength=self.num_classes**2)
        self._counts += counts.reshape(self.num_classes, self.num_classes)

    def compute(self) -> tp.Tensor:
        """(classes, classes) int64: row the true class, column the predicted one."""
        return tp.from_numpy(self._counts.copy())

    def reset(self) -> None:
        """Forget all batches."""
        self._counts = np.zeros((self.num_classes, self.num_classes), np.int64)

    def accuracy(self) -> float:
        """Share of right guesses, 0 to 1.

        Raises:
            DomainError: nothing was seen.
        """
        self._need(int(self._counts.sum()))
        return float(self._counts.trace() / self._counts.sum())

    def iou(self) -> tp.Tensor:
        """(classes,) float64: overlap over union; NaN for a class neither there nor guessed."""
        return tp.from_numpy(self._shares()[3])

    def mean_iou(self) -> float:
        """Mean of `iou` over the classes that are there or were guessed.

        Raises:
            DomainError: nothing was seen.
        """
        self._need(int(self._counts.sum()))
        return float(np.nanmean(self._shares()[3]))

    def report(self, names: Sequence[str] | None = None) -> ClassReport:
        """Everything class by class.

        Args:
            names: of the classes; default their numbers.

        Returns:
            The report; print it for a table.

        Raises:
            ShapeError: another number of names.
        """
        labels = [str(i) for i in range(self.num_classes)] if names is None else [*names]
        if len(labels) != self.num_classes:
            raise ShapeError(
                f"ConfusionMatrix.report: {len(labels)} names for {self.num_classes} classes"
            )
        precision, recall, f1, iou = (tuple(row.tolist()) for row in self._shares())
        support = tuple(self._counts.sum(axis=1).tolist())
        return ClassReport(tuple(labels), precision, recall, f1, iou, support)

    def _shares(self) -> np.ndarray:
        """(4, classes): precision, recall, their harmonic mean, overlap; NaN where 0 / 0."""
        right = self._counts.diagonal().astype(np.float64)
        guessed, there = self._counts.sum(axis=0), self._counts.sum(axis=1)
        wholes = (guessed, there, (guessed + there) / 2, guessed + there - right)
        with np.errstate(invalid="ignore"):
            return np.stack([right / whole for whole in wholes])


def _classes(preds: tp.Tensor, target: tp.Tensor) -> tuple[np.ndarray, np.ndarray]:
    if target.dtype.is_floating_point:
        raise DTypeError(f"ConfusionMatrix.update: wanted target of integers, got {target.dtype}")
    chosen = preds.argmax(1) if preds.dtype.is_floating_point and preds.ndim > 1 else preds
    if chosen.shape != target.shape or chosen.dtype.is_floating_point:
        raise ShapeError(
            f"ConfusionMatrix.update: wanted classes like target {tuple(target.shape)}, or scores "
            f"with the classes on axis 1, got {preds.dtype} {tuple(preds.shape)}"
        )
    return chosen.cpu().numpy().ravel(), target.cpu().numpy().ravel()


@dataclass(frozen=True)
class ClassReport:
    """Shares from 0 to 1 class by class; NaN where there is nothing to divide by.

    Attributes:
        names: of the classes.
        precision: right ones among those guessed to be of the class.
        recall: right ones among those that are of the class.
        f1: harmonic mean of both.
        iou: right ones among those guessed to be, or really, of the class.
        support: how many are of the class.
    """

    names: tuple[str, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    f1: tuple[float, ...]
    iou: tuple[float, ...]
    support: tuple[int, ...]

    def __str__(self) -> str:
        columns = (self.precision, self.recall, self.f1, self.iou)
        rows = list(zip(self.names, *columns, self.support, strict=True))
        if self.names:
            means = [float(np.nanmean(c)) if not np.isnan(c).all() else np.nan for c in columns]
            rows.append(("mean of classes", *means, sum(self.support)))
        wide = max(len(row[0]) for row in [("class",), *rows])
        lines = [f"{'class':<{wide}}  precision  recall      f1     iou  support"]
        for name, *shares, support in rows:
            p, r, f, i = (f"{share:.3f}" for share in shares)
            lines.append(f"{name:<{wide}}  {p:>9}  {r:>6}  {f:>6}  {i:>6}  {support:>7}")
        return "\n".join(lines)


def confusion_matrix(
    preds: tp.Tensor, target: tp.Tensor, num_classes: int, ignore_index: int | None = None
) -> tp.Tensor:
    """Counts of every class taken for every class, of one batch.

    Args:
        preds: as for `ConfusionMatrix.update`.
        target: as for `ConfusionMatrix.update`.
        num_classes: classes are 0 to num_classes - 1.
        ignore_index: samples of this true class do not count.

    Returns:
        (classes, classes) int64: row the true class, column the predicted one.
    """
    matrix = ConfusionMatrix(num_classes, ignore_index)
    matrix.update(preds, target)
    return matrix.compute()


def mean_iou(
    preds: tp.Tensor, target: tp.Tensor, num_classes: int, ignore_index: int | None = None
) -> float:
    """Overlap over union of predicted and true areas, mean over the classes, of one batch.

    Args:
        preds: as for `ConfusionMatrix.update`.
        target: as for `ConfusionMatrix.update`.
        num_classes: classes are 0 to num_classes - 1.
        ignore_index: pixels of this true class do not count.

    Returns:
        0 to 1, over the classes that are there or were guessed.

    Example:
        >>> mean_iou(tp.tensor([[0, 0, 1, 1]]), tp.tensor([[0, 0, 0, 1]]), num_classes=2)
        0.5833333333333333
    """
    matrix = ConfusionMatrix(num_classes, ignore_index)
    matrix.update(preds, target)
    return matrix.mean_iou()

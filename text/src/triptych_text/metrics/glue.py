"""The metrics of the GLUE tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from triptych import Tensor
from triptych.errors import ShapeError, UnknownNameError

__all__ = [
    "GLUE_METRICS",
    "accuracy",
    "f1_score",
    "glue",
    "matthews_corrcoef",
    "pearson",
    "spearman",
]

Column = Sequence[Any] | np.ndarray | Tensor


def _columns(name: str, predictions: Column, references: Column) -> tuple[np.ndarray, np.ndarray]:
    got, wanted = (
        x.detach().cpu().numpy() if isinstance(x, Tensor) else np.asarray(x)
        for x in (predictions, references)
    )
    if got.shape != wanted.shape or got.ndim != 1 or not got.size:
        raise ShapeError(f"{name}: wanted (n,) and (n,), n > 0, got {got.shape} and {wanted.shape}")
    return got, wanted


def accuracy(predictions: Column, references: Column) -> float:
    """Share of labels that are right, from 0 to 1.

    Args:
        predictions: (n,) labels.
        references: (n,) right labels.

    Raises:
        ShapeError: shapes differ, or there are no labels.

    Example:
        >>> accuracy([0, 1, 1, 0], [0, 1, 0, 0])
        0.75
    """
    got, wanted = _columns("accuracy", predictions, references)
    return float((got == wanted).mean())


def f1_score(
    predictions: Column, references: Column, average: str = "binary", pos_label: Any = 1
) -> float:
    """Harmonic mean of precision and recall, from 0 to 1.

    Args:
        predictions: (n,) labels.
        references: (n,) right labels.
        average: "binary" (of pos_label), "micro" (over all samples), "macro" (mean over labels) or
            "weighted" (mean by how often labels are right).
        pos_label: the label that counts for "binary".

    Raises:
        ShapeError: shapes differ, or there are no labels.
        UnknownNameError: there is no such average.

    Example:
        >>> f1_score([1, 1, 0, 0], [1, 0, 1, 0])
        0.5
    """
    got, wanted = _columns("f1_score", predictions, references)
    if average not in ("binary", "micro", "macro", "weighted"):
        raise UnknownNameError(
            f'f1_score: no average {average!r}; there are "binary", "micro", "macro", "weighted"'
        )
    if average == "micro":
        return float((got == wanted).mean())
    labels = np.asarray([pos_label]) if average == "binary" else np.unique(np.append(got, wanted))
    own, other = got == labels[:, None], wanted == labels[:, None]  # (labels, n)
    counted = own.sum(1) + other.sum(1)
    scores = 2 * (own & other).sum(1) / np.maximum(counted, 1)
    weights = other.sum(1) if average == "weighted" else np.ones(len(labels))
    return float((scores * weights).sum() / weights.sum())


def matthews_corrcoef(predictions: Column, references: Column) -> float:
    """Matthews' correlation of labels, from -1 to 1; 0 where one of the two is constant.

    Args:
        predictions: (n,) labels of two kinds or more.
        references: (n,) right labels.

    Raises:
        ShapeError: shapes differ, or there are no labels.

    Example:
        >>> round(matthews_corrcoef([1, 1, 0, 0], [1, 0, 0, 0]), 4)
        0.5774

    Source: Gorodkin 2004, for any number of labels.
    """
    got, wanted = _columns("matthews_corrcoef", predictions, references)
    labels = np.unique(np.append(got, wanted))[:, None]
    own, other = ((x == labels).astype(float) for x in (got, wanted))  # (labels, n)
    own, other = (x - x.mean(1, keepdims=True) for x in (own, other))
    spread = float((own**2).sum() * (other**2).sum())
    return float((own * other).sum() / np.sqrt(spread)) if spread else 0.0


def pearson(predictions: Column, references: Column) -> float:
    """Correlation of numbers, from -1 to 1; nan where one of the two is constant.

    Args:
        predictions: (n,) numbers.
        references: (n,) right numbers.

    Raises:
        ShapeError: shapes differ, or there are no numbers.
    """
    got, wanted = _columns("pearson", predictions, references)
    own, other = got - got.mean(), wanted - wanted.mean()
    spread = float(np.sqrt((own**2).sum() * (other**2).sum()))
    return float((own * other).sum() / spread) if spread else float("nan")


def spearman(predictions: Column, references: Column) -> float:
    """Correlation of the ranks of numbers, from -1 to 1.

    Args:
        predictions: (n,) numbers.
        references: (n,) right numbers.

    Example:
        >>> spearman([1.0, 2.0, 9.0], [10.0, 20.0, 21.0])
        1.0
    """
    got, wanted = _columns("spearman", predictions, references)
    return pearson(_ranks(got), _ranks(wanted))


def _ranks(x: np.ndarray) -> np.ndarray:
    """Ranks from 1; equal numbers share the mean of theirs."""
    _, place, counts = np.unique(x, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


Metric = Callable[[Column, Column], float]
SHARE: dict[str, Metric] = {"accuracy": accuracy}
PAIRS: dict[str, Metric] = {"accuracy": accuracy, "f1": f1_score}

# Source: the task table of Wang et al. 2019.
GLUE_METRICS: dict[str, dict[str, Metric]] = {
    "cola": {"matthews_correlation": matthews_corrcoef},
    "mnli": SHARE,
    "mrpc": PAIRS,
    "qnli": SHARE,
    "qqp": PAIRS,
    "rte": SHARE,
    "sst2": SHARE,
    "stsb": {"pearson": pearson, "spearmanr": spearman},
    "wnli": SHARE,
}


def glue(task: str, predictions: Column, references: Column) -> dict[str, float]:
    """All metrics of a GLUE task.

    Args:
        task: such as "cola".
        predictions: (n,) labels, or numbers for "stsb".
        references: (n,) right ones.

    Raises:
        UnknownNameError: there is no such task.

    Example:
        >>> glue("mrpc", [1, 0], [1, 1])
        {'accuracy': 0.5, 'f1': 0.6666666666666666}
    """
    if task not in GLUE_METRICS:
        raise UnknownNameError(f"glue: no task {task!r}; there are {list(GLUE_METRICS)}")
    return {name: metric(predictions, references) for name, metric in GLUE_METRICS[task].items()}

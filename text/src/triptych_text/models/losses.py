"""Losses of the usual heads."""

from __future__ import annotations

from collections.abc import Callable

from triptych import Registry, Tensor
from triptych.nn import functional as F

from .config import ModelConfig

__all__ = [
    "classification_loss",
    "next_token_loss",
    "soft_label_loss",
    "span_loss",
    "token_loss",
]

IGNORED = -100  # label of tokens that do not count. Source: the default of cross_entropy


def classification_loss(logits: Tensor, labels: Tensor, config: ModelConfig) -> Tensor:
    """Loss of a classifier of texts.

    Args:
        logits: (n, c).
        labels: (n,) int64 classes; (n, c) floating for several classes at once; (n,) or (n, 1)
            floating for a regression, c = 1.
        config: its problem_type decides; None tells by c and the type of the labels.

    Returns:
        A number.

    Raises:
        UnknownNameError: the problem_type is none of the three.
    """
    if config.problem_type is not None:
        kind = config.problem_type
    elif logits.shape[-1] == 1:
        kind = "regression"
    else:
        several = labels.is_floating_point()
        kind = "multi_label_classification" if several else "single_label_classification"
    return LOSSES[kind](logits, labels)


def soft_label_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy with classes, or with shares of them.

    Args:
        logits: (n, c), c > 1.
        labels: (n,) or (n, 1) classes, those below 0 do not count; or (n, c) shares.

    Returns:
        A number; 0 where no label counts.
    """
    if labels.ndim > 1 and labels.shape[-1] > 1:
        return -(F.log_softmax(logits, dim=-1) * labels).sum(-1).mean()
    flat = labels.reshape(-1).long()
    counted = flat >= 0
    if not counted.any():
        return logits.sum() * 0.0
    return F.cross_entropy(logits[counted], flat[counted])


def token_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross entropy over tokens.

    Args:
        logits: (n, l, c).
        labels: (n, l) int64; -100 for tokens that do not count.

    Returns:
        A number.
    """
    flat = logits.reshape(-1, logits.shape[-1])
    return F.cross_entropy(flat, labels.reshape(-1), ignore_index=IGNORED)


def next_token_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross entropy of each token given those before it.

    Args:
        logits: (n, l, v), scores of the token after each.
        labels: (n, l) int64 the tokens themselves, not shifted; -100 for those that do not count.

    Returns:
        A number.
    """
    return token_loss(logits[:, :-1], labels[:, 1:])


def span_loss(start_logits: Tensor, end_logits: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Mean cross entropy of an answer's first and last token.

    Args:
        start_logits, end_logits: (n, l).
        start, end: (n,) int64 places; those beyond l do not count.

    Returns:
        A number.
    """
    length = start_logits.shape[1]
    first = F.cross_entropy(start_logits, start.clamp(0, length), ignore_index=length)
    last = F.cross_entropy(end_logits, end.clamp(0, length), ignore_index=length)
    return (first + last) / 2


def _regression(logits: Tensor, labels: Tensor) -> Tensor:
    return F.mse_loss(logits, labels.reshape(logits.shape))


LOSSES: Registry[Callable[[Tensor, Tensor], Tensor]] = Registry("problem type")
LOSSES.register("regression", _regression)
LOSSES.register("single_label_classification", F.cross_entropy)
LOSSES.register("multi_label_classification", F.binary_cross_entropy_with_logits)

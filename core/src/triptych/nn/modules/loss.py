"""Losses as modules; each calls its twin in `functional`, which explains it.

All take ``reduction``: "mean", "sum", or "none" for a value per element or sample. ``size_average``
and ``reduce`` are its older spelling and stay None.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...tensor import Tensor
from .. import functional as F
from ..module import Module
from .configured import Configured

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CTCLoss",
    "CosineEmbeddingLoss",
    "CrossEntropyLoss",
    "GaussianNLLLoss",
    "HingeEmbeddingLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "NLLLoss",
    "PoissonNLLLoss",
    "SmoothL1Loss",
    "SoftMarginLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]


class _Loss(Configured):
    def extra_repr(self) -> str:
        return ""


class L1Loss(_Loss):
    """Mean of |input - target|."""

    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"
    _function = "l1_loss"


class MSELoss(_Loss):
    """Mean of (input - target)².

    Example:
        >>> MSELoss()(triptych.zeros(2), triptych.tensor([1.0, 3.0]))
        tensor(5.)
    """

    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"
    _function = "mse_loss"


class SmoothL1Loss(_Loss):
    """Squared error below beta, absolute error above. Source: Girshick 2015, eq. 3."""

    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"
    beta: float = 1.0
    _function = "smooth_l1_loss"


class HuberLoss(_Loss):
    """Squared error below delta, delta times the absolute error above. Source: Huber 1964."""

    reduction: str = "mean"
    delta: float = 1.0
    _function = "huber_loss"


class CrossEntropyLoss(_Loss):
    """Cross entropy of logits (n, classes, ...) and class indices (n, ...) or probabilities.

    Args:
        weight: (classes,) weight of each class.
        ignore_index: target that does not count.
        reduction: "mean", "sum" or "none".
        label_smoothing: share of each target spread over all classes, 0 to 1.

    Example:
        >>> round(float(CrossEntropyLoss()(triptych.zeros(1, 4), triptych.tensor([2]))), 4)
        1.3863
    """

    weight: Tensor | None = None
    size_average: bool | None = None
    ignore_index: int = -100
    reduce: bool | None = None
    reduction: str = "mean"
    label_smoothing: float = 0.0
    _tensors = ("weight",)
    _function = "cross_entropy"


class NLLLoss(_Loss):
    """Minus the log-probability (n, classes, ...) of each target (n, ...)."""

    weight: Tensor | None = None
    size_average: bool | None = None
    ignore_index: int = -100
    reduce: bool | None = None
    reduction: str = "mean"
    _tensors = ("weight",)
    _function = "nll_loss"


class BCELoss(_Loss):
    """Binary cross entropy of probabilities and targets from 0 to 1."""

    weight: Tensor | None = None
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"
    _tensors = ("weight",)
    _function = "binary_cross_entropy"


class BCEWithLogitsLoss(_Loss):
    """Binary cross entropy of logits and targets from 0 to 1; `pos_weight` weighs the ones."""

    weight: Tensor | None = None
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"
    pos_weight: Tensor | None = None
    _tensors = ("weight", "pos_weight")
    _function = "binary_cross_entropy_with_logits"


class KLDivLoss(_Loss):
    """Kullback-Leibler divergence of log-probabilities from target probabilities.

    ``reduction="batchmean"`` divides the sum by the batch size, which is the mathematical value;
    ``log_target`` says that the target is in logarithms, too.
    """

    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"
    log_target: bool = False
    _function = "kl_div"


class PoissonNLLLoss(_Loss):
    """Negative log likelihood of counts under a Poisson distribution."""

    log_input: bool = True
    full: bool = False
    size_average: bool | None = None
    eps: float = 1e-8
    reduce: bool | None = None
    reduction: str = "mean"
    _function = "poisson_nll_loss"


class GaussianNLLLoss(_Loss):
    """Negative log likelihood under normal distributions; called with input, target, variance."""

    full: bool = False
    eps: float = 1e-6
    reduction: str = "mean"
    _function = "gaussian_nll_loss"


class CTCLoss(_Loss):
    """Connectionist temporal classification; called with log-probabilities (t, n, classes),
    targets, input lengths and target lengths. Source: Graves et al. 2006.
    """

    blank: int = 0
    reduction: str = "mean"
    zero_infinity: bool = False
    _function = "ctc_loss"


class HingeEmbeddingLoss(_Loss):
    """The input where the target is 1, max(0, margin - input) where it is -1."""

    margin: float = 1.0
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"
    _function = "hinge_embedding_loss"


class SoftMarginLoss(_Loss):
    """log(1 + exp(-target · input)) for targets 1 and -1."""

    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"
    _function = "soft_margin_loss"


class MultiLabelMarginLoss(_Loss):
    """Hinge loss between the classes that a sample has and those it has not."""

    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"
    _function = "multilabel_margin_loss"


class MultiLabelSoftMarginLoss(_Loss):
    """Binary cross entropy of logits (n, classes), averaged over the classes."""

    weight: Tensor | None = None
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"
    _tensors = ("weight",)
    _function = "multilabel_soft_margin_loss"


class MultiMarginLoss(_Loss):
    """Hinge loss, to the power p, between the target class and all others."""

    p: int = 1
    margin: float = 1.0
    weight: Tensor | None = None
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"
    _tensors = ("weight",)
    _function = "multi_margin_loss"


class CosineEmbeddingLoss(_Loss):
    """1 - cosine similarity where the target is 1, its excess over margin where it is -1; called
    with two inputs and the target.
    """

    margin: float = 0.0
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"
    _function = "cosine_embedding_loss"


class MarginRankingLoss(_Loss):
    """max(0, -target · (input1 - input2) + margin)."""

    margin: float = 0.0
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"
    _function = "margin_ranking_loss"


class TripletMarginLoss(_Loss):
    """By how much an anchor is not closer to the positive than to the negative sample by margin;
    called with anchor, positive and negative.
    """

    margin: float = 1.0
    p: float = 2.0
    eps: float = 1e-6
    swap: bool = False
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"
    _function = "triplet_margin_loss"


class TripletMarginWithDistanceLoss(Module):
    """`TripletMarginLoss` with a distance of one's own.

    Args:
        distance_function: of two batches, gives a distance per sample; default Euclidean.
        margin: by how much the negative must be farther.
        swap: take the positive's distance to the negative if it is smaller than the anchor's.
        reduction: "mean", "sum" or "none".
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        self.distance_function = distance_function
        self.margin, self.swap, self.reduction = margin, swap, reduction

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Any:
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )

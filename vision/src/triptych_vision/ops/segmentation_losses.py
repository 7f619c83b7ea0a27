"""Losses of a class for each pixel.

All take logits (n, classes, ...) and int64 classes (n, ...); pixels of class ignore_index do not
count.
"""

from __future__ import annotations

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych.nn import functional as F

from .box_losses import reduced

__all__ = ["dice_loss", "focal_loss", "lovasz_softmax_loss", "tversky_loss"]

IGNORED = -100  # as in triptych.nn.functional.cross_entropy
AVERAGES = ("micro", "macro")


def dice_loss(
    pred: tp.Tensor,
    target: tp.Tensor,
    average: str = "micro",
    eps: float = 1e-8,
    weight: tp.Tensor | None = None,
    ignore_index: int = IGNORED,
) -> tp.Tensor:
    """1 - 2 |A and B| / (|A| + |B|), of probabilities and true pixels.

    Args:
        pred: (n, classes, ...) logits.
        target: (n, ...) int64 classes.
        average: "micro" counts the pixels of all classes together, "macro" gives each class the
            same weight.
        eps: added to the divisor.
        weight: (classes,) of the classes.
        ignore_index: class of pixels that do not count.

    Returns:
        A number from 0 to 1: the mean over the images, or over images and classes.

    Raises:
        ShapeError: the shapes do not fit.
        DomainError: there is no such average.

    Example:
        >>> logits = tp.tensor([[[9.0, -9.0], [-9.0, 9.0]]])
        >>> dice_loss(logits, tp.tensor([[0, 1]])).round(decimals=3)
        tensor(0.)

    Source: Milletari, Navab and Ahmadi 2016, section 3, with |A| for |A| squared.
    """
    if average not in AVERAGES:
        raise DomainError(f"dice_loss: average is one of {AVERAGES}, got {average!r}")
    chance, truth, _ = _prepared("dice_loss", pred, target, ignore_index)
    if average == "micro":
        factor = 1.0 if weight is None else weight[:, None]
        both, all_ = ((x * factor).sum((1, 2)) for x in (chance * truth, chance + truth))
        return (1 - 2 * both / (all_ + eps)).mean()
    both, all_ = (chance * truth).sum(2), (chance + truth).sum(2)  # (n, classes)
    loss = 1 - 2 * both / (all_ + eps)
    return loss.mean() if weight is None else ((loss * weight).sum(1) / weight.sum()).mean()


def tversky_loss(
    pred: tp.Tensor,
    target: tp.Tensor,
    alpha: float,
    beta: float,
    eps: float = 1e-8,
    ignore_index: int = IGNORED,
) -> tp.Tensor:
    """1 less the right pixels over themselves and the weighted false ones.

    Args:
        pred: (n, classes, ...) logits.
        target: (n, ...) int64 classes.
        alpha: weight of false positives.
        beta: weight of false negatives; 0.5 and 0.5 is the Dice loss, 1 and 1 the Jaccard loss.
        eps: added to the divisor.
        ignore_index: class of pixels that do not count.

    Returns:
        A number from 0 to 1, the mean over the images.

    Raises:
        ShapeError: the shapes do not fit.

    Source: Salehi, Erdogmus and Gholipour 2017, equation 3.
    """
    chance, truth, counted = _prepared("tversky_loss", pred, target, ignore_index)
    right = (chance * truth).sum((1, 2))
    wrong = counted.sum((1, 2)) - right  # as many false positives as false negatives
    return (1 - right / (right + (alpha + beta) * wrong + eps)).mean()


def focal_loss(
    pred: tp.Tensor,
    target: tp.Tensor,
    alpha: float | None = None,
    gamma: float = 2.0,
    reduction: str = "none",
    weight: tp.Tensor | None = None,
    ignore_index: int = IGNORED,
) -> tp.Tensor:
    """Cross entropy, times (1 - p) ** gamma for the probability p of the right class.

    Args:
        pred: (n, classes, ...) logits.
        target: (n, ...) int64 classes.
        alpha: weight of all classes but the first, which is background and gets 1 - alpha.
        gamma: 0 is the plain cross entropy; a larger one turns easy pixels down.
        reduction: "none", "mean" (over the pixels that count) or "sum".
        weight: (classes,) of the classes.
        ignore_index: class of pixels that do not count.

    Returns:
        (n, ...), or a number.

    Raises:
        ShapeError: the shapes do not fit.
        DomainError: there is no such reduction.

    Source: Lin, Goyal, Girshick, He and Dollar 2017, equation 5, for several classes.
    """
    _check("focal_loss", pred, target)
    entropy = F.cross_entropy(pred, target, reduction="none", ignore_index=ignore_index)
    counts = target != ignore_index
    classes = target.where(counts, 0)
    chance = pred.softmax(1).gather(1, classes[:, None])[:, 0]
    loss = (1 - chance) ** gamma * entropy
    if alpha is not None:
        loss = loss * tp.where(classes == 0, 1 - alpha, alpha)
    if weight is not None:
        loss = loss * weight[classes]
    if reduction == "mean":
        return loss.sum() / counts.sum().clamp(min=1)
    return reduced("focal_loss", loss, reduction)


def lovasz_softmax_loss(
    pred: tp.Tensor,
    target: tp.Tensor,
    weight: tp.Tensor | None = None,
    ignore_index: int = IGNORED,
) -> tp.Tensor:
    """A loss whose minimum is that of the mean Jaccard index, made differentiable.

    Args:
        pred: (n, classes, ...) logits.
        target: (n, ...) int64 classes.
        weight: (classes,) of the classes.
        ignore_index: class of pixels that do not count.

    Returns:
        A number from 0 to 1: the mean over the classes that are there, of all images together.

    Raises:
        ShapeError: the shapes do not fit.

    Source: Berman, Triki and Blaschko 2018, algorithm 1 and equation 11.
    """
    chance, truth, counted = _prepared("lovasz_softmax_loss", pred, target, ignore_index)
    chance, truth, counted = (x.transpose(0, 1).flatten(1) for x in (chance, truth, counted))
    errors, order = ((truth - chance).abs() * counted).sort(1, descending=True)  # (classes, pixels)
    with tp.no_grad():
        truth, counted = truth.gather(1, order), counted.expand(truth.shape).gather(1, order)
        total = truth.sum(1, keepdim=True)
        both = total - truth.cumsum(1)
        either = total + (counted - truth).cumsum(1)
        jaccard = 1 - both / either.clamp(min=1)
        steps = tp.cat((jaccard[:, :1], jaccard[:, 1:] - jaccard[:, :-1]), 1)
        factor = (total[:, 0] > 0).to(pred.dtype) * (1.0 if weight is None else weight)
    return ((errors * steps).sum(1) * factor).sum() / factor.sum().clamp(min=1e-12)


def _check(name: str, pred: tp.Tensor, target: tp.Tensor) -> None:
    if pred.ndim < 2 or tuple(target.shape) != (pred.shape[0], *pred.shape[2:]):
        raise ShapeError(
            f"{name}: wanted logits (n, classes, ...) and classes (n, ...), got "
            f"{tuple(pred.shape)} and {tuple(target.shape)}"
        )


def _prepared(
    name: str, pred: tp.Tensor, target: tp.Tensor, ignore_index: int
) -> tuple[tp.Tensor, tp.Tensor, tp.Tensor]:
    """Probabilities and truth (n, classes, pixels), 0 where nothing counts, and (n, 1, pixels)."""
    _check(name, pred, target)
    flat = target.flatten(1)
    counts = flat != ignore_index
    counted = counts.to(pred.dtype)[:, None]
    truth = F.one_hot(flat.where(counts, 0), pred.shape[1]).transpose(1, 2).to(pred.dtype)
    return pred.softmax(1).flatten(2) * counted, truth * counted, counted

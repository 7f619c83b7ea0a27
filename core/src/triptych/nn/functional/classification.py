"""Losses over classes: the negative log likelihood and cross entropy."""

from __future__ import annotations

import math

from ... import dtypes
from ...errors import ShapeError
from ...ops.creation import cast_to
from ...prims import composite
from ...prims import elementwise as ew
from ...prims import index as ix
from ...prims import movement as mv
from ...prims import reduce as rd
from ...prims.index import Slot
from ...prims.precision import computes_in
from ...tensor import Tensor
from .arguments import check_range, legacy_reduction, reduced

__all__ = ["cross_entropy", "nll_loss"]


def _class_axis(name: str, input: Tensor) -> int:
    if input.ndim == 0:
        raise ShapeError(f"{name}: wanted (c,), (n, c) or (n, c, ...), got a 0-d input")
    return 0 if input.ndim == 1 else 1


def _check_labels(name: str, input: Tensor, target: Tensor, axis: int, ignore_index: int) -> None:
    wanted = tuple(n for i, n in enumerate(input.shape) if i != axis)
    if tuple(target.shape) != wanted:
        hint = "; for class probabilities the target has the shape of the input and is floating"
        if target.ndim == len(wanted) + 1 and target.shape[-1] == 1:
            hint = "; target.squeeze(-1) would agree"
        raise ShapeError(
            f"{name}: input {tuple(input.shape)} wants class numbers of shape {wanted}, got "
            f"{tuple(target.shape)}{hint}"
        )
    check_range(name, target, input.shape[axis], ignore_index)


def _check_weight(name: str, weight: Tensor | None, classes: int) -> None:
    if weight is not None and tuple(weight.shape) != (classes,):
        raise ShapeError(
            f"{name}: wanted a weight for each of {classes} classes, got {tuple(weight.shape)}"
        )


def _per_sample_weight(
    log_p: Tensor, labels: Tensor, weight: Tensor | None, ignored: Tensor | None
) -> Tensor | None:
    """How much every sample counts; None when all count the same."""
    if weight is not None:
        counts = ix.index(weight, labels, key=(Slot(0),))
        return counts if ignored is None else ew.where(ignored, 0.0, counts)
    if ignored is None:
        return None
    return ew.cast(ew.logical_not(ignored), dtype=log_p._data.dtype)


def _likelihood(
    name: str,
    log_p: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    smoothing: float,
) -> Tensor:
    """The loss of log probabilities against class numbers."""
    axis = _class_axis(name, log_p)
    classes = log_p.shape[axis]
    _check_labels(name, log_p, target, axis, ignore_index)
    _check_weight(name, weight, classes)
    ignored = ew.eq(target, ignore_index) if _may_ignore(ignore_index, classes, target) else None
    labels = target if ignored is None else ew.where(ignored, 0, target)
    counts = _per_sample_weight(log_p, labels, weight, ignored)
    column = (*target.shape[:axis], 1, *target.shape[axis:])
    picked = ix.gather(log_p, mv.reshape(labels, shape=column), axis=axis)
    loss = ew.neg(mv.reshape(picked, shape=tuple(target.shape)))
    loss = loss if counts is None else ew.mul(loss, counts)
    divisor = loss._data.size if counts is None else reduced(name, counts, "sum")
    if smoothing:
        flat = ew.neg(rd.sum(_by_class(log_p, weight, axis), axes=(axis,)))
        flat = flat if ignored is None else ew.where(ignored, 0.0, flat)
        loss = ew.add(ew.mul(loss, 1 - smoothing), ew.mul(flat, smoothing / classes))
    if reduction != "mean":
        return reduced(name, loss, reduction)
    total = reduced(name, loss, "sum")
    if not isinstance(divisor, Tensor):
        return ew.div(total, divisor or math.nan)
    none = ew.eq(divisor, 0)  # all are ignored: the mean is no number, and its gradient is zero
    return ew.where(none, math.nan, ew.div(total, ew.where(none, 1.0, divisor)))


def _may_ignore(ignore_index: int, classes: int, target: Tensor) -> bool:
    """False when no target can equal ignore_index."""
    return 0 <= ignore_index < classes or target._data.dtype.kind == "i"


def _by_class(log_p: Tensor, weight: Tensor | None, axis: int) -> Tensor:
    if weight is None:
        return log_p
    shape = (weight.shape[0], *[1] * (log_p.ndim - 1 - axis))
    return ew.mul(log_p, mv.reshape(weight, shape=shape))


@computes_in("single")
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The negative log likelihood of the right classes.

    Args:
        input: log probabilities, (c,), (n, c) or (n, c, ...).
        target: class numbers, the same shape without c; 0 to c - 1.
        weight: (c,) of every class; a mean is divided by the weights that were used.
        size_average, reduce: torch's old spelling of reduction.
        ignore_index: a number in target that counts for nothing.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: shapes do not fit.
        BoundsError: a class number is out of range.
        DTypeError: target is not integer.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    return _likelihood("nll_loss", input, target, weight, ignore_index, reduction, 0.0)


@computes_in("single")
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """The cross entropy of softmax(input) against class numbers or class probabilities.

    Args:
        input: logits, (c,), (n, c) or (n, c, ...).
        target: class numbers, the same shape without c; or floating probabilities in the shape of
            input.
        weight: (c,) of every class.
        size_average, reduce: torch's old spelling of reduction.
        ignore_index: a class number that counts for nothing.
        reduction: "mean", "sum" or "none"; a mean over class numbers is divided by the weights
            that were used, over probabilities by n.
        label_smoothing: share of the target that is spread evenly over all classes, 0 to 1.

    Raises:
        ShapeError: shapes do not fit.
        BoundsError: a class number is out of range.
        DTypeError: target is neither integer nor floating.

    Example:
        >>> cross_entropy(tensor([[2.0, 1.0]]), tensor([0]))
        tensor(0.3133)

    Source: Szegedy et al. 2016, section 7, for label smoothing.
    """
    name = "cross_entropy"
    reduction = legacy_reduction(size_average, reduce, reduction)
    if not 0 <= label_smoothing <= 1:
        raise ShapeError(f"{name}: label_smoothing wants 0 to 1, got {label_smoothing}")
    axis = _class_axis(name, input)
    log_p = composite.log_softmax(input, axis=axis)
    if not dtypes.is_floating(target._data.dtype):
        smooth = label_smoothing
        return _likelihood(name, log_p, target, weight, ignore_index, reduction, smooth)
    if tuple(target.shape) != tuple(input.shape):
        raise ShapeError(
            f"{name}: class probabilities want the input's shape {tuple(input.shape)}, got "
            f"{tuple(target.shape)}; for class numbers use .long()"
        )
    _check_weight(name, weight, input.shape[axis])
    if label_smoothing:
        spread = label_smoothing / input.shape[axis]
        target = ew.add(ew.mul(target, 1 - label_smoothing), spread)
    costs = ew.mul(_by_class(log_p, weight, axis), cast_to(target, log_p._data.dtype))
    loss = ew.neg(rd.sum(costs, axes=(axis,)))
    return reduced(name, loss, reduction)

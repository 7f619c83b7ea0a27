"""Losses over margins: hinges, rankings, triplets."""

from __future__ import annotations

from collections.abc import Callable

from ... import dtypes
from ...errors import DomainError, ShapeError
from ...ops.named import drops_names
from ...ops.pointwise import clamp
from ...prims import create
from ...prims import elementwise as ew
from ...prims import index as ix
from ...prims import movement as mv
from ...prims import reduce as rd
from ...prims.index import Slot
from ...prims.precision import computes_in
from ...tensor import Tensor
from .activation import logsigmoid, softplus
from .arguments import check_range, legacy_reduction, reduced, same_shape
from .distance import pairwise_distance

__all__ = [
    "cosine_embedding_loss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]


def _hinge(x: Tensor) -> Tensor:
    return clamp(x, min=0)


@computes_in("single")
def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """x where target is 1, max(0, margin - x) where it is -1.

    Args:
        input: distances.
        target: 1 or -1, in the shape of input.
        margin: how far apart unlike pairs should be.
        size_average, reduce: torch's old spelling of reduction.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: the shapes differ.
    """
    name = "hinge_embedding_loss"
    same_shape(name, input, target)
    apart = ew.where(ew.ne(target, 1), _hinge(ew.sub(margin, input)), 0.0)
    loss = ew.add(apart, ew.where(ew.ne(target, -1), input, 0.0))
    return reduced(name, loss, legacy_reduction(size_average, reduce, reduction))


@computes_in("single")
def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """1 - cosine where target is 1, max(0, cosine - margin) where it is -1.

    Args:
        input1, input2: (n, d) or (d,).
        target: (n,) or (): 1 or -1.
        margin: cosine that unlike pairs may have.
        size_average, reduce: torch's old spelling of reduction.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: the shapes do not fit.
    """
    name = "cosine_embedding_loss"
    same_shape(name, input1, input2, "input2")
    if tuple(target.shape) != tuple(input1.shape[:-1]):
        raise ShapeError(
            f"{name}: inputs {tuple(input1.shape)} want a target of {tuple(input1.shape[:-1])}, "
            f"got {tuple(target.shape)}"
        )
    cosine = _cosine(input1, input2)
    like = ew.where(ew.eq(target, 1), ew.sub(1, cosine), 0.0)
    unlike = ew.where(ew.eq(target, -1), _hinge(ew.sub(cosine, margin)), 0.0)
    reduction = legacy_reduction(size_average, reduce, reduction)
    return reduced(name, ew.add(like, unlike), reduction)


def _cosine(a: Tensor, b: Tensor) -> Tensor:
    """torch's cosine of this loss: epsilon is added to the squared lengths."""
    last = (a.ndim - 1,)
    guard = 1e-12
    lengths = [ew.add(rd.sum(ew.square(t), axes=last), guard) for t in (a, b)]
    return ew.mul(rd.sum(ew.mul(a, b), axes=last), ew.rsqrt(ew.mul(*lengths)))


@computes_in("single")
def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, -target * (x1 - x2) + margin): x1 should rank above x2 where target is 1.

    Args:
        input1, input2, target: one shape; target is 1 or -1.
        margin: how far apart they should be.
        size_average, reduce: torch's old spelling of reduction.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: the shapes differ.
    """
    name = "margin_ranking_loss"
    same_shape(name, input1, input2, "input2")
    same_shape(name, input1, target)
    loss = _hinge(ew.add(ew.mul(ew.neg(target), ew.sub(input1, input2)), margin))
    return reduced(name, loss, legacy_reduction(size_average, reduce, reduction))


@computes_in("single")
def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """log(1 + exp(-target * x)), for targets of 1 or -1 in the shape of input.

    Raises:
        ShapeError: the shapes differ.
    """
    same_shape("soft_margin_loss", input, target)
    loss = softplus(ew.mul(ew.neg(target), input))
    return reduced("soft_margin_loss", loss, legacy_reduction(size_average, reduce, reduction))


@computes_in("single")
def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The binary cross entropy of sigmoid(input), averaged over classes.

    Args:
        input, target: (n, c), target 0 or 1.
        weight: (c,) of every class.
        size_average, reduce: torch's old spelling of reduction.
        reduction: over n: "mean", "sum" or "none".

    Raises:
        ShapeError: the shapes differ.
    """
    name = "multilabel_soft_margin_loss"
    same_shape(name, input, target)
    hit = ew.mul(target, logsigmoid(input))
    miss = ew.mul(ew.sub(1, target), logsigmoid(ew.neg(input)))
    costs = ew.neg(ew.add(hit, miss))
    costs = costs if weight is None else ew.mul(costs, weight)
    loss = ew.div(rd.sum(costs, axes=(input.ndim - 1,)), input.shape[-1])
    return reduced(name, loss, legacy_reduction(size_average, reduce, reduction))


def _rows(name: str, input: Tensor) -> Tensor:
    """(n, c), from that, (c,) or the () of a single class."""
    if input.ndim > 2 or not (input.shape or (1,))[-1]:
        raise ShapeError(f"{name}: wanted (n, c) or (c,), got {tuple(input.shape)}")
    return input if input.ndim == 2 else mv.reshape(input, shape=(1, input._data.size))


def _one_or_all(loss: Tensor, input: Tensor) -> Tensor:
    return loss if input.ndim == 2 else mv.reshape(loss, shape=())


@computes_in("single")
def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean over wrong classes j of max(0, margin - x[right] + x[j]) ** p.

    Args:
        input: (n, c) or (c,) scores.
        target: (n,) or () class numbers.
        p: 1 or 2.
        margin: by how much the right class should win.
        weight: (c,) of every class.
        size_average, reduce: torch's old spelling of reduction.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: shapes do not fit, or p is another number.
        BoundsError: a class number is out of range.
    """
    name = "multi_margin_loss"
    scores = _rows(name, input)
    count, classes = scores.shape
    if p not in (1, 2) or target._data.size != count or target.ndim > 1:
        raise ShapeError(
            f"{name}: wanted p 1 or 2 and ({count},) class numbers, got p = {p} and "
            f"{tuple(target.shape)}"
        )
    check_range(name, target, classes)
    right = mv.reshape(target, shape=(count, 1))
    gaps = ew.add(ew.sub(margin, ix.gather(scores, right, axis=1)), scores)
    costs = _hinge(gaps) if p == 1 else ew.square(_hinge(gaps))
    if weight is not None:
        costs = ew.mul(costs, ix.index(weight, right, key=(Slot(0),)))
    numbers = create.arange(
        shape=(classes,), dtype=dtypes.INT64, device=input.device, start=0, step=1
    )
    costs = ew.where(ew.eq(numbers, right), 0.0, costs)
    loss = ew.div(rd.sum(costs, axes=(1,)), classes)
    reduction = legacy_reduction(size_average, reduce, reduction)
    return reduced(name, _one_or_all(loss, input), reduction)


@computes_in("single")
@drops_names
def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The sum over right classes r and wrong ones j of max(0, 1 - x[r] + x[j]), divided by c.

    Args:
        input: (n, c) or (c,) scores.
        target: class numbers in the shape of input; a negative one ends a row.
        size_average, reduce: torch's old spelling of reduction.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: the shapes differ.
        BoundsError: a class number is out of range.
    """
    name = "multilabel_margin_loss"
    same_shape(name, input, target)
    scores, labels = _rows(name, input), _rows(name, target)
    ended = ew.gt(rd.cumsum(ew.cast(ew.lt(labels, 0), dtype=dtypes.INT64), axis=1), 0)
    labels = ew.where(ended, 0, labels)
    check_range(name, labels, scores.shape[1])
    valid = ew.cast(ew.logical_not(ended), dtype=scores._data.dtype)  # (n, r)
    marks = ix.ungather(valid, labels, shape=tuple(scores.shape), axis=1)
    wrong = ew.cast(ew.eq(marks, 0), dtype=scores._data.dtype)  # (n, j)
    right = ix.gather(scores, labels, axis=1)
    count, classes = scores.shape
    gaps = ew.sub(
        mv.reshape(scores, shape=(count, 1, classes)), mv.reshape(right, shape=(count, classes, 1))
    )
    pairs = ew.mul(
        mv.reshape(valid, shape=(count, classes, 1)), mv.reshape(wrong, shape=(count, 1, classes))
    )
    costs = ew.mul(_hinge(ew.add(gaps, 1)), pairs)  # (n, r, j)
    loss = ew.div(rd.sum(costs, axes=(1, 2)), classes)
    reduction = legacy_reduction(size_average, reduce, reduction)
    return reduced(name, _one_or_all(loss, input), reduction)


@computes_in("single")
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, margin + |anchor - positive| - |anchor - negative|).

    Args:
        anchor, positive, negative: (n, d) or (d,), one shape.
        margin: by how much the negative should be farther.
        p, eps: of `pairwise_distance`.
        swap: use |positive - negative| where that is smaller.
        size_average, reduce: torch's old spelling of reduction.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: the shapes differ.
        DomainError: the margin is not positive.

    Source: Balntas et al. 2016, section 3, for swap.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)

    def distance(a: Tensor, b: Tensor) -> Tensor:
        return pairwise_distance(a, b, p, eps)

    return _triplet(
        "triplet_margin_loss", anchor, positive, negative, distance, margin, swap, reduction
    )


def _triplet(
    name: str,
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    distance: Callable[[Tensor, Tensor], Tensor],
    margin: float,
    swap: bool,
    reduction: str,
) -> Tensor:
    if not margin > 0:
        raise DomainError(f"{name}: wanted margin > 0, got {margin}")
    same_shape(name, anchor, positive, "positive")
    same_shape(name, anchor, negative, "negative")
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = ew.minimum(far, distance(positive, negative))
    return reduced(name, _hinge(ew.sub(ew.add(near, margin), far)), reduction)


@computes_in("single")
def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` with a distance of one's own; default `pairwise_distance`."""
    distance = pairwise_distance if distance_function is None else distance_function
    name = "triplet_margin_with_distance_loss"
    return _triplet(name, anchor, positive, negative, distance, margin, swap, reduction)

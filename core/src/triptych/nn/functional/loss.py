"""Losses of predictions against numbers. Input and target have one shape: nothing broadcasts.

Losses over classes are in `classification`, losses over vectors and ranks in `margin`.
"""

from __future__ import annotations

import math

from ... import dtypes
from ...errors import DTypeError, ShapeError
from ...prims import elementwise as ew
from ...prims.precision import computes_in
from ...state import state
from ...tensor import Tensor
from .activation import logsigmoid
from .arguments import legacy_reduction, reduced, same_shape

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "gaussian_nll_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "mse_loss",
    "poisson_nll_loss",
    "smooth_l1_loss",
]


def _weighted(name: str, loss: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    """torch's weighted regression losses: the mean is taken by the sum of weights."""
    if weight is None:
        return reduced(name, loss, reduction)
    same_shape(name, loss, weight, "weight")
    loss = ew.mul(loss, weight)
    if reduction != "mean":
        return reduced(name, loss, reduction)
    return ew.div(reduced(name, loss, "sum"), reduced(name, weight, "sum"))


@computes_in("single")
def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The squared difference.

    Args:
        input, target: one shape.
        size_average, reduce: torch's old spelling of reduction.
        reduction: "mean", "sum" or "none".
        weight: of every element, in the same shape; a mean is then divided by the sum of weights.

    Raises:
        ShapeError: the shapes differ.
    """
    same_shape("mse_loss", input, target)
    reduction = legacy_reduction(size_average, reduce, reduction)
    return _weighted("mse_loss", ew.square(ew.sub(input, target)), weight, reduction)


@computes_in("single")
def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The absolute difference; see `mse_loss`."""
    same_shape("l1_loss", input, target)
    reduction = legacy_reduction(size_average, reduce, reduction)
    return _weighted("l1_loss", ew.abs(ew.sub(input, target)), weight, reduction)


@computes_in("single")
def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """d ** 2 / (2 beta) for differences d below beta, d - beta / 2 above.

    Raises:
        ShapeError: the shapes differ, or beta is negative.

    Source: Girshick 2015, eq. 3.
    """
    same_shape("smooth_l1_loss", input, target)
    if beta < 0:
        raise ShapeError(f"smooth_l1_loss: wanted beta >= 0, got {beta}")
    signed = ew.sub(input, target)
    gap = ew.abs(signed)
    if beta > 0:
        near = ew.mul(ew.square(signed), 0.5 / beta)
        gap = ew.where(ew.lt(gap, beta), near, ew.sub(gap, 0.5 * beta))
    return reduced("smooth_l1_loss", gap, legacy_reduction(size_average, reduce, reduction))


@computes_in("single")
def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """d ** 2 / 2 for differences d up to delta, delta * (d - delta / 2) above.

    Raises:
        ShapeError: the shapes differ, or delta is not positive.

    Source: Huber 1964, eq. 3.1.
    """
    same_shape("huber_loss", input, target)
    if delta <= 0:
        raise ShapeError(f"huber_loss: wanted delta > 0, got {delta}")
    signed = ew.sub(input, target)
    gap = ew.abs(signed)
    far = ew.mul(ew.sub(gap, 0.5 * delta), delta)
    loss = ew.where(ew.le(gap, delta), ew.mul(ew.square(signed), 0.5), far)
    return _weighted("huber_loss", loss, weight, reduction)


def _log(p: Tensor) -> Tensor:
    """log(p), at least -100, so that a certain and wrong prediction costs a finite amount.

    As in torch the slope is 1 / p with p at least 1e-12: large, but never infinite or lost.
    """
    floor = max(1e-12, float(dtypes.finfo(p.dtype).tiny))
    low = ew.lt(p, floor)
    y = ew.log(ew.add(p, ew.where(low, ew.sub(floor, p), 0.0).detach()))
    exact = ew.maximum(ew.log(p.detach()), -100.0)
    return ew.add(y, ew.where(low, ew.sub(exact, y), 0.0).detach())


def _check_probabilities(name: str, p: Tensor) -> None:
    """Refuse numbers outside [0, 1] where they are at hand: on the CPU, outside captures."""
    if not dtypes.is_floating(p._data.dtype):
        raise DTypeError(f"{name}: wanted floating probabilities, got {p.dtype}; use .float()")
    if state.trace is not None or p.device.type != "cpu":
        return
    good = (p._data >= 0) & (p._data <= 1)
    if not good.all():
        raise ShapeError(
            f"{name}: wanted probabilities from 0 to 1, got {float(p._data[~good].flat[0])}; for "
            "logits use binary_cross_entropy_with_logits"
        )


def _fits(name: str, label: str, weight: Tensor, input: Tensor) -> None:
    """Refuse a weight that does not broadcast to the input."""
    sides = zip(reversed(weight.shape), reversed(input.shape), strict=False)
    if weight.ndim > input.ndim or any(w not in (1, n) for w, n in sides):
        raise ShapeError(
            f"{name}: {label} has shape {tuple(weight.shape)}, which does not broadcast to the "
            f"input {tuple(input.shape)}"
        )


@computes_in("single")
def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-t log(p) - (1 - t) log(1 - p); logarithms are at least -100.

    Args:
        input: probabilities p in [0, 1].
        target: t in [0, 1], in the shape of input.
        weight: broadcasts to that shape.
        size_average, reduce: torch's old spelling of reduction.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: the shapes differ, or input is outside [0, 1].
        DTypeError: input is not floating.
    """
    same_shape("binary_cross_entropy", input, target)
    _check_probabilities("binary_cross_entropy", input)
    hit = ew.mul(target, _log(input))
    miss = ew.mul(ew.sub(1, target), _log(ew.sub(1, input)))
    loss = ew.neg(ew.add(hit, miss))
    if weight is not None:
        _fits("binary_cross_entropy", "weight", weight, input)
        loss = ew.mul(loss, weight)
    return reduced("binary_cross_entropy", loss, legacy_reduction(size_average, reduce, reduction))


@computes_in("single")
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """`binary_cross_entropy` of sigmoid(input), without overflow.

    Args:
        input: logits.
        target: in [0, 1], in the shape of input.
        weight: broadcasts to that shape.
        size_average, reduce: torch's old spelling of reduction.
        reduction: "mean", "sum" or "none".
        pos_weight: weight of the positive answers; broadcasts.

    Raises:
        ShapeError: the shapes differ.
    """
    name = "binary_cross_entropy_with_logits"
    same_shape(name, input, target)
    cost = ew.neg(logsigmoid(input))
    if pos_weight is not None:
        _fits(name, "pos_weight", pos_weight, input)
        cost = ew.mul(cost, ew.add(ew.mul(target, ew.sub(pos_weight, 1)), 1))
    loss = ew.add(ew.mul(ew.sub(1, target), input), cost)
    if weight is not None:
        _fits(name, "weight", weight, input)
        loss = ew.mul(loss, weight)
    return reduced(name, loss, legacy_reduction(size_average, reduce, reduction))


def _xlogx(t: Tensor) -> Tensor:
    """t log(t), 0 at 0."""
    zero = ew.eq(t, 0)
    return ew.where(zero, 0.0, ew.mul(t, ew.log(ew.where(zero, 1.0, t))))


@computes_in("single")
def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """t (log t - x): how far a distribution is from the target.

    Args:
        input: log probabilities x.
        target: probabilities t, in the shape of input; with log_target their logarithms.
        size_average, reduce: torch's old spelling of reduction.
        reduction: "batchmean" (the mathematical divergence), "mean", "sum" or "none".
        log_target: whether target holds logarithms.

    Raises:
        ShapeError: the shapes differ.

    Source: Kullback and Leibler 1951.
    """
    same_shape("kl_div", input, target)
    if log_target:
        loss = ew.mul(ew.exp(target), ew.sub(target, input))
    else:
        loss = ew.sub(_xlogx(target), ew.mul(target, input))
    reduction = legacy_reduction(size_average, reduce, reduction)
    if reduction != "batchmean":
        return reduced("kl_div", loss, reduction)
    total = reduced("kl_div", loss, "sum")
    return ew.div(total, input.shape[0]) if input.ndim else total


@computes_in("single")
def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The negative log likelihood of counts under a Poisson distribution.

    Args:
        input: the rate, or its logarithm.
        target: counts, in the shape of input.
        log_input: whether input holds logarithms.
        full: add Stirling's approximation of log(target!).
        size_average, reduce: torch's old spelling of reduction.
        eps: keeps log(input) finite.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: the shapes differ.
    """
    same_shape("poisson_nll_loss", input, target)
    if log_input:
        loss = ew.sub(ew.exp(input), ew.mul(target, input))
    else:
        loss = ew.sub(input, ew.mul(target, ew.log(ew.add(input, eps))))
    if full:
        many = ew.gt(target, 1)
        count = ew.where(many, target, 1.0)
        tail = ew.mul(ew.log(ew.mul(count, 2 * math.pi)), 0.5)
        stirling = ew.add(ew.sub(ew.mul(count, ew.log(count)), count), tail)
        loss = ew.add(loss, ew.where(many, stirling, 0.0))
    reduction = legacy_reduction(size_average, reduce, reduction)
    return reduced("poisson_nll_loss", loss, reduction)


@computes_in("single")
def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """The negative log likelihood of numbers under normal distributions.

    Args:
        input: means.
        target: in the shape of input.
        var: variances in that shape, without its last axis or with one axis of 1; or a number.
        full: add the constant log(2 pi) / 2.
        eps: the least variance.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: the shapes differ, or a variance is negative.
    """
    same_shape("gaussian_nll_loss", input, target)
    spread = var if isinstance(var, Tensor) else ew.fill_like(input.detach(), value=var)
    spread = _variance(spread, input)
    floor = ew.lt(spread, eps)
    # As in torch, the gradient passes through the floor.
    spread = ew.add(spread, ew.where(floor, ew.sub(eps, spread), 0.0).detach())
    cost = ew.add(ew.log(spread), ew.div(ew.square(ew.sub(input, target)), spread))
    loss = ew.mul(cost, 0.5)
    if full:
        loss = ew.add(loss, 0.5 * math.log(2 * math.pi))
    return reduced("gaussian_nll_loss", loss, reduction)


def _variance(var: Tensor, input: Tensor) -> Tensor:
    if var.shape == input.shape:
        fits = var
    elif var.shape == input.shape[:-1]:
        fits = var.reshape((*var.shape, 1))
    elif var.ndim == input.ndim and _differing(var, input) == [1]:
        fits = var
    else:
        raise ShapeError(
            f"gaussian_nll_loss: var has shape {tuple(var.shape)}, wanted {tuple(input.shape)}, or "
            "the same without the last axis or with one axis of 1"
        )
    return fits


def _differing(var: Tensor, input: Tensor) -> list[int]:
    """The lengths of var where they are not those of input."""
    return [v for v, n in zip(var.shape, input.shape, strict=True) if v != n]

"""Losses of separated sources."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError, ShapeError
from triptych.nn import Module
from triptych_audio.metrics.separation import si_sdr

__all__ = ["PITLoss", "SISDRLoss", "pit_loss", "si_sdr_loss"]

REDUCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda x: x.mean(),
    "none": lambda x: x,
    "sum": lambda x: x.sum(),
}


def _reduced(name: str, values: Tensor, reduction: str) -> Tensor:
    if reduction not in REDUCTIONS:
        raise DTypeError(f"{name}: reduction is one of {sorted(REDUCTIONS)}, got {reduction!r}")
    return REDUCTIONS[reduction](values)


def si_sdr_loss(
    input: Tensor, target: Tensor, zero_mean: bool = True, reduction: str = "mean"
) -> Tensor:
    """Minus the scale-invariant signal-to-distortion ratio.

    Args:
        input: (..., t) estimates.
        target: (..., t) what is right.
        zero_mean: subtract means first.
        reduction: "mean", "sum" or "none".

    Returns:
        0-d, or (...,) for "none", in dB.

    Raises:
        ShapeError: shapes differ.
        DTypeError: reduction is unknown.

    Source: Le Roux et al. 2019.
    """
    return _reduced("si_sdr_loss", -si_sdr(input, target, zero_mean), reduction)


def _minus_si_sdr(estimates: Tensor, targets: Tensor) -> Tensor:
    return -si_sdr(estimates, targets)


def pit_loss(
    input: Tensor,
    target: Tensor,
    loss_fn: Callable[[Tensor, Tensor], Tensor] = _minus_si_sdr,
    reduction: str = "mean",
) -> tuple[Tensor, Tensor]:
    """The loss for the best match of estimated sources with targets: their order is free.

    Args:
        input: (n, sources, t) estimates.
        target: (n, sources, t) what is right.
        loss_fn: takes two signals of the same shape (..., t) and gives (...,); default minus
            `si_sdr`.
        reduction: over examples: "mean", "sum" or "none".

    Returns:
        The loss, 0-d or (n,), a mean over sources; and (n, sources) int64: which estimate belongs
        to each target.

    Raises:
        ShapeError: shapes differ, or are not (n, sources, t).
        DTypeError: reduction is unknown.

    Source: Yu et al. 2017, Permutation invariant training; the match by Kuhn 1955.
    """
    from scipy.optimize import linear_sum_assignment

    if input.shape != target.shape or input.ndim != 3:
        raise ShapeError(
            f"pit_loss: wanted two of the same shape (n, sources, t), got {tuple(input.shape)} and "
            f"{tuple(target.shape)}"
        )
    n, sources, t = input.shape
    shape = (n, sources, sources, t)  # example, target, estimate
    table = loss_fn(input[:, None].expand(*shape), target[:, :, None].expand(*shape))
    costs = table.detach().cpu().numpy()
    order = np.stack([linear_sum_assignment(c)[1] for c in costs]).astype(np.int64)
    best = tp.as_tensor(order, device=input.device)
    losses = table.gather(2, best[..., None])[..., 0].mean(-1)
    return _reduced("pit_loss", losses, reduction), best


class SISDRLoss(Module):
    """`si_sdr_loss` as a module.

    Args:
        zero_mean: subtract means first.
        reduction: "mean", "sum" or "none".
    """

    def __init__(self, zero_mean: bool = True, reduction: str = "mean") -> None:
        super().__init__()
        self.zero_mean, self.reduction = zero_mean, reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss, in dB.

        Args:
            input: (..., t) estimates.
            target: (..., t) what is right.
        """
        return si_sdr_loss(input, target, self.zero_mean, self.reduction)


class PITLoss(Module):
    """`pit_loss` as a module; gives the loss only.

    Args:
        loss_fn: takes two signals (..., t) and gives (...,); default minus `si_sdr`.
        reduction: over examples: "mean", "sum" or "none".
    """

    def __init__(
        self,
        loss_fn: Callable[[Tensor, Tensor], Tensor] = _minus_si_sdr,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        self.loss_fn, self.reduction = loss_fn, reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss.

        Args:
            input: (n, sources, t) estimates.
            target: (n, sources, t) what is right.
        """
        return pit_loss(input, target, self.loss_fn, self.reduction)[0]

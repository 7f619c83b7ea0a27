"""RAdam: Adam that waits until its mean square can be trusted."""

from __future__ import annotations

from typing import Any

from ..ops.pointwise import where
from ..tensor import Tensor
from .optimizer import Optimizer, Params
from .rules import (
    bias_correction,
    check_betas,
    check_options,
    count,
    decayed,
    rate,
    zeros_like_param,
)

__all__ = ["RAdam"]

# The variance of the mean square is finite above 4 effective samples; the authors' code takes 5.
_ENOUGH_SAMPLES = 5.0


class RAdam(Optimizer):
    """Rectified Adam: plain momentum in the first steps, then Adam with a rectified step.

    Args:
        params: tensors or groups; see `Optimizer`.
        lr: learning rate, at least 0.
        betas: how much of the running means is kept from step to step, each in [0, 1).
        eps: added to the root against division by zero.
        weight_decay: factor of the L2 penalty, or the rate of decoupled decay.
        decoupled_weight_decay: shrink the parameter itself, as `AdamW` does.
        maximize: climb instead.
        capturable: count the steps in a tensor. Captured graphs do so by themselves.
        foreach: accepted for compatibility; it changes nothing.
        differentiable: record the update, to differentiate through it.

    Raises:
        ValueError: an option is out of its range.

    Source: Liu et al. 2020, algorithm 2.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_options("RAdam", lr=lr, eps=eps, weight_decay=weight_decay)
        check_betas("RAdam", betas)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def update(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """The rule for one parameter; see `Optimizer.update`."""
        beta1, beta2 = group["betas"]
        step = count(p, grad, state, group)
        if "exp_avg" not in state:
            state["exp_avg"] = zeros_like_param(p)
            state["exp_avg_sq"] = zeros_like_param(p)
        grad = decayed(p, grad, group)
        mean = state["exp_avg"].lerp_(grad, 1 - beta1)
        square = state["exp_avg_sq"].mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        factor = rate(p, group) / bias_correction(beta1, step)
        p.sub_(mean * _scale(square, beta2, step, group["eps"]) * factor)


def _scale(square: Tensor, beta2: float, step: Any, eps: float) -> Any:
    """The factor on the corrected mean: 1 at first, then Adam's, rectified."""
    correction = bias_correction(beta2, step)
    most = 2 / (1 - beta2) - 1
    samples = most - 2 * step * beta2**step / correction  # rho_t, the effective number of samples
    if not isinstance(step, Tensor) and samples <= _ENOUGH_SAMPLES:
        return 1.0
    trusted = samples.clamp(min=_ENOUGH_SAMPLES) if isinstance(step, Tensor) else samples
    variance = (trusted - 4) * (trusted - 2) * most / ((most - 4) * (most - 2) * trusted)
    adaptive = (correction * variance) ** 0.5 / (square.sqrt() + eps)
    return where(samples > _ENOUGH_SAMPLES, adaptive, 1.0) if isinstance(step, Tensor) else adaptive

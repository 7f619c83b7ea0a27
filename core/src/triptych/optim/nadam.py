"""NAdam: Adam with Nesterov's momentum."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from .optimizer import Optimizer, Params
from .rules import (
    bias_correction,
    check_betas,
    check_options,
    count,
    decayed,
    rate,
    scalar,
    zeros_like_param,
)

__all__ = ["NAdam"]


class NAdam(Optimizer):
    """Adam that looks ahead: the step mixes the gradient g and its mean m by a growing momentum.

    With ``mu(t) = beta1 * (1 - 0.96**(t * momentum_decay) / 2)`` and the product M of all mu so
    far, the numerator of Adam's step becomes ``mu(t + 1) * m / (1 - M * mu(t + 1)) + (1 - mu(t)) *
    g / (1 - M)``.

    Args:
        params: tensors or groups; see `Optimizer`.
        lr: learning rate, at least 0.
        betas: how much of the running means is kept from step to step, each in [0, 1).
        eps: added to the root against division by zero.
        weight_decay: factor of the L2 penalty, or the rate of decoupled decay.
        momentum_decay: how fast the momentum grows to beta1.
        decoupled_weight_decay: shrink the parameter itself, as `AdamW` does.
        maximize: climb instead.
        capturable: count the steps in a tensor. Captured graphs do so by themselves.
        foreach: accepted for compatibility; it changes nothing.
        differentiable: record the update, to differentiate through it.

    Raises:
        ValueError: an option is out of its range.

    Source: Dozat 2016, algorithm 2; the schedule of mu, section 3.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_options(
            "NAdam", lr=lr, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay
        )
        check_betas("NAdam", betas)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def update(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """The rule for one parameter; see `Optimizer.update`."""
        beta1, beta2 = group["betas"]
        lr, decay = rate(p, group), group["momentum_decay"]
        step = count(p, grad, state, group)
        scalar("mu_product", 1.0, p, grad, state, group)
        if "exp_avg" not in state:
            state["exp_avg"] = zeros_like_param(p)
            state["exp_avg_sq"] = zeros_like_param(p)
        grad = decayed(p, grad, group)
        mean = state["exp_avg"].lerp_(grad, 1 - beta1)
        square = state["exp_avg_sq"].mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        now = beta1 * (1 - 0.5 * 0.96 ** (step * decay))
        ahead = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * decay))
        state["mu_product"] *= now
        product = state["mu_product"]
        root = (square / bias_correction(beta2, step)).sqrt() + group["eps"]
        p.addcdiv_(grad, root, value=-lr * (1 - now) / (1 - product))
        p.addcdiv_(mean, root, value=-lr * ahead / (1 - product * ahead))

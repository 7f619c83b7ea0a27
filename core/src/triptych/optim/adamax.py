"""Adamax: Adam with the largest gradient in place of the mean square."""

from __future__ import annotations

from typing import Any

from ..ops.pointwise import maximum
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

__all__ = ["Adamax"]


class Adamax(Optimizer):
    """Adam by the infinity norm: divide by a decaying maximum u of the gradient's magnitude.

    ``u = max(beta2 * u, abs(g) + eps)``, then ``p -= lr / (1 - beta1**step) * m / u`` with the
    running mean m of the gradient g.

    Args:
        params: tensors or groups; see `Optimizer`.
        lr: learning rate, at least 0.
        betas: how much of the running means is kept from step to step, each in [0, 1).
        eps: added to the magnitude against division by zero.
        weight_decay: factor of the L2 penalty.
        maximize: climb instead.
        capturable: count the steps in a tensor. Captured graphs do so by themselves.
        foreach: accepted for compatibility; it changes nothing.
        differentiable: record the update, to differentiate through it.

    Raises:
        ValueError: an option is out of its range.

    Source: Kingma and Ba 2015, algorithm 2.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_options("Adamax", lr=lr, eps=eps, weight_decay=weight_decay)
        check_betas("Adamax", betas)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def update(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """The rule for one parameter; see `Optimizer.update`."""
        beta1, beta2 = group["betas"]
        step = count(p, grad, state, group)
        if "exp_avg" not in state:
            state["exp_avg"] = zeros_like_param(p)
            state["exp_inf"] = zeros_like_param(p)
        grad = decayed(p, grad, group)
        mean, largest = state["exp_avg"].lerp_(grad, 1 - beta1), state["exp_inf"]
        largest.copy_(maximum(largest * beta2, grad.abs() + group["eps"]))
        p.addcdiv_(mean, largest, value=-rate(p, group) / bias_correction(beta1, step))

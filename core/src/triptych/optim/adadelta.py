"""Adadelta: steps in the units of the parameter, without a learning rate to tune."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from .optimizer import Optimizer, Params
from .rules import check_fractions, check_options, count, decayed, rate, zeros_like_param

__all__ = ["Adadelta"]


class Adadelta(Optimizer):
    """Scale the gradient g by the ratio of the sizes of recent steps d and recent gradients.

    ``d = sqrt(u + eps) / sqrt(v + eps) * g`` with running means v of ``g**2`` and u of ``d**2``;
    ``p -= lr * d``.

    Args:
        params: tensors or groups; see `Optimizer`.
        lr: factor on the step; 1 is the published method.
        rho: how much of the means is kept from step to step, in [0, 1).
        eps: added under the roots; with it the first steps get their size.
        weight_decay: factor of the L2 penalty.
        maximize: climb instead.
        capturable: count the steps in a tensor. Captured graphs do so by themselves.
        foreach: accepted for compatibility; it changes nothing.
        differentiable: record the update, to differentiate through it.

    Raises:
        ValueError: an option is out of its range.

    Source: Zeiler 2012, algorithm 1.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_options("Adadelta", lr=lr, eps=eps, weight_decay=weight_decay)
        check_fractions("Adadelta", rho=rho)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def update(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """The rule for one parameter; see `Optimizer.update`."""
        count(p, grad, state, group)
        if "square_avg" not in state:
            state["square_avg"] = zeros_like_param(p)
            state["acc_delta"] = zeros_like_param(p)
        rho, eps = group["rho"], group["eps"]
        grad = decayed(p, grad, group)
        square = state["square_avg"].mul_(rho).addcmul_(grad, grad, value=1 - rho)
        delta = (state["acc_delta"] + eps).sqrt() / (square + eps).sqrt() * grad
        state["acc_delta"].mul_(rho).addcmul_(delta, delta, value=1 - rho)
        p.sub_(delta * rate(p, group))

"""Adam and AdamW: steps scaled by running moments of the gradient."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from . import fused
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

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Adaptive moment estimation.

    Running means m of the gradient and v of its square, both corrected for starting at zero, give
    the step ``p -= lr * m / (sqrt(v) + eps)``.

    Args:
        params: tensors or groups; see `Optimizer`.
        lr: learning rate, at least 0; a 0-d tensor can change between replays of a graph.
        betas: how much of m and v is kept from step to step, each in [0, 1).
        eps: added to the root against division by zero.
        weight_decay: factor of the L2 penalty; adds ``weight_decay * p`` to the gradient.
        amsgrad: divide by the largest v so far (Reddi et al. 2018).
        maximize: climb instead.
        capturable: count the steps in a tensor. Captured graphs do so by themselves.
        foreach: accepted for compatibility; it changes nothing.
        fused: False turns off the native kernels, which take one pass where they can.
        differentiable: record the update, to differentiate through it.
        decoupled_weight_decay: shrink the parameter by ``lr * weight_decay`` instead of adding to
            the gradient, as `AdamW` does.

    Raises:
        ValueError: an option is out of its range.

    Example:
        >>> w = triptych.tensor([1.0, -2.0], requires_grad=True)
        >>> optimizer = Adam([w], lr=0.5)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> [round(x, 4) for x in w.tolist()]  # the first step has length lr
        [0.5, -1.5]

    Source: Kingma and Ba 2015, algorithm 1.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        name = type(self).__name__
        check_options(name, lr=lr, eps=eps, weight_decay=weight_decay)
        check_betas(name, betas)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def fused_update(
        self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> bool:
        """The rule in one pass; see `Optimizer.fused_update`."""
        ours = type(self).update is Adam.update  # and not that of a subclass
        return ours and fused.adam(p, grad, state, group)

    def update(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """The rule for one parameter; see `Optimizer.update`."""
        beta1, beta2 = group["betas"]
        step = count(p, grad, state, group)
        if "exp_avg" not in state:
            state["exp_avg"] = zeros_like_param(p)
            state["exp_avg_sq"] = zeros_like_param(p)
            if group["amsgrad"]:
                state["max_exp_avg_sq"] = zeros_like_param(p)
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        grad = decayed(p, grad, group)
        mean.lerp_(grad, 1 - beta1)
        square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        if group["amsgrad"]:
            square = state["max_exp_avg_sq"].copy_(state["max_exp_avg_sq"].maximum(square))
        root = square.sqrt() / bias_correction(beta2, step) ** 0.5 + group["eps"]
        p.addcdiv_(mean, root, value=-rate(p, group) / bias_correction(beta1, step))


class AdamW(Adam):
    """Adam with decoupled weight decay: each step shrinks p by ``lr * weight_decay * p``.

    Args:
        weight_decay: rate of the decay; default 0.01. All others as for `Adam`.

    Source: Loshchilov and Hutter 2019, algorithm 2.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

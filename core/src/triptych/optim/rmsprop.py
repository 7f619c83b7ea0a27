"""RMSprop: steps divided by a running root mean square of the gradient."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from .optimizer import Optimizer, Params
from .rules import check_options, count, decayed, rate, zeros_like_param

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """Divide the gradient g by the root of a running mean v of its square.

    ``v = alpha * v + (1 - alpha) * g**2``, then ``p -= lr * g / (sqrt(v) + eps)``.

    Args:
        params: tensors or groups; see `Optimizer`.
        lr: learning rate, at least 0.
        alpha: how much of v is kept from step to step.
        eps: added to the root against division by zero.
        weight_decay: factor of the L2 penalty.
        momentum: if not 0, the steps are accumulated in a buffer of which this part is kept.
        centered: divide by the standard deviation: v less the square of a running mean of g.
        maximize: climb instead.
        capturable: count the steps in a tensor. Captured graphs do so by themselves.
        foreach: accepted for compatibility; it changes nothing.
        differentiable: record the update, to differentiate through it.

    Raises:
        ValueError: an option is out of its range.

    Example:
        >>> w = triptych.tensor([3.0], requires_grad=True)
        >>> optimizer = RMSprop([w], lr=0.1, alpha=0.75)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> round(w.item(), 4)  # lr / sqrt(1 - alpha) less
        2.8

    Source: Hinton 2012, lecture 6e; centered, Graves 2013, eq. 38 to 45.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_options(
            "RMSprop", lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum
        )
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def update(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """The rule for one parameter; see `Optimizer.update`."""
        count(p, grad, state, group)
        for key, wanted in (
            ("square_avg", True),
            ("momentum_buffer", group["momentum"] > 0),
            ("grad_avg", group["centered"]),
        ):
            if wanted and key not in state:
                state[key] = zeros_like_param(p)
        grad = decayed(p, grad, group)
        square = state["square_avg"].mul_(group["alpha"])
        square.addcmul_(grad, grad, value=1 - group["alpha"])
        if group["centered"]:
            mean = state["grad_avg"].lerp_(grad, 1 - group["alpha"])
            square = square - mean * mean
        direction = grad / (square.sqrt() + group["eps"])
        if group["momentum"] > 0:
            direction = state["momentum_buffer"].mul_(group["momentum"]).add_(direction)
        p.sub_(direction * rate(p, group))

"""Adagrad: steps divided by the root of the sum of all squared gradients."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from .optimizer import Optimizer, Params
from .rules import check_options, count, decayed, rate, zeros_like_param

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """Divide the gradient g by the root of the sum s of its squares.

    ``s += g**2``, then ``p -= lr / (1 + (step - 1) * lr_decay) * g / (sqrt(s) + eps)``.

    Args:
        params: tensors or groups; see `Optimizer`.
        lr: learning rate, at least 0.
        lr_decay: how fast the rate falls with the number of steps.
        weight_decay: factor of the L2 penalty.
        initial_accumulator_value: where s starts.
        eps: added to the root against division by zero.
        maximize: climb instead.
        foreach, fused: accepted for compatibility; they change nothing.
        differentiable: record the update, to differentiate through it.

    Raises:
        ValueError: an option is out of its range.

    Example:
        >>> w = triptych.tensor([3.0], requires_grad=True)
        >>> optimizer = Adagrad([w], lr=0.5)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.item()
        2.5

    Source: Duchi, Hazan and Singer 2011.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_options(
            "Adagrad",
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def update(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """The rule for one parameter; see `Optimizer.update`."""
        step = count(p, grad, state, group)
        if "sum" not in state:
            state["sum"] = zeros_like_param(p, group["initial_accumulator_value"])
        grad = decayed(p, grad, group)
        root = state["sum"].addcmul_(grad, grad).sqrt() + group["eps"]
        factor = rate(p, group) / (1 + (step - 1) * group["lr_decay"])
        p.sub_(grad / root * factor)

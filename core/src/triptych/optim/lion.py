"""Lion: steps of one length along the sign of an interpolated momentum."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from .optimizer import Optimizer, Params
from .rules import check_betas, check_options, rate, zeros_like_param

__all__ = ["Lion"]


class Lion(Optimizer):
    """Evolved sign momentum: one buffer, and every element moves by lr.

    ``p -= lr * (sign(betas[0] * m + (1 - betas[0]) * g) + weight_decay * p)``, and then
    ``m = betas[1] * m + (1 - betas[1]) * g``. Rates are usually 3 to 10 times below those of AdamW.

    Args:
        params: tensors or groups; see `Optimizer`.
        lr: learning rate, at least 0.
        betas: for the direction, and for the buffer; each in [0, 1).
        weight_decay: rate of the decoupled decay.
        maximize: climb instead.
        foreach: accepted for compatibility; it changes nothing.
        differentiable: record the update, to differentiate through it.

    Raises:
        ValueError: an option is out of its range.

    Example:
        >>> w = triptych.tensor([3.0, -1.0], requires_grad=True)
        >>> optimizer = Lion([w], lr=0.5)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.tolist()
        [2.5, -0.5]

    Source: Chen et al. 2023, algorithm 2.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
    ) -> None:
        check_options("Lion", lr=lr, weight_decay=weight_decay)
        check_betas("Lion", betas)
        defaults = {
            "lr": lr,
            "betas": betas,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def update(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """The rule for one parameter; see `Optimizer.update`."""
        if "exp_avg" not in state:
            state["exp_avg"] = zeros_like_param(p)
        mean, (beta1, beta2) = state["exp_avg"], group["betas"]
        direction = mean.lerp(grad, 1 - beta1).sign()
        if group["weight_decay"]:
            p.mul_(1 - rate(p, group) * group["weight_decay"])
        p.sub_(direction * rate(p, group))
        mean.lerp_(grad, 1 - beta2)

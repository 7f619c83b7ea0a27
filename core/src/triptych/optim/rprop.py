"""Rprop: step sizes of their own for all elements, which grow while the gradient keeps its sign."""

from __future__ import annotations

from typing import Any

from ..ops.pointwise import where
from ..tensor import Tensor
from .optimizer import Optimizer, Params
from .rules import check_options, count, rate, zeros_like_param

__all__ = ["Rprop"]


class Rprop(Optimizer):
    """Resilient backpropagation, for full batches: only the sign of the gradient counts.

    An element's step size grows by ``etas[1]`` while its gradient keeps the sign, and shrinks by
    ``etas[0]`` when the sign turns; in that step the element stays where it is.

    Args:
        params: tensors or groups; see `Optimizer`.
        lr: the first step size, at least 0.
        etas: factors below and above 1.
        step_sizes: the smallest and the largest step size.
        capturable: count the steps in a tensor. Captured graphs do so by themselves.
        foreach: accepted for compatibility; it changes nothing.
        maximize: climb instead.
        differentiable: record the update, to differentiate through it.

    Raises:
        ValueError: an option is out of its range.

    Example:
        >>> w = triptych.tensor([3.0], requires_grad=True)
        >>> optimizer = Rprop([w], lr=0.5)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.item()
        2.5

    Source: Riedmiller and Braun 1993, without weight backtracking, as in torch.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_options("Rprop", lr=lr)
        if not 0 < etas[0] < 1 < etas[1]:
            raise ValueError(f"Rprop: etas should be in (0, 1) and above 1, got {tuple(etas)}")
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def update(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """The rule for one parameter; see `Optimizer.update`."""
        count(p, grad, state, group)
        if "prev" not in state:
            state["prev"] = zeros_like_param(p)
            state["step_size"] = zeros_like_param(p).add_(rate(p, group))
        shrink, grow = group["etas"]
        turn = (grad * state["prev"]).sign()
        factor = where(turn > 0, grow, where(turn < 0, shrink, 1.0))
        size = state["step_size"].mul_(factor.to(p.dtype)).clamp_(*group["step_sizes"])
        grad = where(turn < 0, 0.0, grad)
        p.addcmul_(grad.sign(), size, value=-1)
        state["prev"].copy_(grad)

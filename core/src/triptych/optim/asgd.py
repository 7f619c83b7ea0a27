"""Averaged stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from .optimizer import Optimizer, Params
from .rules import captured, check_options, count, decayed, rate, scalar, zeros_like_param

__all__ = ["ASGD"]


class ASGD(Optimizer):
    """Gradient descent with a falling rate, beside a running average of the parameters.

    ``p -= eta * (g + lambd * p)`` with ``eta = lr / (1 + lambd * lr * step) ** alpha``. From step
    t0 on, ``state[p]["ax"]`` is the mean of what p has been since; before, it follows p. The state
    holds eta and the share mu of the newest parameters in that mean, too, both for the next step.

    Args:
        params: tensors or groups; see `Optimizer`.
        lr: learning rate, at least 0.
        lambd: how fast parameters decay.
        alpha: power by which the rate falls.
        t0: the step at which averaging begins.
        weight_decay: factor of the L2 penalty.
        foreach: accepted for compatibility; it changes nothing.
        maximize: climb instead.
        differentiable: record the update, to differentiate through it.
        capturable: count the steps in a tensor. Captured graphs do so by themselves.

    Raises:
        ValueError: an option is negative.

    Example:
        >>> w = triptych.tensor([3.0], requires_grad=True)
        >>> optimizer = ASGD([w], lr=0.5, lambd=0.0)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.item()
        0.0

    Source: Polyak and Juditsky 1992; Bottou 2010, section 3, for the rates.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_options("ASGD", lr=lr, weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def update(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """The rule for one parameter; see `Optimizer.update`."""
        step = count(p, grad, state, group)  # the rates in use are those of the step before
        if "ax" not in state:
            state["ax"] = zeros_like_param(p)
        lr, lambd = rate(p, group), group["lambd"]
        eta, mu = (_held(k, v, p, grad, state, group) for k, v in (("eta", lr), ("mu", 1.0)))
        grad = decayed(p, grad, group)
        p.mul_(1 - lambd * eta).sub_(grad * eta)
        state["ax"].add_((p - state["ax"]) * mu)
        eta = lr / (1 + lambd * lr * step) ** group["alpha"]
        for key, value in (("eta", eta), ("mu", _share(step, group["t0"]))):
            _keep(key, value, p, grad, state, group)


def _held(
    key: str, start: Any, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
) -> Any:
    """What the step before has written, or the start."""
    fixed = captured(grad) or group.get("capturable")
    if fixed and key not in state:
        start = float(start)  # a number of its own
    scalar(key, start, p, grad, state, group)
    return state[key]


def _keep(
    key: str, value: Any, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
) -> None:
    """Write a number that the next step reads; a tensor of a captured graph stays the same one."""
    if captured(grad) or group.get("capturable"):
        state[key].copy_(value)
    else:
        state[key] = value


def _share(step: Any, t0: float) -> Any:
    """How much of the average the newest parameters are."""
    if isinstance(step, Tensor):
        return 1 / (step - t0).clamp(min=1)
    return 1 / max(1, step - t0)

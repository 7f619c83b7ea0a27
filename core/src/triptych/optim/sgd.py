"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from . import fused
from .optimizer import Optimizer, Params
from .rules import check_options, decayed, rate, refuse_capture, zeros_like_param

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if wanted.

    With gradient g and buffer b: ``b = momentum * b + (1 - dampening) * g``, then ``p -= lr * b``;
    Nesterov's variant subtracts ``lr * (g + momentum * b)``. In the first step b is g, undampened.

    Args:
        params: tensors or groups; see `Optimizer`.
        lr: learning rate, at least 0; a 0-d tensor can change between replays of a graph.
        momentum: part of the buffer kept from step to step, usually 0.9.
        dampening: part of the gradient that does not reach the buffer.
        weight_decay: factor of the L2 penalty; adds ``weight_decay * p`` to the gradient.
        nesterov: look ahead; needs momentum and no dampening.
        maximize: climb instead.
        foreach: accepted for compatibility; it changes nothing.
        fused: False turns off the native kernels, which take one pass where they can.
        differentiable: record the update, to differentiate through it.

    Raises:
        ValueError: an option is negative, or nesterov without momentum or with dampening.

    Example:
        >>> w = triptych.tensor([1.0, 2.0], requires_grad=True)
        >>> optimizer = SGD([w], lr=0.1, momentum=0.9)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> [round(x, 4) for x in w.tolist()]
        [0.8, 1.6]

    Source: Sutskever et al. 2013, in torch's form, where the learning rate is outside the buffer.
    """

    takes_complex = True

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_options("SGD", lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(
                f"SGD: nesterov needs momentum > 0 and dampening = 0, got {momentum}, {dampening}"
            )
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def fused_update(
        self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> bool:
        """The rule in one pass; see `Optimizer.fused_update`."""
        ours = type(self).update is SGD.update  # and not that of a subclass
        return ours and fused.sgd(p, grad, state, group)

    def update(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """The rule for one parameter; see `Optimizer.update`."""
        grad = decayed(p, grad, group)
        if group["momentum"] != 0:
            grad = _with_momentum(p, grad, state, group)
        p.sub_(grad * rate(p, group))


def _with_momentum(p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> Tensor:
    """The direction of the step; brings the buffer up to date."""
    momentum, dampening = group["momentum"], group["dampening"]
    buffer = state.get("momentum_buffer")
    if buffer is None and dampening != 0:
        refuse_capture(grad, "SGD with dampening")
        buffer = state["momentum_buffer"] = grad.detach().clone()
    else:
        if buffer is None:
            buffer = state["momentum_buffer"] = zeros_like_param(p)
        buffer.mul_(momentum).add_(grad, alpha=1 - dampening)
    return grad.add(buffer, alpha=momentum) if group["nesterov"] else buffer

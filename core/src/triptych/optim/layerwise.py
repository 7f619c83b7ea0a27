"""LARS and LAMB: the step of each layer in proportion to the layer, for large batches."""

from __future__ import annotations

from typing import Any

from ..ops.pointwise import where
from ..tensor import Tensor
from .optimizer import Optimizer, Params
from .rules import (
    bias_correction,
    check_betas,
    check_options,
    count,
    rate,
    zeros_like_param,
)

__all__ = ["LAMB", "LARS"]


class LARS(Optimizer):
    """Layer-wise adaptive rate scaling: SGD with momentum whose steps have the size of the layer.

    ``b = momentum * b + trust * (g + weight_decay * p)`` and ``p -= lr * b``, where trust is
    ``trust_coefficient * |p| / (|g| + weight_decay * |p| + eps)``. Parameters with fewer than two
    axes (biases, gains of normalization) are neither scaled nor decayed.

    Args:
        params: tensors or groups; see `Optimizer`.
        lr: learning rate, at least 0.
        momentum: part of the buffer kept from step to step.
        weight_decay: factor of the L2 penalty.
        trust_coefficient: how far a layer may move, relative to its norm.
        eps: added to the divisor.
        nesterov: look ahead.
        maximize: climb instead.

    Raises:
        ValueError: an option is out of its range.

    Example:
        >>> w = triptych.full((2, 2), 2.0).requires_grad_()
        >>> optimizer = LARS([w], lr=1.0, trust_coefficient=0.5)
        >>> w.sum().backward()
        >>> optimizer.step()
        >>> w[0, 0].item()  # half of its norm less
        1.0

    Source: You, Gitman and Ginsburg 2017, algorithm 1.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 0.1,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        trust_coefficient: float = 1e-3,
        eps: float = 0.0,
        *,
        nesterov: bool = False,
        maximize: bool = False,
    ) -> None:
        check_options(
            "LARS",
            lr=lr,
            momentum=momentum,
            weight_decay=weight_decay,
            trust_coefficient=trust_coefficient,
            eps=eps,
        )
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "trust_coefficient": trust_coefficient,
            "eps": eps,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def update(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """The rule for one parameter; see `Optimizer.update`."""
        if p.ndim > 1:
            decay, size = group["weight_decay"], p.norm()
            divisor = grad.norm() + decay * size + group["eps"]
            grad = (grad + decay * p) * _ratio(group["trust_coefficient"] * size, divisor)
        momentum = group["momentum"]
        if momentum:
            if "momentum_buffer" not in state:
                state["momentum_buffer"] = zeros_like_param(p)
            buffer = state["momentum_buffer"].mul_(momentum).add_(grad)
            grad = grad + momentum * buffer if group["nesterov"] else buffer
        p.sub_(grad * rate(p, group))


class LAMB(Optimizer):
    """Layer-wise adaptive moments: steps of Adam scaled to the size of the layer.

    With Adam's direction r = m / (sqrt(v) + eps) + weight_decay * p, ``p -= lr * |p| / |r| * r``.
    Parameters with fewer than two axes are not scaled.

    Args:
        params: tensors or groups; see `Optimizer`.
        lr: learning rate, at least 0.
        betas: how much of m and v is kept from step to step, each in [0, 1).
        eps: added to the root against division by zero.
        weight_decay: rate of the decay, which counts as part of the direction.
        clip: the largest |p| that counts; None for no bound.
        maximize: climb instead.
        capturable: count the steps in a tensor. Captured graphs do so by themselves.

    Raises:
        ValueError: an option is out of its range.

    Example:
        >>> w = triptych.full((2, 2), 2.0).requires_grad_()
        >>> optimizer = LAMB([w], lr=0.25)
        >>> w.sum().backward()
        >>> optimizer.step()
        >>> round(w[0, 0].item(), 4)  # a quarter of its norm less
        1.5

    Source: You et al. 2020, algorithm 2, with bias correction.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        clip: float | None = 10.0,
        *,
        maximize: bool = False,
        capturable: bool = False,
    ) -> None:
        check_options("LAMB", lr=lr, eps=eps, weight_decay=weight_decay)
        check_betas("LAMB", betas)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "clip": clip,
            "maximize": maximize,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def update(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """The rule for one parameter; see `Optimizer.update`."""
        beta1, beta2 = group["betas"]
        step = count(p, grad, state, group)
        if "exp_avg" not in state:
            state["exp_avg"], state["exp_avg_sq"] = zeros_like_param(p), zeros_like_param(p)
        mean = state["exp_avg"].lerp_(grad, 1 - beta1)
        square = state["exp_avg_sq"].mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        root = square.sqrt() / bias_correction(beta2, step) ** 0.5 + group["eps"]
        direction = mean / bias_correction(beta1, step) / root
        if group["weight_decay"]:
            direction = direction + group["weight_decay"] * p
        if p.ndim > 1:
            size = p.norm() if group["clip"] is None else p.norm().clamp(max=group["clip"])
            direction = direction * _ratio(size, direction.norm())
        p.sub_(direction * rate(p, group))


def _ratio(size: Tensor, divisor: Tensor) -> Tensor:
    """size / divisor, and 1 where either is zero: a layer of zeros has to start somehow."""
    usable = (size > 0) & (divisor > 0)
    ratio: Tensor = where(usable, size / where(usable, divisor, 1.0), 1.0)
    return ratio

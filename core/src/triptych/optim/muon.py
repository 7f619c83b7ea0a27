"""Muon: momentum made orthogonal, for the matrices of hidden layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..errors import ShapeError
from ..tensor import Tensor
from .optimizer import Optimizer, Params
from .rules import check_options, rate, zeros_like_param

__all__ = ["Muon"]

_SCALES: dict[str | None, Callable[[int, int], float]] = {
    None: lambda rows, columns: math.sqrt(max(1, rows / columns)),
    "original": lambda rows, columns: math.sqrt(max(1, rows / columns)),
    "match_rms_adamw": lambda rows, columns: 0.2 * math.sqrt(max(rows, columns)),
}


class Muon(Optimizer):
    """Replace the momentum of each matrix by a nearly orthogonal matrix close to it.

    Only for two-dimensional parameters of hidden layers; give biases, gains, embeddings and the
    output layer to AdamW.

    Args:
        params: matrices or groups of them; see `Optimizer`.
        lr: learning rate, at least 0.
        weight_decay: rate of the decoupled decay.
        momentum: how much of the buffer is kept from step to step.
        nesterov: look ahead.
        ns_coefficients: of the odd polynomial of degree 5 that drives singular values towards 1.
        eps: smallest norm to divide by.
        ns_steps: how often the polynomial is applied, below 100.
        adjust_lr_fn: how steps depend on the shape: "original" (also None), by
            ``sqrt(max(1, rows / columns))``, or "match_rms_adamw", by ``0.2 sqrt(max(rows,
            columns))``, so that rates of AdamW carry over.

    Raises:
        ShapeError: a parameter is no matrix.
        ValueError: an option is out of its range.

    Example:
        >>> w = triptych.eye(2).requires_grad_()
        >>> optimizer = Muon([w], lr=0.1, weight_decay=0.0)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> bool((w.diagonal() < 1).all())
        True

    Source: Jordan et al. 2024, with its coefficients; the second scale, Liu et al. 2025, eq. 4.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        check_options("Muon", lr=lr, momentum=momentum, weight_decay=weight_decay)
        if adjust_lr_fn not in _SCALES:
            raise ValueError(
                "Muon: adjust_lr_fn should be 'original', 'match_rms_adamw' or None, got "
                f"{adjust_lr_fn!r}"
            )
        if ns_steps >= 100:
            raise ValueError(f"Muon: ns_steps should be below 100, got {ns_steps}")
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add matrices with options of their own; see `Optimizer.add_param_group`."""
        super().add_param_group(param_group)
        for i, p in enumerate(self.param_groups[-1]["params"]):
            if p.ndim != 2:
                del self.param_groups[-1]
                raise ShapeError(
                    f"Muon: parameter {i} has shape {tuple(p.shape)}; it takes matrices, give the "
                    "others to AdamW"
                )

    def update(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """The rule for one parameter; see `Optimizer.update`."""
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = zeros_like_param(p)
        momentum = group["momentum"]
        buffer = state["momentum_buffer"].lerp_(grad, 1 - momentum)
        direction = grad.lerp(buffer, momentum) if group["nesterov"] else buffer
        direction = orthogonal(direction, group["ns_coefficients"], group["ns_steps"], group["eps"])
        lr, scale = rate(p, group), _SCALES[group["adjust_lr_fn"]](*p.shape)
        p.mul_(1 - lr * group["weight_decay"])
        p.sub_(direction.to(p.dtype) * (lr * scale))


def orthogonal(
    x: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float
) -> Tensor:
    """A matrix with the singular vectors of x and singular values near 1, by Newton-Schulz.

    Each step rounds to bfloat16, the precision of the published iteration; sums are float32.

    Args:
        x: (rows, columns).
        coefficients: a, b, c of ``a x + b (x x') x + c (x x')**2 x``.
        steps: how often to apply it.
        eps: smallest norm to divide by.
    """
    a, b, c = coefficients
    tall = x.shape[0] > x.shape[1]
    x = _rounded(x.T if tall else x)
    x = _rounded(x / _rounded(x.norm()).clamp(min=eps))
    for _ in range(steps):
        gram = _rounded(x @ x.T)
        x = _rounded(a * x + _rounded(b * gram + c * (gram @ gram)) @ x)
    return x.T if tall else x


def _rounded(x: Tensor) -> Tensor:
    short: Tensor = x.bfloat16().float()
    return short

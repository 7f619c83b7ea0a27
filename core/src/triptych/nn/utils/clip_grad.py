"""Limits on gradients, against exploding steps."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ...autograd.modes import no_grad
from ...errors import GradError
from ...ops.creation import tensor
from ...ops.shape import stack
from ...tensor import Tensor

__all__ = ["clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]

Tensors = Tensor | Iterable[Tensor]


def _gradients(parameters: Tensors) -> list[Tensor]:
    params: Any = [parameters] if isinstance(parameters, Tensor) else parameters
    return [p.grad for p in params if p.grad is not None]


def get_total_norm(
    tensors: Tensors,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of all tensors, read as one long vector.

    Args:
        tensors: one or many.
        norm_type: p of the p-norm; inf for the largest absolute value.
        error_if_nonfinite: raise when the norm is NaN or infinite.
        foreach: accepted and without effect.

    Raises:
        GradError: see error_if_nonfinite.
    """
    listed = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    if not listed:
        return tensor(0.0)
    with no_grad():
        norms = [_norm(t, norm_type) for t in listed]
        total = _norm(stack([n.to(norms[0].device, norms[0].dtype) for n in norms]), norm_type)
    if error_if_nonfinite and not math.isfinite(float(total)):
        raise GradError(
            f"get_total_norm: the {norm_type}-norm of the gradients is {float(total)}; look "
            "for it with "
            "autograd.detect_anomaly(), or pass error_if_nonfinite=False"
        )
    return total


def _norm(t: Tensor, p: float) -> Tensor:
    """p-norm of all elements; the square is summed by BLAS."""
    flat = t.detach().reshape(-1)
    if p == math.inf:
        return flat.abs().max() if flat.numel() else flat.sum()
    return flat.norm(p)


def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients, in place, by one factor so that their joint norm is at most max_norm.

    Args:
        parameters: whose gradients; those without one are skipped.
        max_norm: the limit.
        norm_type: p of the p-norm.
        error_if_nonfinite: raise when the norm is NaN or infinite.
        foreach: accepted and without effect.

    Returns:
        The norm before scaling.

    Raises:
        GradError: see error_if_nonfinite.

    Source: Pascanu et al. 2013, algorithm 1.
    """
    listed = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    total = get_total_norm(_gradients(listed), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(listed, max_norm, total)
    return total


def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Any, foreach: bool | None = None
) -> None:
    """Scale all gradients, in place, as `clip_grad_norm_` does for a norm that is known already."""
    with no_grad():
        factor = (max_norm / (total_norm + 1e-6)).clamp(max=1.0)
        for grad in _gradients(parameters):
            grad.mul_(factor.to(grad.device, grad.dtype))


def clip_grad_value_(parameters: Tensors, clip_value: Any, foreach: bool | None = None) -> None:
    """Cut every element of every gradient, in place, to [-clip_value, clip_value]."""
    limit = float(clip_value)
    with no_grad():
        for grad in _gradients(parameters):
            grad.clamp_(min=-limit, max=limit)

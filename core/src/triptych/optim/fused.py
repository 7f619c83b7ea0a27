"""Steps of optimizers by kernels of a backend: one pass over a parameter instead of several."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..backends import backend_of
from ..ops.inplace import after_write
from ..state import state as thread
from ..tensor import Tensor

__all__ = ["adam", "sgd"]

_FLOAT = np.dtype(np.float32)


def _kernels(group: dict[str, Any], *tensors: Tensor) -> tuple[Any, list[Any]]:
    """The kernels of the tensors' backend, and their memory, if a kernel may write to it: nothing
    is recorded or captured. Else None.
    """
    if thread.trace is not None or group.get("fused") is False:
        return None, []
    if group.get("differentiable") or isinstance(group["lr"], Tensor):
        return None, []
    arrays: list[Any] = [t._data for t in tensors]
    backend = backend_of(arrays[0])
    fits = all(type(a) is backend.array_type for a in arrays)
    fits = fits and all(a.dtype == _FLOAT for a in arrays)
    if not fits or any(t._names is not None for t in tensors):
        return None, []
    return backend.steps, arrays


def sgd(p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> bool:
    """A step of SGD; False, and nothing is done, where the kernel does not suit."""
    momentum = group["momentum"]
    if momentum != 0 and "momentum_buffer" not in state:
        return False  # the first step makes it
    kept: list[Tensor] = [] if momentum == 0 else [state["momentum_buffer"]]
    kernels, arrays = _kernels(group, p, grad, *kept)
    if kernels is None or not kernels.sgd_step(
        *(arrays if kept else [*arrays, None]),
        group["lr"],
        momentum,
        group["dampening"],
        group["weight_decay"],
        group["nesterov"],
        group["maximize"],
    ):
        return False
    for t in (p, *kept):
        after_write(t, None, "SGD.step")
    return True


def adam(p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> bool:
    """A step of Adam or AdamW; False, and nothing is done, where the kernel does not suit."""
    if "exp_avg" not in state or group["amsgrad"] or isinstance(state["step"], Tensor):
        return False
    mean, square, step = state["exp_avg"], state["exp_avg_sq"], state["step"] + 1
    kernels, arrays = _kernels(group, p, grad, mean, square)
    if kernels is None or group.get("capturable"):
        return False
    lr, decay, (beta1, beta2) = group["lr"], group["weight_decay"], group["betas"]
    decoupled = group["decoupled_weight_decay"]
    if not kernels.adam_step(
        *arrays,
        beta1,
        beta2,
        1 - lr * decay if decoupled else 1.0,
        0.0 if decoupled else decay,
        lr / (1 - beta1**step),
        1 / math.sqrt(1 - beta2**step),
        group["eps"],
        group["maximize"],
    ):
        return False
    state["step"] = step
    for t in (p, mean, square):
        after_write(t, None, "Adam.step")
    return True

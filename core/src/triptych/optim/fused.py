"""Steps of optimizers by native kernels: one pass over a parameter instead of several."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..backends.native import native
from ..ops.inplace import after_write
from ..state import state as thread
from ..tensor import Tensor

__all__ = ["adam", "sgd"]

_FLOAT = np.dtype(np.float32)


def _arrays(group: dict[str, Any], *tensors: Tensor) -> list[Any] | None:
    """The memory of the tensors, if a kernel may write to it: nothing is recorded or captured."""
    if native is None or thread.trace is not None or group.get("fused") is False:
        return None
    if group.get("differentiable") or isinstance(group["lr"], Tensor):
        return None
    arrays = []
    for t in tensors:
        array = t._data
        if type(array) is not np.ndarray or array.dtype != _FLOAT or t._names is not None:
            return None
        arrays.append(array)
    return arrays


def sgd(p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> bool:
    """A step of SGD; False, and nothing is done, where the kernel does not suit."""
    momentum = group["momentum"]
    if momentum != 0 and "momentum_buffer" not in state:
        return False  # the first step makes it
    kept: list[Tensor] = [] if momentum == 0 else [state["momentum_buffer"]]
    arrays = _arrays(group, p, grad, *kept)
    if arrays is None or not native.sgd_step(
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
    arrays = None if group.get("capturable") else _arrays(group, p, grad, mean, square)
    if arrays is None:
        return False
    lr, decay, (beta1, beta2) = group["lr"], group["weight_decay"], group["betas"]
    decoupled = group["decoupled_weight_decay"]
    if not native.adam_step(
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

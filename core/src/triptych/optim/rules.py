"""What the rules of optimizers are built from: state that a captured graph can update, counting,
decay, and checks of options.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..dtypes import float32, float64
from ..errors import CaptureError, ShapeError
from ..ops.creation import tensor, zeros
from ..state import state as thread
from ..tensor import Symbol, Tensor

__all__ = [
    "bias_correction",
    "captured",
    "check_betas",
    "check_fractions",
    "check_options",
    "count",
    "decayed",
    "outside_capture",
    "rate",
    "refuse_capture",
    "scalar",
    "tensor_option",
    "zeros_like_param",
]


@contextmanager
def outside_capture() -> Iterator[None]:
    """Inside, tensors are real even while a graph is captured: they become the graph's state."""
    before = thread.trace, thread.run
    thread.trace, thread.run = None, thread.quiet
    try:
        yield
    finally:
        thread.trace, thread.run = before


def zeros_like_param(p: Tensor, value: float = 0.0) -> Tensor:
    """State that starts at one value and has the shape, dtype and device of a parameter."""
    with outside_capture():
        made = zeros(*p.shape, dtype=p.dtype, device=p.device)
        return made.fill_(value) if value else made


def captured(x: Tensor) -> bool:
    """Whether x is a value of a graph that is being captured."""
    return isinstance(x._data, Symbol)


def count(p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> Any:
    """The number of this step, from 1, kept as "step" in the state; see `scalar`."""
    scalar("step", 0, p, grad, state, group)
    state["step"] += 1
    return state["step"]


def scalar(
    key: str, start: float, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
) -> None:
    """Make sure that a state has a number that changes from step to step.

    A plain number in eager mode. In a captured graph, or with "capturable", it is a 0-d tensor on
    the parameter's device, since a number would be frozen into the graph.
    """
    value = state.setdefault(key, start)
    if (captured(grad) or group.get("capturable")) and not isinstance(value, Tensor):
        with outside_capture():
            state[key] = tensor(float(value), dtype=float32, device=p.device)


def tensor_option(group: dict[str, Any], key: str, p: Tensor) -> None:
    """Make a number in the options a 0-d tensor, which a schedule can change between replays."""
    if not isinstance(group[key], Tensor):
        with outside_capture():
            group[key] = tensor(float(group[key]), dtype=float64, device=p.device)


def rate(p: Tensor, group: dict[str, Any]) -> Any:
    """The learning rate; one that is a tensor comes in the dtype and on the device of p."""
    lr = group["lr"]
    if not isinstance(lr, Tensor) or p.is_complex():
        return lr
    return lr.to(device=p.device, dtype=p.dtype)


def bias_correction(beta: float, step: Any) -> Any:
    """1 - beta ** step, without cancellation if step is a float32 tensor."""
    if isinstance(step, Tensor) and beta > 0:
        return -(step * math.log(beta)).expm1()
    return 1 - beta**step


def decayed(p: Tensor, grad: Tensor, group: dict[str, Any]) -> Tensor:
    """The gradient with weight decay: L2 adds to it, decoupled decay shrinks p and leaves it.

    Source: decoupled decay, Loshchilov and Hutter 2019.
    """
    weight_decay = group["weight_decay"]
    if weight_decay == 0:
        return grad
    if group.get("decoupled_weight_decay"):
        p.mul_(1 - rate(p, group) * weight_decay)
        return grad
    with_decay: Tensor = grad.add(p, alpha=weight_decay)
    return with_decay


def check_options(name: str, **options: Any) -> None:
    """Raise ValueError for a negative or NaN number, naming the option.

    Raises:
        ShapeError: a tensor has more than one element.
    """
    for key, value in options.items():
        if isinstance(value, Tensor):
            if value.numel() != 1:
                raise ShapeError(f"{name}: {key} should have one element, got {tuple(value.shape)}")
            value = value.item()
        if not value >= 0:
            raise ValueError(f"{name}: {key} should be at least 0, got {value}")


def check_fractions(name: str, **options: Any) -> None:
    """Raise ValueError for a number outside [0, 1), naming the option."""
    for key, value in options.items():
        if not 0 <= value < 1:
            raise ValueError(f"{name}: {key} should be at least 0 and less than 1, got {value}")


def check_betas(name: str, betas: tuple[float, float]) -> None:
    """Raise ValueError unless both are in [0, 1)."""
    check_fractions(name, **{f"betas[{i}]": beta for i, beta in enumerate(betas)})


def refuse_capture(x: Tensor, what: str) -> None:
    """Raise CaptureError for a rule that cannot be captured in its first step.

    Raises:
        CaptureError: x is a value of a graph that is being captured.
    """
    if captured(x):
        raise CaptureError(
            f"{what} cannot be captured in its first step; run one step before compiling"
        )

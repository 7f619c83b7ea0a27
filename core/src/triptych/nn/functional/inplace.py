"""Activations that write over their input, under their names with an underscore."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from ...tensor import Tensor
from . import activation

__all__ = [
    "celu_",
    "elu_",
    "hardtanh_",
    "leaky_relu_",
    "relu_",
    "rrelu_",
    "selu_",
    "threshold_",
]


def _over(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The function with inplace=True and without that argument."""

    def call(*args: Any, **options: Any) -> Tensor:
        return function(*args, **options, inplace=True)

    functools.update_wrapper(call, function)
    name = f"{function.__name__}_"
    call.__name__ = call.__qualname__ = name
    call.__module__ = __name__
    call.__doc__ = f"`{function.__name__}`, written over the input; returns the input."
    given = inspect.signature(function)
    kept = [p for p in given.parameters.values() if p.name != "inplace"]
    call.__signature__ = given.replace(parameters=kept)  # type: ignore[attr-defined]
    return call


celu_ = _over(activation.celu)
elu_ = _over(activation.elu)
hardtanh_ = _over(activation.hardtanh)
leaky_relu_ = _over(activation.leaky_relu)
relu_ = _over(activation.relu)
rrelu_ = _over(activation.rrelu)
selu_ = _over(activation.selu)
threshold_ = _over(activation.threshold)

"""Reverse-mode automatic differentiation.

Names are loaded when first used, since the tape is part of every tensor.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .anomaly import detect_anomaly
    from .api import backward, grad
    from .function import Function, FunctionCtx, once_differentiable
    from .modes import (
        enable_grad,
        inference_mode,
        is_grad_enabled,
        is_inference_mode_enabled,
        no_grad,
        set_grad_enabled,
    )
    from .numerical import gradcheck, gradgradcheck

__all__ = [
    "Function",
    "FunctionCtx",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "once_differentiable",
    "set_grad_enabled",
]

_HOME = {
    "Function": "function",
    "FunctionCtx": "function",
    "once_differentiable": "function",
    "backward": "api",
    "detect_anomaly": "anomaly",
    "grad": "api",
    "gradcheck": "numerical",
    "gradgradcheck": "numerical",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f".{_HOME.get(name, 'modes')}", __name__)
    return getattr(module, name)

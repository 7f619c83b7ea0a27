"""Transforms of functions: derivatives in both modes, batching, and modules as functions.

They nest in any order, and go into `compile`. Names are loaded when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .batching import vmap
    from .forward import jvp
    from .jacobians import hessian, jacfwd, jacrev
    from .modules import (
        functional_call,
        replace_all_batch_norm_modules_,
        stack_module_state,
    )
    from .reverse import grad, grad_and_value, linearize, vjp

__all__ = [
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "replace_all_batch_norm_modules_",
    "stack_module_state",
    "vjp",
    "vmap",
]

_HOME = {
    "functional_call": "modules",
    "grad": "reverse",
    "grad_and_value": "reverse",
    "hessian": "jacobians",
    "jacfwd": "jacobians",
    "jacrev": "jacobians",
    "jvp": "forward",
    "linearize": "reverse",
    "replace_all_batch_norm_modules_": "modules",
    "stack_module_state": "modules",
    "vjp": "reverse",
    "vmap": "batching",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)

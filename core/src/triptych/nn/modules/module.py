"""`Module` under torch's path, and hooks that run for all modules.

They are meant for profiling and debugging: they run before a module's own hooks of the same kind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...autograd.hooks import Handle
from ..hooks import EVERYWHERE, Hook
from ..module import Module

__all__ = [
    "Module",
    "register_module_backward_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
]

Call = Callable[..., Any]


def register_module_forward_pre_hook(hook: Call) -> Handle:
    """Call ``hook(module, args)`` before each forward of any module; what it returns, if anything,
    takes the place of the positional arguments.

    Returns:
        A handle with ``remove()``.
    """
    return Handle(EVERYWHERE, ("forward_pre", Hook(hook)))


def register_module_forward_hook(
    hook: Call, *, with_kwargs: bool = False, always_call: bool = False
) -> Handle:
    """Call ``hook(module, args, output)`` after each forward of any module; what it returns, if
    anything, takes the place of the output.

    Args:
        hook: with `with_kwargs`, called as ``hook(module, args, kwargs, output)``.
        with_kwargs: pass keyword arguments, too.
        always_call: run it with output None when forward, or a hook, has raised.

    Returns:
        A handle with ``remove()``.
    """
    return Handle(EVERYWHERE, ("forward", Hook(hook, with_kwargs, always_call)))


def register_module_full_backward_pre_hook(hook: Call) -> Handle:
    """Call ``hook(module, grad_output)`` before gradients pass back through any module; what it
    returns, if anything, takes the place of the gradients of the outputs.

    Returns:
        A handle with ``remove()``.
    """
    return Handle(EVERYWHERE, ("backward_pre", Hook(hook)))


def register_module_full_backward_hook(hook: Call) -> Handle:
    """Call ``hook(module, grad_input, grad_output)`` once the gradients of the inputs of any module
    are there; what it returns, if anything, takes their place.

    Returns:
        A handle with ``remove()``.
    """
    return Handle(EVERYWHERE, ("backward", Hook(hook)))


register_module_backward_hook = register_module_full_backward_hook  # torch's old name

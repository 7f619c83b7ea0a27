"""Kernels of the project for functions of other packages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..backends import backend_of
from ..backends.native import overridden
from ..state import state
from ..tensor import Tensor, box

__all__ = ["accelerated", "by_device"]


def accelerated(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Put the native kernel of a name before a function over NumPy arrays.

    The native kernel answers the calls it is made for, and passes all others on to the function
    below; where the extension is not installed, the function is all there is. Both have one
    signature and agree within rounding.

    Args:
        name: of the kernel, such as ``"nms"``.

    Returns:
        A decorator. What it gives has the attributes `fast` and `plain` where there is a kernel.

    Example:
        >>> @accelerated("no kernel has this name")
        ... def double(x):
        ...     return x + x
        >>> double(2)
        4
    """

    def put_before(plain: Callable[..., Any]) -> Callable[..., Any]:
        return overridden(name, plain)

    return put_before


def by_device(name: str, *args: Any) -> Tensor | None:
    """What the kernel of a name gives for tensors on a GPU, without leaving it.

    The signature is that of the function that `accelerated` stands before, with tensors in place of
    arrays. Nothing is recorded for gradients.

    Args:
        name: of the kernel, such as ``"nms"``.
        args: its arguments; the first is a tensor, others may be tensors on the same device, tuples
            of them, and numbers.

    Returns:
        The result on the device; or None where the device has no kernel for these arguments, where
        a gradient is wanted, and while operations are traced.

    Example:
        >>> by_device("nms", triptych.zeros(1, 4), 0.5) is None  # on the CPU
        True
    """
    first = args[0]
    if state.run is None or any(_recorded(a) for a in args):
        return None
    kernel = backend_of(first._data).own_kernel(name)
    found = NotImplemented if kernel is None else kernel(*map(_unboxed, args))
    return None if found is NotImplemented else box(found)


def _recorded(x: Any) -> bool:
    """Whether operations on x are recorded for gradients."""
    return isinstance(x, Tensor) and x.requires_grad and state.grad


def _unboxed(x: Any) -> Any:
    if isinstance(x, tuple):
        return tuple(map(_unboxed, x))
    return x._data if isinstance(x, Tensor) else x

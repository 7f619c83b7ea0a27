"""Native kernels for functions of other packages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..backends.native import overridden

__all__ = ["accelerated"]


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

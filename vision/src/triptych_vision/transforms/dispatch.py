"""Functions that call the kernel made for the type of their first argument.

The body of a function marked `@functional` is its kernel for tensors (..., c, h, w). NumPy and
DLPack arrays go through it unless they have a kernel of their own; PIL images need one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np

import triptych as tp
from triptych.errors import DTypeError

from .kinds import Kernel, via_dlpack, via_numpy

__all__ = ["functional", "register_kernel", "tensor_kernel"]

P = ParamSpec("P")
R = TypeVar("R")
K = TypeVar("K", bound=Kernel)


class _Kernels:
    """The kernels of one function by type, or by the qualified name of a type not loaded yet."""

    def __init__(self, name: str, for_tensors: Kernel) -> None:
        self.name = name
        self.for_tensors = for_tensors
        self.table: dict[type | str, Kernel] = {tp.Tensor: for_tensors}
        self.found: dict[type, Kernel] = {}

    def register(self, kind: type | str, kernel: Kernel) -> None:
        if kind in self.table:
            raise ValueError(f"register_kernel: {self.name} has a kernel for {kind} already")
        self.table[kind] = kernel
        self.found.clear()

    def find(self, inpt: object) -> Kernel:
        kernel = self._of_class(type(inpt))
        if kernel is None and isinstance(inpt, np.ndarray):
            kernel = via_numpy(self.for_tensors)
        if kernel is None and hasattr(inpt, "__dlpack__"):
            kernel = via_dlpack(self.for_tensors)
        if kernel is None:
            raise DTypeError(
                f"{self.name}: wanted a PIL image, a NumPy array (h, w, c), a tensor or another "
                f"DLPack array (c, h, w), got {type(inpt).__name__}; for a type of your own use "
                f"register_kernel({self.name}, {type(inpt).__name__})"
            )
        self.found[type(inpt)] = kernel
        return kernel

    def _of_class(self, cls: type) -> Kernel | None:
        for base in cls.__mro__:
            for key in (base, f"{base.__module__}.{base.__qualname__}"):
                if key in self.table:
                    return self.table[key]
        return None


_KERNELS: dict[Callable[..., Any], _Kernels] = {}


def functional(body: Callable[P, R]) -> Callable[P, R]:
    """Make a function of tensors one of every kind of image; the body stays its tensor kernel."""
    kernels = _Kernels(body.__name__, body)
    found = kernels.found

    @functools.wraps(body)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if not args:  # all by name: the image is the body's first parameter
            args = (kwargs.pop(_first_parameter(body)),)  # type: ignore[assignment]
        kernel = found.get(type(args[0])) or kernels.find(args[0])
        return kernel(*args, **kwargs)

    _KERNELS[call] = kernels
    return call


def _first_parameter(body: Callable[..., Any]) -> str:
    return body.__code__.co_varnames[0]


def _kernels_of(functional: Callable[..., Any]) -> _Kernels:
    try:
        return _KERNELS[functional]
    except KeyError:
        name = getattr(functional, "__name__", repr(functional))
        raise ValueError(
            f"register_kernel: {name} does not go by the type of its input; wanted a function of "
            "triptych_vision.transforms.functional such as resize"
        ) from None


def register_kernel(functional: Callable[..., Any], kind: type | str) -> Callable[[K], K]:
    """Say how a function treats a type of your own; subclasses inherit it.

    Args:
        functional: a function of `triptych_vision.transforms.functional`.
        kind: the type, or its qualified name where loading it would cost time.

    Returns:
        A decorator that registers the kernel and gives it back.

    Raises:
        ValueError: the type has a kernel already, or the function does not go by type.

    Example:
        >>> from triptych_vision.transforms import functional as F
        >>> class Depth(list): ...
        >>> @register_kernel(F.horizontal_flip, Depth)
        ... def flip_depth(rows):
        ...     return Depth(row[::-1] for row in rows)
        >>> F.horizontal_flip(Depth([[1, 2], [3, 4]]))
        [[2, 1], [4, 3]]
    """
    kernels = _kernels_of(functional)

    def add(kernel: K) -> K:
        kernels.register(kind, kernel)
        return kernel

    return add


def tensor_kernel(functional: Callable[..., Any]) -> Kernel:
    """The kernel a function uses for tensors (..., c, h, w)."""
    return _kernels_of(functional).for_tensors

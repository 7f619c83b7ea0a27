"""Functions that call the kernel made for the type of their first argument.

The body of a function marked `@functional` is its kernel for tensors (..., c, h, w). `Image` and
`Video`, NumPy and DLPack arrays go through it unless they have a kernel of their own; PIL images
and the other kinds of `tv_tensors` need one.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np

import triptych as tp
from triptych.errors import DTypeError

from .. import tv_tensors
from ..tv_tensors.base import TVTensor, plain
from .kinds import Kernel, via_dlpack, via_numpy

__all__ = [
    "dispatches",
    "functional",
    "has_kernel",
    "kind_kernel",
    "register_kernel",
    "tensor_kernel",
]

P = ParamSpec("P")
R = TypeVar("R")
K = TypeVar("K", bound=Kernel)
_OWN_KINDS = {
    tv_tensors.Image,
    tv_tensors.Video,
    tv_tensors.Mask,
    tv_tensors.BoundingBoxes,
    tv_tensors.KeyPoints,
}
# What torchvision calls the image besides `inpt`: its first version, and its kernels by type
_IMAGE_NAMES = ("img", "pic", "image", "video", "tensor")


class _Kernels:
    """The kernels of one function by type, or by the qualified name of a type not loaded yet."""

    def __init__(self, body: Kernel) -> None:
        self.name = body.__name__
        self.for_tensors = body
        self.parameters = tuple(inspect.signature(body).parameters)
        as_image = _for_images(body)
        self.table: dict[type | str, Kernel] = {
            tp.Tensor: body,
            tv_tensors.Image: as_image,
            tv_tensors.Video: as_image,
        }
        self.found: dict[type, Kernel] = {}

    def register(self, kind: type | str, kernel: Kernel) -> None:
        if kind in self.table:
            raise ValueError(f"register_kernel: {self.name} has a kernel for {kind} already")
        self.table[kind] = kernel
        self.found.clear()

    def find(self, inpt: object) -> Kernel | None:
        """The kernel for a type, remembered; None for a type that has none."""
        kernel = self._of_class(type(inpt))
        if kernel is None and isinstance(inpt, np.ndarray):
            kernel = via_numpy(self.for_tensors)
        if kernel is None and hasattr(inpt, "__dlpack__") and not isinstance(inpt, TVTensor):
            kernel = via_dlpack(self.for_tensors)
        if kernel is not None:
            self.found[type(inpt)] = kernel
        return kernel

    def _of_class(self, cls: type) -> Kernel | None:
        for base in cls.__mro__:
            for key in (base, f"{base.__module__}.{base.__qualname__}"):
                if key in self.table:
                    return self.table[key]
            if base is TVTensor:  # a kind without a kernel is not taken for an image
                return None
        return None

    def image_by_name(self, kwargs: dict[str, Any]) -> Any:
        """Take the image out of arguments that are all given by name."""
        for name in (self.parameters[0], *_IMAGE_NAMES):
            if name in kwargs:
                return kwargs.pop(name)
        raise DTypeError(f"{self.name}: the first argument, the image, is missing")

    def refused(self, inpt: object) -> DTypeError:
        kind = type(inpt).__name__
        if isinstance(inpt, TVTensor):
            kinds = [cls.__name__ for cls in self.table if cls in _OWN_KINDS]
            return DTypeError(
                f"{self.name}: has no kernel for {kind}, only for PIL images, arrays, "
                f"{', '.join(kinds)}; for a kind of your own use "
                f"register_kernel({self.name}, {kind})"
            )
        return DTypeError(
            f"{self.name}: wanted a PIL image, a NumPy array (h, w, c), a tensor or another "
            f"DLPack array (c, h, w), got {kind}; for a type of your own use "
            f"register_kernel({self.name}, {kind})"
        )


_KERNELS: dict[Callable[..., Any], _Kernels] = {}


def functional(body: Callable[P, R]) -> Callable[P, R]:
    """Make a function of tensors one of every kind of image; the body stays its tensor kernel."""
    kernels = _Kernels(body)
    found = kernels.found

    @functools.wraps(body)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if not args:
            args = (kernels.image_by_name(kwargs),)  # type: ignore[assignment]
        kernel = found.get(type(args[0])) or kernels.find(args[0])
        if kernel is None:
            raise kernels.refused(args[0])
        return kernel(*args, **kwargs)

    _KERNELS[call] = kernels
    return call


def _kernels_of(functional: Callable[..., Any], caller: str) -> _Kernels:
    if isinstance(functional, str):
        from . import functional as module

        functional = getattr(module, functional, functional)
    try:
        return _KERNELS[functional]
    except (KeyError, TypeError):
        name = getattr(functional, "__name__", repr(functional))
        raise ValueError(
            f"{caller}: {name} does not go by the type of its input; wanted a function of "
            "triptych_vision.transforms.functional such as resize"
        ) from None


def _for_images(kernel: Kernel) -> Kernel:
    """A kernel for tensors as one for `Image` and `Video`."""

    @functools.wraps(kernel)
    def call(inpt: TVTensor, *args: Any, **kwargs: Any) -> Any:
        return _kind_again(kernel(plain(inpt), *args, **kwargs), inpt)

    return call


def _kind_again(out: Any, like: TVTensor) -> Any:
    """The tensors of a result as the kind of like; a size that comes along is the new canvas."""
    if isinstance(out, tp.Tensor):
        return tv_tensors.wrap(out, like=like)
    if isinstance(out, tuple):
        if len(out) == 2 and isinstance(out[1], tuple):
            return tv_tensors.wrap(out[0], like=like, canvas_size=out[1])
        return tuple(_kind_again(part, like) for part in out)
    return out


def _with_metadata(kernel: Kernel, positional: tuple[str, ...]) -> Kernel:
    """A kernel of plain numbers and metadata as one for a kind.

    Arguments go by the names of the function; those that the kernel does not take (the
    interpolation of boxes, say) are left out.
    """
    parameters = inspect.signature(kernel).parameters
    takes = frozenset(parameters)
    fields = [f for f in ("format", "canvas_size", "clamping_mode") if f in takes]

    @functools.wraps(kernel)
    def call(inpt: TVTensor, *args: Any, **kwargs: Any) -> Any:
        kwargs.update(zip(positional[1:], args, strict=False))
        used = {name: value for name, value in kwargs.items() if name in takes}
        for field in fields:
            if hasattr(inpt, field):
                used[field] = getattr(inpt, field)
        return _kind_again(kernel(plain(inpt), **used), inpt)

    return call


def kind_kernel(functional: Callable[..., Any], *kinds: type[TVTensor]) -> Callable[[K], K]:
    """Register a kernel of the package's own kinds: masks, boxes, keypoints.

    The kernel gets a plain tensor, those arguments of the function that it names, and `format`,
    `canvas_size` and `clamping_mode` from the kind if it names them. It returns a tensor, or a
    tensor and a new canvas size (h, w) as a tuple.

    Args:
        functional: a function marked `@functional`.
        *kinds: classes of `triptych_vision.tv_tensors`.

    Returns:
        A decorator that registers the kernel and gives it back.
    """
    kernels = _kernels_of(functional, "kind_kernel")

    def add(kernel: K) -> K:
        for kind in kinds:
            kernels.register(kind, _with_metadata(kernel, kernels.parameters))
        return kernel

    return add


def register_kernel(functional: Callable[..., Any] | str, kind: type | str) -> Callable[[K], K]:
    """Say how a function treats a type of your own; subclasses inherit it.

    The kernel gets the object as it is and gives back what the function is to give back.

    Args:
        functional: a function of `triptych_vision.transforms.functional`, or its name.
        kind: the type, or its qualified name where loading it would cost time.

    Returns:
        A decorator that registers the kernel and gives it back.

    Raises:
        ValueError: the type has a kernel already or is one of the package's own kinds, or the
            function does not go by type.

    Example:
        >>> from triptych_vision.transforms import functional as F
        >>> class Depth(list): ...
        >>> @register_kernel(F.horizontal_flip, Depth)
        ... def flip_depth(rows):
        ...     return Depth(row[::-1] for row in rows)
        >>> F.horizontal_flip(Depth([[1, 2], [3, 4]]))
        [[2, 1], [4, 3]]
    """
    kernels = _kernels_of(functional, "register_kernel")  # type: ignore[arg-type]
    if kind in _OWN_KINDS:
        raise ValueError(
            f"register_kernel: {kind.__name__} has the kernels of this package; "
            "subclass it and register the subclass"
        )

    def add(kernel: K) -> K:
        kernels.register(kind, kernel)
        return kernel

    return add


def dispatches(functional: Callable[..., Any]) -> bool:
    """Whether a function goes by the type of its first argument."""
    return functional in _KERNELS


def tensor_kernel(functional: Callable[..., Any]) -> Kernel:
    """The kernel a function uses for tensors (..., c, h, w)."""
    return _kernels_of(functional, "tensor_kernel").for_tensors


def has_kernel(functional: Callable[..., Any], inpt: object) -> bool:
    """Whether a function knows what to do with the type of an object."""
    kernels = _kernels_of(functional, "has_kernel")
    return type(inpt) in kernels.found or kernels.find(inpt) is not None

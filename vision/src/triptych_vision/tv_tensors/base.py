"""Tensors that say what they hold: the base class, and the way to one from a plain tensor.

A kind is a subclass of `triptych.Tensor` with the same fields; a kind of a tensor is a detached
alias (a view, if its history is wanted) whose class has been set. Core makes plain tensors in all
its operations, so forgetting the kind costs nothing; only methods that give it back are wrapped.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Self, TypeVar

import triptych as tp

from .return_type import returns_kind

__all__ = ["TVTensor", "plain", "with_kind", "wrap"]

T = TypeVar("T", bound=tp.Tensor)
_TENSOR: Any = tp.Tensor  # its own methods, whatever a subclass makes of them
# Methods that change where or how the numbers are kept, not what they mean.
_KEEP_KIND = {"clone", "detach", "pin_memory", "requires_grad_", "to"}
_OPERATORS = (
    "abs add and eq floordiv ge getitem gt iadd iand ifloordiv imod imul invert ior ipow isub "
    "itruediv ixor le lshift lt matmul mod mul ne neg or pos pow radd rand rfloordiv rlshift "
    "rmatmul rmod rmul ror rpow rrshift rshift rsub rtruediv rxor sub truediv xor"
)


def with_kind(tensor: tp.Tensor, kind: type[T], **metadata: Any) -> T:
    """A tensor over the same memory and with the same history, as another class.

    Args:
        tensor: any tensor; it stays what it is.
        kind: `triptych.Tensor` or a subclass without fields of its own beside the metadata.
        **metadata: set as attributes.

    Returns:
        The new tensor.
    """
    tracked = tensor.requires_grad
    out: Any = _TENSOR.view_as(tensor, tensor) if tracked else _TENSOR.detach(tensor)
    out.__class__ = kind
    for name, value in metadata.items():
        setattr(out, name, value)
    return out


def plain(tensor: tp.Tensor) -> tp.Tensor:
    """The tensor without its kind: the same memory and history."""
    return with_kind(tensor, tp.Tensor) if isinstance(tensor, TVTensor) else tensor


class TVTensor(tp.Tensor):
    """A tensor of a certain kind. Subclass it for a kind of your own.

    Transforms leave a kind of your own alone until `register_kernel` says what to do with it.
    Operations give plain tensors, see `set_return_type`; `clone`, `to`, `detach`,
    `requires_grad_` and `pin_memory` keep the kind.

    Args:
        data: what `triptych.as_tensor` takes; a tensor's memory is shared.
        dtype: of the elements; default that of data.
        device: where they are; default where data is.
        requires_grad: whether operations are recorded; default as data.
        **metadata: the fields that the subclass names in `metadata`.

    Attributes:
        metadata: names of the fields, which `wrap` copies.

    Example:
        >>> class Depth(TVTensor): ...
        >>> depth = Depth([[1.0, 2.0]])
        >>> type(depth.clone()).__name__, type(depth * 2).__name__
        ('Depth', 'Tensor')
    """

    metadata: tuple[str, ...] = ()

    def __new__(
        cls,
        data: Any,
        *,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool | None = None,
        **metadata: Any,
    ) -> Self:
        """See the class."""
        tensor = cls.checked(tp.as_tensor(_pixels(data), dtype=dtype, device=device))
        out = with_kind(tensor, cls, **cls.checked_metadata(metadata))
        if requires_grad is not None and requires_grad is not out.requires_grad:
            _TENSOR.requires_grad_(out, requires_grad)
        return out

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Nothing is left to do after `__new__`."""

    @classmethod
    def checked(cls, tensor: tp.Tensor) -> tp.Tensor:
        """The tensor in the shape of this kind; raises ShapeError if it has none of it."""
        return tensor

    @classmethod
    def checked_metadata(cls, metadata: dict[str, Any]) -> dict[str, Any]:
        """The fields as they are kept; raises TypeError for a missing or unknown one."""
        if set(metadata) != set(cls.metadata):
            raise TypeError(
                f"{cls.__name__}: wanted the fields {list(cls.metadata)}, got {list(metadata)}"
            )
        return metadata

    @classmethod
    def wrap(cls, tensor: tp.Tensor, like: Any, **metadata: Any) -> Self:
        """A plain tensor as this kind, with the metadata of like.

        Args:
            tensor: any tensor; memory and history are shared.
            like: of this kind.
            **metadata: fields that differ from like's; others than the kind has are ignored.

        Returns:
            The tensor as this kind.
        """
        fields = {name: metadata.get(name, getattr(like, name)) for name in cls.metadata}
        return with_kind(tensor, cls, **(cls.checked_metadata(fields) if metadata else fields))

    def fields(self) -> dict[str, Any]:
        """The metadata by name."""
        return {name: getattr(self, name) for name in self.metadata}

    def __repr__(self) -> str:
        text = tp.Tensor.__repr__(self).removeprefix("tensor(").removesuffix(")")
        extra = "".join(
            f", {name}={getattr(value, 'name', value)}" for name, value in self.fields().items()
        )
        return f"{type(self).__name__}({text}{extra})"

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        if id(self) not in memo:
            copied = with_kind(plain(self).detach().clone(), type(self), **self.fields())
            memo[id(self)] = _TENSOR.requires_grad_(copied, self.requires_grad)
        return memo[id(self)]

    def __reduce__(self) -> Any:
        bare = plain(_TENSOR.detach(self))
        return _restored, (type(self), bare, self.requires_grad, self.fields())


def _restored(
    kind: type[TVTensor], tensor: tp.Tensor, requires_grad: bool, fields: dict[str, Any]
) -> TVTensor:
    out = with_kind(tensor, kind, **fields)
    out.requires_grad_(requires_grad)
    return out


def _pixels(data: Any) -> Any:
    """The values of a PIL image as a tensor; anything else as it is."""
    from ..transforms.kinds import is_pil

    if not is_pil(data):
        return data
    from ..transforms.functional.conversion import pil_to_tensor

    return pil_to_tensor(data)


def wrap(wrappee: tp.Tensor, *, like: Any, **kwargs: Any) -> Any:
    """A plain tensor as the kind of another one, with that one's metadata.

    Args:
        wrappee: any tensor; memory and history are shared.
        like: a `TVTensor`, or a plain tensor, which makes wrappee plain.
        **kwargs: metadata that differs from like's, such as `canvas_size`.

    Returns:
        wrappee as the type of like.

    Example:
        >>> from triptych_vision.tv_tensors import BoundingBoxes
        >>> boxes = BoundingBoxes([[0, 0, 2, 2]], format="XYXY", canvas_size=(4, 4))
        >>> wrap(boxes * 2, like=boxes, canvas_size=(8, 8)).canvas_size
        (8, 8)
    """
    kind: Any = type(like)
    if isinstance(like, TVTensor):
        return kind.wrap(wrappee, like, **kwargs)
    return with_kind(wrappee, kind)


def _again(out: Any, like: TVTensor) -> Any:
    """The tensors of a result as the kind of like."""
    if isinstance(out, tp.Tensor):
        return with_kind(out, type(like), **like.fields())
    if isinstance(out, tuple) and hasattr(out, "_fields"):
        return type(out)(*(_again(part, like) for part in out))
    if isinstance(out, tuple | list):
        return type(out)(_again(part, like) for part in out)
    return out


def _wrapped(method: Callable[..., Any], keeps_kind: bool) -> Callable[..., Any]:
    """A method of `Tensor` that gives the kind back where it should."""

    @functools.wraps(method)
    def call(self: TVTensor, *args: Any, **kwargs: Any) -> Any:
        out = method(self, *args, **kwargs)
        if out is self:
            in_place = keeps_kind or method.__name__.endswith("_") or returns_kind()
            return self if in_place else plain(self)
        return _again(out, self) if keeps_kind or returns_kind() else out

    return call


def _wrap_methods() -> None:
    public = [name for name in dir(tp.Tensor) if not name.startswith("_")]
    for name in [*public, *(f"__{word}__" for word in _OPERATORS.split())]:
        method = getattr(tp.Tensor, name, None)
        if inspect.isfunction(method) and name not in TVTensor.__dict__:
            setattr(TVTensor, name, _wrapped(method, name in _KEEP_KIND))


_wrap_methods()

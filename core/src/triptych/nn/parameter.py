"""Tensors that a module owns: `Parameter` is learned, `Buffer` is kept along."""

from __future__ import annotations

from typing import Any

from ..errors import DTypeError
from ..ops.creation import empty
from ..tensor import Tensor

__all__ = ["Buffer", "Parameter"]


class Parameter(Tensor):
    """A tensor that becomes one of a module's parameters when it is set as an attribute.

    Args:
        data: the numbers; their memory is shared and their history dropped. Nothing if left out.
        requires_grad: whether gradients are wanted; False freezes it.

    Raises:
        DTypeError: data is no tensor.
        GradError: gradients are wanted for integers or booleans.

    Example:
        >>> Parameter(triptych.zeros(2))
        Parameter containing:
        tensor([0., 0.], requires_grad=True)
    """

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        _adopt(self, empty(0) if data is None else data)
        if requires_grad:
            self.requires_grad_()

    @classmethod
    def _rebuild(cls, data: Tensor, requires_grad: bool) -> Parameter:
        return cls(data, requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


class Buffer(Tensor):
    """A tensor that becomes one of a module's buffers when it is set as an attribute: it moves with
    the module and is saved with it, but is not learned.

    Args:
        data: the numbers; their memory is shared.
        persistent: whether it is part of the module's ``state_dict``.

    Raises:
        DTypeError: data is no tensor.
    """

    def __init__(self, data: Tensor | None = None, *, persistent: bool = True) -> None:
        _adopt(self, empty(0) if data is None else data)
        self.persistent = persistent

    @classmethod
    def _rebuild(cls, data: Tensor, requires_grad: bool) -> Tensor:
        return cls(data).requires_grad_(requires_grad)


def _adopt(owner: Tensor, data: Any) -> None:
    if not isinstance(data, Tensor):
        raise DTypeError(
            f"{type(owner).__name__}: wanted a Tensor, got {type(data).__name__}; "
            "make one with triptych.tensor(...)"
        )
    source = data.detach()
    owner._data, owner._cell = source._data, source._cell

"""Tensors that a module owns: `Parameter` is learned, `Buffer` is kept along."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..autograd.node import Leaf
from ..backends import Device
from ..errors import DTypeError, ShapeError
from ..ops.convert import _targets
from ..ops.creation import empty
from ..tensor import Size, Tensor

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "is_lazy"]


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
    owner._data, owner._cell, owner._names = source._data, source._cell, source._names


class _Shapeless(Tensor):
    """A tensor whose shape is not known yet: it has a dtype and a device, and no numbers."""

    _settled: type[Tensor]  # what it turns into
    _kind: dtypes.dtype
    _place: Device

    def _prepare(self, device: Any, dtype: Any) -> None:
        self._cell = [0]
        self._kind = dtypes.get_default_dtype() if dtype is None else dtype
        self._place = Device("cpu") if device is None else Device(device)

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Take a shape, and memory that is still to be written; the object becomes an ordinary
        parameter or buffer.

        Args:
            shape: the lengths of the axes.
            device, dtype: default those it was made with.
        """
        place = self._place if device is None else device
        made = empty(*shape, device=place, dtype=self._kind if dtype is None else dtype)
        del self._kind, self._place
        self.__class__ = self._settled  # type: ignore[assignment]
        _adopt(self, made)

    @property
    def _data(self) -> Any:
        raise ShapeError(
            f"{type(self).__name__}: this tensor has no shape yet; run the module it belongs to "
            "once, or call materialize(shape)"
        )

    @property
    def shape(self) -> Size:
        """Not known yet."""
        return self._data

    @property
    def dtype(self) -> dtypes.dtype:
        """The type its elements will have."""
        return self._kind

    @property
    def device(self) -> Device:
        """Where its elements will be."""
        return self._place

    @property
    def data(self) -> Tensor:
        """Itself, as there are no numbers; setting it takes over dtype and device."""
        return self

    @data.setter
    def data(self, value: Tensor) -> None:
        self._prepare(value.device, value.dtype)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Record operations on it, once there is something to record."""
        self._edge = (self._edge or Leaf(self)) if requires_grad else None
        return self

    def is_floating_point(self) -> bool:
        """Whether its elements will be floating numbers."""
        return dtypes.is_floating(dtypes.to_numpy_dtype(self._kind))

    def is_complex(self) -> bool:
        """Whether its elements will be complex numbers."""
        return dtypes.to_numpy_dtype(self._kind).kind == "c"

    def detach(self) -> Tensor:
        """Itself: there are no numbers to share."""
        return self

    def to(self, *args: Any, dtype: Any = None, device: Any = None, **options: Any) -> Tensor:
        """Its like in another dtype or on another device."""
        dtype, device = _targets(args, dtype, device)
        kind = self._kind if dtype is None else dtype
        place = self._place if device is None else device
        return _shapeless(type(self), str(place), kind, self.requires_grad)

    def cpu(self) -> Tensor:
        """Its like in main memory."""
        return self.to("cpu")

    def cuda(self, device: Any = None) -> Tensor:
        """Its like on a CUDA device."""
        return self.to("cuda" if device is None else Device(device))

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        return memo.setdefault(id(self), self.to())

    def __reduce__(self) -> Any:
        return _shapeless, (type(self), str(self._place), self._kind, self.requires_grad)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


def _shapeless(cls: Any, device: str, dtype: Any, requires_grad: bool) -> Tensor:
    return cls(device=device, dtype=dtype).requires_grad_(requires_grad)


class UninitializedParameter(_Shapeless, Parameter):
    """A parameter whose shape is not known yet, as lazy layers have them.

    Args:
        requires_grad: whether gradients will be wanted.
        device, dtype: of the numbers to come.

    Example:
        >>> p = UninitializedParameter()
        >>> p.materialize((2, 3))
        >>> p.shape
        Size([2, 3])
    """

    _settled = Parameter

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> None:
        self._prepare(device, dtype)
        self.requires_grad_(requires_grad)


class UninitializedBuffer(_Shapeless, Buffer):
    """A buffer whose shape is not known yet, as lazy layers have them.

    Args:
        requires_grad: accepted for torch's sake.
        device, dtype: of the numbers to come.
        persistent: whether it is part of the module's ``state_dict``.
    """

    _settled = Buffer

    def __init__(
        self,
        requires_grad: bool = False,
        device: Any = None,
        dtype: Any = None,
        persistent: bool = True,
    ) -> None:
        self._prepare(device, dtype)
        self.persistent = persistent


def is_lazy(tensor: Any) -> bool:
    """Whether a tensor still waits for its shape."""
    return isinstance(tensor, _Shapeless)

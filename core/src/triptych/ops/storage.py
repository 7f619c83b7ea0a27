"""The memory under tensors: its bytes, and views into it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import dtypes
from ..backends import Device, backend_for, backend_of, in_pinned_memory
from ..errors import CaptureError, DeviceError, DTypeError
from ..prims.strided import _looked
from ..tensor import Symbol, Tensor, box
from .strided import memory_of, offset_of, strides_of

__all__: list[str] = []


def _real(x: Tensor, call: str) -> Any:
    if isinstance(x._data, Symbol):
        raise CaptureError(f"{call}: a traced tensor has no memory")
    return x._data


def _lowest(array: Any) -> Any:
    """The index of the element with the lowest address, as a 0-d view."""
    if not array.size:
        return (Ellipsis,)
    return (*(0 if s >= 0 else -1 for s in array.strides), Ellipsis)


def elements_of(array: Any) -> int:
    """How many elements fit the memory that an array looks into."""
    low, high = backend_of(array).span(memory_of(array))
    return (high - low) // array.itemsize


def geometry_view(array: Any, size: Any, strides: Any, shift: int) -> Any:
    """The memory of an array under another geometry; nothing is checked."""
    return _looked(backend_of(array).xp, array, size, strides, shift)


class UntypedStorage:
    """The bytes of the memory that a tensor, and perhaps others, look into.

    Made by ``Tensor.untyped_storage()``; a write shows in all of them, but is not recorded.
    """

    __slots__ = ("_cell", "_root")

    def __init__(self, tensor: Tensor) -> None:
        self._root, self._cell = memory_of(_real(tensor, "untyped_storage")), tensor._cell

    @property
    def device(self) -> Device:
        """Where the bytes are."""
        return backend_of(self._root).device_of(self._root)

    def nbytes(self) -> int:
        """How many bytes there are."""
        low, high = backend_of(self._root).span(self._root)
        return high - low

    size = __len__ = nbytes

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return backend_of(self._root).span(self._root)[0]

    def as_tensor(self, dtype: dtypes.dtype) -> Tensor:
        """All bytes as a vector of elements of a dtype, in the same memory.

        Raises:
            DTypeError: they are no whole number of such elements.
        """
        if self.nbytes() % dtype.itemsize:
            raise DTypeError(f"storage: {self.nbytes()} bytes are no whole number of {dtype}")
        return self._vector(dtype)

    def _vector(self, dtype: dtypes.dtype) -> Tensor:
        xp, root = backend_of(self._root).xp, self._root
        count = self.nbytes() - self.nbytes() % dtype.itemsize
        one = xp.lib.stride_tricks.as_strided(root[_lowest(root)], (1,), (root.itemsize,))
        flat = xp.lib.stride_tricks.as_strided(one.view(np.uint8), (count,), (1,))
        out = box(flat.view(dtype.dtype))
        out._cell = self._cell
        return out

    def tolist(self) -> list[int]:
        """The bytes as numbers from 0 to 255."""
        return self._vector(dtypes.uint8).tolist()

    def __getitem__(self, key: Any) -> Any:
        """A byte, or for a slice a list of them."""
        return self._vector(dtypes.uint8)[key].tolist()

    def __setitem__(self, key: Any, value: Any) -> None:
        self._vector(dtypes.uint8)[key] = value

    def __iter__(self) -> Iterator[int]:
        return iter(self.tolist())

    def fill_(self, value: int) -> UntypedStorage:
        """Write one byte everywhere; returns self."""
        self[:] = value
        return self

    def copy_(self, source: UntypedStorage) -> UntypedStorage:
        """Write the bytes of another storage of the same size; returns self."""
        self._vector(dtypes.uint8).copy_(source._vector(dtypes.uint8))
        return self

    def clone(self) -> UntypedStorage:
        """A copy of the bytes."""
        return UntypedStorage(self._vector(dtypes.uint8).clone())

    def __repr__(self) -> str:
        return f"UntypedStorage(device={self.device}, size={self.nbytes()})"


def untyped_storage(self: Tensor) -> UntypedStorage:
    """The memory that the tensor looks into.

    Raises:
        CaptureError: the tensor is traced.
    """
    return UntypedStorage(self)


def storage_offset(self: Tensor) -> int:
    """How many elements after the start of its memory the tensor begins.

    Raises:
        CaptureError: the tensor is traced.
    """
    return offset_of(_real(self, "storage_offset"))


def is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Whether both look at the same memory in the same way."""
    a, b = _real(self, "is_set_to"), _real(tensor, "is_set_to")
    return (
        memory_of(a) is memory_of(b)
        and (a.shape, a.strides, a.dtype) == (b.shape, b.strides, b.dtype)
        and offset_of(a) == offset_of(b)
    )


def pin_memory(self: Tensor, device: Any = None) -> Tensor:
    """A copy in page-locked main memory, from which a GPU copies faster; itself if it is there.

    Raises:
        MissingDependencyError: CuPy is not installed.
        DeviceError: there is no GPU, or the tensor is on one.
    """
    data = _real(self, "pin_memory")
    backend = backend_for(Device("cuda"))
    if self.device.type != "cpu":
        raise DeviceError(f"pin_memory: the tensor is on {self.device}; only main memory is pinned")
    if is_pinned(self):
        return self
    return box(backend.pin(data))


def is_pinned(self: Tensor, device: Any = None) -> bool:
    """Whether the tensor is in page-locked main memory."""
    return not isinstance(self._data, Symbol) and in_pinned_memory(self._data)


def dim_order(self: Tensor) -> tuple[int, ...]:
    """The axes from the slowest in memory to the fastest."""
    steps = strides_of(self)
    return tuple(sorted(range(self.ndim), key=lambda axis: (-steps[axis], axis)))

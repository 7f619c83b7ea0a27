"""What an array library must offer, and the name of a device."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DeviceError
from ..state import state

if TYPE_CHECKING:
    from ..prims.table import Prim


class Device:
    """A place for tensors: ``device("cpu")``, ``device("cuda", 1)``, ``device("cuda:1")``."""

    __slots__ = ("index", "type")

    type: str
    index: int | None

    def __init__(self, type: str | int | Device, index: int | None = None) -> None:
        name = type
        if isinstance(name, Device):
            index = name.index if index is None else index
            name = name.type
        elif isinstance(name, int):
            index = name
            name = "cuda"
        kind, _, number = name.partition(":")
        if number:
            if index is not None or not number.isdigit():
                raise DeviceError(f"device({type!r}, {index}): wanted 'cpu', 'cuda' or 'cuda:0'")
            index = int(number)
        self.type = kind
        self.index = state.gpu if kind == "cuda" and index is None else index

    def __repr__(self) -> str:
        number = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{number})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Device):
            return NotImplemented
        return (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __enter__(self) -> Device:
        """Inside the block, tensors are made here when no device is given."""
        state.devices = (*state.devices, self)
        return self

    def __exit__(self, *error: object) -> None:
        state.devices = state.devices[:-1]


_CPU = Device("cpu")


def default_device() -> Device:
    """Where this thread makes tensors when no device is given."""
    return state.devices[-1] if state.devices else state.home or _CPU


def in_pinned_memory(array: np.ndarray) -> bool:
    """Whether an array is in page-locked main memory, which CuPy hands out."""
    owner: Any = array
    while (below := getattr(owner, "base", None)) is not None:
        owner = below
    source = owner.obj if isinstance(owner, memoryview) else owner
    return type(source).__name__ == "PinnedMemoryPointer"


class Backend(ABC):
    """An array library behind the table of primitives.

    `impl` columns are written over `xp`, the library's NumPy-like namespace. A backend may hold a
    faster kernel for a primitive in `overrides`; it is taken wherever the primitive is called.
    """

    name: str
    xp: Any
    steps: Any = None  # kernels for steps of optimizers, `sgd_step` and `adam_step`, if any
    array_type: type
    overrides: dict[str, Callable[..., Any]]

    def bind(self, prim: Prim) -> Callable[..., Any]:
        """The kernel of a primitive: an override, a function of xp, or impl with xp filled in."""
        if prim.name in self.overrides:
            return self.overrides[prim.name]
        if isinstance(prim.impl, str):
            return getattr(self.xp, prim.impl)
        return partial(prim.impl, self.xp)

    def bind_into(self, prim: Prim) -> Callable[..., Any] | None:
        """``f(memory, *others)``, which writes over its first input: for elementwise primitives."""
        if prim.name in self.overrides:
            return None
        if isinstance(prim.impl, str):
            function = getattr(self.xp, prim.impl)
            return lambda memory, *others: function(memory, *others, out=memory)
        kernel = self.bind(prim)

        def replace(memory: Any, *others: Any) -> None:
            memory[...] = kernel(memory, *others)

        return replace

    def own_kernel(self, name: str) -> Callable[..., Any] | None:
        """A kernel of ours for a function that is no primitive, if there is one. It gives
        NotImplemented for arguments it is not made for.
        """
        return None

    def scalar(self, value: Any, dtype: np.dtype, where: Device) -> Any:
        """A Python number as an array without axes on the device."""
        return self.asarray(np.asarray(value).astype(dtype), where=where)

    def copied(self, array: Any) -> Any:
        """A contiguous copy on the device of the array."""
        return array.copy()

    def write(self, memory: Any, key: Any, numbers: Any) -> None:
        """memory[key] = numbers, on the device of the memory."""
        memory[key] = numbers

    def add_at(self, memory: Any, key: tuple[Any, ...], values: Any) -> None:
        """memory[key] += values, where every one of several writes to a place counts."""
        self.xp.add.at(memory, key, values)

    @abstractmethod
    def check(self, where: Device) -> None:
        """Raise DeviceError unless the device is there."""

    def is_scalar(self, value: Any) -> bool:
        """Whether value is a number this backend computes with directly."""
        return isinstance(value, (bool, int, float, complex, np.generic))

    def on(self, where: Device) -> Any:
        """A context in which new arrays are made on the device."""
        return contextlib.nullcontext()

    @abstractmethod
    def asarray(self, data: Any, dtype: np.dtype | None = None, where: Device | None = None) -> Any:
        """An array on the device, sharing memory with `data` when that is possible."""

    def upload(self, data: np.ndarray, where: Device) -> Any:
        """An array on the device with the values of one in main memory, which must not change
        before the device has read it.
        """
        return self.asarray(data, where=where)

    @abstractmethod
    def to_numpy(self, array: Any) -> np.ndarray:
        """The same values as a NumPy array; no copy on the CPU."""

    def use_precision(self, precision: str) -> None:
        """Take how exact products of float32 matrices must be, "highest", "high" or "medium"; a
        backend that always uses all bits has nothing to do.
        """
        return

    def pin(self, data: np.ndarray) -> np.ndarray:
        """A copy in main memory from which this device copies fastest."""
        return data.copy()

    def download(self, array: Any) -> np.ndarray:
        """The same values as a NumPy array, which may be filled only when the device is done."""
        return self.to_numpy(array)

    @abstractmethod
    def device_of(self, array: Any) -> Device:
        """The device an array is on."""

    @abstractmethod
    def span(self, array: Any) -> tuple[int, int]:
        """The first address of an array's memory, and the one after the last."""

    @abstractmethod
    def random(self, seed: int, offset: int, where: Device) -> Any:
        """A random source that depends on (seed, offset) alone."""

"""Where arrays live: one `Backend` per array library, found by the type of the array."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ..errors import DeviceError
from .base import Backend, Device, default_device, in_pinned_memory
from .numpy_backend import NUMPY

__all__ = [
    "Backend",
    "Device",
    "NUMPY",
    "backend_for",
    "backend_of",
    "copied",
    "default_device",
    "device",
    "in_pinned_memory",
    "is_device",
    "write",
]

_BY_TYPE: dict[type, Backend] = {NUMPY.array_type: NUMPY}
_BY_DEVICE: dict[str, Backend] = {"cpu": NUMPY}
_LOADERS = {"cuda": ".cupy_backend"}  # imported when a device of the kind is first asked for

device = Device


def backend_for(where: Device) -> Backend:
    """The backend that holds arrays on a device.

    Raises:
        DeviceError: no such kind of device, or its library or hardware is missing.
    """
    found = _BY_DEVICE.get(where.type)
    if found is None:
        if where.type not in _LOADERS:
            known = ", ".join(sorted({*_BY_DEVICE, *_LOADERS}))
            raise DeviceError(f"device {where.type!r} is unknown; wanted one of: {known}")
        module = importlib.import_module(_LOADERS[where.type], __name__)
        found = add_backend(where.type, module.load())
    found.check(where)
    return found


def is_device(name: str) -> bool:
    """Whether a name such as ``cuda:1`` starts with a kind of device."""
    kind = name.partition(":")[0]
    return kind in _BY_DEVICE or kind in _LOADERS


def loaded(kind: str) -> bool:
    """Whether the library behind a kind of device is loaded."""
    return kind in _BY_DEVICE


def all_loaded() -> list[Backend]:
    """The backends whose libraries are loaded."""
    return list(_BY_DEVICE.values())


def add_backend(device_type: str, backend: Backend) -> Backend:
    """Make a backend the home of a kind of device, and return it."""
    _BY_TYPE[backend.array_type] = backend
    _BY_DEVICE[device_type] = backend
    return backend


def backend_of(array: Any) -> Backend:
    """The backend whose array this is; NumPy for scalars.

    Raises:
        DeviceError: the type belongs to no backend.
    """
    found = _BY_TYPE.get(type(array))
    if found is not None:
        return found
    for kind, backend in list(_BY_TYPE.items()):
        if isinstance(array, kind):
            return backend
    if NUMPY.is_scalar(array):
        return NUMPY
    raise DeviceError(
        f"{type(array).__module__}.{type(array).__name__} is no array of a known device"
    )


def copied(array: Any) -> Any:
    """A contiguous copy of an array on its own device, which need not be the current one."""
    return array.copy() if type(array) is np.ndarray else backend_of(array).copied(array)


def write(memory: Any, key: Any, numbers: Any) -> None:
    """memory[key] = numbers, on the memory's own device."""
    if type(memory) is np.ndarray:
        memory[key] = numbers
    else:
        backend_of(memory).write(memory, key, numbers)

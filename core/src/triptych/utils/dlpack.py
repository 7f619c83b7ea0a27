"""DLPack capsules, for libraries that pass them by hand; others take tensors as they are."""

from __future__ import annotations

import ctypes
from typing import Any

from ..errors import DTypeError
from ..ops.creation import from_dlpack as _from_array
from ..tensor import Tensor

__all__ = ["from_dlpack", "to_dlpack"]

# Where DLTensor starts in a managed tensor: at once, or after the version (2 x uint32), the
# manager's context, the deleter (two pointers) and the flags (uint64). Its first member is the
# data pointer, the next the device as two int32. Source: dlpack.h of DLPack 1.0.
_POINTER = ctypes.sizeof(ctypes.c_void_p)
_STARTS = {b"dltensor": 0, b"dltensor_versioned": 16 + 2 * _POINTER}


def to_dlpack(tensor: Tensor) -> Any:
    """A DLPack capsule over the memory of a tensor; whoever takes it may do so once.

    Raises:
        GradError: the tensor requires grad.
    """
    return tensor.__dlpack__()


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor over the memory of a DLPack capsule, or of an array with ``__dlpack__``.

    Raises:
        DTypeError: it is neither, or the capsule was taken before.

    Example:
        >>> from_dlpack(to_dlpack(triptych.ones(2))).tolist()
        [1.0, 1.0]
    """
    if type(ext_tensor).__name__ == "PyCapsule":
        return _from_array(_Capsule(ext_tensor))
    return _from_array(ext_tensor)


class _Capsule:
    """A capsule as an array with the protocol's two methods."""

    def __init__(self, capsule: Any) -> None:
        name_of, pointer_of = (
            ctypes.pythonapi.PyCapsule_GetName,
            ctypes.pythonapi.PyCapsule_GetPointer,
        )
        name_of.argtypes, name_of.restype = [ctypes.py_object], ctypes.c_char_p
        pointer_of.argtypes = [ctypes.py_object, ctypes.c_char_p]
        pointer_of.restype = ctypes.c_void_p
        name = name_of(capsule)
        if name not in _STARTS:
            raise DTypeError(
                f"from_dlpack: wanted a DLPack capsule that nobody took yet, got one named {name!r}"
            )
        self._capsule = capsule
        device = (ctypes.c_int32 * 2).from_address(
            pointer_of(capsule, name) + _STARTS[name] + _POINTER
        )
        self._device = (device[0], device[1])

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._device

    def __dlpack__(self, **options: Any) -> Any:
        return self._capsule

"""What an unpickled torch file is made of before its bytes are read: inert descriptions.

Nothing here can be changed by the file once it is built, save a NumPy array's one-time state,
and nothing here touches memory: bounds are checked when `torch_tensors` makes arrays.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

__all__ = [
    "Call",
    "Marker",
    "NumpyArray",
    "NumpyDType",
    "Storage",
    "StorageType",
    "TORCH_DTYPES",
    "TensorRecord",
    "TorchDType",
]

TORCH_DTYPES: dict[str, np.dtype] = {
    "bool": np.dtype(np.bool_),
    "uint8": np.dtype(np.uint8),
    "uint16": np.dtype(np.uint16),
    "uint32": np.dtype(np.uint32),
    "uint64": np.dtype(np.uint64),
    "int8": np.dtype(np.int8),
    "int16": np.dtype(np.int16),
    "int32": np.dtype(np.int32),
    "int64": np.dtype(np.int64),
    "float16": np.dtype(np.float16),
    "float32": np.dtype(np.float32),
    "float64": np.dtype(np.float64),
    "complex64": np.dtype(np.complex64),
    "complex128": np.dtype(np.complex128),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "float8_e4m3fn": np.dtype(ml_dtypes.float8_e4m3fn),
    "float8_e4m3fnuz": np.dtype(ml_dtypes.float8_e4m3fnuz),
    "float8_e5m2": np.dtype(ml_dtypes.float8_e5m2),
    "float8_e5m2fnuz": np.dtype(ml_dtypes.float8_e5m2fnuz),
    "float8_e8m0fnu": np.dtype(ml_dtypes.float8_e8m0fnu),
}


@dataclass(frozen=True, slots=True)
class Call:
    """A function or class the file may call, and what the call builds instead."""

    name: str
    build: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Marker:
    """A class the file may name but not call, such as torch.Tensor."""

    name: str


@dataclass(frozen=True, slots=True)
class TorchDType:
    """A dtype such as torch.float32, as a value in the file."""

    dtype: np.dtype


@dataclass(frozen=True, slots=True)
class StorageType:
    """A storage class such as torch.FloatStorage; untyped storages count bytes."""

    dtype: np.dtype


@dataclass(frozen=True, slots=True)
class Storage:
    """A run of elements inside one block of the file.

    Args:
        key: the block's name in the file.
        dtype: of the elements.
        numel: elements the block holds, as the pickle claims.
        start: where the run starts, in elements; not 0 only for old views of storages.
        length: elements in the run.
    """

    key: str
    dtype: np.dtype
    numel: int
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class TensorRecord:
    """A strided view of a storage; offset and stride count elements of dtype."""

    storage: Storage
    dtype: np.dtype
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


_NUMERIC = re.compile(r"[<>=|]?(b1|\?|[iu][1248]|f[248]|c8|c16)")


class NumpyDType:
    """A numeric numpy.dtype; objects, strings, dates and records are refused.

    Raises:
        ValueError: not a numeric type.
    """

    __slots__ = ("_order", "code")

    def __init__(self, code: object, align: object = False, copy: object = False) -> None:
        if not isinstance(code, str) or not _NUMERIC.fullmatch(code):
            shown = code[:40] if isinstance(code, str) else type(code).__name__
            raise ValueError(f"numpy dtype {shown!r}; wanted a numeric one")
        self.code, self._order = code, ""

    def set_state(self, state: Any) -> int:
        """Take the byte order from numpy's pickle state (version, order, no fields ...)."""
        if type(state) is not tuple or len(state) < 5 or state[1] not in ("<", ">", "|", "="):
            raise ValueError("numpy dtype with an unknown state")
        if any(part is not None for part in state[2:5]):
            raise ValueError("numpy dtype with fields; wanted a plain numeric one")
        self._order = state[1]
        return 0

    @property
    def dtype(self) -> np.dtype:
        plain = np.dtype(self.code)
        return plain.newbyteorder(">") if self._order == ">" else plain


class NumpyArray:
    """A numpy.ndarray of numbers, empty until its state comes."""

    __slots__ = ("_state",)

    def __init__(self) -> None:
        self._state: tuple[tuple[int, ...], np.dtype, bool, bytes] | None = None

    def set_state(self, state: Any) -> int:
        """Take numpy's pickle state (version, shape, dtype, fortran, data); returns bytes taken."""
        if self._state is not None or type(state) is not tuple or len(state) != 5:
            raise ValueError("numpy array with an unknown state")
        _, shape, kind, fortran, data = state
        if type(data) is str:  # Python 2 wrote it, and it was read as latin1
            data = data.encode("latin1")
        if not isinstance(kind, NumpyDType) or type(data) is not bytes:
            raise ValueError("numpy array without plain numeric data")
        self._state = (shape, kind.dtype, bool(fortran), data)
        return len(data)

    def array(self) -> np.ndarray:
        """The array, its own copy of the data.

        Raises:
            ValueError: no state came, or the data does not fill the shape.
        """
        if self._state is None:
            raise ValueError("numpy array without data")
        shape, dtype, fortran, data = self._state
        flat = np.frombuffer(data, dtype).astype(dtype.newbyteorder("="))
        return flat.reshape(shape, order="F" if fortran else "C")

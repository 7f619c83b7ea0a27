"""Data types under torch's names, over NumPy's and ml_dtypes' own, and how they combine."""

from __future__ import annotations

# The module exports torch's names, which hide the built-in ones.
from builtins import bool as _bool
from builtins import float as _float
from builtins import int as _int
from functools import lru_cache
from typing import Any, ClassVar

import ml_dtypes
import numpy as np

from .errors import DTypeError

__all__ = [
    "bfloat16",
    "bool",
    "cdouble",
    "cfloat",
    "complex128",
    "complex64",
    "double",
    "dtype",
    "finfo",
    "float",
    "float16",
    "float32",
    "float64",
    "get_default_dtype",
    "half",
    "iinfo",
    "int",
    "int16",
    "int32",
    "int64",
    "int8",
    "long",
    "promote_types",
    "set_default_dtype",
    "short",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
]


class dtype:  # noqa: N801 -- torch's spelling
    """The type of a tensor's elements, such as ``triptych.float32``.

    NumPy accepts it wherever it accepts a dtype: ``np.zeros(3, dtype=triptych.float32)``.
    """

    __slots__ = ("dtype", "name")
    _by_numpy: ClassVar[dict[np.dtype, dtype]] = {}

    def __init__(self, name: str, numpy_type: Any) -> None:
        self.name = name
        self.dtype = np.dtype(numpy_type)  # numpy.dtype(x) reads x.dtype
        dtype._by_numpy[self.dtype] = self

    @property
    def itemsize(self) -> _int:
        """Bytes per element."""
        return self.dtype.itemsize

    @property
    def is_floating_point(self) -> _bool:
        return is_floating(self.dtype)

    @property
    def is_complex(self) -> _bool:
        return self.dtype.kind == "c"

    @property
    def is_signed(self) -> _bool:
        return self.dtype.kind not in "bu"

    def __repr__(self) -> str:
        return f"triptych.{self.name}"

    def __reduce__(self) -> str:
        return self.name  # pickled by reference: one object per type in every process


bool = dtype("bool", np.bool_)
uint8 = dtype("uint8", np.uint8)
uint16 = dtype("uint16", np.uint16)
uint32 = dtype("uint32", np.uint32)
uint64 = dtype("uint64", np.uint64)
int8 = dtype("int8", np.int8)
int16 = short = dtype("int16", np.int16)
int32 = dtype("int32", np.int32)
int64 = long = dtype("int64", np.int64)
int = int32
float16 = half = dtype("float16", np.float16)
bfloat16 = dtype("bfloat16", ml_dtypes.bfloat16)
float32 = dtype("float32", np.float32)
float64 = double = dtype("float64", np.float64)
float = float32
complex64 = cfloat = dtype("complex64", np.complex64)
complex128 = cdouble = dtype("complex128", np.complex128)

BOOL, INT64 = bool.dtype, int64.dtype
_PYTHON = {_bool: BOOL, _int: INT64}
_FLOATS = [d.dtype for d in (float16, bfloat16, float32, float64)]
_COMPLEX = [d.dtype for d in (complex64, complex128)]
_default = float32


def is_floating(np_dtype: np.dtype) -> _bool:
    """Whether a NumPy dtype is a real floating type, bfloat16 included."""
    return np_dtype.kind == "f" or np_dtype == bfloat16.dtype


def is_inexact(np_dtype: np.dtype) -> _bool:
    """Whether gradients can flow through values of this NumPy dtype."""
    return np_dtype.kind in "fc" or np_dtype == bfloat16.dtype


def real_of(np_dtype: np.dtype) -> np.dtype:
    """The dtype of the real part: complex64 -> float32; real dtypes stay."""
    return np.empty(0, np_dtype).real.dtype if np_dtype.kind == "c" else np_dtype


def from_numpy_dtype(np_dtype: np.dtype) -> dtype:
    """The Triptych name of a NumPy dtype.

    Raises:
        DTypeError: there is none (strings, objects, dates).
    """
    try:
        return dtype._by_numpy[np_dtype]
    except KeyError:
        known = ", ".join(d.name for d in dtype._by_numpy.values())
        raise DTypeError(
            f"no tensor type for NumPy dtype {np_dtype}; wanted one of {known}"
        ) from None


@lru_cache(maxsize=256)
def to_numpy_dtype(wanted: Any) -> np.dtype:
    """NumPy dtype for what a caller may pass: a Triptych or NumPy dtype, a name, or a Python type.

    Raises:
        DTypeError: it names no tensor type.
    """
    if wanted is _float:
        return _default.dtype
    if wanted is complex:
        return complex_of(_default.dtype)
    if wanted in _PYTHON:
        return _PYTHON[wanted]
    if isinstance(wanted, str) and wanted in _BY_NAME:
        return _BY_NAME[wanted].dtype
    try:
        found = np.dtype(wanted)
    except TypeError:
        raise DTypeError(f"{wanted!r} is not a dtype; pass triptych.float32 or the like") from None
    return from_numpy_dtype(found).dtype


_BY_NAME = {d.name: d for d in dtype._by_numpy.values()}


def complex_of(np_dtype: np.dtype) -> np.dtype:
    """The complex dtype whose parts hold values of a real dtype."""
    return np.dtype(np.complex128 if np_dtype.itemsize == 8 else np.complex64)


def get_default_dtype() -> dtype:
    """The floating dtype of new tensors made from Python numbers; float32 unless set."""
    return _default


def set_default_dtype(d: dtype) -> None:
    """Set the floating dtype of new tensors made from Python numbers.

    Raises:
        DTypeError: d is not a floating type.
    """
    global _default
    wanted = from_numpy_dtype(to_numpy_dtype(d))
    if not wanted.is_floating_point:
        raise DTypeError(f"set_default_dtype: wanted a floating type, got {wanted}")
    _default = wanted
    to_numpy_dtype.cache_clear()
    promote.cache_clear()


@lru_cache(maxsize=1024)
def promote(a: np.dtype, b: np.dtype) -> np.dtype:
    """The dtype two tensors of dtypes a and b are computed in: torch's table, which for equal
    kinds is the array API's; an integer meets a float in the float's own width.
    """
    if a == b:
        return a
    for ladder in (_COMPLEX, _FLOATS):
        in_a, in_b = a in ladder, b in ladder
        if in_a and in_b:
            return _wider_float(a, b)
        if in_a or in_b:
            high, low = (a, b) if in_a else (b, a)
            return np.result_type(high, low) if high.kind == "c" and low.kind == "f" else high
    if BOOL in (a, b):
        return b if a == BOOL else a
    joined = np.result_type(a, b)
    if joined.kind == "f":
        raise DTypeError(
            f"uint64 and signed integers have no common integer type ({a}, {b}); cast one"
        )
    return joined


def _wider_float(a: np.dtype, b: np.dtype) -> np.dtype:
    if a.itemsize == b.itemsize:  # float16 meets bfloat16
        return float32.dtype
    return a if a.itemsize > b.itemsize else b


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The dtype that tensors of two dtypes combine to.

    Example:
        >>> promote_types(int64, float16)
        triptych.float16
    """
    return from_numpy_dtype(promote(to_numpy_dtype(type1), to_numpy_dtype(type2)))


def scalar_dtype(value: Any, partner: np.dtype | None) -> np.dtype:
    """The dtype of a Python scalar beside a tensor of dtype `partner`: scalars are weak, they
    change the kind of the result but never its width.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, _bool):
        return partner or BOOL
    if isinstance(value, _int):
        return partner if partner is not None and partner != BOOL else INT64
    if isinstance(value, _float):
        return partner if partner is not None and is_inexact(partner) else _default.dtype
    if partner is not None and partner.kind == "c":
        return partner
    inexact = partner if partner is not None and is_inexact(partner) else _default.dtype
    return complex_of(inexact)


class finfo:  # noqa: N801 -- torch's spelling
    """Limits of a floating type: ``bits eps max min tiny smallest_normal resolution dtype``."""

    eps: _float
    max: _float
    min: _float
    tiny: _float
    smallest_normal: _float
    resolution: _float

    def __init__(self, type: dtype | None = None) -> None:
        np_dtype = real_of(to_numpy_dtype(type or _default))
        if not is_floating(np_dtype):
            raise DTypeError(
                f"finfo: wanted a floating type, got {np_dtype}; use iinfo for integers"
            )
        info: Any = ml_dtypes.finfo(np_dtype)
        self.dtype, self.bits = from_numpy_dtype(np_dtype).name, info.bits
        for name in ("eps", "max", "min", "tiny", "smallest_normal", "resolution"):
            setattr(self, name, _float(getattr(info, name)))

    def __repr__(self) -> str:
        return f"finfo({', '.join(f'{k}={v}' for k, v in sorted(vars(self).items()))})"


class iinfo:  # noqa: N801 -- torch's spelling
    """Limits of an integer type: ``bits max min dtype``."""

    def __init__(self, type: dtype) -> None:
        np_dtype = to_numpy_dtype(type)
        if np_dtype.kind not in "iu":
            raise DTypeError(f"iinfo: wanted an integer type, got {np_dtype}; use finfo for floats")
        info = np.iinfo(np_dtype)
        self.dtype, self.bits = from_numpy_dtype(np_dtype).name, info.bits
        self.max, self.min = _int(info.max), _int(info.min)

    def __repr__(self) -> str:
        return f"iinfo(bits={self.bits}, dtype={self.dtype}, max={self.max}, min={self.min})"

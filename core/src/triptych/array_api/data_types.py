"""Data types: what they hold, and what they combine to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .. import dtypes
from ..dtypes import (
    bool,
    complex64,
    complex128,
    dtype,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from ..errors import DTypeError
from ..ops.shape import clone
from ..prims.promotion import SCALARS
from ..tensor import Tensor

__all__ = [
    "astype",
    "bool",
    "can_cast",
    "complex128",
    "complex64",
    "e",
    "finfo",
    "float32",
    "float64",
    "iinfo",
    "inf",
    "int16",
    "int32",
    "int64",
    "int8",
    "isdtype",
    "nan",
    "newaxis",
    "pi",
    "result_type",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
]

e, inf, nan, newaxis, pi = math.e, math.inf, math.nan, None, math.pi

_SIGNED, _UNSIGNED = (int8, int16, int32, int64), (uint8, uint16, uint32, uint64)
_REAL, _COMPLEX = (dtypes.float16, dtypes.bfloat16, float32, float64), (complex64, complex128)
KINDS: dict[str, tuple[dtype, ...]] = {
    "bool": (bool,),
    "signed integer": _SIGNED,
    "unsigned integer": _UNSIGNED,
    "integral": _SIGNED + _UNSIGNED,
    "real floating": _REAL,
    "complex floating": _COMPLEX,
    "numeric": _SIGNED + _UNSIGNED + _REAL + _COMPLEX,
}


def isdtype(dtype: dtype, kind: Any) -> Any:
    """Whether a dtype is of a kind.

    Args:
        dtype: any dtype.
        kind: a dtype, the name of a kind such as "integral" or "real floating", or a tuple of
            them, of which one has to fit.

    Raises:
        DTypeError: there is no such kind.

    Example:
        >>> isdtype(triptych.int8, ("signed integer", triptych.bool))
        True
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, k) for k in kind)
    if isinstance(kind, dtypes.dtype):
        return dtype is kind
    if kind not in KINDS:
        raise DTypeError(f"isdtype: kind should be a dtype or one of {sorted(KINDS)}, got {kind!r}")
    return dtype in KINDS[kind]


def _dtype_of(x: Any) -> dtype:
    return x.dtype if isinstance(x, Tensor) else dtypes.from_numpy_dtype(dtypes.to_numpy_dtype(x))


def result_type(*arrays_and_dtypes: Any) -> dtype:
    """The dtype that arrays, dtypes and Python numbers combine to; numbers keep the width.

    Raises:
        DTypeError: there are only numbers, or nothing, or the dtypes do not combine.

    Example:
        >>> result_type(triptych.int8, triptych.int16, 3)
        triptych.int16
    """
    numbers = [x for x in arrays_and_dtypes if isinstance(x, SCALARS)]
    others = [_dtype_of(x) for x in arrays_and_dtypes if not isinstance(x, SCALARS)]
    if not others:
        raise DTypeError("result_type: wanted at least one array or dtype")
    common = others[0].dtype
    for other in others[1:]:
        common = dtypes.promote(common, other.dtype)
    for number in numbers:
        common = dtypes.scalar_dtype(number, common)
    return dtypes.from_numpy_dtype(common)


def can_cast(from_: Any, to: dtype, /) -> Any:
    """Whether promotion leads from a dtype, or that of an array, to another dtype."""
    try:
        return result_type(_dtype_of(from_), to) is _dtype_of(to)
    except DTypeError:
        return False


def astype(x: Tensor, dtype: dtype, /, *, copy: Any = True, device: Any = None) -> Tensor:
    """The array in another dtype, on another device if given; copy=False allows x itself.

    Raises:
        DTypeError: complex numbers to a real dtype; take ``real`` first.
    """
    if x.dtype.is_complex and not dtype.is_complex and dtype is not bool:
        raise DTypeError(f"astype: {x.dtype} to {dtype} loses the imaginary part; take real first")
    made = x.to(dtype=dtype, device=device)
    return clone(made) if copy and made is x else made


@dataclass(frozen=True)
class FloatLimits:
    """Limits of a floating type; of a complex one, those of its parts."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: dtype


@dataclass(frozen=True)
class IntegerLimits:
    """Limits of an integer type."""

    bits: int
    max: int
    min: int
    dtype: dtype


def finfo(type: Any, /) -> FloatLimits:
    """The limits of a floating or complex dtype, or of that of an array.

    Raises:
        DTypeError: it is another kind of dtype.
    """
    real = dtypes.from_numpy_dtype(dtypes.real_of(_dtype_of(type).dtype))
    info = dtypes.finfo(real)
    return FloatLimits(info.bits, info.eps, info.max, info.min, info.smallest_normal, real)


def iinfo(type: Any, /) -> IntegerLimits:
    """The limits of an integer dtype, or of that of an array.

    Raises:
        DTypeError: it is another kind of dtype.
    """
    info = dtypes.iinfo(_dtype_of(type))
    return IntegerLimits(info.bits, info.max, info.min, _dtype_of(type))

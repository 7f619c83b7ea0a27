"""Bringing the inputs of elementwise operations to one dtype.

A conversion is itself a recorded `cast`, so derivatives come back in each input's own dtype and no
other rule has to think about it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..backends import backend_for, backend_of
from ..errors import DTypeError

# Python scalars that NumPy combines with an array of a kind without changing its dtype.
WEAK = {"f": (float, int), "i": (int,), "u": (int,), "c": (float, int, complex)}
SCALARS = (bool, int, float, complex)


def kind_of(dtype: np.dtype) -> str:
    """NumPy's kind letter, with bfloat16 among the floats."""
    return "f" if dtype == dtypes.bfloat16.dtype else dtype.kind


class Promotion:
    """The promotion of one family of operations.

    Args:
        kinds: kind letters of the dtypes the operation computes in.
        default: convert inputs of other kinds to the default floating dtype ("float"), booleans to
            int64 ("int64"), or refuse them ("refuse").
        skip: how many leading inputs take no part, such as the condition of where.
    """

    def __init__(self, kinds: str, default: str = "refuse", skip: int = 0) -> None:
        self.kinds, self.default, self.skip = kinds, default, skip
        found = [d.dtype for d in dtypes.dtype._by_numpy.values() if kind_of(d.dtype) in kinds]
        self.direct = {d: WEAK.get(d.kind, ()) for d in found}

    def __call__(self, name: str, xs: tuple[Any, ...]) -> tuple[Any, ...]:
        """The inputs with conversions applied.

        Raises:
            DTypeError: the operation does not take such elements.
        """
        head = xs[: self.skip]
        tail = tuple(x.item() if isinstance(x, np.generic) else x for x in xs[self.skip :])
        common = self._common(name, tail)
        like = next((x for x in tail if not isinstance(x, SCALARS)), None)
        place = like if like is not None or not head else head[0]  # where numbers become arrays
        return (*head, *(_convert(x, common, like is not None, place) for x in tail))

    def _common(self, name: str, xs: tuple[Any, ...]) -> np.dtype:
        common: np.dtype | None = None
        for x in xs:
            if not isinstance(x, SCALARS):
                dtype = raw_dtype(name, x)
                common = dtype if common is None else dtypes.promote(common, dtype)
        for x in xs:
            if isinstance(x, SCALARS):
                common = dtypes.scalar_dtype(x, common)
        if kind_of(common) in self.kinds:  # type: ignore[arg-type]
            return common  # type: ignore[return-value]
        if self.default == "float" and common.kind != "c":  # type: ignore[union-attr]
            return dtypes.get_default_dtype().dtype
        if self.default == "int64" and common == dtypes.BOOL:
            return dtypes.INT64
        raise DTypeError(
            f"{name}: not defined for {common} elements; convert with .to(dtype) first"
        )


def raw_dtype(name: str, x: Any) -> np.dtype:
    """The NumPy dtype of a tensor, array or aval."""
    raw = getattr(x, "_data", x)
    dtype = getattr(raw, "dtype", None)
    if not isinstance(dtype, np.dtype):
        raise DTypeError(f"{name}: wanted a tensor or a number, got {type(x).__name__}")
    return dtype


def _convert(x: Any, dtype: np.dtype, beside_arrays: bool, place: Any) -> Any:
    if not isinstance(x, SCALARS):
        if getattr(x, "_data", x).dtype == dtype:
            return x
        from .elementwise import cast

        return cast(x, dtype=dtype)
    if beside_arrays and type(x) in WEAK.get(dtype.kind, ()):
        return x
    return scalar_array(x, dtype, place)


def scalar_array(value: Any, dtype: np.dtype, like: Any) -> Any:
    """A 0-d array of a Python number, for the backend of `like`."""
    from ..tensor import Symbol

    raw = getattr(like, "_data", like)
    if raw is None:
        return np.asarray(value).astype(dtype)
    where = raw.device if isinstance(raw, Symbol) else backend_of(raw).device_of(raw)
    return backend_for(where).scalar(value, dtype, where)


NUMERIC = Promotion("biufc")
INEXACT = Promotion("fc", default="float")
ARITHMETIC = Promotion("iufc")
REAL = Promotion("biuf")
FLOATING = Promotion("f", default="float")
INTEGRAL = Promotion("biu")
COUNTS = Promotion("iufc", default="int64")
NUMBERS = Promotion("iuf")
INTEGERS = Promotion("iu")
BRANCHES = Promotion("biufc", skip=1)

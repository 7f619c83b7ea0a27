"""Taking floating numbers apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..avals import Aval
from ..errors import DTypeError
from ..tensor import raw_dtype
from . import naming
from .elementwise import cast, exp2, mul, neg
from .kinds import primitive

INT32 = np.dtype(np.int32)


def _frexp_aval(x: Any) -> tuple[Aval, Aval]:
    if x.dtype.kind in "biuc":
        raise DTypeError(f"frexp: wanted real floating elements, got {x.dtype}; use .float()")
    return Aval(x.shape, x.dtype), Aval(x.shape, INT32)


def _frexp(xp: Any, x: Any) -> Any:
    wide = x.astype(xp.float32) if x.dtype.itemsize == 2 else x  # every half is a float32
    mantissa, exponent = xp.frexp(wide)
    finite = xp.isfinite(wide)
    return xp.asarray(mantissa).astype(x.dtype), xp.where(finite, exponent, 0).astype(xp.int32)


def _frexp_vjp(g: Any, y: Any) -> Any:
    return mul(g[0], exp2(neg(cast(y[1], dtype=raw_dtype(g[0])))))


frexp = primitive(
    "frexp", "index", _frexp, _frexp_aval, (_frexp_vjp,), outputs=2, names=naming.keep_twice
)
"""x as mantissa * 2 ** exponent with 0.5 <= abs(mantissa) < 1."""

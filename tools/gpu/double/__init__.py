"""Rung 2: a strict double of CuPy over NumPy.

It refuses what CuPy refuses: NumPy arrays among its own, names and keywords that CuPy 14.2.0 does
not have, arrays of another device than the current one, object dtypes. It computes what CuPy
computes where the two libraries differ, and raises where CuPy's result is undefined. It counts what
costs on a GPU: transfers, synchronisations and launches. It does not show that CuPy itself would
compute the same; rung 4 does.
"""

from .array import Undefined, ndarray
from .counts import COUNTS, counted
from .module import make_cupy

__all__ = ["COUNTS", "Undefined", "counted", "make_cupy", "ndarray"]

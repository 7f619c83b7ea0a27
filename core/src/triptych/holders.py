"""Who holds an array: what nothing else holds may be written over, or handed on without a copy.

Counts of references are compared with those of objects that are held in the same way, as they
differ between versions of Python.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

__all__ = ["ALONE", "HELD", "owns_memory"]


class _Holder:
    def __init__(self, value: object) -> None:
        self.value = value


def _references() -> tuple[int, int]:
    held, holder = object(), _Holder(object())
    return sys.getrefcount(held), sys.getrefcount(holder.value)


ALONE, HELD = _references()
"""What `sys.getrefcount` tells of what one local variable holds, and of what one attribute holds,
if it is called with that variable or attribute."""


def owns_memory(array: Any) -> bool:
    """Whether it is a packed NumPy array with memory of its own, which may be written to."""
    if type(array) is not np.ndarray:
        return False
    return array.flags.c_contiguous and array.flags.owndata and array.flags.writeable

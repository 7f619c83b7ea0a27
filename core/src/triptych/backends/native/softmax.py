"""Softmax, its logarithm and their gradients."""

from __future__ import annotations

from types import ModuleType
from typing import Any


def overrides(native: ModuleType) -> dict[str, tuple[Any, int]]:
    """By primitive: the function, and the size of the first input from which on it is taken."""
    names = ("log_softmax", "log_softmax_dx", "softmax", "softmax_dx")
    return {name: (getattr(native, name), 256) for name in names}

"""Recursive filters."""

from __future__ import annotations

from types import ModuleType
from typing import Any


def overrides(native: ModuleType) -> dict[str, tuple[Any, int]]:
    """By name: the function, and the size of the first input from which on it is taken."""
    return {"iir": (native.iir, 256)}

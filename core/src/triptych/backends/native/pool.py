"""The largest of windows over one or two axes."""

from __future__ import annotations

from types import ModuleType
from typing import Any


def overrides(native: ModuleType) -> dict[str, tuple[Any, int]]:
    """By primitive: the function, and the size of the first input from which on it is taken."""
    return {
        "max_pool": (native.max_pool, 64),
        "max_pool_alone": (native.max_pool_alone, 64),
    }

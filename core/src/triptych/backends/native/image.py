"""Images of bytes: resizing, layouts, and normalised floats."""

from __future__ import annotations

from types import ModuleType
from typing import Any


def overrides(native: ModuleType) -> dict[str, tuple[Any, int]]:
    """By name: the function, and the size of the first input from which on it is taken."""
    return {
        "normalize_bytes": (native.normalize_bytes, 0),
        "planes_of_arrow": (native.planes_of_arrow, 0),
        "planes_of_pixels": (native.planes_of_pixels, 0),
        "resize_bytes": (native.resize_bytes, 0),
    }

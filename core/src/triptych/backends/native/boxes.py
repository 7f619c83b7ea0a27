"""Suppression of boxes, and means and maxima over the bins of regions."""

from __future__ import annotations

from types import ModuleType
from typing import Any


def overrides(native: ModuleType) -> dict[str, tuple[Any, int]]:
    """By name: the function, and the size of the first input from which on it is taken."""
    return {
        "nms": (native.nms, 0),
        "roi_largest": (native.roi_largest, 0),
        "roi_pool": (native.roi_pool, 0),
        "roi_spread": (native.roi_spread, 0),
    }

"""Brightness, contrast and colour of images, and noise."""

from __future__ import annotations

from types import ModuleType
from typing import Any


def overrides(native: ModuleType) -> dict[str, tuple[Any, int]]:
    """By name: the function, and the size of the first input from which on it is taken."""
    return {
        "color_contrast": (native.color_contrast, 0),
        "color_grey": (native.color_grey, 0),
        "color_saturation": (native.color_saturation, 0),
        "color_scale": (native.color_scale, 0),
        "normal_pairs": (native.normal_pairs, 0),
    }

"""int8 and uint8: conversions, and affine maps of bytes."""

from __future__ import annotations

from types import ModuleType
from typing import Any

NAMES = (
    "dequantize",
    "dynamic_linear",
    "integer_linear",
    "quantize",
    "quantized_conv",
    "quantized_linear",
)


def overrides(native: ModuleType) -> dict[str, tuple[Any, int]]:
    """By primitive: the function, and the size of the first input from which on it is taken."""
    return {name: (getattr(native, name), 0) for name in NAMES}

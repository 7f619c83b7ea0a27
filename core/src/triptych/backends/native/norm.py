"""Layer, RMS, group and batch normalisation, and their gradients."""

from __future__ import annotations

from types import ModuleType
from typing import Any

NAMES = (
    "batch_norm",
    "batch_norm_eval",
    "batch_norm_grad",
    "group_norm",
    "group_norm_grad",
    "layer_norm",
    "layer_norm_grad",
    "rms_norm",
    "rms_norm_grad",
)


def overrides(native: ModuleType) -> dict[str, tuple[Any, int]]:
    """By primitive: the function, and the size of the first input from which on it is taken."""
    return {name: (getattr(native, name), 64) for name in NAMES}

"""Fourier transforms of frames, and of rows along the last axis."""

from __future__ import annotations

from types import ModuleType
from typing import Any


def overrides(native: ModuleType) -> dict[str, tuple[Any, int]]:
    """By primitive: the function, and the size of the first input from which on it is taken."""
    return {
        "rfft": (native.rfft, 1024),
        "stft": (native.stft, 1024),
        "stft_power": (native.stft_power, 1024),
    }

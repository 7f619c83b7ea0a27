"""Images read between their pixels."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np


def overrides(native: ModuleType) -> dict[str, tuple[Any, int]]:
    """By name: the function, and the size of the first input from which on it is taken."""

    def sample_places(
        image: np.ndarray,
        kind: str,
        numbers: tuple[Any, ...],
        size: tuple[int, int],
        bilinear: bool,
        fill: Sequence[float] | None,
        dtype: str,
    ) -> Any:
        """Packed images and maps of float32; coordinates in float64 are left to NumPy."""
        if dtype != "float32" or image.dtype not in (np.uint8, np.float32):
            return NotImplemented
        if kind == "given":
            numbers = tuple(np.ascontiguousarray(part, np.float32) for part in numbers)
        values = None if fill is None else list(fill)
        image = np.ascontiguousarray(image)
        return native.sample_places(image, kind, numbers, tuple(size), bilinear, values)

    return {"sample_places": (sample_places, 0)}

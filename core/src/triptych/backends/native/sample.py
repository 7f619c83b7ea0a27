"""Images read between their pixels: at the places of maps and of grids."""

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

    return {
        "grid_sample": (_packed(native.grid_sample), 0),
        "grid_sample_dgrid": (_packed(native.grid_sample_dgrid), 0),
        "grid_sample_dx": (_packed(native.grid_sample_dx), 0),
        "sample_places": (sample_places, 0),
    }


def _packed(kernel: Any) -> Any:
    """A kernel for arrays of float32 whatever their layout: a gradient may be a number repeated."""

    def call(*arrays: np.ndarray, mode: str, padding: str, align: bool) -> Any:
        if any(x.dtype != np.float32 for x in arrays):
            return NotImplemented
        return kernel(*map(np.ascontiguousarray, arrays), mode, padding, align)

    return call

"""Random images of every kind."""

from collections.abc import Callable

import numpy as np
import pytest

Pixels = Callable[..., np.ndarray]


@pytest.fixture
def pixels() -> Pixels:
    """(h, w), or (h, w, c), uint8; the same numbers in every run."""

    def draw(*shape: int, seed: int = 0) -> np.ndarray:
        return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)

    return draw

"""Sounds for the tests."""

import numpy as np
import pytest


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def stereo(rng):
    """(2, 4000) float32: two tones with some noise, within [-1, 1]."""
    t = np.arange(4000) / 16000
    tones = np.stack([np.sin(2 * np.pi * 440 * t), np.sin(2 * np.pi * 1000 * t)])
    return (0.5 * tones + 0.01 * rng.standard_normal((2, 4000))).astype(np.float32)

"""Random equalizers: what they do to tones."""

import numpy as np
import pytest

from triptych_audio import augmentations as A
from triptych_audio.augmentations.equalizers import absorption_of_air

RATE = 16000
T = np.arange(RATE) / RATE


def gain_at(augment, freq):
    """dB, when it has settled."""
    x = np.sin(2 * np.pi * freq * T)
    middle = slice(RATE // 4, 3 * RATE // 4)
    return 20 * np.log10(augment(x, RATE)[middle].std() / x[middle].std())


def test_equalizers():
    peak = A.PeakingFilter(1000.0, 1000.0, 6.0, 6.0, 1.0, 1.0, p=1.0)
    assert gain_at(peak, 1000) == pytest.approx(6, abs=0.1)
    low = A.LowShelfFilter(500.0, 500.0, -6.0, -6.0, 0.7, 0.7, p=1.0)
    assert gain_at(low, 20) == pytest.approx(-6, abs=0.1)
    high = A.HighShelfFilter(2000.0, 2000.0, 6.0, 6.0, 0.7, 0.7, p=1.0)
    assert gain_at(high, 7900) == pytest.approx(6, abs=0.1)
    loud = A.HighShelfFilter(20000.0, 20000.0, 6.0, 6.0, p=1.0)
    assert gain_at(loud, 100) == pytest.approx(0, abs=0.1)


def test_seven_bands():
    flat = A.SevenBandParametricEQ(0.0, 0.0, p=1.0)
    for freq in (50, 500, 5000):
        assert gain_at(flat, freq) == pytest.approx(0, abs=1e-6)
    up = A.SevenBandParametricEQ(6.0, 6.0, p=1.0)
    assert len({round(gain_at(up, 1000), 3) for _ in range(3)}) > 1


def test_absorption_of_the_standard():
    """ISO 9613-1, table 1: dB per km at 20 degrees and 50 percent."""
    got = 1000 * absorption_of_air(np.array([500.0, 1000.0, 4000.0, 8000.0]), 20.0, 50.0)
    np.testing.assert_allclose(got, [2.73, 4.66, 29.4, 105], rtol=0.02)


def test_air():
    augment = A.AirAbsorption(20.0, 20.0, 50.0, 50.0, 100.0, 100.0, p=1.0)
    assert gain_at(augment, 4000) == pytest.approx(-2.94, abs=0.1)
    assert gain_at(augment, 100) == pytest.approx(0, abs=0.1)

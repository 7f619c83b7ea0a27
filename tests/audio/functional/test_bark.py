"""The Bark scale: tabled bands and its inverse."""

import numpy as np
import pytest

from triptych.errors import DTypeError, ShapeError
from triptych_audio import functional as F
from triptych_audio.functional.bark import bark_to_hz, hz_to_bark

# Zwicker 1961: upper edges of critical bands 2, 5, 9, 15 and 21 in Hz
EDGES = {2: 200, 5: 510, 9: 1080, 15: 2700, 21: 7700}


@pytest.mark.parametrize("bark", EDGES)
def test_zwicker_bands(bark):
    assert hz_to_bark(EDGES[bark]) == pytest.approx(bark, abs=0.35)


@pytest.mark.parametrize("scale", ["schroeder", "traunmuller", "wang"])
def test_inverse(scale):
    hz = np.linspace(0, 15000, 60)
    barks = np.array([hz_to_bark(f, scale) for f in hz])
    assert (np.diff(barks) > 0).all()
    np.testing.assert_allclose(bark_to_hz(barks, scale), hz, atol=1e-6)


def test_filters_are_triangles():
    bank = F.barkscale_fbanks(513, 0.0, 8000.0, 20, 16000, "wang").numpy()
    assert bank.shape == (513, 20)
    np.testing.assert_allclose(bank.max(0), 1.0, atol=0.2)
    inner = bank[20:400].sum(1)
    np.testing.assert_allclose(inner, 1.0, atol=1e-5)  # neighbours share each bin


def test_refuses():
    with pytest.raises(DTypeError, match="bark_scale"):
        hz_to_bark(100.0, "mel")
    with pytest.raises(ShapeError, match="f_min < f_max"):
        F.barkscale_fbanks(201, 100.0, 50.0, 20, 16000)

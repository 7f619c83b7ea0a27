"""One channel and two."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_audio import functional as F


def test_to_mono_and_back(stereo):
    mono = F.to_mono(stereo)
    np.testing.assert_allclose(mono, stereo.mean(0, keepdims=True))
    assert F.to_mono(stereo[None]).shape == (1, 1, 4000)
    wide = F.to_stereo(mono)
    np.testing.assert_array_equal(wide, np.concatenate([mono, mono]))
    np.testing.assert_array_equal(F.to_stereo(stereo), stereo)


def test_refuses():
    for function in (F.to_mono, F.to_stereo):
        with pytest.raises(ShapeError, match=r"waveform\[None\]"):
            function(tp.ones(5))
    with pytest.raises(ShapeError, match="1 or 2 channels"):
        F.to_stereo(tp.ones(3, 5))

"""Compressor and limiter: levels that can be worked out."""

import numpy as np
import pytest

import triptych as tp
from triptych_audio import functional as F

RATE = 8000


def settled(level_db, **options):
    """dB that come out when a constant has gone in for long."""
    x = np.full(RATE, 10 ** (level_db / 20))
    return 20 * np.log10(F.compressor(x, RATE, **options)[-1])


def test_static_curve():
    assert settled(-30.0) == pytest.approx(-30)
    assert settled(-12.0, threshold_db=-20.0, ratio=4.0) == pytest.approx(-18, abs=1e-3)
    assert settled(0.0, threshold_db=-20.0, ratio=2.0, makeup_db=3.0) == pytest.approx(-7, abs=1e-3)


def test_soft_knee():
    """At the threshold a knee of w dB takes (1 - 1 / ratio) w / 8."""
    got = settled(-20.0, threshold_db=-20.0, ratio=2.0, knee_db=8.0)
    assert got == pytest.approx(-20.5, abs=1e-3)
    assert settled(-15.0, ratio=2.0, knee_db=8.0) == pytest.approx(-17.5, abs=1e-3)


def test_attack_and_release():
    x = np.concatenate([np.full(800, 0.01), np.full(800, 1.0), np.full(1600, 0.01)])
    gain = 20 * np.log10(F.compressor(x, RATE, -20.0, 1e9, 10.0, 50.0) / x)
    assert gain[799] == pytest.approx(0, abs=1e-9)
    assert gain[800 + 80] == pytest.approx(-20 * (1 - np.exp(-1)), abs=0.3)
    assert gain[1599] == pytest.approx(-20, abs=0.01)
    assert -20 < gain[1700] < gain[1900] < gain[3199] == pytest.approx(0, abs=0.5)


def test_channels_share_a_gain(rng):
    x = np.stack([np.full(500, 1.0), np.full(500, 0.1)])
    got = F.compressor(x, RATE)
    np.testing.assert_allclose(got[0] / x[0], got[1] / x[1])


def test_no_time_constants(rng):
    x = 0.5 * rng.standard_normal(300)
    got = F.compressor(x, RATE, -20.0, 1e9, 0.0, 0.0)
    np.testing.assert_allclose(got, np.sign(x) * np.minimum(np.abs(x), 0.1), atol=1e-6)


@pytest.mark.parametrize("attack_ms", [0.0, 2.0])
@pytest.mark.parametrize("release_ms", [0.0, 30.0])
def test_limiter_holds_its_level(rng, attack_ms, release_ms):
    x = rng.standard_normal((2, 2000))
    got = F.limiter(x, RATE, -6.0, attack_ms, release_ms)
    assert np.abs(got).max() <= 10 ** (-6 / 20) * (1 + 1e-9)
    np.testing.assert_array_equal(F.limiter(0.01 * x, RATE), 0.01 * x)


def test_gradients(rng):
    x = tp.tensor(rng.standard_normal(30), requires_grad=True)
    assert tp.autograd.gradcheck(lambda x: F.compressor(x, RATE), (x,))
    assert tp.autograd.gradcheck(lambda x: F.limiter(x, RATE), (x,))


def test_edges():
    assert F.compressor(np.ones((2, 0)), RATE).shape == F.limiter(np.ones((2, 0)), RATE).shape
    with pytest.raises(ValueError, match="ratio of 1 at least"):
        F.compressor(np.ones(9), RATE, ratio=0.5)
    with pytest.raises(ValueError, match="must not be negative"):
        F.limiter(np.ones(9), RATE, attack_ms=-1.0)

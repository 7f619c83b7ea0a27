"""Effects against their formulas, written as loops."""

import numpy as np
import pytest

import triptych as tp
from triptych_audio import functional as F


def test_contrast(rng):
    x = rng.uniform(-1, 1, (2, 50))
    angle = x * np.pi / 2
    want = np.sin(angle + 0.04 * np.sin(4 * angle))
    np.testing.assert_allclose(F.contrast(x, 30.0), want)
    with pytest.raises(ValueError, match="from 0 to 100, got 101"):
        F.contrast(x, 101.0)


def test_dcshift_clips_without_a_limiter():
    assert F.dcshift(np.array([0.0, 0.9, -1.0]), 0.25).tolist() == [0.25, 1.0, -0.75]


@pytest.mark.parametrize("side", [1, -1])
def test_dcshift_presses_peaks(side):
    x = np.array([0.0, 0.5, 0.7, 1.0, -1.0]) * side
    before = x.copy()
    got = F.dcshift(x, 0.4 * side, 0.05) * side
    threshold = 1 - (0.4 - 0.05)
    peaks = (np.array([0.7, 1.0]) - threshold) * 0.05 / (1 - threshold) + threshold + 0.4
    want = [0.4, 0.9, *np.minimum(peaks, threshold), -0.6]
    np.testing.assert_allclose(got, want)
    np.testing.assert_array_equal(x, before)


def test_dither_is_close_and_in_steps(rng):
    x = 0.5 * rng.standard_normal((2, 100)).clip(-1, 1)
    for density in ("TPDF", "RPDF", "GPDF"):
        got = F.dither(x, density)
        np.testing.assert_allclose(got, x, atol=3e-4)
        np.testing.assert_allclose(got * 2**15, np.round(got * 2**15), atol=1e-6)


def test_dither_triangle():
    x = np.zeros(5)
    np.testing.assert_allclose(F.dither(x) * 2**15, np.round(np.bartlett(6)[:5]))
    shaped = F.dither(np.full(5, 1e-5), "TPDF", True)
    plain = F.dither(np.full(5, 1e-5))
    np.testing.assert_allclose(shaped[1:], plain[1:] + (plain - 1e-5)[:-1])


def test_dither_draws_from_its_generator(rng):
    x = rng.uniform(-1, 1, (3, 1000))
    draws = [F.dither(x, "GPDF", generator=tp.Generator().manual_seed(s)) for s in (1, 1, 2)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert (draws[0] != draws[2]).any()
    assert F.dither(np.ones((2, 0))).shape == (2, 0)
    with pytest.raises(ValueError, match="'GPDF', 'RPDF', 'TPDF'"):
        F.dither(x, "x")


def test_overdrive_like_a_loop(rng):
    x = 0.5 * rng.standard_normal((2, 40))
    driven = x * 10 ** (26 / 20) + 0.2
    bent = np.where(driven < -1, -2 / 3, np.where(driven > 1, 2 / 3, driven - driven**3 / 3))
    last_in = last_out = np.zeros(2)
    want = np.empty_like(x)
    for i in range(40):
        last_out = bent[:, i] - last_in + 0.995 * last_out
        last_in = bent[:, i]
        want[:, i] = 0.5 * x[:, i] + 0.75 * last_out
    np.testing.assert_allclose(F.overdrive(x, 26, 40), want.clip(-1, 1), atol=1e-12)

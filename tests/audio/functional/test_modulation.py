"""Swinging delays against loops over samples, as SoX writes them."""

import math

import numpy as np
import pytest

import triptych as tp
from triptych_audio import functional as F
from triptych_audio.functional.modulation import _wave

RATE = 8000


def flanged(x, delay, depth, regen, width, speed, phase, modulation, interpolation):
    """(c, t); a ring buffer per channel."""
    feedback, share = regen / 100, width / 100
    n = int((delay + depth) / 1000 * RATE + 0.5) + 2
    period = int(RATE / speed)
    lowest = math.floor(delay / 1000 * RATE + 0.5)
    table = _wave(modulation, period, lowest, n - 2.0, 3 * math.pi / 2).astype(np.float32)
    out = np.empty_like(x)
    for c, channel in enumerate(x):
        ring, last = np.zeros(n), 0.0
        for i, value in enumerate(channel):
            pos = -(i + 1) % n
            ring[pos] = value + last * feedback
            place = table[(i + int(c * period * phase / 100 + 0.5)) % period]
            whole = int(place)
            f = float(place) - whole
            near = [ring[(pos + whole + k) % n] for k in range(3)]
            if interpolation == "linear":
                last = near[0] + (near[1] - near[0]) * f
            else:
                second, first = near[2] - near[0], near[1] - near[0]
                last = near[0] + ((second / 2 - first) * f + 2 * first - second / 2) * f
            out[c, i] = value / (1 + share) + last * share / (1 + share) * (1 - abs(feedback))
    return out.clip(-1, 1)


@pytest.mark.parametrize("modulation", ["sinusoidal", "triangular"])
@pytest.mark.parametrize("interpolation", ["linear", "quadratic"])
@pytest.mark.parametrize("regen", [0.0, 60.0, -40.0])
def test_flanger_like_a_ring_buffer(rng, modulation, interpolation, regen):
    x = 0.3 * rng.standard_normal((2, 400))
    options = (1.3, 2.7, regen, 65.0, 9.0, 30.0, modulation, interpolation)
    np.testing.assert_allclose(F.flanger(x, RATE, *options), flanged(x, *options), atol=1e-9)


def test_flanger_of_a_batch(rng):
    x = 0.3 * rng.standard_normal((3, 2, 200))
    each = np.stack([F.flanger(row, RATE, regen=20.0) for row in x])
    np.testing.assert_allclose(F.flanger(x, RATE, regen=20.0), each)


def phased(x, gain_in, gain_out, delay_ms, decay, speed, modulation):
    n, period = int(delay_ms * 0.001 * RATE + 0.5), int(RATE / speed + 0.5)
    table = (_wave(modulation, period, 1.0, float(n), math.pi / 2) + 0.5).astype(int)
    ring, out = np.zeros(n), np.empty_like(x)
    for i, value in enumerate(x):
        out[i] = value * gain_in + ring[(i + table[i % period]) % n]
        ring[(i + 1) % n] = out[i] * decay
    return (out * gain_out).clip(-1, 1)


@pytest.mark.parametrize("sinusoidal", [True, False])
def test_phaser_like_a_ring_buffer(rng, sinusoidal):
    x = 0.3 * rng.standard_normal((2, 500))
    modulation = "sinusoidal" if sinusoidal else "triangular"
    options = (0.6, 0.9, 2.4, 0.7, 1.9)
    want = np.stack([phased(row, *options, modulation) for row in x])
    np.testing.assert_allclose(F.phaser(x, RATE, *options, sinusoidal), want, atol=1e-9)


def test_chorus_without_a_swing_is_a_delay():
    impulse = np.eye(1, 100)[0]
    got = F.chorus(impulse, RATE, depth=0.0, centre_delay_ms=2.0, feedback=0.5, mix=0.25)
    want = np.zeros(100)
    want[0] = 0.75
    # what comes back is what the sample before took from the line
    want[[16, 33, 50, 67, 84]] = 0.25 * 0.5 ** np.arange(5)
    np.testing.assert_allclose(got, want, atol=1e-12)


def test_gradients(rng):
    x = tp.tensor(0.1 * rng.standard_normal((2, 40)), requires_grad=True)
    assert tp.autograd.gradcheck(lambda x: F.flanger(x, 2000, 1.0, 2.0, 30.0), (x,))
    assert tp.autograd.gradcheck(lambda x: F.phaser(x, 2000), (x,))
    assert tp.autograd.gradcheck(lambda x: F.chorus(x, 2000, feedback=0.3), (x,))


def test_errors():
    x = np.zeros((5, 10))
    with pytest.raises(ValueError, match="at most 4 channels"):
        F.flanger(x, RATE)
    with pytest.raises(ValueError, match="modulation is one of"):
        F.flanger(x[:2], RATE, modulation="square")
    with pytest.raises(ValueError, match="interpolation is one of"):
        F.flanger(x[:2], RATE, interpolation="cubic")
    with pytest.raises(ValueError, match="a sample at least"):
        F.phaser(x, RATE, delay_ms=0.0)
    with pytest.raises(ValueError, match="chorus: wanted"):
        F.chorus(x, RATE, mix=2.0)

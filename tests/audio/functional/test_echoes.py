"""Delay and reverberation."""

import numpy as np
import pytest

import triptych as tp
from triptych_audio import functional as F

RATE = 8000


def freeverb(x, room_size, damping, spread):
    """The wet sound of one side, sample by sample; gains left out."""
    feedback, damp = room_size * 0.28 + 0.7, damping * 0.4
    total = np.zeros_like(x)
    for length in (1116, 1188, 1277, 1356, 1422, 1491, 1557, 1617):
        ring, last = np.zeros((length + spread) * RATE // 44100), 0.0
        for i, value in enumerate(x):
            out = ring[i % len(ring)]
            last = out * (1 - damp) + last * damp
            ring[i % len(ring)] = value + last * feedback
            total[i] += out
    for length in (556, 441, 341, 225):
        ring = np.zeros((length + spread) * RATE // 44100)
        for i, value in enumerate(total):
            out = ring[i % len(ring)]
            ring[i % len(ring)] = value + out * 0.5
            total[i] = out - value
    return total


def test_reverb_like_ring_buffers(rng):
    x = rng.standard_normal(900)
    got = F.reverb(x, RATE, 0.6, 0.3, 0.5, 0.25)
    want = 0.5 * x + 1.5 * freeverb(2 * 0.015 * x, 0.6, 0.3, 0)
    np.testing.assert_allclose(got, want, atol=1e-6)


def test_reverb_in_stereo(rng):
    x = rng.standard_normal((2, 700))
    both = x.sum(0) * 0.015
    left, right = (3 * freeverb(both, 0.5, 0.5, spread) for spread in (0, 23))
    np.testing.assert_allclose(
        F.reverb(x, RATE, wet_level=1.0, dry_level=0.0), [left, right], atol=1e-6
    )
    narrow = F.reverb(x, RATE, wet_level=1.0, dry_level=0.0, width=0.0)
    np.testing.assert_allclose(narrow[0], narrow[1], atol=1e-9)


def test_larger_rooms_ring_longer():
    impulse = np.eye(1, 2 * RATE)[0]
    small, large = (F.reverb(impulse, RATE, size, dry_level=0.0) for size in (0.1, 0.9))
    assert np.square(large[RATE:]).sum() > 10 * np.square(small[RATE:]).sum()


def test_delay_like_a_loop(rng):
    x = rng.standard_normal((2, 100))
    echoes = np.zeros((2, 107))
    for i in range(100):
        echoes[:, i + 7] = x[:, i] + 0.6 * echoes[:, i]
    want = 0.7 * x + 0.3 * echoes[:, :100]
    np.testing.assert_allclose(F.delay(x, 1000, 0.007, 0.6, 0.3), want, atol=1e-12)


def test_gradients(rng):
    x = tp.tensor(rng.standard_normal((2, 20)), requires_grad=True)
    assert tp.autograd.gradcheck(lambda x: F.delay(x, 1000, 0.003, 0.5), (x,))
    assert F.reverb(x, 1000).requires_grad


def test_edges():
    assert F.reverb(np.ones((2, 0)), RATE).shape == (2, 0)
    with pytest.raises(ValueError, match="are from 0 to 1"):
        F.reverb(np.ones(9), RATE, 2.0)
    with pytest.raises(ValueError, match="a sample of delay"):
        F.delay(np.ones(9), RATE, 0.0)

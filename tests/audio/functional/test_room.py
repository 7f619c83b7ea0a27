"""Rooms by the physics of their echoes."""

import numpy as np
import pytest

import triptych as tp
from triptych_audio import functional as F

ROOM, SOURCE = np.array([4.0, 5.0, 3.0]), np.array([1.0, 1.5, 1.0])
MICS = np.array([[3.0, 4.0, 2.0], [2.0, 2.0, 2.0]])


def rir(max_order=2, absorption=0.3, **options):
    return F.simulate_rir_ism(ROOM, SOURCE, MICS, max_order, absorption, **options)


def test_direct_sound():
    """A pulse of 1 / distance, late by the distance."""
    responses = rir(0)
    for response, mic in zip(responses, MICS, strict=True):
        distance = np.linalg.norm(mic - SOURCE)
        late = distance * 16000 / 343.0 + 40  # half a filter more
        t = np.arange(len(response)) - late
        want = np.sinc(t) * np.where(np.abs(t) <= 40, 0.5 + 0.5 * np.cos(np.pi * t / 40), 0)
        np.testing.assert_allclose(response, want / distance, atol=1e-3)


def test_first_echoes():
    """Six walls, six sources behind them."""
    energy = 0.25
    wall = np.sqrt(1 - energy)
    mic = MICS[:1]
    mirrored = [
        SOURCE + 2 * (side - SOURCE[k]) * np.eye(3)[k] for k in range(3) for side in (0, ROOM[k])
    ]
    want = np.zeros(3000)
    for place, gain in [(SOURCE, 1.0), *((m, wall) for m in mirrored)]:
        alone = F.simulate_rir_ism(ROOM * 100, place, mic, 0, 0.0, output_length=3000)
        want += gain * alone[0]
    got = F.simulate_rir_ism(ROOM, SOURCE, mic, 1, energy, output_length=3000)[0]
    np.testing.assert_allclose(got, want, atol=1e-9)


def test_walls():
    """Walls that take everything leave the direct sound; each is that of its own direction."""
    np.testing.assert_allclose(
        rir(3, 1.0, output_length=900), rir(0, output_length=900), atol=1e-12
    )
    floor_only = np.array([1.0, 1.0, 1.0, 1.0, 0.0, 1.0])
    image = SOURCE * [1, 1, -1]
    got = rir(3, floor_only, output_length=900) - rir(0, output_length=900)
    higher = np.array([0, 0, 10])
    want = F.simulate_rir_ism(ROOM + 20, image + higher, MICS + higher, 0, 0.0, output_length=900)
    np.testing.assert_allclose(got, want, atol=1e-12)


def test_bands():
    """Equal bands sum to the plain response, where the filters cover the spectrum."""
    plain = np.abs(np.fft.rfft(rir(1, 0.3, output_length=2048)))
    bands = np.abs(np.fft.rfft(rir(1, np.full((7, 6), 0.3), output_length=2048)))
    covered = slice(200, 900)
    assert np.abs(bands - plain)[:, covered].max() < 0.15 * plain[:, covered].max()
    silent = np.full((7, 6), 0.0)
    silent[:6] = 1.0  # low bands die, so echoes are high
    centres = np.array([125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 7000.0])
    echoes = rir(1, silent, output_length=2048, center_frequency=centres) - rir(
        0, np.full((7, 6), 0.0), output_length=2048, center_frequency=centres
    )
    spectrum = np.abs(np.fft.rfft(echoes[0]))
    assert spectrum[: 2048 // 8].max() < 0.1 * spectrum.max()


def test_length_and_dtype():
    assert rir(output_length=100).shape == (2, 100)
    full = rir()
    np.testing.assert_array_equal(rir(output_length=full.shape[1] + 7)[:, -7:], 0)
    low = F.simulate_rir_ism(
        *(tp.tensor(a, dtype=tp.float32) for a in (ROOM, SOURCE, MICS)), 2, 0.3
    )
    assert low.dtype == tp.float32
    np.testing.assert_allclose(low.numpy(), full, atol=1e-4)


def test_gradients():
    inputs = [tp.tensor(a, requires_grad=True) for a in (ROOM, SOURCE, MICS)]
    inputs.append(tp.full((6,), 0.3, dtype=tp.float64, requires_grad=True))
    assert tp.autograd.gradcheck(
        lambda r, s, m, a: F.simulate_rir_ism(r, s, m, 1, a, 300, 11)[:, ::10], inputs
    )


WRONG = [
    ({"absorption": -0.1}, ValueError, "0 or more"),
    ({"absorption": np.zeros(5)}, ValueError, "wanted absorption"),
    ({"absorption": "soft"}, TypeError, "a number or an array"),
    ({"absorption": np.zeros((3, 6))}, ValueError, "3 bands"),
    ({"delay_filter_length": 80}, ValueError, "odd"),
    ({"max_order": -1}, ValueError, "max_order"),
]


@pytest.mark.parametrize(("options", "error", "text"), WRONG)
def test_errors(options, error, text):
    with pytest.raises(error, match=text):
        rir(**options)
    with pytest.raises(ValueError, match="mic_array"):
        F.simulate_rir_ism(ROOM, SOURCE, MICS[0], 1, 0.1)

"""Rooms, recorded and computed."""

import numpy as np
import pytest

import triptych_audio
from triptych_audio import augmentations as A

RATE = 8000


@pytest.fixture
def response(tmp_path):
    h = np.zeros((1, 60), np.float32)
    h[0, [20, 50]] = 0.8, 0.6  # an energy of one
    triptych_audio.save(tmp_path / "h.wav", h, RATE, encoding="PCM_F", bits_per_sample=32)
    return tmp_path


def test_response(response, rng):
    x = rng.standard_normal((2, 3, 200))
    got = A.ApplyImpulseResponse(response, p=1.0)(x, RATE)
    want = np.zeros_like(x)
    want[..., 20:] += 0.8 * x[..., :-20]
    want[..., 50:] += 0.6 * x[..., :-50]
    np.testing.assert_allclose(got, want, atol=1e-6)
    early = A.ApplyImpulseResponse(response, compensate_for_propagation_delay=True, p=1.0)
    np.testing.assert_allclose(early(x, RATE)[..., :180], want[..., 20:], atol=1e-6)
    long = A.ApplyImpulseResponse(response, leave_length_unchanged=False, p=1.0)
    assert long(x[0, 0], RATE).shape == (259,)


def test_channel_by_channel(tmp_path, rng):
    h = np.zeros((2, 4), np.float32)
    h[[0, 1], [1, 3]] = 0.5
    triptych_audio.save(tmp_path / "h.wav", h, RATE, encoding="PCM_F", bits_per_sample=32)
    x = rng.standard_normal((2, 50))
    got = A.ApplyImpulseResponse(tmp_path, p=1.0)(x, RATE)
    np.testing.assert_allclose(got[0, 1:], x[0, :-1], atol=1e-6)
    np.testing.assert_allclose(got[1, 3:], x[1, :-3], atol=1e-6)


@pytest.mark.parametrize("mode", ["absorption", "rt60"])
def test_room(rng, mode):
    impulse = np.eye(1, 4000)[0]
    augment = A.RoomSimulator(calculation_mode=mode, max_order=3, p=1.0)
    got = augment(impulse, RATE)
    assert got.shape == impulse.shape
    assert np.square(got).sum() == pytest.approx(1, abs=0.02)
    drawn = augment.drawn
    for place in ("source", "mic"):
        for x, size in zip(drawn[place], drawn["room"], strict=True):
            assert 0.1 <= x <= size - 0.1
    distance = np.linalg.norm(np.subtract(drawn["source"], drawn["mic"]))
    assert np.abs(got).argmax() == pytest.approx(distance / 343 * RATE, abs=1.5)


def test_reverberation_time_follows_sabine():
    augment = A.RoomSimulator(calculation_mode="rt60", min_target_rt60=0.5, max_target_rt60=0.5)
    assert augment._absorption([4.0, 5.0, 3.0]) == pytest.approx(0.161 * 60 / (94 * 0.5))
    longer = A.RoomSimulator(max_order=1, leave_length_unchanged=False, p=1.0)
    assert longer(np.ones(100), RATE).shape[0] > 100

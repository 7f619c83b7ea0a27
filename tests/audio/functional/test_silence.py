"""Sound between silences."""

import numpy as np
import pytest

from triptych_audio import functional as F


@pytest.fixture
def bursts(rng):
    x = np.zeros((2, 30000), np.float32)
    x[0, 5000:9000] = rng.standard_normal(4000)
    x[1, 20000:24000] = 0.1 * rng.standard_normal(4000)
    return x


def test_trim(bursts):
    part, (start, end) = F.trim(bursts, frame_length=512, hop_length=128)
    assert 5000 - 512 < start <= 5000 and 24000 <= end < 24000 + 512
    np.testing.assert_array_equal(part, bursts[:, start:end])


def test_quiet_sound_is_silence_beside_loud_sound(bursts):
    _, (_, end) = F.trim(bursts, 10.0, frame_length=512, hop_length=128)
    assert end < 10000
    _, (_, end) = F.trim(bursts, 10.0, 0.1, 512, 128)
    assert end > 20000


def test_split(bursts):
    parts = F.split(bursts, frame_length=512, hop_length=128)
    assert parts.shape == (2, 2)
    assert np.abs(parts - [[5000, 9000], [20000, 24000]]).max() < 512
    assert (parts % 128 == 0).all()


def test_all_or_nothing():
    loud, silent = np.ones(5000), np.zeros(5000)
    assert F.split(loud).tolist() == [[0, 5000]]
    assert F.trim(loud)[0].shape == (5000,)
    assert F.split(silent, ref=1.0).shape == (0, 2)
    part, ends = F.trim(silent, ref=1.0)
    assert part.shape == (0,) and ends == (0, 0)

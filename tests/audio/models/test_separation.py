"""Long recordings: the seams are not heard."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych_audio.models import separate


def halves(x):
    return tp.stack([x * 0.25, x * 0.75], 1)


@pytest.mark.parametrize("overlap", [0.0, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("length", [1, 99, 100, 101, 1234])
@pytest.mark.parametrize("batch_size", [1, 4])
def test_what_the_model_does_everywhere_is_done_everywhere(normal_mix, overlap, length, batch_size):
    mix = normal_mix[..., :length]
    got = separate(halves, mix, 0.1, overlap, sample_rate=1000, batch_size=batch_size)
    np.testing.assert_allclose(got, halves(mix), rtol=1e-5, atol=1e-6)


@pytest.fixture
def normal_mix(rng):
    return tp.tensor(rng.standard_normal((2, 3, 1234)).astype(np.float32))


def test_no_segment_is_shorter_than_the_others(normal_mix):
    lengths = []

    def model(x):
        lengths.append(x.shape)
        return halves(x)

    separate(model, normal_mix, 0.5, 0.2, sample_rate=1000)
    assert lengths == [(2, 3, 500)] * 3


def test_middles_count_more_than_ends():
    """A model that is wrong at its edges does little harm."""

    def wrong_at_the_edges(x):
        x = x.clone()
        x[..., :10] = 5.0
        x[..., -10:] = 5.0
        return x

    got = separate(wrong_at_the_edges, tp.ones(1, 1, 1000), 0.2, 0.5, sample_rate=1000)
    assert float((got[..., 20:-20] - 1).abs().max()) < 4 * 0.15
    assert got.requires_grad is False


def test_without_a_batch(normal_mix):
    got = separate(halves, normal_mix[0], 0.1, sample_rate=1000)
    np.testing.assert_allclose(got, halves(normal_mix)[0], rtol=1e-5, atol=1e-6)
    assert isinstance(separate(halves, normal_mix.numpy(), 0.1, sample_rate=1000), np.ndarray)


def test_mistakes(normal_mix):
    with pytest.raises(ShapeError, match="samples, got"):
        separate(halves, tp.zeros(5))
    with pytest.raises(DomainError, match="0 <= overlap < 1"):
        separate(halves, normal_mix, overlap=1.0)
    with pytest.raises(DomainError, match="segment > 0"):
        separate(halves, normal_mix, segment=0)

"""Decibels, gain and companding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import triptych as tp
from triptych_audio import functional as F


@pytest.mark.parametrize(("multiplier", "power"), [(10.0, 1.0), (20.0, 0.5)])
def test_decibels_there_and_back(rng, multiplier, power):
    x = rng.random((2, 3, 4, 5)) + 1e-3
    decibels = F.amplitude_to_DB(x, multiplier, 1e-10, 0.0)
    np.testing.assert_allclose(decibels, multiplier * np.log10(x))
    np.testing.assert_allclose(F.DB_to_amplitude(decibels, 1.0, power), x)


def test_reference_is_zero_decibels():
    got = F.amplitude_to_DB(tp.tensor([4.0]), 10.0, 1e-10, np.log10(4.0))
    assert got.item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("shape", [(5, 6), (2, 5, 6), (3, 2, 5, 6)])
def test_top_db_counts_from_the_loudest_of_the_example(rng, shape):
    x = 10.0 ** rng.uniform(-12, 0, shape)
    got = F.amplitude_to_DB(x, 10.0, 1e-12, 0.0, top_db=40.0)
    plain = 10 * np.log10(x)
    examples = plain.reshape(-1, *shape[-3:]) if len(shape) > 3 else plain[None]
    want = np.stack([np.maximum(e, e.max() - 40) for e in examples]).reshape(shape)
    np.testing.assert_allclose(got, want)


def test_gain():
    np.testing.assert_allclose(F.gain(np.ones(3), 20.0), 10.0)
    np.testing.assert_allclose(F.gain(np.ones(3), -6.0), 10 ** (-0.3))


@given(st.floats(-1, 1), st.sampled_from([16, 256, 1024]))
def test_mu_law_round_trip(x, levels):
    code = F.mu_law_encoding(np.array([x]), levels)
    assert code.dtype == np.int64
    assert 0 <= code[0] < levels
    back = F.mu_law_decoding(code, levels)[0]
    # A level is half a step of the compressed scale away; the slope there is at most log(mu + 1).
    mu = levels - 1
    slope = np.log1p(mu) * (1 + mu * max(abs(x), abs(back))) / mu
    assert abs(back - x) <= slope / mu + 1e-6


def test_mu_law_is_monotonous_and_symmetric():
    levels = F.mu_law_decoding(np.arange(256), 256)
    assert (np.diff(levels) > 0).all()
    np.testing.assert_allclose(levels, -levels[::-1], atol=1e-6)
    np.testing.assert_array_equal(F.mu_law_encoding(levels, 256), np.arange(256))


def test_mu_law_needs_two_levels():
    with pytest.raises(ValueError, match="at least 2 levels, got 1"):
        F.mu_law_encoding(np.zeros(1), 1)

"""Sobol's sequence against SciPy's, and what scrambling must keep."""

import numpy as np
import pytest
from scipy.stats import qmc

import triptych as tp
from triptych.quasirandom import SobolEngine


@pytest.mark.parametrize("dimension", [1, 2, 3, 8, 50, 1111])
def test_the_sequence(dimension):
    expected = qmc.Sobol(dimension, scramble=False, bits=30).random(128)
    found = SobolEngine(dimension).draw(128, dtype=tp.float64)
    np.testing.assert_array_equal(found, expected)


def test_draws_continue():
    whole = SobolEngine(3).draw(64)
    engine = SobolEngine(3)
    parts = [engine.draw(1), engine.draw(7), engine.fast_forward(8).draw(48)]
    assert tp.equal(tp.cat(parts[:2]), whole[:8]) and tp.equal(parts[2], whole[16:])
    assert engine.num_generated == 64 and tp.equal(engine.reset().draw(64), whole)
    assert whole.dtype is tp.float32 and engine.draw(0).shape == (0, 3)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_scrambled_points_stay_balanced(seed):
    points = SobolEngine(6, scramble=True, seed=seed).draw_base2(8, dtype=tp.float64).numpy()
    assert points.min() >= 0 and points.max() < 1
    for column in points.T:  # one point in each of 256 equal intervals
        assert sorted((column * 256).astype(int)) == list(range(256))
    assert qmc.discrepancy(points) < 0.1 * qmc.discrepancy(
        np.random.default_rng(0).random((256, 6))
    )


def test_scrambling_depends_on_the_seed():
    one, two = (SobolEngine(2, scramble=True, seed=s).draw(8) for s in (1, 2))
    assert not tp.equal(one, two)
    assert tp.equal(SobolEngine(2, scramble=True, seed=1).draw(8), one)
    tp.manual_seed(5)
    drawn = SobolEngine(2, scramble=True).draw(8)
    tp.manual_seed(5)
    assert tp.equal(SobolEngine(2, scramble=True).draw(8), drawn)


def test_low_precision_never_gives_one():
    for dtype in (tp.float32, tp.float16, tp.bfloat16):
        points = SobolEngine(4, scramble=True, seed=3).draw(4096, dtype=dtype)
        assert points.dtype is dtype and points.max().item() < 1


def test_errors_and_representation():
    engine = SobolEngine(2, scramble=True, seed=4)
    assert repr(engine) == "SobolEngine(dimension=2, scramble=True, seed=4)"
    engine.draw(3)
    with pytest.raises(tp.DomainError, match="there were 7, which is no power of two"):
        engine.draw_base2(2)
    with pytest.raises(tp.DomainError, match="a dimension from 1 to 1111"):
        SobolEngine(1112)
    with pytest.raises(tp.DomainError, match="points, got"):
        engine.draw(2**30)
    out = tp.zeros(2, 2)
    assert engine.draw(2, out=out) is out and out.abs().sum() > 0

"""Best paths beside exhaustive search."""

import itertools

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych_audio import functional as F


def plain_dtw(cost, steps):
    total = np.full(cost.shape, np.inf)
    total[0, 0] = cost[0, 0]
    for i, j in itertools.product(*map(range, cost.shape)):
        for a, b in steps:
            if i >= a and j >= b:
                total[i, j] = min(total[i, j], total[i - a, j - b] + cost[i, j])
    return total


@pytest.mark.parametrize("steps", [((1, 1), (0, 1), (1, 0)), ((1, 1), (1, 2), (2, 1))])
def test_sums_equal_the_loop(rng, steps):
    x, y = rng.standard_normal((3, 12)), rng.standard_normal((3, 15))
    cost = np.linalg.norm(x[:, :, None] - y[:, None, :], axis=0)
    total, path = F.dtw(x, y, steps=steps)
    np.testing.assert_allclose(total, plain_dtw(cost, steps), atol=1e-6)
    assert path[0].tolist() == [11, 14] and path[-1].tolist() == [0, 0]
    assert {tuple(-d) for d in np.diff(path, axis=0)} <= set(steps)
    assert cost[tuple(path.T)].sum() == pytest.approx(total[-1, -1])


def test_a_sequence_is_found_in_a_longer_one(rng):
    y = rng.standard_normal((4, 40))
    _, path = F.dtw(y[:, 17:25], y, subseq=True)
    assert path[:, 1].tolist() == list(range(24, 16, -1))


def test_repeated_columns_are_matched():
    x = tp.tensor([[0.0, 1.0, 2.0]])
    _, path = F.dtw(x, x.repeat_interleave(2, -1))
    assert path[:, 0].tolist() == [2, 2, 1, 1, 0, 0]


def test_dtw_refuses():
    x = tp.ones(2, 5)
    with pytest.raises(ShapeError, match="either x and y, or cost"):
        F.dtw(x)
    with pytest.raises(ShapeError, match="features"):
        F.dtw(x, tp.ones(3, 5))
    with pytest.raises(DomainError, match="NaN"):
        F.dtw(cost=tp.full((2, 2), float("nan")))
    with pytest.raises(DomainError, match="never back"):
        F.dtw(x, x, steps=((0, 0),))
    with pytest.raises(ShapeError, match="no path"):
        F.dtw(cost=tp.ones(3, 5), steps=((1, 1),))


def best_by_trying(prob, transition, first):
    n, frames = prob.shape
    scores = {}
    for states in itertools.product(range(n), repeat=frames):
        p = first[states[0]] * prob[states[0], 0]
        for t in range(1, frames):
            p *= transition[states[t - 1], states[t]] * prob[states[t], t]
        scores[states] = p
    return list(max(scores, key=scores.get))


@pytest.mark.parametrize("banded", [False, True])
def test_viterbi_equals_trying_all(rng, banded):
    prob, transition = rng.random((2, 3, 6)), rng.random((3, 3))
    if banded:
        transition[0, 2] = transition[2, 0] = 0.0
    transition /= transition.sum(1, keepdims=True)
    first = np.array([0.5, 0.3, 0.2])
    got = F.viterbi(prob, transition, first)
    assert got.tolist() == [best_by_trying(p, transition, first) for p in prob]
    default = F.viterbi(prob[0], transition)
    assert default.tolist() == best_by_trying(prob[0], transition, np.full(3, 1 / 3))


def test_viterbi_leaps_where_nothing_else_is_possible():
    prob = np.array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
    assert F.viterbi(prob, np.eye(2)).tolist() == [0, 0, 1, 1]


def test_viterbi_refuses():
    with pytest.raises(ShapeError, match="transition of"):
        F.viterbi(np.ones((3, 4)) / 3, np.eye(2))
    with pytest.raises(DomainError, match="sum to 1"):
        F.viterbi(np.ones((2, 4)) / 2, np.ones((2, 2)))
    with pytest.raises(DomainError, match="from 0 to 1"):
        F.viterbi(np.full((2, 4), 1.5), np.eye(2))

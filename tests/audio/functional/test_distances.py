"""Edits beside the textbook's table; Gaussians beside SciPy."""

import numpy as np
import pytest
from scipy import linalg

import triptych as tp
from triptych.errors import ShapeError
from triptych_audio import functional as F


def plain(a, b):
    table = np.zeros((len(a) + 1, len(b) + 1), int)
    table[0], table[:, 0] = range(len(b) + 1), range(len(a) + 1)
    for i, x in enumerate(a, 1):
        for j, y in enumerate(b, 1):
            table[i, j] = min(
                table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (x != y)
            )
    return table[-1, -1]


def test_edits_equal_the_table(rng):
    for _ in range(60):
        a, b = ("".join(rng.choice(list("abc"), rng.integers(0, 9))) for _ in range(2))
        assert F.edit_distance(a, b) == plain(a, b)
    assert F.edit_distance(["the", "cat"], ["the", "hat", "sat"]) == 2
    assert F.edit_distance("", "") == 0
    assert F.edit_distance([[1], [2], "a"], [[2], "a", [3]]) == 2  # not hashable


def test_gaussians_equal_scipy(rng):
    means = rng.standard_normal((2, 6))
    a, b = (m @ m.T for m in rng.standard_normal((2, 6, 9)))
    root = linalg.sqrtm(a @ b).real
    want = ((means[0] - means[1]) ** 2).sum() + np.trace(a + b - 2 * root)
    assert F.frechet_distance(means[0], a, means[1], b) == pytest.approx(want)


def test_same_gaussians_are_not_apart(rng):
    m = rng.standard_normal((4, 8))
    same = (tp.tensor(m[:, 0]), tp.tensor(m @ m.T))
    assert F.frechet_distance(*same, *same).item() == pytest.approx(0, abs=1e-9)


def test_refuses():
    with pytest.raises(ShapeError, match="wanted shapes"):
        F.frechet_distance(tp.zeros(3), tp.eye(3), tp.zeros(2), tp.eye(2))
    with pytest.raises(ShapeError, match="wanted shapes"):
        F.frechet_distance(tp.zeros(1, 3), tp.eye(3), tp.zeros(3), tp.eye(3))

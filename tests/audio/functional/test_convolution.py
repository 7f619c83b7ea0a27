"""Convolution against NumPy."""

import numpy as np
import pytest

import triptych as tp
from triptych_audio import functional as F

BOTH = pytest.mark.parametrize("run", [F.convolve, F.fftconvolve])


@BOTH
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(("n", "m"), [(30, 7), (7, 30), (8, 8), (1, 5)])
def test_like_numpy(rng, run, mode, n, m):
    x, y = rng.standard_normal(n), rng.standard_normal(m)
    full = np.convolve(x, y)
    length = {"full": n + m - 1, "same": n, "valid": abs(n - m) + 1}[mode]
    start = (len(full) - length) // 2
    np.testing.assert_allclose(run(x, y, mode), full[start : start + length], atol=1e-12)


@BOTH
def test_leading_axes_of_one(rng, run):
    x, y = rng.standard_normal((2, 1, 20)), rng.standard_normal((1, 3, 5))
    got = run(x, y)
    assert got.shape == (2, 3, 24)
    np.testing.assert_allclose(got[1, 2], np.convolve(x[1, 0], y[0, 2]), atol=1e-12)


@BOTH
def test_gradients(rng, run):
    x, y = (tp.tensor(rng.standard_normal((2, n)), requires_grad=True) for n in (9, 4))
    assert tp.autograd.gradcheck(lambda x, y: run(x, y, "same"), (x, y))


@BOTH
def test_errors(run):
    x = np.ones((2, 5))
    with pytest.raises(ValueError, match="mode is one of"):
        run(x, x, "half")
    with pytest.raises(ValueError, match="as many axes"):
        run(x, x[0])
    with pytest.raises(ValueError, match="alike or 1"):
        run(x, np.ones((3, 5)))
    with pytest.raises(ValueError, match="there is nothing"):
        run(x, np.ones((2, 0)))

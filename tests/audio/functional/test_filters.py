"""Emphasis against SciPy's recursive filter."""

import numpy as np
import pytest
import scipy.signal

import triptych as tp
from triptych_audio import functional as F


@pytest.mark.parametrize("coeff", [0.0, 0.5, 0.97, -0.9])
def test_preemphasis_like_scipy(rng, coeff):
    x = rng.standard_normal((2, 500))
    want = scipy.signal.lfilter([1, -coeff], [1], x)
    np.testing.assert_allclose(F.preemphasis(x, coeff), want)


@pytest.mark.parametrize("coeff", [0.0, 0.5, 0.97, -0.9, 0.9999])
@pytest.mark.parametrize("t", [0, 1, 2, 3, 4097])
def test_deemphasis_like_scipy(rng, coeff, t):
    x = rng.standard_normal((2, t))
    want = scipy.signal.lfilter([1], [1, -coeff], x)
    np.testing.assert_allclose(F.deemphasis(x, coeff, clamp=False), want, atol=1e-10)


def test_deemphasis_undoes_preemphasis(stereo):
    back = F.deemphasis(F.preemphasis(stereo))
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, stereo, atol=2e-6)


def test_deemphasis_limits():
    assert F.deemphasis(np.ones(50)).max() == 1.0
    assert F.deemphasis(np.ones(50), clamp=False).max() > 20


def test_gradients(rng):
    x = tp.tensor(rng.standard_normal(20), requires_grad=True)
    assert tp.autograd.gradcheck(lambda x: F.deemphasis(x, 0.9, clamp=False), (x,))
    assert tp.autograd.gradcheck(lambda x: F.preemphasis(x, 0.9), (x,))


def test_errors():
    with pytest.raises(ValueError, match="below 1, got 1"):
        F.deemphasis(np.ones(3), 1.0)
    with pytest.raises(TypeError, match="floating samples"):
        F.deemphasis(np.ones(3, np.int16))

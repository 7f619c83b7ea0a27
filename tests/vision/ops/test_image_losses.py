"""Losses between pictures."""

import numpy as np
import pytest
from scipy import ndimage

import triptych as tp
from triptych.autograd import gradcheck
from triptych_vision.ops import ssim_loss, total_variation


def draw(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((2, 3, 16, 17))


def test_ssim_against_scipy() -> None:
    one, two = draw(0), draw(1)

    def smooth(x: np.ndarray) -> np.ndarray:
        where = {"mode": "mirror", "radius": 5, "axes": (2, 3)}
        return ndimage.gaussian_filter(x, 1.5, **where)

    m1, m2 = smooth(one), smooth(two)
    v1, v2, v12 = smooth(one**2) - m1**2, smooth(two**2) - m2**2, smooth(one * two) - m1 * m2
    c1, c2 = 0.01**2, 0.03**2
    ssim = (2 * m1 * m2 + c1) * (2 * v12 + c2) / ((m1**2 + m2**2 + c1) * (v1 + v2 + c2))
    got = ssim_loss(tp.tensor(one), tp.tensor(two), 11, reduction="none")
    np.testing.assert_allclose(got.numpy(), (1 - ssim) / 2, rtol=1e-6)
    assert ssim_loss(tp.tensor(one), tp.tensor(one), 11).item() == pytest.approx(0, abs=1e-9)


def test_ssim_gradient_and_errors() -> None:
    one, two = (tp.tensor(draw(i)[:1, :1, :5, :5], requires_grad=True) for i in range(2))
    assert gradcheck(lambda a, b: ssim_loss(a, b, 3), (one, two))
    with pytest.raises(ValueError, match="window_size is odd"):
        ssim_loss(one, two, 4)
    with pytest.raises(ValueError, match="window_size is odd"):
        ssim_loss(one, two, 11)
    with pytest.raises(ValueError, match="wanted two of"):
        ssim_loss(one, two[0], 3)


def test_total_variation() -> None:
    x = draw(0)
    down, across = abs(np.diff(x, axis=2)), abs(np.diff(x, axis=3))
    wanted = down.sum((1, 2, 3)) + across.sum((1, 2, 3))
    np.testing.assert_allclose(total_variation(tp.tensor(x)).numpy(), wanted)
    mean = down.mean((1, 2, 3)) + across.mean((1, 2, 3))
    np.testing.assert_allclose(total_variation(tp.tensor(x), "mean").numpy(), mean)
    assert total_variation(tp.full((3, 4, 4), 2.0)).item() == 0
    with pytest.raises(ValueError, match="wanted"):
        total_variation(tp.zeros(3, 4))

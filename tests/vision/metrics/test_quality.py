"""Nearness of images; SciPy filters for the naive twin."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych_vision.metrics import aepe, psnr, ssim

RNG = np.random.default_rng(0)
ONE = RNG.random((2, 3, 24, 30))
TWO = np.clip(ONE + RNG.normal(0, 0.1, ONE.shape), 0, 1)


def naive_ssim(x: np.ndarray, y: np.ndarray, peak: float) -> float:
    """Wang and others 2004, equation 13; a Gaussian of 11 pixels."""

    def blur(a: np.ndarray) -> np.ndarray:
        return gaussian_filter(a, 1.5, radius=5)[5:-5, 5:-5]

    mx, my = blur(x), blur(y)
    vx, vy, both = blur(x * x) - mx**2, blur(y * y) - my**2, blur(x * y) - mx * my
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    map_ = (2 * mx * my + c1) * (2 * both + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    return float(map_.mean())


def test_ssim_equals_the_naive_one() -> None:
    got = ssim(tp.from_numpy(ONE), tp.from_numpy(TWO))
    want = [
        np.mean([naive_ssim(*pair, 1.0) for pair in zip(x, y, strict=True)])
        for x, y in zip(ONE, TWO, strict=True)
    ]
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-9)
    assert float(ssim(tp.from_numpy(ONE[0]), tp.from_numpy(ONE[0]))) == pytest.approx(1.0)


def test_bytes_and_gradient() -> None:
    one, two = ((a[0] * 255).astype(np.uint8) for a in (ONE, TWO))
    want = np.mean([naive_ssim(*map(np.float64, pair), 255) for pair in zip(one, two, strict=True)])
    got = float(ssim(tp.from_numpy(one), tp.from_numpy(two), max_val=255))
    assert got == pytest.approx(want, rel=1e-4)
    x = tp.from_numpy(TWO).requires_grad_()
    ssim(x, tp.from_numpy(ONE)).sum().backward()
    step = 1e-3 * x.grad
    assert float(ssim(x.detach() + step, tp.from_numpy(ONE)).sum()) > float(
        ssim(x, tp.from_numpy(ONE)).sum()
    )


def test_psnr_and_end_point_error() -> None:
    want = 10 * np.log10(1 / ((ONE - TWO) ** 2).mean(axis=(1, 2, 3)))
    np.testing.assert_allclose(psnr(tp.from_numpy(ONE), tp.from_numpy(TWO)).numpy(), want)
    assert float(psnr(tp.ones(3, 2, 2), tp.ones(3, 2, 2))) == np.inf
    flow, true = RNG.normal(size=(2, 4, 2, 5, 6))
    got = aepe(tp.from_numpy(flow), tp.from_numpy(true))
    np.testing.assert_allclose(
        got.numpy(), np.hypot(*np.moveaxis(flow - true, 1, 0)).mean(axis=(1, 2))
    )


def test_what_does_not_fit() -> None:
    with pytest.raises(ShapeError, match="of one shape"):
        psnr(tp.zeros(3, 4, 4), tp.zeros(3, 4, 5))
    with pytest.raises(DomainError, match="max_val is positive"):
        psnr(tp.zeros(3, 4, 4), tp.zeros(3, 4, 4), max_val=0)
    with pytest.raises(DomainError, match="window_size is odd"):
        ssim(tp.zeros(3, 14, 14), tp.zeros(3, 14, 14), window_size=4)
    with pytest.raises(ShapeError, match="smaller than the window"):
        ssim(tp.zeros(3, 4, 14), tp.zeros(3, 4, 14))
    with pytest.raises(ShapeError, match=r"flows \(\.\.\., 2, h, w\)"):
        aepe(tp.zeros(3, 4, 4), tp.zeros(3, 4, 4))

"""Filters, against SciPy, Pillow and naive twins."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

import triptych as tp
from triptych.errors import ShapeError, UnknownNameError
from triptych_vision.transforms import functional as F

Pixels = Callable[..., np.ndarray]
BORDERS = {"constant": "constant", "reflect": "mirror", "replicate": "nearest", "circular": "wrap"}


@pytest.mark.parametrize("border", BORDERS)
def test_filter2d_is_correlation(border: str) -> None:
    draw = np.random.default_rng(0)
    x, kernel = draw.random((2, 3, 9, 11)), draw.random((3, 5))
    out = F.filter2d(tp.from_numpy(x), tp.from_numpy(kernel), border).numpy()
    for place in np.ndindex(2, 3):
        wanted = ndimage.correlate(x[place], kernel, mode=BORDERS[border])
        assert np.allclose(out[place], wanted)
    half = F.filter2d(tp.from_numpy(x), tp.from_numpy(-kernel), border, normalized=True).numpy()
    assert np.allclose(half * -kernel.sum(), out)


def test_filter2d_of_bytes_rounds_and_stays_in_range(pixels: Pixels) -> None:
    image = pixels(7, 8, 3)
    kernel = [[0.0, 0.0, 0.0], [0.0, 1.7, -0.4], [0.0, 0.0, 0.0]]
    out = F.filter2d(image, kernel, "replicate")
    wide = ndimage.correlate(image.astype(float), np.array(kernel)[..., None], mode="nearest")
    assert out.dtype == np.uint8
    assert np.abs(out - np.clip(wide, 0, 255)).max() <= 0.5 + 1e-4
    assert (np.asarray(F.filter2d(Image.fromarray(image), kernel, "replicate")) == out).all()
    with pytest.raises(ShapeError, match="odd"):
        F.filter2d(image, np.ones((2, 3)))
    with pytest.raises(UnknownNameError, match="border_type"):
        F.filter2d(image, np.ones((3, 3)), "mirror")
    with pytest.raises(ShapeError, match="reach"):
        F.filter2d(image, np.ones((15, 15)))


@pytest.mark.parametrize("size", [3, 5])
def test_median(size: int, pixels: Pixels) -> None:
    image = pixels(10, 12, 3)
    out = F.median_blur(image, size)
    assert (out == ndimage.median_filter(image, (size, size, 1), mode="nearest")).all()
    assert (np.asarray(F.median_blur(Image.fromarray(image), size)) == out).all()
    x = tp.from_numpy(image.astype(np.float64)).permute(2, 0, 1).requires_grad_()
    traced = F.median_blur(x, size)
    assert (traced.detach().permute(1, 2, 0).numpy() == out).all()


def test_bilateral_against_a_naive_twin() -> None:
    x = np.random.default_rng(1).random((3, 6, 7))
    out = F.bilateral_blur(tp.from_numpy(x), (3, 5), 0.3, (1.0, 2.0)).numpy()
    wide = np.pad(x, ((0, 0), (1, 1), (2, 2)), "reflect")
    for i, j in np.ndindex(6, 7):
        window = wide[:, i : i + 3, j : j + 5]
        apart = np.abs(window - x[:, i : i + 1, j : j + 1]).sum(0)
        rows, columns = np.mgrid[-1:2, -2:3]
        weight = np.exp(-(apart**2) / (2 * 0.3**2) - rows**2 / 2 - columns**2 / 8)
        assert np.allclose(out[:, i, j], (window * weight).sum((1, 2)) / weight.sum())
    with pytest.raises(ValueError, match="above zero"):
        F.bilateral_blur(tp.from_numpy(x), 3, 0.0, 1.0)


def test_bilateral_keeps_edges_that_a_blur_loses() -> None:
    step = tp.zeros(1, 8, 8)
    step[..., 4:] = 1.0
    kept = F.bilateral_blur(step, 5, 0.05, 2.0)
    assert (kept - step).abs().max().item() < 1e-6
    bytes_ = F.bilateral_blur((step * 255).to(tp.uint8), 5, 0.05, 2.0)
    assert bytes_.equal((step * 255).to(tp.uint8))


def test_motion_kernels() -> None:
    flat = F.motion_kernel(5, 0.0).numpy()
    assert np.flatnonzero(flat.any(1)).tolist() == [2]
    assert np.allclose(F.motion_kernel(5, 90.0).numpy(), flat.T, atol=1e-6)
    ahead = F.motion_kernel(5, 0.0, direction=1.0).numpy()[2]
    assert ahead[4] > ahead[2] > ahead[0]
    diagonal = F.motion_kernel(7, 45.0).numpy()
    assert np.allclose(diagonal, diagonal.T[::-1, ::-1], atol=1e-6)
    assert diagonal[0, 6] + diagonal[1, 5] > diagonal[0, 0] + diagonal[1, 1]
    assert abs(diagonal.sum() - 1) < 1e-6

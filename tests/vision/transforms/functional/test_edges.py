"""Edges, against SciPy and shapes with known ones."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import ndimage

import triptych as tp
from triptych.errors import DTypeError
from triptych_vision.transforms import functional as F

Pixels = Callable[..., np.ndarray]
BORDERS = {"constant": "constant", "reflect": "mirror", "replicate": "nearest", "circular": "wrap"}


def test_sobel_and_laplacian() -> None:
    x = np.random.default_rng(2).random((2, 9, 8))
    gradient = F.spatial_gradient(tp.from_numpy(x), normalized=False).numpy()
    for c in range(2):
        assert np.allclose(gradient[c, 0], ndimage.sobel(x[c], axis=1, mode="nearest"))
        assert np.allclose(gradient[c, 1], ndimage.sobel(x[c], axis=0, mode="nearest"))
    steep = F.sobel(tp.from_numpy(x)).numpy()
    assert np.allclose(steep, np.hypot(gradient[:, 0], gradient[:, 1]) / 8, atol=1e-2)
    kernel = np.ones((3, 3))
    kernel[1, 1] = -8
    wanted = ndimage.correlate(x[0], kernel, mode="mirror") / 16
    assert np.allclose(F.laplacian(tp.from_numpy(x), 3)[0].numpy(), wanted)
    with pytest.raises(DTypeError, match="floats"):
        F.sobel(tp.zeros(1, 4, 4, dtype=tp.uint8))


def test_canny_finds_the_outline_of_a_square() -> None:
    image = tp.zeros(3, 32, 32)
    image[:, 8:24, 8:24] = 1.0
    summits, edges = F.canny(image)
    assert edges.shape == summits.shape == (1, 32, 32)
    found = edges[0].numpy() == 1
    assert found[16].sum() == found[:, 16].sum() == 2
    rows, columns = np.nonzero(found)
    outside = np.maximum(np.abs(rows - 15.5), np.abs(columns - 15.5))
    assert 6 <= outside.min() <= outside.max() <= 9
    assert not F.canny(tp.full((1, 9, 9), 0.5))[1].any()


def test_hysteresis_keeps_weak_edges_of_sure_ones_only() -> None:
    image = tp.zeros(1, 40, 40)
    image[:, :, 10:] = tp.linspace(0.15, 0.7, 40)[:, None]  # weak above, sure below
    image[:, :12, 30:] += 0.15  # weak, alone
    _, joined = F.canny(image, 0.3, 0.9)
    _, apart = F.canny(image, 0.3, 0.9, hysteresis=False)
    assert set(np.unique(joined.numpy())) == {0.0, 1.0}
    assert set(np.unique(apart.numpy())) == {0.0, 0.5, 1.0}
    assert joined[0, 10, 8:12].any()
    assert apart[0, 5, 28:32].any()
    assert not joined[0, 5, 28:32].any()

"""Colours in other coordinates, against the standard library, Pillow and known values."""

import colorsys
import math
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych.errors import DTypeError, ShapeError
from triptych_vision.transforms import functional as F

SPACES = ["hsv", "hls", "xyz", "lab", "luv", "ycbcr", "yuv", "linear_rgb"]
CORNERS = [[r, g, b] for r in (0.0, 1.0) for g in (0.0, 1.0) for b in (0.0, 1.0)]


def colors(dtype: tp.dtype = tp.float64) -> tp.Tensor:
    """(3, 1, n): random colours, greys, and the corners of the cube."""
    draw = np.random.default_rng(0)
    grey = np.repeat(draw.random((9, 1)), 3, 1)
    every = np.concatenate((draw.random((50, 3)), grey, CORNERS))
    return tp.from_numpy(every.T[:, None].copy()).to(dtype)


def pixels_of(image: tp.Tensor) -> np.ndarray:
    return image.numpy()[:, 0].T


@pytest.mark.parametrize("space", SPACES)
def test_there_and_back(space: str) -> None:
    x = colors()
    back = getattr(F, f"{space}_to_rgb")(getattr(F, f"rgb_to_{space}")(x))
    assert np.abs(back.numpy() - x.numpy()).max() < 1e-7
    batch = tp.stack((x, x.flip(-1)))
    there = getattr(F, f"rgb_to_{space}")(batch)
    assert np.allclose(there[0], getattr(F, f"rgb_to_{space}")(x))
    assert np.allclose(there[1].flip(-1), there[0])


@pytest.mark.parametrize("space", ["hsv", "hls"])
def test_hues_are_those_of_colorsys(space: str) -> None:
    x = colors()
    there = pixels_of(getattr(F, f"rgb_to_{space}")(x))
    wanted = np.array([getattr(colorsys, f"rgb_to_{space}")(*pixel) for pixel in pixels_of(x)])
    turns = np.abs(there[:, 0] / (2 * math.pi) - wanted[:, 0])
    assert np.minimum(turns, 1 - turns).max() < 1e-12
    assert np.abs(there[:, 1:] - wanted[:, 1:]).max() < 1e-12


def test_ycbcr_is_that_of_jpeg(pixels: Callable[..., np.ndarray]) -> None:
    image = pixels(8, 8, 3)
    wanted = np.asarray(Image.fromarray(image).convert("YCbCr")).astype(float)
    x = tp.from_numpy(np.moveaxis(image, -1, 0) / 255)
    out = np.moveaxis(F.rgb_to_ycbcr(x).numpy(), 0, -1) * 255
    assert np.abs(out + np.array([0, 0.5, 0.5]) - wanted).max() <= 1  # JFIF's grey is 128


def test_lab_and_luv_of_known_colors() -> None:
    # Lindbloom's calculator, sRGB and D65: red, green, blue
    x = tp.eye(3, dtype=tp.float64)[:, None]
    lab = [[53.24, 80.09, 67.20], [87.73, -86.18, 83.18], [32.30, 79.19, -107.86]]
    luv = [[53.24, 175.01, 37.75], [87.73, -83.08, 107.40], [32.30, -9.40, -130.34]]
    assert np.abs(pixels_of(F.rgb_to_lab(x)) - lab).max() < 0.1
    assert np.abs(pixels_of(F.rgb_to_luv(x)) - luv).max() < 0.1
    white = F.rgb_to_lab(tp.ones(3, 1, 1, dtype=tp.float64))
    assert np.abs(white.flatten().numpy() - [100, 0, 0]).max() < 1e-9


def test_gradients_are_finite_and_inputs_are_checked() -> None:
    for space in SPACES:
        x = colors(tp.float32).requires_grad_()
        getattr(F, f"rgb_to_{space}")(x).sum().backward()
        assert np.isfinite(x.grad.numpy()).all(), space
    with pytest.raises(DTypeError, match="floats"):
        F.rgb_to_hsv(tp.zeros(3, 2, 2, dtype=tp.uint8))
    with pytest.raises(ShapeError, match="3, h, w"):
        F.rgb_to_lab(tp.zeros(4, 2, 2))

"""Colours."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych.errors import ShapeError
from triptych_vision.transforms import functional as F

Pixels = Callable[..., np.ndarray]


def test_grey_is_the_weighted_sum(pixels: Pixels) -> None:
    array = pixels(3, 4, 5)
    weights = np.array([0.2989, 0.587, 0.114])[:, None, None]
    want = (array * weights).sum(0)
    got = F.rgb_to_grayscale(tp.from_numpy(array))
    assert got.shape == (1, 4, 5)
    assert np.abs(got.numpy()[0] - np.floor(want)).max() == 0
    pil = F.rgb_to_grayscale(Image.fromarray(array.transpose(1, 2, 0)))
    assert np.abs(np.asarray(pil) - want).max() <= 1.0
    floats = F.rgb_to_grayscale(tp.from_numpy(array / 255), num_output_channels=3)
    np.testing.assert_allclose(floats.numpy(), np.stack([want / 255] * 3), atol=1e-12)


def test_grey_stays_grey(pixels: Pixels) -> None:
    grey = tp.from_numpy(pixels(1, 4, 5))
    assert np.array_equal(F.to_grayscale(grey, 1).numpy(), grey.numpy())
    assert np.array_equal(F.to_grayscale(grey, 3).numpy(), np.repeat(grey.numpy(), 3, 0))
    assert F.to_grayscale(Image.new("L", (2, 2)), 3).mode == "RGB"
    for call in (
        lambda: F.rgb_to_grayscale(grey, 2),
        lambda: F.rgb_to_grayscale(tp.zeros(2, 4, 4)),
    ):
        with pytest.raises(ShapeError, match="rgb_to_grayscale"):
            call()


def test_grayscale_to_rgb(pixels: Pixels) -> None:
    grey = tp.from_numpy(pixels(2, 1, 4, 5))
    assert np.array_equal(F.grayscale_to_rgb(grey).numpy(), np.repeat(grey.numpy(), 3, 1))
    colour = tp.zeros(3, 2, 2)
    assert F.grayscale_to_rgb(colour).shape == (3, 2, 2)
    assert F.grayscale_to_rgb(Image.new("L", (2, 2))).mode == "RGB"
    with pytest.raises(ShapeError, match="c, h, w"):
        F.grayscale_to_rgb(tp.zeros(2, 2))


def test_permute_channels(pixels: Pixels) -> None:
    array = pixels(2, 3, 4, 5)
    out = F.permute_channels(tp.from_numpy(array), tp.tensor([2, 0, 1]))
    assert np.array_equal(out.numpy(), array[:, [2, 0, 1]])
    image = Image.fromarray(pixels(4, 5, 3))
    assert F.permute_channels(image, [2, 1, 0]).getpixel((0, 0)) == image.getpixel((0, 0))[::-1]
    with pytest.raises(ShapeError, match=r"\(2, 3, 4, 5\), got 2"):
        F.permute_channels(tp.from_numpy(array), [0, 1])
    with pytest.raises(ValueError, match="each of 0 to 2 once"):
        F.permute_channels(tp.from_numpy(array), [0, 1, 1])

"""Blur of random width and noise."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_vision import transforms as T
from triptych_vision.transforms import functional as F


def test_blur_draws_its_width() -> None:
    blur = T.GaussianBlur((3, 5), (0.5, 1.5), generator=tp.Generator().manual_seed(0))
    widths = [blur.make_params([])["sigma"] for _ in range(100)]
    assert all(across == down for across, down in widths)
    assert 0.5 <= min(widths)[0] < 0.6
    assert 1.4 < max(widths)[0] <= 1.5
    x = tp.rand(1, 8, 8)
    got = T.GaussianBlur((3, 5), 0.7)(x)
    assert np.array_equal(got.numpy(), F.gaussian_blur(x, (3, 5), 0.7).numpy())
    assert 0.1 <= T.GaussianBlur.get_params(0.1, 0.2) <= 0.2


def test_blur_refuses() -> None:
    with pytest.raises(ValueError, match="the lesser first"):
        T.GaussianBlur(3, (2.0, 1.0))
    with pytest.raises(ValueError, match="odd"):
        T.GaussianBlur(4)
    with pytest.raises(ShapeError, match="a number or two"):
        T.GaussianBlur(3, (1.0, 2.0, 3.0))


def test_noise_comes_from_the_generator() -> None:
    x = tp.full((3, 8, 8), 0.5)
    first, second = (
        T.GaussianNoise(generator=tp.Generator().manual_seed(1))(x).numpy() for _ in range(2)
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, T.GaussianNoise()(x).numpy())

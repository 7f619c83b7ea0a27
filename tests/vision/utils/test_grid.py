"""Grids and saved images, compared with a naive twin and with Pillow."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych.errors import DTypeError, ShapeError
from triptych_vision.utils import make_grid, save_image

Pixels = Callable[..., np.ndarray]


def naive_grid(images: np.ndarray, nrow: int, padding: int, value: float) -> np.ndarray:
    n, c, h, w = images.shape
    columns = min(nrow, n)
    rows = math.ceil(n / columns)
    grid = np.full(
        (c, rows * (h + padding) + padding, columns * (w + padding) + padding), value, images.dtype
    )
    for i in range(n):
        for y in range(h):
            for x in range(w):
                top = (i // columns) * (h + padding) + padding
                left = (i % columns) * (w + padding) + padding
                grid[:, top + y, left + x] = images[i, :, y, x]
    return grid


@pytest.mark.parametrize(
    ("count", "nrow", "padding", "value"), [(5, 3, 2, 0.0), (4, 8, 0, 1.0), (2, 1, 3, 0.5)]
)
def test_grid_equals_the_naive_one(count: int, nrow: int, padding: int, value: float) -> None:
    images = np.random.default_rng(0).random((count, 3, 4, 5), dtype=np.float32)
    got = make_grid(tp.from_numpy(images), nrow=nrow, padding=padding, pad_value=value)
    assert np.array_equal(got.numpy(), naive_grid(images, nrow, padding, value))


def test_grid_takes_lists_grey_and_single_images() -> None:
    images = [tp.full((1, 2, 2), float(i)) for i in range(3)]
    assert make_grid(images).shape == (3, 6, 14)
    assert make_grid(images[1]).tolist() == tp.ones(3, 2, 2).tolist()
    assert make_grid(tp.ones(2, 2)).shape == (3, 2, 2)


@pytest.mark.parametrize("scale_each", [False, True])
@pytest.mark.parametrize("value_range", [None, (-1.0, 2.0)])
def test_grid_normalises(scale_each: bool, value_range: tuple[float, float] | None) -> None:
    images = np.random.default_rng(1).normal(0, 3, (4, 3, 5, 5)).astype(np.float32)
    got = make_grid(
        tp.from_numpy(images),
        nrow=4,
        padding=0,
        normalize=True,
        value_range=value_range,
        scale_each=scale_each,
    ).numpy()
    for place in range(4):
        source = images[place : place + 1] if scale_each else images
        low, high = value_range or (source.min(), source.max())
        want = (np.clip(images[place], low, high) - low) / (high - low)
        np.testing.assert_allclose(got[:, :, place * 5 : place * 5 + 5], want, atol=1e-6)


def test_grid_refuses_what_does_not_fit() -> None:
    with pytest.raises(ShapeError, match="different sizes"):
        make_grid([tp.zeros(3, 2, 2), tp.zeros(3, 2, 3)])
    with pytest.raises(DTypeError, match="sequence"):
        make_grid([1, 2])  # type: ignore[list-item]
    with pytest.raises(ShapeError, match=r"\(n, c, h, w\)"):
        make_grid(tp.zeros(1, 1, 1, 2, 2))


def test_saved_image_is_the_grid_in_bytes(tmp_path: Path, pixels: Pixels) -> None:
    image = tp.from_numpy(pixels(3, 6, 7))
    save_image(image.to(tp.float32) / 255, tmp_path / "float.png")
    save_image(image, tmp_path / "bytes.png")
    for name in ("float.png", "bytes.png"):
        with Image.open(tmp_path / name) as saved:
            assert np.array_equal(np.asarray(saved).transpose(2, 0, 1), image.numpy())

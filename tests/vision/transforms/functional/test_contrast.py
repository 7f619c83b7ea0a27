"""Lines, HSV shifts, local histograms, against naive twins."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych.errors import ShapeError
from triptych_vision.transforms import functional as F

Pixels = Callable[..., np.ndarray]


def test_lines(pixels: Pixels) -> None:
    image = pixels(6, 7, 3)
    out = F.adjust_brightness_contrast(image, 1.3, -0.1)
    wanted = np.clip(np.rint(image * 1.3 - 25.5), 0, 255)
    assert np.abs(out - wanted).max() <= 1
    assert out.dtype == np.uint8
    mean = F.adjust_brightness_contrast(tp.full((1, 2, 2), 0.4), 1.0, 0.5, by_max=False)
    assert np.allclose(mean.numpy(), 0.6)
    assert (
        np.asarray(F.adjust_brightness_contrast(Image.fromarray(image), 1.3, -0.1)) == out
    ).all()


def test_hsv_shifts(pixels: Pixels) -> None:
    image = pixels(6, 7, 3)
    assert np.abs(F.shift_hsv(image, 0, 0, 0).astype(int) - image).max() == 0
    red = np.array([[[255, 0, 0]]], np.uint8)
    assert F.shift_hsv(red, 60, 0, 0).tolist() == [[[0, 255, 0]]]
    assert F.shift_hsv(red, -60, 0, 0).tolist() == [[[0, 0, 255]]]
    assert F.shift_hsv(red, 0, -255, 0).tolist() == [[[255, 255, 255]]]
    grey = np.full((1, 1, 3), 100, np.uint8)
    assert F.shift_hsv(grey, 10, 50, 20).tolist() == [[[120, 120, 120]]]
    assert F.shift_hsv(grey[..., 0], 10, 50, 20).tolist() == [[120]]
    with pytest.raises(ShapeError, match="1 or 3"):
        F.shift_hsv(tp.zeros(4, 2, 2), 0, 0, 0)


def naive_clahe(plane: np.ndarray, clip: float, tiles: tuple[int, int]) -> np.ndarray:
    """Pixel by pixel, for sides that tiles divide."""
    h, w = plane.shape[0] // tiles[0], plane.shape[1] // tiles[1]
    tables = np.zeros((*tiles, 256))
    for i, j in np.ndindex(*tiles):
        counts = np.bincount(plane[i * h : i * h + h, j * w : j * w + w].ravel(), minlength=256)
        limit = max(int(clip * h * w / 256), 1)
        excess = int(np.maximum(counts - limit, 0).sum())
        counts = np.minimum(counts, limit) + excess // 256
        rest = excess % 256
        step = max(256 // max(rest, 1), 1)
        place = 0
        while place < 256 and rest > 0:
            counts[place] += 1
            place, rest = place + step, rest - 1
        tables[i, j] = np.rint(np.minimum(counts.cumsum() * 255 / (h * w), 255))
    out = np.zeros(plane.shape)
    for y, x in np.ndindex(*plane.shape):
        v, u = y / h - 0.5, x / w - 0.5
        i, j = int(np.floor(v)), int(np.floor(u))
        total = 0.0
        for di, dj in np.ndindex(2, 2):
            weight = abs(1 - di - (v - i)) * abs(1 - dj - (u - j))
            row, column = np.clip(i + di, 0, tiles[0] - 1), np.clip(j + dj, 0, tiles[1] - 1)
            total += weight * tables[row, column, plane[y, x]]
        out[y, x] = total
    return out


def test_clahe_against_a_naive_twin(pixels: Pixels) -> None:
    plane = pixels(24, 32) // 4 + 60
    out = F.clahe(plane, 2.0, (3, 4))
    assert np.abs(out - naive_clahe(plane, 2.0, (3, 4))).max() <= 0.51
    assert out.std() > 1.2 * plane.std()
    odd = F.clahe(pixels(25, 30), 2.0, (3, 4))
    assert odd.shape == (25, 30)


def test_clahe_of_colors_changes_lightness_alone(pixels: Pixels) -> None:
    image = pixels(32, 32, 3) // 4 + 90
    out = F.clahe(image)
    assert (np.asarray(F.clahe(Image.fromarray(image))) == out).all()
    old, new = (
        F.rgb_to_lab(F.to_dtype(F.to_image(x), tp.float32, scale=True)) for x in (image, out)
    )
    assert new[0].std().item() > 1.2 * old[0].std().item()
    assert (new[1:] - old[1:]).abs().median().item() < 1.5
    floats = F.clahe(tp.rand(2, 3, 16, 16))
    assert floats.shape == (2, 3, 16, 16)
    for wrong in ({"clip_limit": 0.0}, {"tile_grid_size": (99, 2)}):
        with pytest.raises(ValueError, match="clahe"):
            F.clahe(image, **wrong)

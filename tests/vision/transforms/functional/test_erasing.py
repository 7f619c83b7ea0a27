"""Rectangles, pixels, JPEG and WebP."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych.errors import DTypeError, ShapeError
from triptych_vision.transforms import functional as F

Pixels = Callable[..., np.ndarray]


def test_erase(pixels: Pixels) -> None:
    array = pixels(2, 3, 6, 7)
    want = array.copy()
    want[..., 1:4, 2:6] = np.array([1, 2, 3])[:, None, None]
    value = tp.tensor([1.0, 2.0, 3.0])[:, None, None]
    x = tp.from_numpy(array)
    assert np.array_equal(F.erase(x, 1, 2, 3, 4, value).numpy(), want)
    assert not np.array_equal(x.numpy(), want)
    assert F.erase(x, 1, 2, 3, 4, value, inplace=True) is x
    assert np.array_equal(x.numpy(), want)
    image = Image.fromarray(pixels(6, 7, 3))
    assert F.erase(image, 1, 2, 3, 4, value).getpixel((2, 1)) == (1, 2, 3)
    assert image.getpixel((2, 1)) != (1, 2, 3)


def test_jpeg_is_pillows(pixels: Pixels) -> None:
    hwc = np.repeat(np.repeat(pixels(4, 5, 3), 8, 0), 8, 1)
    file = io.BytesIO()
    Image.fromarray(hwc).save(file, format="JPEG", quality=40)
    want = np.asarray(Image.open(file))
    assert np.array_equal(np.asarray(F.jpeg(Image.fromarray(hwc), 40)), want)
    assert np.array_equal(F.jpeg(hwc, 40), want)
    chw = tp.from_numpy(hwc.transpose(2, 0, 1).copy())
    batch = F.jpeg(tp.stack([chw, chw])[None], 40)
    assert batch.shape == (1, 2, 3, 32, 40)
    assert np.array_equal(batch.numpy()[0, 1].transpose(1, 2, 0), want)
    assert F.jpeg(chw[:1], 90).shape == (1, 32, 40)
    assert F.jpeg(chw[None][:0], 90).shape == (0, 3, 32, 40)
    assert type(F.jpeg(Image.fromarray(hwc), 40)) is Image.Image


def test_jpeg_refuses() -> None:
    with pytest.raises(DTypeError, match="wanted uint8"):
        F.jpeg(tp.zeros(3, 8, 8), 50)
    with pytest.raises(ValueError, match="from 1 to 100, got 101"):
        F.jpeg(tp.zeros(3, 8, 8, dtype=tp.uint8), 101)


def test_cover_and_webp(pixels: Pixels) -> None:
    image = pixels(16, 16, 3)
    where = tp.from_numpy(pixels(16, 16) > 128)
    out = F.cover(image, where, (1, 2, 3))
    assert (out[where.numpy()] == [1, 2, 3]).all()
    assert (out[~where.numpy()] == image[~where.numpy()]).all()
    with pytest.raises(ShapeError, match="where"):
        F.cover(image, where[1:], 0)
    smooth = np.broadcast_to(np.arange(16, dtype=np.uint8)[:, None, None] * 9, (16, 16, 3)).copy()
    stored = F.webp(smooth, 95)
    assert 0 < np.abs(stored.astype(int) - smooth).mean() < 8
    assert (np.asarray(F.webp(Image.fromarray(smooth), 95)) == stored).all()
    with pytest.raises(ValueError, match="1 to 100"):
        F.webp(smooth, 0)
    with pytest.raises(DTypeError, match="uint8"):
        F.webp(tp.zeros(3, 4, 4), 50)

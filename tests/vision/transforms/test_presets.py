"""The preparation of ImageNet classifiers, step by step with Pillow and NumPy."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych_vision.transforms.presets import ImageClassification

Pixels = Callable[..., np.ndarray]


def by_hand(array: np.ndarray) -> np.ndarray:
    """Shorter side to 256, middle 224 x 224, division by 255, mean and deviation; float32."""
    height, width = array.shape[:2]
    short = min(height, width)
    size = (256 * width // short, 256 * height // short)
    resized = Image.fromarray(array).resize(size, Image.Resampling.BILINEAR)
    left, top = round((size[0] - 224) / 2), round((size[1] - 224) / 2)
    x = np.asarray(resized.crop((left, top, left + 224, top + 224))).astype(np.float32)
    x = x / np.float32(255)
    x = (x - np.float32([0.485, 0.456, 0.406])) / np.float32([0.229, 0.224, 0.225])
    return x.transpose(2, 0, 1)


@pytest.mark.parametrize("size", [(300, 451), (451, 300), (256, 257), (100, 120)])
def test_every_kind_equals_pillow_and_numpy(size: tuple[int, int], pixels: Pixels) -> None:
    array = pixels(*size, 3)
    preset = ImageClassification(crop_size=224)
    want = by_hand(array)
    chw = tp.from_numpy(array.transpose(2, 0, 1).copy())
    for image in (Image.fromarray(array), array, chw):
        got = preset(image)
        assert isinstance(got, tp.Tensor)
        assert got.dtype is tp.float32
        assert np.array_equal(got.numpy(), want)
    batch = preset(tp.stack([chw, chw]))
    assert np.array_equal(batch.numpy(), np.stack([want, want]))


def test_floats_are_taken_as_scaled() -> None:
    preset = ImageClassification(crop_size=8, resize_size=8, mean=[0.5] * 3, std=[0.25] * 3)
    assert preset(tp.ones(3, 10, 8)).tolist() == tp.full((3, 8, 8), 2.0).tolist()


def test_preset_describes_itself() -> None:
    preset = ImageClassification(crop_size=224, resize_size=232, interpolation="bicubic")
    assert "232 pixels (bicubic)" in preset.describe()
    assert "crop_size=[224]" in repr(preset)

"""The preparation of ImageNet classifiers, step by step with Pillow and NumPy."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych.errors import DTypeError, ShapeError
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


def test_channels_are_checked_before_any_work() -> None:
    preset = ImageClassification(crop_size=224)
    hwc = tp.zeros(300, 300, 1, dtype=tp.uint8).expand(300, 300, 3)
    with pytest.raises(ShapeError, match=r"permute\(2, 0, 1\)"):
        preset(hwc)
    with pytest.raises(ShapeError, match=r"transpose\(1, 2, 0\)"):
        preset(np.zeros((3, 20, 30), np.uint8))
    with pytest.raises(ShapeError, match=r"3 channels, got shape \(20, 30\)"):
        preset(tp.zeros(20, 30))
    with pytest.raises(ShapeError, match=r"got shape \(4, 20, 30\)(?!; use)"):
        preset((tp.zeros(4, 20, 30), 7))
    assert ImageClassification(crop_size=8, mean=[0.5], std=[1.0])(tp.zeros(4, 9, 9)).shape[0] == 4


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "I;16", "CMYK"])
def test_other_modes_of_pil_are_refused_with_the_way_out(mode: str) -> None:
    with pytest.raises(ShapeError, match=rf"mode '{mode}'; use image.convert\('RGB'\)"):
        ImageClassification(crop_size=8)(Image.new(mode, (20, 30)))


@pytest.mark.parametrize("alone", ["cat.png", Path("cat.png"), b"GIF89a"])
def test_a_path_is_no_image(alone: object) -> None:
    with pytest.raises(DTypeError, match=r"PIL.Image.open\(path\).convert\('RGB'\)"):
        ImageClassification(crop_size=8)(alone)
    with pytest.raises(DTypeError, match="got NoneType"):
        ImageClassification(crop_size=8)(None)


def test_labels_pass_beside_an_image() -> None:
    image, label, name = ImageClassification(crop_size=8)((tp.zeros(3, 9, 9), 7, "cat.png"))
    assert (image.shape, label, name) == ((3, 8, 8), 7, "cat.png")

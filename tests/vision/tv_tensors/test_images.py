"""Images, films and masks have the axes they need."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych.errors import ShapeError
from triptych_vision import tv_tensors


def test_axes() -> None:
    assert tv_tensors.Image(tp.zeros(2, 3)).shape == (1, 2, 3)
    assert tv_tensors.Image(tp.zeros(4, 3, 2, 3)).shape == (4, 3, 2, 3)
    assert tv_tensors.Mask(tp.zeros(2, 3)).shape == (2, 3)
    assert tv_tensors.Video(tp.zeros(5, 3, 2, 3)).shape == (5, 3, 2, 3)
    with pytest.raises(ShapeError, match=r"Image: wanted .* got shape \(2,\)"):
        tv_tensors.Image([1, 2])
    with pytest.raises(ShapeError, match=r"Video: wanted \(\.\.\., t, c, h, w\)"):
        tv_tensors.Video(tp.zeros(3, 2, 3))


def test_pil_images(pixels: Callable[..., np.ndarray]) -> None:
    hwc = pixels(4, 6, 3)
    image = tv_tensors.Image(Image.fromarray(hwc))
    assert np.array_equal(image.numpy(), hwc.transpose(2, 0, 1))
    mask = tv_tensors.Mask(Image.fromarray(hwc[..., 0]))
    assert np.array_equal(mask.numpy(), hwc[None, ..., 0])

"""Transforms of kind and dtype do what their functions do, and pass the rest."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych_vision import transforms as T

Pixels = Callable[..., np.ndarray]


def test_old_and_new_way_to_a_float_tensor(pixels: Pixels) -> None:
    image = Image.fromarray(pixels(4, 5, 3))
    old = T.ToTensor()(image)
    new = T.Compose([T.ToImage(), T.ToDtype(tp.float32, scale=True)])(image)
    third = T.Compose([T.PILToTensor(), T.ConvertImageDtype()])(image)
    assert old.dtype is tp.float32
    assert np.array_equal(old.numpy(), new.numpy())
    assert np.array_equal(old.numpy(), third.numpy())


def test_parts_that_are_no_image_pass(pixels: Pixels) -> None:
    label, boxes = tp.tensor([1]), np.zeros((2, 4))
    for step in (T.ToTensor(), T.ToImage(), T.ToPILImage()):
        out = step((pixels(4, 5, 3), label, boxes))
        assert out[1] is label
        assert out[2] is boxes
    assert T.PILToTensor()((Image.new("L", (2, 2)), boxes))[1] is boxes
    x = tp.zeros(3, 2, 2)
    assert T.ToTensor()(x) is x


def test_to_pil_image(pixels: Pixels) -> None:
    assert T.ToPILImage("HSV")(pixels(4, 5, 3)).mode == "HSV"


def test_normalize() -> None:
    x = tp.ones(2, 1, 1)
    assert T.Normalize([0.5], [0.5, 0.25])(x).flatten().tolist() == [1.0, 2.0]
    assert T.Normalize([1.0], [1.0], inplace=True)(x) is x


@pytest.mark.parametrize("channels", [1, 3])
def test_random_grayscale_keeps_the_channels(channels: int, pixels: Pixels) -> None:
    out = T.RandomGrayscale(1.0)(tp.from_numpy(pixels(channels, 4, 4)))
    assert out.shape == (channels, 4, 4)


def test_rgb() -> None:
    assert T.RGB()(tp.zeros(1, 2, 2)).shape == (3, 2, 2)
    assert T.RGB()(Image.new("RGBA", (2, 2))).mode == "RGB"

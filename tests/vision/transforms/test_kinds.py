"""Every kind of image comes back as it came."""

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych_vision.transforms import functional as F
from triptych_vision.transforms.kinds import is_image

Pixels = Callable[..., np.ndarray]


class Foreign:
    """An array of another library: it speaks DLPack and nothing else."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array
        self.ndim = array.ndim

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()

    def __array_namespace__(self) -> Any:
        return namedtuple("Library", "from_dlpack")(lambda x: Foreign(np.from_dlpack(x)))


OPERATIONS = {
    "resize": lambda x: F.resize(x, [5, 9]),
    "crop": lambda x: F.crop(x, 2, 1, 4, 6),
    "crop outside": lambda x: F.crop(x, -2, 4, 8, 30),
    "center_crop": lambda x: F.center_crop(x, 4),
    "center_crop larger": lambda x: F.center_crop(x, [15, 4]),
    "pad": lambda x: F.pad(x, [1, 2, 3, 4], fill=7),
    "pad edge": lambda x: F.pad(x, 2, padding_mode="edge"),
    "hflip": F.horizontal_flip,
    "vflip": F.vertical_flip,
    "resized_crop": lambda x: F.resized_crop(x, 1, 2, 6, 7, [9, 4]),
    "invert": F.invert,
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("channels", [1, 3])
def test_all_kinds_give_the_same_pixels(name: str, channels: int, pixels: Pixels) -> None:
    operation, hwc = OPERATIONS[name], pixels(8, 12, channels)
    chw = hwc.transpose(2, 0, 1).copy()
    pil = Image.fromarray(hwc.squeeze())
    outputs = {
        Image.Image: operation(pil),
        np.ndarray: operation(hwc),
        tp.Tensor: operation(tp.from_numpy(chw)),
        Foreign: operation(Foreign(chw)),
    }
    want = np.atleast_3d(np.asarray(outputs[Image.Image]))
    for kind, out in outputs.items():
        assert isinstance(out, kind)
    assert np.array_equal(outputs[np.ndarray], want)
    assert np.array_equal(outputs[tp.Tensor].numpy(), want.transpose(2, 0, 1))
    assert np.array_equal(outputs[Foreign].array, want.transpose(2, 0, 1))


@pytest.mark.parametrize("name", OPERATIONS)
def test_leading_axes_are_batches(name: str, pixels: Pixels) -> None:
    operation = OPERATIONS[name]
    batch = tp.from_numpy(pixels(2, 2, 3, 8, 12))
    got = operation(batch)
    for i in range(2):
        for j in range(2):
            assert np.array_equal(got[i, j].numpy(), operation(batch[i, j]).numpy())


def test_numpy_images_of_two_axes(pixels: Pixels) -> None:
    grey = pixels(8, 12)
    assert np.array_equal(F.horizontal_flip(grey), grey[:, ::-1])
    assert F.resize(grey, [4, 6]).shape == (4, 6)
    assert F.resize(grey.astype(np.float32), [4, 6]).shape == (4, 6)
    assert [crop.shape for crop in F.five_crop(grey, 4)] == [(4, 4)] * 5


def test_numpy_results_are_contiguous(pixels: Pixels) -> None:
    assert F.horizontal_flip(pixels(8, 12, 3)).flags.c_contiguous


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (np.zeros((2, 3, 3)), True),
        (np.zeros((5, 4)), False),
        (tp.zeros(3), False),
        (tp.zeros(1, 3, 4, 4), True),
        (3, False),
        ("cat.png", False),
        (None, False),
    ],
)
def test_what_an_image_is(part: object, expected: bool) -> None:
    assert is_image(part) is expected


def test_pil_image_is_an_image() -> None:
    assert is_image(Image.new("L", (2, 2)))

"""Transforms of kind and dtype do what their functions do, and pass the rest."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych.errors import DTypeError, ShapeError
from triptych_vision import transforms as T
from triptych_vision import tv_tensors

Pixels = Callable[..., np.ndarray]


def test_old_and_new_way_to_a_float_tensor(pixels: Pixels) -> None:
    image = Image.fromarray(pixels(4, 5, 3))
    old = T.ToTensor()(image)
    new = T.Compose([T.ToImage(), T.ToDtype(tp.float32, scale=True)])(image)
    third = T.Compose([T.PILToTensor(), T.ConvertImageDtype()])(image)
    assert old.dtype is tp.float32
    np.testing.assert_allclose(old.numpy(), new.numpy(), rtol=1.3e-7)  # x / 255 and x * (1 / 255)
    assert np.array_equal(new.numpy(), third.numpy())


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


def test_dtypes_by_kind() -> None:
    image = tv_tensors.Image(tp.full((3, 2, 2), 255, dtype=tp.uint8))
    mask = tv_tensors.Mask(tp.ones(2, 2, dtype=tp.uint8))
    boxes = tv_tensors.BoundingBoxes([[0, 0, 1, 1]], format="XYXY", canvas_size=(2, 2))
    new, same, other = T.ToDtype(tp.float32, scale=True)((image, mask, boxes))
    assert new.max().item() == 1
    assert same is mask
    assert other is boxes
    by_kind = {tv_tensors.Mask: tp.int64, tv_tensors.BoundingBoxes: tp.float32, "others": None}
    same, masked, boxed = T.ToDtype(by_kind, scale=True)((image, mask, boxes))
    assert same is image
    assert (masked.dtype, masked.max().item()) == (tp.int64, 1)
    assert (boxed.dtype, boxed.canvas_size) == (tp.float32, (2, 2))
    with pytest.raises(DTypeError, match="no dtype for Image"):
        T.ToDtype({tv_tensors.Mask: tp.int64})((image, mask))
    with pytest.raises(DTypeError, match="a dtype or a dict"):
        T.ToDtype("float32")


def test_parts_alone_that_are_no_image_of_that_kind_pass() -> None:
    x = tp.zeros(3, 2, 2)
    assert T.PILToTensor()(x) is x
    mask = tv_tensors.Mask(x)
    assert T.Normalize([0.0], [1.0])((tp.zeros(1, 2, 2), mask))[1] is mask


def test_linear_transformation(pixels: Pixels) -> None:
    matrix, mean = (tp.from_numpy(pixels(*shape) / 100) for shape in ((12, 12), (12,)))
    whiten = T.LinearTransformation(matrix, mean)
    x = pixels(2, 3, 2, 2) / 255
    want = (x.reshape(2, 12) - mean.numpy()) @ matrix.numpy()
    np.testing.assert_allclose(whiten(tp.from_numpy(x)).numpy(), want.reshape(x.shape))
    film = whiten(tv_tensors.Video(tp.from_numpy(x)))
    assert type(film) is tv_tensors.Video
    np.testing.assert_allclose(film.numpy(), want.reshape(x.shape))
    with pytest.raises(ShapeError, match="for 12 values"):
        whiten(tp.zeros(3, 2, 3))
    with pytest.raises(DTypeError, match="ToImage"):
        whiten(Image.new("RGB", (2, 2)))
    with pytest.raises(ShapeError, match=r"\(d, d\)"):
        T.LinearTransformation(matrix[:3], mean)
    with pytest.raises(DTypeError, match="wanted one dtype"):
        T.LinearTransformation(matrix, mean.to(tp.float32))


@pytest.mark.parametrize(
    ("mean", "std"), [([0.1, 0.2, 0.3], [0.5, 0.6, 0.7]), ([0.5], [2.0, 3, 4])]
)
def test_denormalize_is_the_way_back(mean: list[float], std: list[float]) -> None:
    image = tp.rand(2, 3, 4, 5)
    there = (image - tp.tensor(mean)[:, None, None]) / tp.tensor(std)[:, None, None]
    back = T.Denormalize(mean, std)(there)
    np.testing.assert_allclose(back.numpy(), image.numpy(), atol=1e-6)
    with pytest.raises(ValueError, match="std is not zero"):
        T.Denormalize([0.5], [0])
    with pytest.raises(ValueError, match="got 2 and 3"):
        T.Denormalize([0.1, 0.2], std[:1] * 3)(image)

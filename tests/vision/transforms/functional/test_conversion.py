"""Kinds, dtypes and normalising."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych.errors import DTypeError, ShapeError
from triptych_vision import tv_tensors
from triptych_vision.transforms import functional as F

Pixels = Callable[..., np.ndarray]


@pytest.mark.parametrize(
    ("mode", "dtype", "channels"),
    [
        ("1", tp.bool, 1),
        ("L", tp.uint8, 1),
        ("P", tp.uint8, 1),
        ("LA", tp.uint8, 2),
        ("RGB", tp.uint8, 3),
        ("RGBA", tp.uint8, 4),
        ("CMYK", tp.uint8, 4),
        ("I;16", tp.uint16, 1),
        ("I", tp.int32, 1),
        ("F", tp.float32, 1),
    ],
)
def test_pil_to_tensor(mode: str, dtype: tp.dtype, channels: int) -> None:
    image = Image.new(mode, (5, 4), 1)
    x = F.pil_to_tensor(image)
    assert x.dtype is dtype
    assert x.shape == (channels, 4, 5)
    assert x.is_contiguous()
    want = np.asarray(image).reshape(4, 5, channels).transpose(2, 0, 1)
    assert np.array_equal(x.numpy(), want)
    x[...] = 0  # a copy that may be written to
    assert np.asarray(image).any()


def test_to_image_takes_every_kind(pixels: Pixels) -> None:
    hwc = pixels(4, 5, 3)
    chw = hwc.transpose(2, 0, 1)
    assert np.array_equal(F.to_image(Image.fromarray(hwc)).numpy(), chw)
    assert np.array_equal(F.to_image(hwc).numpy(), chw)
    assert F.to_image(hwc[..., 0]).shape == (1, 4, 5)
    assert F.to_image(np.stack([hwc, hwc])).shape == (2, 3, 4, 5)
    x = tp.zeros(3, 4, 5)
    image = F.to_image(x)
    x += 1
    assert type(image) is tv_tensors.Image
    assert image.sum().item() == 60  # the memory is shared
    assert type(F.to_pure_tensor(image)) is tp.Tensor
    assert F.to_pure_tensor("a") == "a"
    assert F.to_image(x[0]).shape == (1, 4, 5)
    with pytest.raises(DTypeError, match="got str"):
        F.to_image("a.png")


def test_to_tensor_scales_bytes_only(pixels: Pixels) -> None:
    hwc = pixels(4, 5, 3)
    want = hwc.transpose(2, 0, 1).astype(np.float32) / np.float32(255)
    for image in (Image.fromarray(hwc), hwc):
        got = F.to_tensor(image)
        assert got.dtype is tp.float32
        assert np.array_equal(got.numpy(), want)
    assert F.to_tensor(np.full((2, 2), 7, np.int32)).tolist() == [[[7, 7], [7, 7]]]
    assert F.to_tensor(Image.new("1", (2, 1), 1)).tolist() == [[[1.0, 1.0]]]
    with pytest.raises(DTypeError, match="to_dtype"):
        F.to_tensor(tp.zeros(3, 2, 2))
    with pytest.raises(ShapeError, match="h, w"):
        F.to_tensor(np.zeros(3))


@pytest.mark.parametrize("dtype", [tp.uint8, tp.int16, tp.int32])
def test_integers_to_floats_and_back(dtype: tp.dtype) -> None:
    limit = int(tp.iinfo(dtype).max)
    wide = tp.float32 if limit < 2**20 else tp.float64
    x = tp.tensor([0, 1, limit // 2, limit - 1, limit]).to(dtype)
    scaled = F.to_dtype(x, wide, scale=True)
    np.testing.assert_allclose(scaled.numpy(), x.numpy().astype(np.float64) / limit, rtol=1e-6)
    assert F.convert_image_dtype(scaled, dtype).tolist() == x.tolist()


def test_every_byte_survives_a_float() -> None:
    x = tp.arange(256).to(tp.uint8)
    assert F.to_dtype(F.to_dtype(x, tp.float32, scale=True), tp.uint8, scale=True).tolist() == (
        list(range(256))
    )


def test_integers_to_integers_keep_their_meaning() -> None:
    x = tp.tensor([0, 255], dtype=tp.uint8)
    wide = F.to_dtype(x, tp.int16, scale=True)
    assert wide.tolist() == [0, 255 << 7]
    assert F.to_dtype(wide, tp.uint8, scale=True).tolist() == [0, 255]
    assert F.to_dtype(x, tp.int64).tolist() == [0, 255]
    assert F.to_dtype(tp.tensor([False, True]), tp.float32, scale=True).tolist() == [0, 1]


def test_scaling_that_overflows_is_refused() -> None:
    with pytest.raises(DTypeError, match="overflow"):
        F.to_dtype(tp.zeros(3), tp.int32, scale=True)


def test_same_dtype_and_pil_images_pass() -> None:
    x, image = tp.zeros(2), Image.new("L", (2, 2))
    assert F.to_dtype(x, tp.float32, scale=True) is x
    assert F.to_dtype(image, tp.float32) is image


@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 4, 5)])
def test_normalize(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).random(shape, dtype=np.float32)
    mean, std = np.float32([0.1, 0.2, 0.3]), np.float32([1, 2, 4])
    want = (array - mean[:, None, None]) / std[:, None, None]
    x = tp.from_numpy(array.copy())
    assert np.array_equal(F.normalize(x, mean.tolist(), std.tolist()).numpy(), want)
    assert np.array_equal(x.numpy(), array)
    assert F.normalize(x, mean.tolist(), std.tolist(), inplace=True) is x
    assert np.array_equal(x.numpy(), want)
    hwc = np.moveaxis(array, -3, -1)
    got = F.normalize(hwc, mean.tolist(), std.tolist())
    assert np.array_equal(got, np.moveaxis(want, -3, -1))


def test_normalize_refuses() -> None:
    with pytest.raises(DTypeError, match="scale first"):
        F.normalize(tp.zeros(3, 2, 2, dtype=tp.uint8), [0], [1])
    with pytest.raises(DTypeError, match="to_image"):
        F.normalize(Image.new("L", (2, 2)), [0], [1])
    with pytest.raises(ShapeError, match="2 means"):
        F.normalize(tp.zeros(3, 2, 2), [0, 0], [1])
    with pytest.raises(ShapeError, match="c, h, w"):
        F.normalize(tp.zeros(2, 2), [0], [1])
    with pytest.raises(ValueError, match="zero"):
        F.normalize(tp.zeros(3, 2, 2), [0], [0])


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
def test_to_pil_image_and_back(channels: int, mode: str, pixels: Pixels) -> None:
    chw = pixels(channels, 4, 5)
    x = tp.from_numpy(chw)
    scaled = F.to_dtype(x, tp.float32, scale=True)
    for image in (x, scaled, np.moveaxis(chw, 0, -1)):
        pil = F.to_pil_image(image)
        assert pil.mode == mode
        assert np.array_equal(F.pil_to_tensor(pil).numpy(), chw)
    assert F.to_pil_image(pil) is pil


def test_to_pil_image_modes(pixels: Pixels) -> None:
    chw = pixels(3, 4, 5)
    assert F.to_pil_image(tp.from_numpy(chw), "YCbCr").mode == "YCbCr"
    assert np.array_equal(np.asarray(F.to_pil_image(tp.from_numpy(chw), "HSV"))[..., 1], chw[1])
    assert F.to_pil_image(tp.full((1, 2, 2), 0.5), "F").getpixel((0, 0)) == 0.5
    assert F.to_pil_image(tp.full((2, 2), 70000, dtype=tp.int32)).getpixel((0, 0)) == 70000
    assert F.to_pil_image(tp.tensor([[[True, False]]])).getpixel((0, 0)) == 255
    assert F.to_pil_image(tp.tensor([[[2.0, -1.0]]])).tobytes() == b"\xff\x00"
    with pytest.raises(ShapeError, match="one image"):
        F.to_pil_image(tp.zeros(1, 3, 2, 2))
    with pytest.raises(ShapeError, match="'CMYK' has 4"):
        F.to_pil_image(tp.from_numpy(chw), "CMYK")
    with pytest.raises(DTypeError, match="no mode for int64"):
        F.to_pil_image(tp.zeros(1, 2, 2, dtype=tp.int64))


def test_signed_words_keep_their_bits() -> None:
    image = F.to_pil_image(tp.tensor([[[-1, 5]]], dtype=tp.int16))
    assert image.mode == "I;16"
    assert np.asarray(image).tolist() == [[65535, 5]]

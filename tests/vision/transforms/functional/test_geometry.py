"""Cutting, framing and mirroring, compared with NumPy."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import triptych as tp
from triptych.errors import ShapeError, UnknownNameError
from triptych_vision.transforms import functional as F

Pixels = Callable[..., np.ndarray]


def naive_crop(array: np.ndarray, top: int, left: int, height: int, width: int) -> np.ndarray:
    out = np.zeros((*array.shape[:-2], height, width), array.dtype)
    for y in range(height):
        for x in range(width):
            if 0 <= top + y < array.shape[-2] and 0 <= left + x < array.shape[-1]:
                out[..., y, x] = array[..., top + y, left + x]
    return out


@given(
    top=st.integers(-9, 9),
    left=st.integers(-9, 9),
    height=st.integers(1, 9),
    width=st.integers(1, 9),
)
def test_crop_equals_the_loop(top: int, left: int, height: int, width: int) -> None:
    array = np.arange(1, 61, dtype=np.uint8).reshape(2, 5, 6)
    want = naive_crop(array, top, left, height, width)
    assert np.array_equal(F.crop(tp.from_numpy(array), top, left, height, width).numpy(), want)
    pil = F.crop(Image.fromarray(array[0]), top, left, height, width)
    assert np.array_equal(np.asarray(pil), want[0])


def test_inner_crop_is_a_view() -> None:
    x = tp.zeros(1, 5, 5)
    F.crop(x, 1, 1, 2, 2)[...] = 1
    assert float(x.sum()) == 4


@pytest.mark.parametrize("size", [(4, 4), (5, 3), (9, 9), (4, 9), 3])
def test_center_crop(size: int | tuple[int, int], pixels: Pixels) -> None:
    array = pixels(7, 6)
    height, width = (size, size) if isinstance(size, int) else size
    top, left = round((7 - height) / 2), round((6 - width) / 2)
    if height > 7:  # the odd pixel of the frame goes below and to the right
        top = -((height - 7) // 2)
    if width > 6:
        left = -((width - 6) // 2)
    want = naive_crop(array[None], top, left, height, width)
    assert np.array_equal(F.center_crop(tp.from_numpy(array)[None], size).numpy(), want)
    assert np.array_equal(np.asarray(F.center_crop(Image.fromarray(array), size)), want[0])


@pytest.mark.parametrize("width", [0, 1, 7, 8, 9, 16, 37])
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.float32])
def test_mirroring_is_reading_backwards(width: int, dtype: type) -> None:
    array = np.random.default_rng(0).integers(0, 100, (2, 3, 5, 3 * width)).astype(dtype)
    rows, thirds = array[..., :width], array[..., ::3]
    for image in (rows, rows.swapaxes(0, 1), rows[..., ::-1], thirds, array[:, :0, :, :width]):
        mirrored = F.horizontal_flip(tp.from_numpy(image))
        assert mirrored.numpy().dtype == dtype
        assert np.array_equal(mirrored.numpy(), image[..., ::-1])
        upside_down = F.vertical_flip(tp.from_numpy(image))
        assert np.array_equal(upside_down.numpy(), image[..., ::-1, :])


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric"])
@pytest.mark.parametrize("padding", [2, [3, 1], [1, 2, 3, 0], (4,)])
def test_pad_copies_as_numpy_does(mode: str, padding: int | list[int], pixels: Pixels) -> None:
    array = pixels(6, 7, 3)
    widths = [padding] if isinstance(padding, int) else list(padding)
    left, top, right, bottom = widths * (4 // len(widths))
    want = np.pad(array, ((top, bottom), (left, right), (0, 0)), mode)  # type: ignore[call-overload]
    chw = tp.from_numpy(array.transpose(2, 0, 1).copy())
    assert np.array_equal(F.pad(chw, padding, padding_mode=mode).numpy().transpose(1, 2, 0), want)
    pil = F.pad(Image.fromarray(array), padding, padding_mode=mode)
    assert np.array_equal(np.asarray(pil), want)


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric"])
def test_gradients_flow_to_the_pixels_that_are_copied(mode: str) -> None:
    x = tp.zeros(1, 3, 4, dtype=tp.float64, requires_grad=True)
    F.pad(x, [2, 1], padding_mode=mode).sum().backward()
    index = np.pad(np.arange(12).reshape(3, 4), ((1, 1), (2, 2)), mode)  # type: ignore[call-overload]
    assert x.grad.flatten().tolist() == np.bincount(index.ravel()).tolist()


@pytest.mark.parametrize("fill", [None, 0, 9, (1, 2, 3)])
def test_constant_frame(fill: int | tuple[int, ...] | None, pixels: Pixels) -> None:
    array = pixels(4, 5, 3)
    want = np.empty((4 + 6, 5 + 4, 3), np.uint8)
    want[...] = 0 if fill is None else fill
    want[2:6, 1:6] = array
    chw = tp.from_numpy(array.transpose(2, 0, 1).copy())
    padding = [1, 2, 3, 4]
    assert np.array_equal(F.pad(chw, padding, fill).numpy().transpose(1, 2, 0), want)
    assert np.array_equal(np.asarray(F.pad(Image.fromarray(array), padding, fill)), want)
    assert np.array_equal(F.pad(array, padding, fill), want)


def test_negative_padding_cuts_off() -> None:
    x = tp.arange(12).reshape(1, 3, 4)
    assert F.pad(x, [-1, 0, 1, -2]).tolist() == [[[1, 2, 3, 0]]]
    pil = F.pad(Image.fromarray(x[0].to(tp.uint8).numpy()), [-1, 0, 1, -2])
    assert np.asarray(pil).tolist() == [[1, 2, 3, 0]]


def test_palette_survives_padding() -> None:
    image = Image.new("P", (2, 2), 1)
    image.putpalette([9, 9, 9, 200, 10, 20])
    for mode in ("constant", "edge"):
        framed = F.pad(image, 1, fill=1, padding_mode=mode)
        assert framed.convert("RGB").getpixel((0, 0)) == (200, 10, 20)


def test_gradients_flow_through_frames() -> None:
    for mode in ("constant", "edge"):
        x = tp.ones(1, 2, 2).requires_grad_()
        F.pad(x, 1, padding_mode=mode).sum().backward()
        assert x.grad.tolist() == [[[1, 1], [1, 1]]] if mode == "constant" else [[[4, 4], [4, 4]]]


def test_five_and_ten_crops(pixels: Pixels) -> None:
    array = pixels(3, 6, 8)
    x = tp.from_numpy(array)
    crops = F.five_crop(x, [2, 3])
    corners = [array[:, :2, :3], array[:, :2, 5:], array[:, 4:, :3], array[:, 4:, 5:]]
    for got, want in zip(crops, [*corners, array[:, 2:4, 2:5]], strict=True):
        assert np.array_equal(got.numpy(), want)
    ten = F.ten_crop(x, 2, vertical_flip=True)
    assert len(ten) == 10
    assert np.array_equal(ten[5].numpy(), array[:, ::-1][:, :2, :2])


def test_wrong_arguments_say_what_is_wanted() -> None:
    x = tp.zeros(3, 4, 4)
    with pytest.raises(ShapeError, match="left, top, right"):
        F.pad(x, [1, 2, 3])
    with pytest.raises(ShapeError, match="one per channel"):
        F.pad(x, 1, fill=[1, 2])
    with pytest.raises(ShapeError, match="one per channel"):
        F.pad(Image.new("RGB", (4, 4)), 1, fill=[1, 2])
    with pytest.raises(UnknownNameError, match="constant, edge"):
        F.pad(x, 1, padding_mode="wrap")
    with pytest.raises(ShapeError, match="larger than the image"):
        F.five_crop(x, 5)
    with pytest.raises(ShapeError, match="all positive"):
        F.center_crop(x, 0)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric"])
def test_a_side_cut_off_lends_its_pixels_to_the_other(mode: str) -> None:
    x = tp.arange(6).reshape(1, 1, 6)
    framed = {"constant": [0, 0], "edge": [5, 5], "reflect": [4, 3], "symmetric": [5, 4]}[mode]
    assert F.pad(x, [-5, 0, 2, 0], padding_mode=mode).tolist() == [[[5, *framed]]]
    assert F.pad(x, [-7, 0, 2, 0], padding_mode=mode).tolist() == [[framed[1:]]]
    assert F.pad(x, [-9, 0, 0, 0], padding_mode=mode).shape == (1, 1, 0)

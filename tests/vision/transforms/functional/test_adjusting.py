"""Adjustments against their formulas in float64, and against Pillow."""

import colorsys
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageEnhance

import triptych as tp
from triptych.errors import ShapeError
from triptych_vision import tv_tensors
from triptych_vision.transforms import functional as F

Pixels = Callable[..., np.ndarray]
NAMES = ["brightness", "contrast", "saturation", "sharpness"]
LUMA = np.array([0.2989, 0.587, 0.114])


def grey(x: np.ndarray) -> np.ndarray:
    """(..., 3, h, w) -> (..., 1, h, w) whole numbers; away from ties by a little."""
    return np.floor(np.einsum("c,...chw->...hw", LUMA, x) + 1e-9)[..., None, :, :]


def other(name: str, x: np.ndarray) -> np.ndarray:
    """What an image is blended with, by hand."""
    if name == "brightness":
        return np.zeros_like(x)
    if name == "saturation":
        return grey(x)
    if name == "contrast":
        return grey(x).mean((-3, -2, -1), keepdims=True)
    smooth = x.copy()
    total = sum(
        x[..., i : x.shape[-2] - 2 + i, j : x.shape[-1] - 2 + j] * (5 if i == j == 1 else 1)
        for i in range(3)
        for j in range(3)
    )
    smooth[..., 1:-1, 1:-1] = np.rint(total / 13)
    return smooth


@pytest.mark.parametrize("factor", [0.0, 0.25, 1.0, 1.5, 4.0])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("batch", [(), (2,), (2, 2)])
def test_bytes_by_hand(name: str, factor: float, batch: tuple[int, ...], pixels: Pixels) -> None:
    array = pixels(*batch, 3, 9, 8)
    x = array.astype(np.float64)
    exact = np.clip(x * factor + other(name, x) * (1 - factor), 0, 255)
    got = getattr(F, f"adjust_{name}")(tp.from_numpy(array), factor).numpy()
    assert got.dtype == np.uint8
    assert np.abs(got - np.floor(exact)).max() <= 1
    near_whole = np.abs(exact - np.rint(exact)) < 1e-3  # either neighbour is right there
    assert np.array_equal(got[~near_whole], np.floor(exact)[~near_whole])


@pytest.mark.parametrize("name", NAMES)
def test_floats_are_the_same_as_bytes(name: str, pixels: Pixels) -> None:
    array = pixels(3, 9, 8)
    adjust = getattr(F, f"adjust_{name}")
    floats = adjust(tp.from_numpy(array / 255), 1.5)
    assert floats.dtype is tp.float64
    assert np.abs(floats.numpy() * 255 - adjust(tp.from_numpy(array), 1.5).numpy()).max() < 2


def test_one_channel(pixels: Pixels) -> None:
    x = tp.from_numpy(pixels(1, 9, 8))
    assert F.adjust_saturation(x, 3.0) is x
    assert F.adjust_hue(x, 0.3) is x
    flat = F.adjust_contrast(x, 0.0)
    assert np.unique(flat.numpy()).tolist() == [int(x.numpy().mean())]


@pytest.mark.parametrize("turns", [-0.5, -0.2, 0.0, 0.1, 0.5])
def test_hue_against_the_standard_library(turns: float, pixels: Pixels) -> None:
    array = pixels(3, 6, 7)
    array[:, 0] = array[:1, 0]  # some greys, and ties
    array[1, 1] = array[0, 1]
    want = np.empty((3, 6, 7))
    for place in np.ndindex(6, 7):
        h, s, v = colorsys.rgb_to_hsv(*(array[(slice(None), *place)] / 255))
        want[(slice(None), *place)] = colorsys.hsv_to_rgb((h + turns) % 1, s, v)
    got = F.adjust_hue(tp.from_numpy(array / 255), turns)
    np.testing.assert_allclose(got.numpy(), want, atol=1e-12)
    exact = want * 255.999
    bytes_ = F.adjust_hue(tp.from_numpy(array), turns).numpy()
    clear = np.abs(exact - np.rint(exact)) > 1e-3
    assert np.array_equal(bytes_[clear], np.floor(exact)[clear])
    assert np.abs(bytes_ - exact).max() < 1.1


def test_gamma(pixels: Pixels) -> None:
    array = pixels(3, 20, 21)
    want = np.clip(1.2 * (array / 255) ** 2.2, 0, 1)
    exact = want * 255.999
    got = F.adjust_gamma(tp.from_numpy(array), 2.2, 1.2).numpy()
    clear = np.abs(exact - np.rint(exact)) > 1e-3
    assert np.array_equal(got[clear], np.floor(exact)[clear])
    np.testing.assert_allclose(F.adjust_gamma(tp.from_numpy(array / 255), 2.2, 1.2).numpy(), want)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_pil_images_go_through_pillow(mode: str, pixels: Pixels) -> None:
    image = Image.fromarray(pixels(9, 8, 3)).convert(mode)
    classes = {"Brightness": "brightness", "Contrast": "contrast", "Color": "saturation"}
    for pillow, name in {**classes, "Sharpness": "sharpness"}.items():
        want = getattr(ImageEnhance, pillow)(image).enhance(1.7)
        assert np.array_equal(getattr(F, f"adjust_{name}")(image, 1.7), want)
    assert F.adjust_gamma(image, 2.0).mode == mode
    assert np.array_equal(np.asarray(F.adjust_gamma(image, 1.0)), np.asarray(image))
    if mode == "L":
        assert F.adjust_hue(image, 0.3) is image


def test_hue_of_pil_images_shifts_pillows_wheel() -> None:
    red = Image.new("RGB", (1, 1), (255, 0, 0))
    for turns, shift in ((0.0, 0), (1 / 3, 85), (0.5, 127), (-0.1, 231)):
        want = Image.new("HSV", (1, 1), (shift, 255, 255)).convert("RGB")
        assert F.adjust_hue(red, turns).getpixel((0, 0)) == want.getpixel((0, 0))


@pytest.mark.parametrize("name", [*NAMES, "hue"])
def test_wrong_factors_and_channels(name: str) -> None:
    adjust = getattr(F, f"adjust_{name}")
    for image in (tp.zeros(3, 4, 4), Image.new("RGB", (4, 4))):
        with pytest.raises(ValueError, match=f"adjust_{name}: {name}_factor is"):
            adjust(image, -0.7)
    with pytest.raises(ShapeError, match=rf"adjust_{name}: .*\(2, 4, 4\)"):
        adjust(tp.zeros(2, 4, 4), 0.5)
    with pytest.raises(ValueError, match="gamma is zero or more"):
        F.adjust_gamma(tp.zeros(3, 4, 4), -1.0)


def test_floats_have_gradients(pixels: Pixels) -> None:
    x = tp.from_numpy(pixels(3, 5, 5) / 300 + 0.05).requires_grad_()
    for name in NAMES:
        (grad,) = tp.autograd.grad(getattr(F, f"adjust_{name}")(x, 0.5).sum(), x)
        assert (grad > 0).all()


def test_kinds_come_back_and_masks_are_refused(pixels: Pixels) -> None:
    film = tv_tensors.Video(tp.from_numpy(pixels(2, 3, 5, 5)))
    assert type(F.adjust_hue(film, 0.2)) is tv_tensors.Video
    hwc = pixels(5, 6, 3)
    chw = F.adjust_contrast(tp.from_numpy(hwc.transpose(2, 0, 1)), 2.0).numpy()
    assert np.array_equal(F.adjust_contrast(hwc, 2.0), chw.transpose(1, 2, 0))
    with pytest.raises(TypeError, match="no kernel for Mask"):
        F.adjust_hue(tv_tensors.Mask(tp.zeros(3, 4, 4)), 0.2)


def test_empty_and_tiny_images() -> None:
    empty = tp.zeros(3, 0, 5, dtype=tp.uint8)
    for name in NAMES:
        assert getattr(F, f"adjust_{name}")(empty, 0.5).shape == (3, 0, 5)
    assert F.adjust_hue(empty, 0.5).shape == (3, 0, 5)
    tiny = tp.ones(3, 2, 9, dtype=tp.uint8)
    assert F.adjust_sharpness(tiny, 0.0) is tiny

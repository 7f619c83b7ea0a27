"""Every transform that albumentations named, on every kind of image; and what each does."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych.errors import BoundsError, ShapeError, UnknownNameError
from triptych_vision import transforms as T
from triptych_vision import tv_tensors

Pixels = Callable[..., np.ndarray]

COLORS: list[Callable[..., Any]] = [
    T.RandomBrightnessContrast,
    T.HueSaturationValue,
    T.RandomGamma,
    T.CLAHE,
    T.MotionBlur,
    T.MedianBlur,
    T.Sharpen,
    T.SaltAndPepper,
    T.GridDropout,
    T.Downscale,
]
SHAPES: list[Callable[..., Any]] = [T.GridDistortion, T.OpticalDistortion, T.Transpose, T.D4]
BYTES_ONLY = [T.ImageCompression]
WIDER: dict[Any, dict[str, Any]] = {  # for draws that show in small images
    T.ImageCompression: {"quality_range": (1, 100)},
    T.CLAHE: {"tile_grid_size": (1, 1)},
}


def seeded(make: Callable[..., Any], **kwargs: Any) -> Any:
    return make(p=1.0, generator=tp.Generator().manual_seed(6), **kwargs)


@pytest.mark.parametrize("make", COLORS + SHAPES + BYTES_ONLY)
def test_all_kinds_of_images_are_changed_alike(make: Callable[..., Any], pixels: Pixels) -> None:
    array = pixels(24, 24, 3)
    chw = tp.from_numpy(np.ascontiguousarray(np.moveaxis(array, -1, 0)))
    out = seeded(make)(array)
    assert out.dtype == np.uint8
    assert out.shape == array.shape
    assert (out != array).any()
    of_tensor = seeded(make)(chw)
    assert of_tensor.dtype is tp.uint8
    assert (np.moveaxis(of_tensor.numpy(), 0, -1) == out).all()
    of_pil = np.asarray(seeded(make)(Image.fromarray(array)))
    assert np.abs(of_pil.astype(int) - out).max() <= 1  # Pillow's own gamma cuts, ours rounds
    film = seeded(make)(tv_tensors.Video(tp.stack([chw, chw])))
    assert isinstance(film, tv_tensors.Video)
    assert film[1].equal(film[0])
    assert film[0].equal(of_tensor)


@pytest.mark.parametrize("make", COLORS + SHAPES)
def test_floats_and_grey(make: Callable[..., Any]) -> None:
    x = tp.rand(3, 16, 16)
    out = seeded(make)(x)
    assert out.dtype is tp.float32
    assert 0 <= out.min().item() <= out.max().item() <= 1
    assert seeded(make)(x[:1]).shape == (1, 16, 16)


@pytest.mark.parametrize("make", COLORS + SHAPES + BYTES_ONLY)
def test_draws(make: Callable[..., Any], pixels: Pixels) -> None:
    x = tp.from_numpy(pixels(3, 24, 24))
    never = make(p=0.0)
    assert never(x) is x
    batch = tp.stack([x] * 6)
    seen = {bytes(image.numpy()) for image in seeded(make)(batch)}
    assert len(seen) == 1
    if make is not T.Transpose and make is not T.Downscale:  # they draw nothing but whether
        wide = WIDER.get(make, {})
        apart = seeded(make, per_sample=True, **wide)(batch)
        assert len({bytes(image.numpy()) for image in apart}) > 1


@pytest.mark.parametrize("make", COLORS)
def test_masks_boxes_and_points_stay(make: Callable[..., Any]) -> None:
    sample = {
        "image": tp.rand(3, 16, 16),
        "mask": tv_tensors.Mask(tp.ones(16, 16, dtype=tp.uint8)),
        "boxes": tv_tensors.BoundingBoxes([[1, 2, 9, 9]], format="XYXY", canvas_size=(16, 16)),
        "points": tv_tensors.KeyPoints([[3.0, 4.0]], canvas_size=(16, 16)),
    }
    out = seeded(make)(sample)
    assert not out["image"].equal(sample["image"])
    for name in ("mask", "boxes", "points"):
        assert out[name] is sample[name]


def test_what_they_refuse() -> None:
    for make, wrong in [
        (T.RandomBrightnessContrast, {"brightness_limit": (0.3, 0.1)}),
        (T.RandomGamma, {"gamma_limit": (0, 100)}),
        (T.CLAHE, {"clip_limit": 0.5}),
        (T.MotionBlur, {"blur_limit": (3, 6)}),
        (T.MotionBlur, {"direction_range": (-2, 0)}),
        (T.MedianBlur, {"blur_limit": 1}),
        (T.Sharpen, {"alpha": (0.5, 1.5)}),
        (T.SaltAndPepper, {"amount": (-0.1, 0.1)}),
        (T.GridDropout, {"ratio": 1.5}),
        (T.GridDropout, {"holes_number_xy": (0, 1)}),
        (T.Downscale, {"scale_range": (0.0, 2.0)}),
        (T.ImageCompression, {"quality_range": (0, 50)}),
        (T.GridDistortion, {"distort_limit": (-1.0, 0.5)}),
    ]:
        with pytest.raises(BoundsError, match=make.__name__):
            make(**wrong)
    with pytest.raises(UnknownNameError, match="jpeg"):
        T.ImageCompression("gif")
    with pytest.raises(UnknownNameError, match="upscale"):
        T.Downscale(interpolation_pair={"up": "nearest"})
    with pytest.raises(ShapeError, match="tile_grid_size"):
        T.CLAHE(tile_grid_size=(8,))

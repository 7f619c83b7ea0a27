"""Random rectangles, JPEG, frames."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych.errors import DTypeError, ShapeError
from triptych_vision import transforms as T
from triptych_vision import tv_tensors

Pixels = Callable[..., np.ndarray]


def test_rectangles_have_the_area_and_shape_asked_for() -> None:
    erasing = T.RandomErasing(1.0, scale=(0.1, 0.2), ratio=(0.5, 2.0), value=1.0)
    for _ in range(50):
        hit = erasing(tp.zeros(3, 60, 80)).numpy()[0] == 1
        rows, columns = np.flatnonzero(hit.any(1)), np.flatnonzero(hit.any(0))
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert hit.sum() == height * width
        assert 0.09 < height * width / 4800 < 0.21
        assert 0.45 < height / width < 2.2


def test_what_it_is_filled_with(pixels: Pixels) -> None:
    x = tp.full((3, 20, 20), 9.0)
    colored = T.RandomErasing(1.0, value=(1, 2, 3))(x).numpy()
    hit = colored[0] != 9
    assert hit.any()
    assert (colored[:, hit] == np.array([[1], [2], [3]])).all()
    noise = T.RandomErasing(1.0, scale=(0.3, 0.3), value="random")(x).numpy()
    assert len(np.unique(noise)) > 100
    assert T.RandomErasing(0.0)(x) is x
    image = Image.new("RGB", (20, 20), (9, 9, 9))
    assert set(np.unique(T.RandomErasing(1.0)(image))) == {0, 9}


def test_rectangles_that_never_fit_leave_the_image() -> None:
    x = tp.ones(1, 4, 4)
    assert T.RandomErasing(1.0, scale=(1.0, 1.0), ratio=(1.0, 1.0))(x) is x
    *rectangle, v = T.RandomErasing.get_params(x, (1.0, 1.0), (1.0, 1.0))
    assert rectangle == [0, 0, 4, 4]
    assert v is x


def test_masks_stay_and_samples_differ() -> None:
    image, mask = tv_tensors.Image(tp.ones(4, 3, 9, 9)), tv_tensors.Mask(tp.ones(4, 9, 9))
    out, same = T.RandomErasing(1.0)((image, mask))
    assert same is mask
    assert len({bytes(part.numpy()) for part in out}) == 1
    apart, _ = T.RandomErasing(1.0, per_sample=True)((image, mask))
    assert len({bytes(part.numpy()) for part in apart}) > 1


def test_erasing_refuses() -> None:
    with pytest.raises(ValueError, match="least, largest"):
        T.RandomErasing(scale=(0.5, 0.1))
    with pytest.raises(ValueError, match="'random', got 'noise'"):
        T.RandomErasing(value="noise")
    with pytest.raises(ShapeError, match="one per channel"):
        T.RandomErasing(1.0, value=(1, 2))(tp.zeros(3, 9, 9))


def test_jpeg_draws_its_quality(pixels: Pixels) -> None:
    jpeg = T.JPEG((20, 23))
    assert {jpeg.make_params([])["quality"] for _ in range(80)} == {20, 21, 22, 23}
    assert T.JPEG(50)(tp.from_numpy(pixels(3, 16, 16))).shape == (3, 16, 16)
    for wrong in (0, (50, 20), (1, 2, 3), (1, 101)):
        with pytest.raises(ValueError, match="from 1 to 100"):
            T.JPEG(wrong)
    for wrong in (0.5, True):
        with pytest.raises((DTypeError, TypeError)):
            T.JPEG(wrong)


def test_subsample_takes_films_only() -> None:
    film, image = tv_tensors.Video(tp.zeros(8, 3, 4, 4)), tv_tensors.Image(tp.zeros(5, 3, 4, 4))
    out = T.UniformTemporalSubsample(3)({"film": film, "image": image})
    assert out["film"].shape == (3, 3, 4, 4)
    assert out["image"] is image

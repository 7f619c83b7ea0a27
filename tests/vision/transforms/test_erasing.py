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


def test_coarse_dropout_fills_masks_in_the_same_places() -> None:
    sample = {
        "image": tv_tensors.Image(tp.ones(3, 40, 50)),
        "mask": tv_tensors.Mask(tp.ones(40, 50, dtype=tp.uint8)),
        "boxes": tv_tensors.BoundingBoxes([[0.0, 0, 9, 9]], format="XYXY", canvas_size=(40, 50)),
    }
    generator = tp.Generator().manual_seed(3)
    drop = T.CoarseDropout(3, 0.1, 0.2, fill=[2, 3, 4], mask_fill=9, p=1, generator=generator)
    out = drop(sample)
    holes = out["mask"].numpy() == 9
    assert 4 * 10 <= holes.sum() <= 3 * 4 * 10
    for channel, value in enumerate((2, 3, 4)):
        np.testing.assert_array_equal(out["image"][channel].numpy(), np.where(holes, value, 1))
    assert out["boxes"].tolist() == sample["boxes"].tolist()
    assert sample["mask"].numpy().all() and (sample["image"].numpy() == 1).all()
    drop.mask_fill = None
    assert (drop(sample)["mask"].numpy() == 1).all()


def test_coarse_dropout_in_ranges() -> None:
    drop = T.CoarseDropout((2, 5), (0.1, 0.3), (0.2, 0.2), p=1)
    counts = set()
    for _ in range(60):
        holes = drop.make_params([tp.zeros(1, 30, 40)])["holes"]
        counts.add(len(holes))
        for top, left, h, w in holes:
            assert 3 <= h <= 9 and w == 8
            assert 0 <= top <= 30 - h and 0 <= left <= 40 - w
    assert counts == {2, 3, 4, 5}
    image = Image.new("L", (40, 30), 200)
    assert 48 <= (np.asarray(drop(image)) == 0).sum() <= 5 * 72
    with pytest.raises(ValueError, match="height is from 0 to 1"):
        T.CoarseDropout(height=(0.5, 0.2))
    with pytest.raises(ValueError, match="num_holes is from 1"):
        T.CoarseDropout(0)
    with pytest.raises(ValueError, match="shape"):
        T.CoarseDropout(fill=[1, 2], p=1)(tp.zeros(3, 9, 9))

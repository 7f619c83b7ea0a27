"""Transforms of colour: what is drawn, and that the functions get it."""

from collections.abc import Callable

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_vision import transforms as T
from triptych_vision import tv_tensors
from triptych_vision.transforms import functional as F

Pixels = Callable[..., np.ndarray]


def test_jitter_applies_what_it_drew_in_its_order(pixels: Pixels) -> None:
    x = tp.from_numpy(pixels(3, 8, 9))
    jitter = T.ColorJitter(0.4, 0.4, 0.4, 0.2)
    functions = [F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue]
    for seed in range(5):
        jitter.generator = tp.Generator().manual_seed(seed)
        order, *factors = jitter.make_params([x]).values()
        want = x
        for place in order:
            want = functions[place](want, factors[place])
        jitter.generator = tp.Generator().manual_seed(seed)
        assert np.array_equal(jitter(x).numpy(), want.numpy())


def test_jitter_stays_in_its_limits() -> None:
    jitter = T.ColorJitter(brightness=2, contrast=(0.5, 0.6), hue=0.1)
    draws = [jitter.make_params([]) for _ in range(200)]
    bright = [draw["brightness_factor"] for draw in draws]
    assert 0 <= min(bright) < 0.1
    assert 2.9 < max(bright) <= 3
    assert all(0.5 <= draw["contrast_factor"] <= 0.6 for draw in draws)
    assert all(-0.1 <= draw["hue_factor"] <= 0.1 for draw in draws)
    assert all(draw["saturation_factor"] is None for draw in draws)
    assert len({tuple(draw["fn_idx"]) for draw in draws}) == 24


def test_jitter_leaves_what_has_no_range() -> None:
    jitter = T.ColorJitter(0, (1.0, 1.0), 0.0, 0)
    assert (jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue) == (None,) * 4
    order, *factors = T.ColorJitter.get_params((1.0, 1.0), None, (2.0, 2.0), (0.1, 0.1))
    assert sorted(order.tolist()) == [0, 1, 2, 3]
    assert factors == [1.0, None, 2.0, 0.1]


@pytest.mark.parametrize("wrong", [-1, (0.5, 0.2), (-0.1, 1.0)])
def test_jitter_refuses(wrong: object) -> None:
    with pytest.raises(ValueError, match="contrast is"):
        T.ColorJitter(contrast=wrong)
    with pytest.raises(ValueError, match=r"hue is from -0.5 to 0.5"):
        T.ColorJitter(hue=0.6)
    with pytest.raises(ShapeError, match="a number or two"):
        T.ColorJitter(hue=(0.1, 0.2, 0.3))


def test_a_sample_of_film_mask_and_boxes(pixels: Pixels) -> None:
    film = tv_tensors.Video(tp.from_numpy(pixels(2, 3, 5, 6)))
    mask = tv_tensors.Mask(tp.ones(5, 6, dtype=tp.uint8))
    boxes = tv_tensors.BoundingBoxes([[0, 0, 2, 2]], format="XYXY", canvas_size=(5, 6))
    steps = T.Compose([T.ColorJitter(0.5, 0.5), T.RandomPhotometricDistort(), T.Grayscale(3)])
    out = steps({"film": film, "mask": mask, "boxes": boxes})
    assert out["mask"] is mask
    assert out["boxes"] is boxes
    assert type(out["film"]) is tv_tensors.Video
    assert (out["film"].numpy()[:, 0] == out["film"].numpy()[:, 2]).all()


def test_photometric_distort_draws_everything(pixels: Pixels) -> None:
    x = tp.from_numpy(pixels(3, 5, 6))
    none, all_ = T.RandomPhotometricDistort(p=0.0), T.RandomPhotometricDistort(p=1.0)
    assert none(x) is x
    params = all_.make_params([x])
    assert all(value is not None for value in params.values())
    for first in (True, False):
        params["contrast_before"] = first
        want = F.adjust_brightness(x, params["brightness_factor"])
        middle = [("saturation", F.adjust_saturation), ("hue", F.adjust_hue)]
        contrast = [("contrast", F.adjust_contrast)]
        for name, adjust in contrast + middle if first else middle + contrast:
            want = adjust(want, params[f"{name}_factor"])
        want = F.permute_channels(want, params["channel_permutation"])
        assert np.array_equal(all_.transform(x, params).numpy(), want.numpy())


def test_channel_permutation(pixels: Pixels) -> None:
    array = pixels(3, 5, 6)
    tp.manual_seed(0)
    seen = {
        tuple(int((out == array[i]).all((-2, -1)).argmax()) for i in range(3))
        for out in (T.RandomChannelPermutation()(tp.from_numpy(array)).numpy() for _ in range(60))
    }
    assert len(seen) == 6


def test_per_sample_draws_differ() -> None:
    batch = tp.full((16, 3, 4, 4), 100, dtype=tp.uint8)
    together = T.ColorJitter(0.9)(batch).numpy()
    assert len(np.unique(together)) == 1
    apart = T.ColorJitter(0.9, per_sample=True)(batch).numpy()
    assert len(np.unique(apart)) > 8
    assert all(len(np.unique(image)) == 1 for image in apart)

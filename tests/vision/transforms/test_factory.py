"""Pipelines from settings."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych.errors import BoundsError, UnknownNameError
from triptych_vision import transforms as T


def test_evaluation_is_resize_crop_and_normalise(pixels: Callable[..., np.ndarray]) -> None:
    image = Image.fromarray(pixels(40, 60, 3))
    out = T.create_transform(28, crop_pct=0.875)(image)
    middle = T.CenterCrop(28)(T.Resize(32)(image))
    wanted = np.moveaxis(np.asarray(middle) / 255, -1, 0)
    wanted = (wanted - np.array([[[0.485]], [[0.456]], [[0.406]]])) / 0.225
    assert out.dtype is tp.float32
    assert np.abs(out.numpy()[2] - wanted[2]).max() < 1e-5
    wide = T.create_transform((14, 28), crop_pct=0.5, mean=[0.5] * 3, std=[0.5] * 3)(image)
    assert wide.shape == (3, 14, 28)
    assert -1 <= wide.min().item() <= wide.max().item() <= 1


@pytest.mark.parametrize("policy", [None, "rand-m9-n3", "augmix-m3-w2-d1", "original", "trivial"])
def test_training(policy: str | None, pixels: Callable[..., np.ndarray]) -> None:
    steps = T.create_transform(
        16, True, auto_augment=policy, vflip=0.5, re_prob=1.0, re_mode="pixel"
    )
    out = steps(Image.fromarray(pixels(40, 60, 3)))
    assert out.shape == (3, 16, 16)
    again = T.from_dict(T.to_dict(steps))
    assert repr(again) == repr(steps)


def test_options_are_those_of_the_class() -> None:
    rand = T.create_transform(8, True, auto_augment="rand-m9-n3").transforms[2]
    assert isinstance(rand, T.RandAugment)
    assert (rand.magnitude, rand.num_ops, rand.num_magnitude_bins) == (9, 3, 11)
    for wrong in ("rand-m9-mstd0.5", "rand-x1", "best"):
        with pytest.raises(UnknownNameError, match="create_transform"):
            T.create_transform(8, True, auto_augment=wrong)
    with pytest.raises(UnknownNameError, match="re_mode"):
        T.create_transform(8, re_mode="rand")
    with pytest.raises(BoundsError, match="magnitudes"):
        T.create_transform(8, True, auto_augment="rand-m11")
    with pytest.raises(BoundsError, match="crop_pct"):
        T.create_transform(8, crop_pct=0)

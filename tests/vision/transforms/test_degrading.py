"""What flaws do to pixels."""

from collections.abc import Callable

import numpy as np

import triptych as tp
from triptych_vision import transforms as T
from triptych_vision import tv_tensors

Pixels = Callable[..., np.ndarray]


def test_salt_and_pepper_come_in_the_shares_asked_for() -> None:
    x = tp.full((3, 200, 200), 0.5)
    out = T.SaltAndPepper((0.2, 0.2), (0.25, 0.25), p=1)(x).numpy()
    assert (out == out[:1]).all()  # all channels of a pixel
    assert abs((out == 1).mean() - 0.05) < 0.01
    assert abs((out == 0).mean() - 0.15) < 0.01
    wide = T.SaltAndPepper((0.5, 0.5), (1.0, 1.0), p=1)(np.zeros((9, 9, 3), np.uint16))
    assert wide.max() == np.iinfo(np.uint16).max


def test_grid_dropout_fills_masks_in_the_same_places() -> None:
    image, mask = tp.ones(3, 40, 40), tv_tensors.Mask(tp.ones(40, 40, dtype=tp.uint8))
    grid = T.GridDropout(0.5, unit_size_range=(8, 8), fill=0.0, fill_mask=7, p=1)
    out, filled = grid(image, mask)
    assert abs((out[0] == 0).to(tp.float32).mean().item() - 0.25) < 0.02
    assert (out[0] == 0).equal(T.functional.to_pure_tensor(filled) == 7)


def test_downscale_leaves_squares() -> None:
    out = T.Downscale((0.25, 0.25), p=1)(tp.rand(3, 16, 16)).numpy()
    blocks = out.reshape(3, 4, 4, 4, 4)
    assert (blocks == blocks[:, :, :1, :, :1]).all()


def test_sharpen_of_lightness_one_keeps_the_mean() -> None:
    x = 0.3 + 0.2 * tp.rand(1, 32, 32)
    out = T.Sharpen((0.3, 0.3), (1.0, 1.0), p=1)(x)
    assert abs((out.mean() - x.mean()).item()) < 0.01
    assert out.std().item() > 1.5 * x.std().item()

"""Tiles, and images of them."""

from collections.abc import Callable

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_vision.transforms import functional as F

Pixels = Callable[..., np.ndarray]
BORDERS = {"constant": "constant", "reflect": "mirror", "replicate": "nearest", "circular": "wrap"}


def test_patches_there_and_back() -> None:
    x = tp.arange(2 * 3 * 8 * 12, dtype=tp.float32).reshape(2, 3, 8, 12)
    tiles = F.extract_tensor_patches(x, (4, 6))
    assert tiles.shape == (2, 4, 3, 4, 6)
    assert tiles[1, 3].equal(x[1, :, 4:, 6:])
    assert F.combine_tensor_patches(tiles, (8, 12), (4, 6)).equal(x)
    over = F.extract_tensor_patches(x, 4, stride=2, padding=1)
    back = F.combine_tensor_patches(over, (8, 12), 4, stride=2, unpadding=1)
    assert np.allclose(back.numpy(), x.numpy())
    with pytest.raises(ShapeError, match="tiles"):
        F.combine_tensor_patches(tiles, (8, 12), 4)
    with pytest.raises(ShapeError, match="n, c, h, w"):
        F.extract_tensor_patches(x[0], 4)

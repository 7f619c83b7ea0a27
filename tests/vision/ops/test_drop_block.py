"""DropBlock."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import ndimage

import triptych as tp
from triptych_vision.ops import DropBlock2d, DropBlock3d, drop_block2d, drop_block3d

Drop = Callable[..., tp.Tensor]


@pytest.mark.parametrize(
    ("drop", "shape"), [(drop_block2d, (8, 4, 20, 24)), (drop_block3d, (4, 2, 9, 12, 11))]
)
def test_blocks_are_dropped(drop: Drop, shape: tuple[int, ...]) -> None:
    tp.manual_seed(0)
    out = drop(tp.ones(*shape), 0.2, 3).numpy()
    holes = out == 0
    axes = len(shape) - 2
    block = np.ones((1, 1) + (3,) * axes, dtype=bool)
    np.testing.assert_array_equal(ndimage.binary_opening(holes, block), holes)  # whole blocks only
    assert 0.1 < holes.mean() < 0.3
    assert abs(out.mean() - 1) < 1e-4  # what is kept is scaled up


def test_in_place_and_off() -> None:
    tp.manual_seed(0)
    x = tp.ones(1, 2, 9, 9)
    assert drop_block2d(x, 0.3, 3, inplace=True) is x
    assert (x == 0).any()
    x = tp.rand(1, 2, 9, 9)
    assert DropBlock2d(0.5, 3).eval()(x) is x
    assert DropBlock3d(0.5, 3)(tp.ones(1, 1, 5, 5, 5)).shape == (1, 1, 5, 5, 5)
    assert repr(DropBlock2d(0.5, 3)) == "DropBlock2d(p=0.5, block_size=3, inplace=False)"


def test_errors() -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        drop_block2d(tp.ones(1, 1, 5, 5), -0.1, 3)
    with pytest.raises(ValueError, match="block_size is odd, got 4"):
        drop_block2d(tp.ones(1, 1, 5, 5), 0.1, 4)
    with pytest.raises(ValueError, match="input has 4 axes"):
        drop_block2d(tp.ones(1, 5, 5), 0.1, 3)

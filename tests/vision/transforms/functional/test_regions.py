"""Growing, shrinking and telling apart, against SciPy."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import ndimage

import triptych as tp
from triptych.errors import ShapeError, UnknownNameError
from triptych_vision.transforms import functional as F

Pixels = Callable[..., np.ndarray]
BORDERS = {"constant": "constant", "reflect": "mirror", "replicate": "nearest", "circular": "wrap"}


SHAPES = [np.ones((3, 3)), np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]]), np.array([[1, 1, 0]])]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.float32])
def test_morphology_is_that_of_scipy(shape: np.ndarray, dtype: type) -> None:
    x = (np.random.default_rng(3).random((2, 9, 10)) * 4).astype(np.uint8) > 2
    x = (
        x
        if dtype is np.bool_
        else (x * np.random.default_rng(4).integers(1, 9, x.shape)).astype(dtype)
    )
    t, low, high = tp.from_numpy(x), 0, (1 if dtype is np.bool_ else 255)
    for plane, grown, eaten in zip(x, F.dilation(t, shape), F.erosion(t, shape), strict=True):
        wide = plane.astype(np.float64)
        wanted = ndimage.grey_dilation(wide, footprint=shape, mode="constant", cval=low)
        assert (grown.numpy() == wanted).all()
        wanted = ndimage.grey_erosion(wide, footprint=shape, mode="constant", cval=high)
        assert (eaten.numpy() == wanted).all()
    assert F.opening(t, shape).equal(F.dilation(F.erosion(t, shape), shape))
    assert F.closing(t, shape).equal(F.erosion(F.dilation(t, shape), shape))
    with pytest.raises(ShapeError, match="not zero"):
        F.dilation(t, np.zeros((3, 3)))


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("density", [0.0, 0.3, 0.5, 0.65, 1.0])
def test_components_are_those_of_scipy(connectivity: int, density: float) -> None:
    masks = np.random.default_rng(5).random((3, 40, 37)) < density
    out = F.connected_components(tp.from_numpy(masks), connectivity).numpy()
    structure = ndimage.generate_binary_structure(2, 1 if connectivity == 4 else 2)
    for mask, labels in zip(masks, out, strict=True):
        wanted, count = ndimage.label(mask, structure)
        assert labels.max() == count
        assert ((labels == 0) == ~mask).all()
        pairs = np.unique(np.stack((labels[mask], wanted[mask])), axis=1)
        assert pairs.shape[1] == count  # one to one
        firsts = [np.flatnonzero(labels == n)[0] for n in range(1, count + 1)]
        assert firsts == sorted(firsts)


def test_a_spiral_is_one_component() -> None:
    spiral = np.zeros((41, 41), bool)
    row = column = 20
    for n in range(1, 20):
        step, side = 2 * ((n + 1) // 2), n % 4
        for _ in range(step):
            spiral[row, column] = True
            row += (0, 1, 0, -1)[side]
            column += (1, 0, -1, 0)[side]
            if not (0 <= row < 41 and 0 <= column < 41):
                break
        row, column = min(max(row, 0), 40), min(max(column, 0), 40)
    wanted = ndimage.label(spiral)[1]
    assert F.connected_components(tp.from_numpy(spiral), 4).max().item() == wanted
    with pytest.raises(UnknownNameError, match="connectivity"):
        F.connected_components(tp.zeros(2, 2), 6)

"""Masks on images, compared with a naive twin."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DTypeError, ShapeError
from triptych_vision.utils import draw_segmentation_masks

COLORS = [(255, 0, 0), (0, 90, 255), (7, 200, 30)]


def naive(image: np.ndarray, masks: np.ndarray, alpha: float, scale: float) -> np.ndarray:
    out = image.astype(np.float32)
    for y in range(image.shape[1]):
        for x in range(image.shape[2]):
            on = [color for mask, color in zip(masks, COLORS, strict=True) if mask[y, x]]
            tint = image[:, y, x] if not on else np.divide(on[0], scale) if len(on) == 1 else 0
            out[:, y, x] = image[:, y, x] * (1 - alpha) + np.float32(tint) * alpha
    return out


@pytest.mark.parametrize("alpha", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_equals_the_naive_one(alpha: float, dtype: type) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (3, 9, 7)).astype(np.uint8)
    if dtype is np.float32:
        image = image.astype(np.float32) / 255
    masks = rng.random((3, 9, 7)) > 0.6
    got = draw_segmentation_masks(tp.from_numpy(image), tp.from_numpy(masks), alpha, COLORS)
    want = naive(image, masks, alpha, 1 if dtype is np.uint8 else 255)
    assert got.dtype is tp.from_numpy(image).dtype
    np.testing.assert_allclose(
        got.numpy(), want.astype(dtype), atol=1 if dtype is np.uint8 else 1e-6
    )


def test_one_mask_and_none() -> None:
    image = tp.full((3, 2, 2), 200, dtype=tp.uint8)
    mask = tp.tensor([[True, False], [False, False]])
    drawn = draw_segmentation_masks(image, mask, alpha=1.0, colors="lime")
    assert drawn[:, 0, 0].tolist() == [0, 255, 0]
    assert (drawn[:, 1] == 200).all()
    assert (draw_segmentation_masks(image, tp.zeros(0, 2, 2, dtype=tp.bool)) == image).all()


def test_what_does_not_fit() -> None:
    image = tp.zeros(3, 4, 4)
    with pytest.raises(DTypeError, match=r"masks > 0\.5"):
        draw_segmentation_masks(image, tp.zeros(1, 4, 4))
    with pytest.raises(ShapeError, match="h and w of the image"):
        draw_segmentation_masks(image, tp.zeros(1, 4, 5, dtype=tp.bool))
    with pytest.raises(ShapeError, match=r"one image \(3, h, w\)"):
        draw_segmentation_masks(image[:1], tp.zeros(1, 4, 4, dtype=tp.bool))
    with pytest.raises(ShapeError, match="1 colors for 2 objects"):
        draw_segmentation_masks(image, tp.zeros(2, 4, 4, dtype=tp.bool), colors=["red"])

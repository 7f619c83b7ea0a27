"""Frames that make images large enough."""

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych_vision import transforms as T
from triptych_vision import tv_tensors


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"min_size": 8}, (8, 9)),
        ({"min_size": (4, 12)}, (5, 12)),
        ({"divisor": 4}, (8, 12)),
        ({"divisor": (5, 3)}, (5, 9)),
        ({"min_size": (7, 2), "divisor": (4, 2)}, (8, 10)),
    ],
)
def test_sizes(options: dict[str, object], wanted: tuple[int, int]) -> None:
    image = tp.rand(3, 5, 9)
    out = T.PadIfNeeded(**options)(image)
    assert out.shape == (3, *wanted)
    top, left = (wanted[0] - 5) // 2, (wanted[1] - 9) // 2
    np.testing.assert_array_equal(out[:, top : top + 5, left : left + 9].numpy(), image.numpy())
    assert out.sum().item() == pytest.approx(image.sum().item(), rel=1e-5)  # the frame is zero


def test_a_whole_sample() -> None:
    sample = {
        "image": Image.new("RGB", (9, 5), (1, 2, 3)),
        "mask": tv_tensors.Mask(tp.ones(5, 9, dtype=tp.uint8)),
        "boxes": tv_tensors.BoundingBoxes([[1.0, 1, 4, 3]], format="XYXY", canvas_size=(5, 9)),
        "points": tv_tensors.KeyPoints([[8.0, 4]], canvas_size=(5, 9)),
    }
    fill = {Image.Image: 7, "others": 2}
    out = T.PadIfNeeded(divisor=4, fill=fill, position="top left")(sample)
    assert out["image"].size == (12, 8)
    assert out["image"].getpixel((11, 7)) == (7, 7, 7)
    assert out["mask"].shape == (8, 12)
    assert out["mask"][5:].unique().tolist() == [2]
    assert out["boxes"].tolist() == [[1, 1, 4, 3]]
    assert out["boxes"].canvas_size == out["points"].canvas_size == (8, 12)


def test_large_enough_images_stay() -> None:
    image = tp.rand(3, 8, 12)
    assert T.PadIfNeeded(6, divisor=4)(image) is image


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="give min_size or divisor"):
        T.PadIfNeeded()
    with pytest.raises(ValueError, match="all positive, got 0"):
        T.PadIfNeeded(divisor=0)
    with pytest.raises(LookupError, match="'center', 'top left'"):
        T.PadIfNeeded(4, position="right")

"""Boxes on a grid."""

import numpy as np
import pytest

import triptych as tp
from triptych_vision.models.detection import AnchorGenerator, DefaultBoxGenerator, ImageList


def batch(height: int, width: int, count: int = 2) -> ImageList:
    return ImageList(tp.zeros(count, 3, height, width), [(height, width)] * count)


def test_anchors_of_a_map() -> None:
    anchors = AnchorGenerator(((10,),), ((1.0, 4.0),))
    boxes = anchors(batch(16, 24), [tp.zeros(2, 5, 2, 3)])
    assert len(boxes) == 2
    cell = np.array([[-5, -5, 5, 5], [-2, -10, 2, 10]])  # 10 / sqrt(4) wide; -2.5 rounds to even
    wanted = [cell + np.array([x, y, x, y]) for y in (0, 8) for x in (0, 8, 16)]
    np.testing.assert_array_equal(boxes[0].numpy(), np.concatenate(wanted))


def test_one_size_or_ratio_for_all() -> None:
    anchors = AnchorGenerator((8, 16), (0.5, 1.0, 2.0))
    assert anchors.num_anchors_per_location() == [3, 3]
    with pytest.raises(ValueError, match="2 tuples of sizes and aspect ratios for 1 feature maps"):
        anchors(batch(16, 16), [tp.zeros(2, 5, 2, 2)])


def test_default_boxes() -> None:
    boxes = DefaultBoxGenerator([[2]], scales=[0.5, 0.6], clip=False)
    assert boxes.num_anchors_per_location() == [4]
    out = boxes(batch(100, 200), [tp.zeros(2, 5, 1, 2)])[0].numpy()
    assert out.shape == (8, 4)
    larger, wide, narrow = np.sqrt(0.3), 0.5 * np.sqrt(2), 0.5 / np.sqrt(2)
    sizes = [(0.5, 0.5), (larger, larger), (wide, narrow), (narrow, wide)]
    for box, (x, (w, h)) in zip(out, [(x, s) for x in (0.25, 0.75) for s in sizes], strict=True):
        wanted = [(x - w / 2) * 200, (0.5 - h / 2) * 100, (x + w / 2) * 200, (0.5 + h / 2) * 100]
        np.testing.assert_allclose(box, wanted, rtol=1e-5)


def test_scales_and_steps() -> None:
    assert DefaultBoxGenerator([[2]] * 3, 0.2, 0.8).scales == pytest.approx([0.2, 0.5, 0.8, 1.0])
    stepped = DefaultBoxGenerator([[2]], scales=[0.1, 0.2], steps=[10])
    centre = stepped(batch(40, 40), [tp.zeros(1, 1, 2, 2)])[0][0]
    assert ((centre[:2] + centre[2:]) / 2).tolist() == pytest.approx([5.0, 5.0])
    with pytest.raises(ValueError, match="1 aspect_ratios and 2 steps"):
        DefaultBoxGenerator([[2]], steps=[8, 16])

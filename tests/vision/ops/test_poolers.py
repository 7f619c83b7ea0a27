"""Regions from the level that fits them."""

import numpy as np
import pytest

import triptych as tp
from triptych_vision.ops import LevelMapper, MultiScaleRoIAlign, roi_align


def test_levels() -> None:
    sides = np.array([10, 111, 113, 223, 225, 447, 449, 2000.0])
    boxes = tp.tensor(np.stack((0 * sides, 0 * sides, sides, sides), 1))
    levels = LevelMapper(2, 5)([boxes[:3], boxes[3:]])
    assert levels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_each_box_reads_its_own_map() -> None:
    tp.manual_seed(0)
    maps = {str(i): tp.rand(2, 3, 128 // 2**i, 128 // 2**i) for i in range(4)}
    maps["unused"] = tp.rand(2, 3, 4, 4)
    pool = MultiScaleRoIAlign(["0", "1", "2", "3"], 2, 2)
    boxes = [
        tp.tensor([[0.0, 0, 500, 480], [5.0, 5, 60, 50], [0.0, 0, 200, 200]]),
        tp.tensor([[10.0, 20, 300, 310]]),
    ]
    out = pool(maps, boxes, [(512, 512), (400, 512)])
    assert pool.scales == [1 / 4, 1 / 8, 1 / 16, 1 / 32]
    rows = [(0, boxes[0][0], "3"), (0, boxes[0][1], "0"), (0, boxes[0][2], "1")]
    for got, (image, box, name) in zip(out, [*rows, (1, boxes[1][0], "2")], strict=True):
        roi = tp.cat((tp.tensor([float(image)]), box))[None]
        wanted = roi_align(maps[name], roi, 2, 1 / 4 / 2 ** int(name), 2)[0]
        np.testing.assert_allclose(got.numpy(), wanted.numpy(), rtol=1e-6)


def test_one_map_and_no_boxes() -> None:
    pool = MultiScaleRoIAlign(["0"], (3, 2), 2)
    assert pool({"0": tp.rand(1, 4, 8, 8)}, [tp.zeros(0, 4)], [(64, 64)]).shape == (0, 4, 3, 2)
    assert pool.scales == [1 / 8]


def test_errors() -> None:
    with pytest.raises(KeyError, match=r"wanted maps \['0'\], got \['a'\]"):
        MultiScaleRoIAlign(["0"], 2, 2)({"a": tp.zeros(1, 1, 4, 4)}, [tp.zeros(0, 4)], [(8, 8)])
    with pytest.raises(ValueError, match="image_shapes is empty"):
        MultiScaleRoIAlign(["0"], 2, 2)({"0": tp.zeros(1, 1, 4, 4)}, [tp.zeros(0, 4)], [])

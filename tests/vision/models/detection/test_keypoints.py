"""Heat maps and key points."""

import numpy as np
import pytest

import triptych as tp
from triptych_vision.models.detection.keypoints import (
    heatmaps_to_keypoints,
    keypointrcnn_loss,
    keypoints_to_heatmap,
)

ROIS = tp.tensor([[10.0, 20.0, 50.0, 100.0]])


def test_cells() -> None:
    points = tp.tensor(
        [
            [
                [10.0, 20.0, 1.0],
                [50.0, 100.0, 2.0],
                [30.5, 61.0, 1.0],
                [9.0, 30.0, 1.0],
                [20.0, 30.0, 0.0],
            ]
        ]
    )
    cells, valid = keypoints_to_heatmap(points, ROIS, 8)
    assert valid.tolist() == [[1, 1, 1, 0, 0]]
    assert cells.tolist() == [[0, 63, 4 * 8 + 4, 0, 0]]


def test_there_and_back() -> None:
    maps = tp.full((1, 2, 8, 8), -5.0)
    maps[0, 0, 2, 5] = maps[0, 1, 7, 0] = 5.0
    points, scores = heatmaps_to_keypoints(maps, ROIS)
    cells, valid = keypoints_to_heatmap(points, ROIS, 8)
    assert cells.tolist() == [[2 * 8 + 5, 7 * 8]]
    assert valid.tolist() == [[1, 1]]
    assert (scores > 4).all()
    assert heatmaps_to_keypoints(maps[:0], ROIS[:0])[0].shape == (0, 2, 3)


def test_loss() -> None:
    logits = tp.zeros(1, 2, 4, 4, requires_grad=True)
    points = tp.tensor([[[20.0, 30.0, 1.0], [20.0, 30.0, 0.0]]])
    loss = keypointrcnn_loss(logits, [ROIS], [points], [tp.tensor([0])])
    assert loss.item() == pytest.approx(np.log(16))
    hidden = keypointrcnn_loss(logits, [ROIS], [points * tp.tensor([1.0, 1, 0])], [tp.tensor([0])])
    assert hidden.item() == 0
    hidden.backward()
    with pytest.raises(ValueError, match="heat maps are square"):
        keypointrcnn_loss(tp.zeros(1, 2, 4, 5), [ROIS], [points], [tp.tensor([0])])

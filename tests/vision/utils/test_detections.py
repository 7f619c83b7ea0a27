"""Everything a detector returns, in one picture."""

import pytest

import triptych as tp
from triptych.errors import UnknownNameError
from triptych_vision.utils import draw_bounding_boxes, draw_detections
from triptych_vision.utils.colors import distinct_colors

IMAGE = tp.zeros(3, 60, 60, dtype=tp.uint8)
FOUND = {
    "boxes": tp.tensor([[5.0, 5, 25, 25], [30, 30, 55, 55], [0, 0, 59, 59]]),
    "labels": tp.tensor([1, 2, 1]),
    "scores": tp.tensor([0.9, 0.8, 0.1]),
}


def test_boxes_with_names_and_scores() -> None:
    got = draw_detections(IMAGE, FOUND, ["none", "cat", "dog"])
    colors = [distinct_colors(3)[label] for label in (1, 2)]
    want = draw_bounding_boxes(
        IMAGE,
        FOUND["boxes"][:2],  # the third is not sure
        ["cat 0.90", "dog 0.80"],
        colors,
        width=2,
        font_size=12,
        label_colors=["black", "white"],  # what reads best on green, on violet
        fill_labels=True,
    )
    assert (got == want).all()


def test_masks_keypoints_and_nothing() -> None:
    masks = tp.zeros(3, 1, 60, 60)
    masks[0, 0, 40:50, 10:20] = 0.9
    points = tp.tensor([[[50.0, 10.0, 1.0], [58.0, 10.0, 0.0]]]).expand(3, 2, 3)
    drawn = draw_detections(IMAGE, FOUND | {"masks": masks, "keypoints": points})
    color = distinct_colors(3)[1]
    assert drawn[:, 45, 15].tolist() == [part // 2 for part in color]
    assert drawn[:, 10, 50].tolist() == list(distinct_colors(3)[2])  # of the second, drawn last
    assert drawn[:, 10, 57].tolist() == [0, 0, 0]
    nothing = {name: values[:0] for name, values in FOUND.items()}
    assert (draw_detections(IMAGE, nothing) == IMAGE).all()


def test_targets_have_no_scores() -> None:
    target = {"boxes": FOUND["boxes"][:1], "labels": FOUND["labels"][:1]}
    assert draw_detections(IMAGE, target).any()
    with pytest.raises(UnknownNameError, match="no 'boxes'"):
        draw_detections(IMAGE, {"labels": FOUND["labels"]})

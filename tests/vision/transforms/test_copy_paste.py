"""Objects pasted from one image into another."""

from typing import Any

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DTypeError, ShapeError
from triptych_vision import transforms as T
from triptych_vision import tv_tensors


def target(*boxes: tuple[int, int, int, int], size: tuple[int, int] = (10, 12)) -> dict[str, Any]:
    masks = tp.zeros(len(boxes), *size, dtype=tp.uint8)
    for mask, (left, top, right, bottom) in zip(masks, boxes, strict=True):
        mask[top:bottom, left:right] = 1
    return {
        "boxes": tp.tensor(boxes, dtype=tp.float32).reshape(-1, 4),
        "labels": tp.arange(1, len(boxes) + 1),
        "masks": masks,
        "area": masks.to(tp.float32).sum(dim=(1, 2)),
        "image_id": tp.tensor([7]),
    }


def test_pixels_masks_and_boxes_of_what_is_pasted() -> None:
    images = [tp.zeros(3, 10, 12), tp.ones(3, 10, 12)]
    targets = [target((0, 0, 4, 4), (8, 8, 10, 10)), target((2, 0, 6, 4))]
    new_images, new = T.SimpleCopyPaste(blending=False)(images, targets)
    assert np.array_equal(new_images[0].numpy()[1], targets[1]["masks"].numpy()[0])
    assert new[0]["boxes"].tolist() == [[0, 0, 2, 4], [8, 8, 10, 10], [2, 0, 6, 4]]
    assert new[0]["labels"].tolist() == [1, 2, 1]
    assert new[0]["area"].tolist() == [8, 4, 16]
    assert new[0]["image_id"].tolist() == [7]
    assert targets[0]["masks"].numpy()[0].sum() == 16  # what came is left alone


def test_hidden_objects_go_and_images_without_objects_give_none() -> None:
    images = [tp.zeros(3, 10, 12), tp.ones(3, 10, 12)]
    targets = [target((3, 1, 5, 3)), target((2, 0, 6, 4))]
    _, new = T.SimpleCopyPaste()(images, targets)
    assert new[0]["boxes"].tolist() == [[2, 0, 6, 4]]
    assert len(new[1]["boxes"]) == 2
    same, kept = T.SimpleCopyPaste()(images, [targets[0], target()])
    assert same[0] is images[0]
    assert kept[0] is targets[0]
    assert kept[1]["boxes"].tolist() == [[3, 1, 5, 3]]


def test_other_sizes_kinds_and_soft_edges() -> None:
    images = [
        tv_tensors.Image(tp.zeros(3, 10, 12, dtype=tp.uint8)),
        tv_tensors.Image(tp.full((3, 20, 24), 200, dtype=tp.uint8)),
    ]
    targets = [target((0, 0, 2, 2)), target((4, 4, 16, 16), size=(20, 24))]
    for one, size in zip(targets, ((10, 12), (20, 24)), strict=True):
        one["masks"] = tv_tensors.Mask(one["masks"])
        one["boxes"] = tv_tensors.BoundingBoxes(one["boxes"], format="XYXY", canvas_size=size)
    new_images, new = T.SimpleCopyPaste()(images, targets)
    assert type(new_images[0]) is tv_tensors.Image
    assert type(new[0]["masks"]) is tv_tensors.Mask
    assert type(new[0]["boxes"]) is tv_tensors.BoundingBoxes
    assert new[0]["boxes"].canvas_size == (10, 12)
    assert new[0]["boxes"].tolist() == [[0, 0, 2, 2], [2, 2, 8, 8]]
    values = new_images[0].numpy()[0]
    assert values[5, 5] > 180
    assert 0 < values[5, 1] < values[5, 2] < values[5, 4]


def test_refusals() -> None:
    paste, image = T.SimpleCopyPaste(), tp.zeros(3, 10, 12)
    with pytest.raises(DTypeError, match="a list of images and a list of targets"):
        paste(image, target((0, 0, 1, 1)))
    with pytest.raises(ShapeError, match="got 1 images and 2 targets"):
        paste([image], [target(), target()])
    with pytest.raises(DTypeError, match="boxes, labels and masks"):
        paste([image], [{"boxes": tp.zeros(0, 4)}])
    broken = {**target((0, 0, 1, 1)), "labels": tp.zeros(3)}
    with pytest.raises(ShapeError, match=r"labels \(3,\)"):
        paste([image], [broken])

"""Crops that keep boxes and masks, and mosaics."""

from typing import Any

import numpy as np
import pytest

import triptych as tp
from triptych.errors import BoundsError, DTypeError, ShapeError
from triptych_vision import transforms as T
from triptych_vision import tv_tensors


def boxes_of(rows: Any, size: tuple[int, int], format: str = "XYXY") -> Any:
    return tv_tensors.BoundingBoxes(rows, format=format, canvas_size=size)


def test_no_box_is_lost() -> None:
    image = tp.zeros(1, 40, 60)
    image[:, 10:20, 15:30] = 1.0
    image[:, 25:30, 40:45] = 2.0
    boxes = boxes_of([[15, 10, 15, 10], [40, 25, 5, 5]], (40, 60), "XYWH")
    sizes = set()
    for _ in range(60):
        out, moved = T.BBoxSafeRandomCrop()(image, boxes)
        assert (out == 1).sum() == 150
        assert (out == 2).sum() == 25
        assert moved.canvas_size == tuple(out.shape[-2:])
        assert moved[:, 2:].tolist() == [[15, 10], [5, 5]]
        x, y, w, h = moved[0].tolist()
        assert (out[0, y : y + h, x : x + w] == 1).all()
        sizes.add(tuple(out.shape))
    assert len(sizes) > 20
    alone = {tuple(T.BBoxSafeRandomCrop(0.5)(image).shape) for _ in range(20)}
    assert len(alone) > 5
    assert T.BBoxSafeRandomCrop()(image, boxes_of(tp.zeros(0, 4), (40, 60)))[0].shape == (1, 40, 60)
    with pytest.raises(BoundsError, match="erosion_rate"):
        T.BBoxSafeRandomCrop(2.0)


def test_crops_hold_a_pixel_of_the_mask() -> None:
    mask = tv_tensors.Mask(tp.zeros(30, 50, dtype=tp.uint8))
    mask[3, 47] = 1
    mask[:, 5] = 2
    image = tp.rand(3, 30, 50)
    crop = T.CropNonEmptyMaskIfExists(8, 9, ignore_values=[2])
    corners = set()
    for _ in range(40):
        out, cut = crop(image, mask)
        assert out.shape == (3, 8, 9)
        assert (cut == 1).sum() == 1
        corners.add(tuple((cut == 1).nonzero()[0].tolist()))
    assert len(corners) > 5
    empty = {str(crop(image, tv_tensors.Mask(tp.zeros(30, 50)))[0].tolist()) for _ in range(9)}
    assert len(empty) > 3
    with pytest.raises(ShapeError, match="larger"):
        T.CropNonEmptyMaskIfExists(31, 9)(image, mask)


def batch(count: int = 5, size: tuple[int, int] = (20, 30)) -> tuple[list[Any], list[Any]]:
    """Images of one value each, from 1; each with a box and mask of the whole and one corner."""
    images, targets = [], []
    for i in range(count):
        images.append(tv_tensors.Image(tp.full((3, *size), i + 1, dtype=tp.uint8)))
        masks = tp.zeros(2, *size, dtype=tp.uint8)
        masks[0], masks[1, :4, :4] = 1, 1
        targets.append(
            {
                "boxes": boxes_of([[0, 0, size[1], size[0]], [0, 0, 4, 4]], size),
                "masks": tv_tensors.Mask(masks),
                "semantic": tv_tensors.Mask(tp.full(size, i + 1, dtype=tp.uint8)),
                "labels": tp.tensor([10 * (i + 1), 10 * (i + 1) + 1]),
                "name": f"image {i}",
            }
        )
    return images, targets


def test_mosaics_of_images_boxes_and_masks() -> None:
    images, targets = T.Mosaic((24, 36), fill=99, generator=tp.Generator().manual_seed(0))(*batch())
    for i, (image, target) in enumerate(zip(images, targets, strict=True)):
        assert isinstance(image, tv_tensors.Image)
        assert image.shape == (3, 24, 36)
        assert target["name"] == f"image {i}"
        assert i + 1 in image
        assert target["boxes"].canvas_size == (24, 36)
        count = len(target["boxes"])
        assert len(target["labels"]) == len(target["masks"]) == count >= 4
        pixels = image[0].numpy()
        inside = pixels != 99
        assert (target["semantic"].numpy()[inside] == pixels[inside]).all()
        for box, label, mask in zip(
            target["boxes"].tolist(),
            target["labels"].tolist(),
            target["masks"].numpy(),
            strict=True,
        ):
            left, top, right, bottom = box
            assert (pixels[top:bottom, left:right] == label // 10).all()
            rows, columns = np.nonzero(mask)
            around = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            assert around == box


def test_mosaics_drop_boxes_and_resize_without() -> None:
    images, targets = batch(2, (64, 64))
    all_in = T.Mosaic(64, center_range=(0.5, 0.5), min_visibility=0.0)(images, targets)[1][0]
    strict = T.Mosaic(64, center_range=(0.5, 0.5), min_visibility=0.9)(images, targets)[1][0]
    assert len(all_in["boxes"]) > len(strict["boxes"])
    images, targets = T.Mosaic(32, p=0.0)(images, targets)
    assert images[0].shape == (3, 32, 32)
    assert targets[0]["boxes"].tolist() == [[0, 0, 32, 32], [0, 0, 2, 2]]
    with pytest.raises(DTypeError, match="list of images"):
        T.Mosaic(8)(images[0])
    with pytest.raises(DTypeError, match="one BoundingBoxes"):
        T.Mosaic(8)(images, [{}, {}])
    with pytest.raises(ShapeError, match="2 images and 1"):
        T.Mosaic(8)(images, targets[:1])

"""Transforms of boxes and points change these, and drop what belongs to dropped ones."""

import pytest

import triptych as tp
from triptych.errors import BoundsError
from triptych_vision import transforms as T
from triptych_vision import tv_tensors

IMAGE = tv_tensors.Image(tp.zeros(3, 10, 12))


def boxes() -> tv_tensors.BoundingBoxes:
    numbers = [[0, 0, 5, 5], [2, 2, 2, 9], [6, 6, 12, 10]]
    return tv_tensors.BoundingBoxes(numbers, format="XYXY", canvas_size=(10, 12))


def test_formats_and_clamping() -> None:
    image, out = T.ConvertBoundingBoxFormat("cxcywh")((IMAGE, boxes()))
    assert image is IMAGE
    assert (out.format.name, out[0].tolist()) == ("CXCYWH", [2, 2, 5, 5])
    wide = tv_tensors.BoundingBoxes([[-1, 0, 99, 5]], format="XYXY", canvas_size=(10, 12))
    assert T.ClampBoundingBoxes()(wide).tolist() == [[0, 0, 12, 5]]
    free = T.SetClampingMode(None)(wide)
    assert (free.clamping_mode, wide.clamping_mode) == (None, "soft")
    assert T.ClampBoundingBoxes()(free).tolist() == wide.tolist()
    assert T.ClampBoundingBoxes("hard")(free).tolist() == [[0, 0, 12, 5]]
    points = tv_tensors.KeyPoints([[-1, 3]], canvas_size=(10, 12))
    assert T.ClampKeyPoints()((wide, points))[1].tolist() == [[0, 3]]


def test_images_alone_pass() -> None:
    for step in (T.ConvertBoundingBoxFormat("XYWH"), T.ClampBoundingBoxes(), T.ClampKeyPoints()):
        for image in (IMAGE, tp.zeros(3, 4, 4)):
            assert step(image) is image


def test_labels_and_masks_go_with_their_boxes() -> None:
    sample = {
        "image": IMAGE,
        "boxes": boxes(),
        "labels": tp.tensor([7, 8, 9]),
        "masks": tv_tensors.Mask(tp.arange(3)[:, None, None].expand(3, 10, 12)),
        "map": tv_tensors.Mask(tp.zeros(10, 12)),
        "other": tp.zeros(3),
    }
    out = T.SanitizeBoundingBoxes()(sample)
    assert out["boxes"].tolist() == [[0, 0, 5, 5], [6, 6, 12, 10]]
    assert out["labels"].tolist() == [7, 9]
    assert out["masks"][:, 0, 0].tolist() == [0, 2]
    assert type(out["masks"]) is tv_tensors.Mask
    for name in ("image", "map", "other"):
        assert out[name] is sample[name]
    both = T.SanitizeBoundingBoxes(labels_getter=lambda s: (s["labels"], s["other"]))(sample)
    assert both["other"].shape == (2,)
    large = T.SanitizeBoundingBoxes(min_area=25, labels_getter=None)(sample)
    assert large["boxes"].tolist() == [[0, 0, 5, 5]]
    assert large["labels"] is sample["labels"]


def test_points() -> None:
    points = tv_tensors.KeyPoints([[1, 1], [12, 1], [3, 9]], canvas_size=(10, 12))
    sample = {"points": points, "labels": tp.arange(3)}
    out = T.SanitizeKeyPoints(labels_getter="default")(sample)
    assert out["points"].tolist() == [[1, 1], [3, 9]]
    assert out["labels"].tolist() == [0, 2]
    assert T.SanitizeKeyPoints()(sample)["labels"] is sample["labels"]


def test_what_is_refused() -> None:
    with pytest.raises(BoundsError, match=r"at least 1 pixel, got 0\.5"):
        T.SanitizeBoundingBoxes(min_size=0.5)
    with pytest.raises(ValueError, match="has no BoundingBoxes"):
        T.SanitizeBoundingBoxes()({"labels": tp.zeros(3)})
    with pytest.raises(ValueError, match=r"tensors of 3 entries, one per object, got \(2,\)"):
        T.SanitizeBoundingBoxes()({"boxes": boxes(), "labels": tp.zeros(2)})
    with pytest.raises(ValueError, match="labels_getter"):
        T.SanitizeBoundingBoxes()({"boxes": boxes()})

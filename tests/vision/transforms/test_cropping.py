"""Crops by the overlap with boxes."""

import pytest

import triptych as tp
from triptych.errors import BoundsError, DTypeError
from triptych_vision import transforms as T
from triptych_vision import tv_tensors
from triptych_vision.ops import box_iou
from triptych_vision.transforms import functional as F

NUMBERS = [[5.0, 5.0, 25.0, 30.0], [40.0, 10.0, 55.0, 28.0]]


def sample(format: str = "XYXY") -> dict[str, object]:
    boxes = tv_tensors.BoundingBoxes(NUMBERS, format="XYXY", canvas_size=(40, 60))
    if format != "XYXY":
        middle = F.convert_bounding_box_format(boxes, new_format="CXCYWH")
        boxes = tv_tensors.BoundingBoxes(
            tp.cat((tp.tensor(middle.tolist()), tp.zeros(2, 1)), 1),
            format="CXCYWHR",
            canvas_size=(40, 60),
        )
    x = tp.arange(60).expand(40, 60)
    y = tp.arange(40)[:, None].expand(40, 60)
    return {
        "image": tv_tensors.Image(tp.stack([x, y])),
        "boxes": boxes,
        "labels": tp.tensor([1, 2]),
    }


@pytest.mark.parametrize("format", ["XYXY", "CXCYWHR"])
@pytest.mark.parametrize("least", [0.1, 0.5, 0.65])
def test_overlap_is_enough(format: str, least: float) -> None:
    tp.manual_seed(0)
    crop = T.RandomIoUCrop(sampler_options=[least], min_scale=0.2, trials=10000)
    for _ in range(3):
        out = crop(sample(format))
        corner, size = out["image"][:, 0, 0], out["image"].shape[1:]
        left, top = corner.tolist()
        window = tp.tensor([[left, top, left + size[1], top + size[0]]], dtype=tp.float32)
        assert 0.5 <= size[1] / size[0] <= 2
        inside = [
            left < (x1 + x2) / 2 < left + size[1] and top < (y1 + y2) / 2 < top + size[0]
            for x1, y1, x2, y2 in NUMBERS
        ]
        overlaps = box_iou(tp.tensor(NUMBERS), window)[:, 0]
        assert max(overlaps[tp.tensor(inside)].tolist()) >= least
        assert out["boxes"].canvas_size == tuple(size)
        left_over = T.SanitizeBoundingBoxes()(out)
        if format == "XYXY":
            assert left_over["labels"].tolist() == [i + 1 for i in range(2) if inside[i]]
        assert [any(box) for box in out["boxes"].tolist()] == inside


def test_option_one_leaves_all_as_it_is() -> None:
    given = sample()
    out = T.RandomIoUCrop(sampler_options=[1.0])(given)
    assert out["image"] is given["image"]
    assert out["boxes"] is given["boxes"]


def test_what_is_refused() -> None:
    with pytest.raises(DTypeError, match="an image and BoundingBoxes"):
        T.RandomIoUCrop()((tp.zeros(3, 4, 4), 3))
    with pytest.raises(BoundsError, match="wanted some sampler_options and trials"):
        T.RandomIoUCrop(sampler_options=[])

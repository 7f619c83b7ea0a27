"""What a pipeline drops."""

from typing import Any

import pytest

import triptych as tp
from triptych.errors import BoundsError, ShapeError
from triptych_vision import transforms as T
from triptych_vision import tv_tensors


def boxes_of(rows: Any, size: tuple[int, int]) -> Any:
    return tv_tensors.BoundingBoxes(rows, format="XYXY", canvas_size=size)


def test_visibility_counts_all_that_is_lost_on_the_way() -> None:
    boxes = boxes_of([[0, 0, 10, 10], [0, 0, 4, 10], [7, 0, 10, 10]], (10, 10))
    sample = {
        "image": tp.zeros(3, 10, 10),
        "target": {"boxes": boxes, "labels": tp.tensor([1, 2, 3]), "names": ["a", "b", "c"]},
        "masks": tv_tensors.Mask(tp.ones(3, 10, 10)),
        "other": [1, 2, 3],
    }

    class Cut(T.Transform):
        """The columns from one on."""

        def __init__(self, start: int) -> None:
            super().__init__()
            self.start = start

        def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
            height, width = T.functional.get_size(inpt)
            return T.functional.crop(inpt, 0, self.start, height, width - self.start)

    steps = [
        Cut(2),
        T.RandomHorizontalFlip(1.0),
        T.Resize((20, 16)),
        T.RandomHorizontalFlip(1.0),
        Cut(4),
    ]
    for least, kept in [(0.0, [1, 3]), (0.5, [1, 3]), (0.7, [3]), (1.0, [3])]:
        params = T.BBoxParams(["labels", "names"], min_visibility=least)
        out = T.Compose(steps, bbox_params=params)(sample)
        assert out["target"]["labels"].tolist() == kept
        assert out["target"]["names"] == ["abc"[k - 1] for k in kept]
        assert len(out["masks"]) == len(out["target"]["boxes"]) == len(kept)
        assert out["target"]["boxes"].clamping_mode == "soft"
        assert out["other"] == [1, 2, 3]
        assert (out["target"]["boxes"] >= 0).all()
    small = T.Compose([], T.BBoxParams(["labels"], min_width=4, min_area=50))
    assert small(sample)["target"]["labels"].tolist() == [1]
    image = tp.zeros(3, 4, 4)
    assert small(image) is image
    with pytest.raises(ShapeError, match="'labels' has 2 entries for 3"):
        small({"boxes": boxes, "labels": [1, 2]})
    with pytest.raises(BoundsError, match="min_visibility"):
        T.BBoxParams(min_visibility=2)

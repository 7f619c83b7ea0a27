"""Which boxes a pipeline drops at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import BoundsError, ShapeError

from .. import tv_tensors
from ..tv_tensors.base import plain
from .functional.boxes import clamped, converted
from .transform import flattened, rebuilt

__all__ = ["BBoxParams"]


@dataclass(frozen=True)
class BBoxParams:
    """How much must be left of a box, for `Compose(bbox_params=)`.

    While the steps run, boxes may reach beyond the canvas, and are cut to it once at the end: so
    it is known how much of each is lost, whatever the steps are. A sample without boxes passes.

    Args:
        label_fields: keys of the sample's dicts, at any depth, whose entries belong to the boxes
            and are dropped with them: tensors, arrays or lists.
        min_area: least area inside of the canvas, in pixels.
        min_visibility: least part of the area that is inside, from 0 to 1.
        min_width: least width inside of the canvas, in pixels.
        min_height: least height.

    Raises:
        BoundsError: min_visibility is not from 0 to 1.
        ShapeError: when called, a field has another count of entries than there are boxes.

    Example:
        >>> from triptych_vision.transforms import CenterCrop, Compose
        >>> boxes = [[0, 0, 3, 3], [2, 2, 6, 6]]
        >>> boxes = tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=(8, 8))
        >>> sample = {"image": tp.zeros(3, 8, 8), "boxes": boxes, "names": ["cat", "dog"]}
        >>> steps = Compose([CenterCrop(4)], BBoxParams(["names"], min_visibility=0.5))
        >>> out = steps(sample)
        >>> out["boxes"].tolist(), out["names"]
        ([[0, 0, 4, 4]], ['dog'])
    """

    label_fields: Sequence[str] = ()
    min_area: float = 0.0
    min_visibility: float = 0.0
    min_width: float = 0.0
    min_height: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.min_visibility <= 1:
            raise BoundsError(
                f"BBoxParams: min_visibility is from 0 to 1, got {self.min_visibility}"
            )

    def around(self, steps: Callable[[Any], Any], sample: Any) -> Any:
        """What the steps make of a sample, without the boxes that are lost.

        Args:
            steps: take and return a sample.
            sample: with `BoundingBoxes`, the first of which count, and labels.

        Returns:
            The new sample; masks (n, h, w) of as many entries are dropped with the boxes, too.
        """
        before = [p for p in flattened(sample) if isinstance(p, tv_tensors.BoundingBoxes)]
        if not before:
            return steps(sample)
        loose = (_with_mode(part, None) for part in flattened(sample))
        out = steps(rebuilt(sample, loose))
        modes = iter([boxes.clamping_mode for boxes in before])
        parts = [
            _cut(p, next(modes)) if isinstance(p, tv_tensors.BoundingBoxes) else (p, None)
            for p in flattened(out)
        ]
        keep = next((self._kept(*pair) for pair in parts if pair[1] is not None), None)
        cut = rebuilt(out, (part for part, _ in parts))
        return cut if keep is None else self._dropped(cut, keep)

    def _kept(self, boxes: Any, loose: Any) -> tp.Tensor:
        """(n,) bool."""
        w, h = _sides(boxes)
        before = _sides(loose)
        area, whole = w * h, before[0] * before[1]
        large = (w >= self.min_width) & (h >= self.min_height) & (area >= self.min_area)
        return large & (area > 0) & (area >= self.min_visibility * whole)

    def _dropped(self, node: Any, keep: tp.Tensor) -> Any:
        if isinstance(node, dict):
            pairs = (
                (k, self._field(k, v, keep) if k in self.label_fields else self._dropped(v, keep))
                for k, v in node.items()
            )
            return type(node)(pairs)
        if isinstance(node, list | tuple):
            new = [self._dropped(child, keep) for child in node]
            return type(node)(*new) if hasattr(node, "_fields") else type(node)(new)
        return _without(node, keep)

    def _field(self, name: str, value: Any, keep: tp.Tensor) -> Any:
        if len(value) != len(keep):
            raise ShapeError(f"BBoxParams: {name!r} has {len(value)} entries for {len(keep)} boxes")
        if isinstance(value, tp.Tensor):
            return value[keep]
        if isinstance(value, np.ndarray):
            return value[keep.cpu().numpy()]
        kept = [v for v, k in zip(value, keep.tolist(), strict=True) if k]
        return type(value)(kept)


def _with_mode(part: Any, mode: str | None) -> Any:
    if not isinstance(part, tv_tensors.BoundingBoxes):
        return part
    return tv_tensors.wrap(plain(part), like=part, clamping_mode=mode)


def _cut(boxes: Any, mode: str | None) -> tuple[Any, Any]:
    """Boxes cut to the canvas, with the clamping mode that they had; and as they were."""
    inside = clamped(plain(boxes), boxes.format, boxes.canvas_size, mode or "hard")
    return tv_tensors.wrap(inside, like=boxes, clamping_mode=mode), boxes


def _sides(boxes: Any) -> tuple[tp.Tensor, tp.Tensor]:
    """Width and height of each, (n,) floats."""
    formats = tv_tensors.BoundingBoxFormat
    sized = formats.CXCYWHR if boxes.format.rotated else formats.XYWH
    numbers = plain(boxes)
    wide = numbers if numbers.is_floating_point() else numbers.to(tp.float32)
    w, h = converted(wide, boxes.format, sized)[:, 2:4].unbind(-1)
    return w, h


def _without(part: Any, keep: tp.Tensor) -> Any:
    """Boxes, and masks of which there are as many, without those that are lost."""
    is_boxes = isinstance(part, tv_tensors.BoundingBoxes)
    is_masks = isinstance(part, tv_tensors.Mask) and part.ndim > 2
    if (is_boxes or is_masks) and len(part) == len(keep):
        return tv_tensors.wrap(plain(part)[keep], like=part)
    return part

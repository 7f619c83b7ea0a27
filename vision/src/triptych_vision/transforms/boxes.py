"""Transforms of boxes and keypoints alone."""

from __future__ import annotations

from typing import Any

import triptych as tp
from triptych.errors import BoundsError

from .. import tv_tensors
from ..tv_tensors.boxes import bounding_box_format, checked_clamping_mode
from . import functional as F
from .queries import get_bounding_boxes, get_keypoints
from .samples import LabelsGetter, labels_getter
from .transform import Transform, flattened, rebuilt

__all__ = [
    "ClampBoundingBoxes",
    "ClampKeyPoints",
    "ConvertBoundingBoxFormat",
    "SanitizeBoundingBoxes",
    "SanitizeKeyPoints",
    "SetClampingMode",
]


class _BoxTransform(Transform):
    """Changes `BoundingBoxes` and nothing else."""

    _alone_is_image = False

    def selects(self, part: Any) -> bool:
        """Whether a part is `BoundingBoxes`."""
        return isinstance(part, tv_tensors.BoundingBoxes)


class ConvertBoundingBoxFormat(_BoxTransform):
    """Write boxes in another format.

    Args:
        format: a `BoundingBoxFormat` or its name.

    Example:
        >>> boxes = tv_tensors.BoundingBoxes([1, 2, 3, 4], format="XYXY", canvas_size=(9, 9))
        >>> ConvertBoundingBoxFormat("XYWH")(boxes).tolist()
        [[1, 2, 2, 2]]
    """

    def __init__(self, format: tv_tensors.BoundingBoxFormat | str) -> None:
        super().__init__()
        self.format = bounding_box_format(format)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The boxes in the new format."""
        return F.convert_bounding_box_format(inpt, new_format=self.format)


class ClampBoundingBoxes(_BoxTransform):
    """Cut boxes to the canvas.

    Args:
        clamping_mode: "soft", "hard" or None, see `functional.clamp_bounding_boxes`; "auto" is
            what the boxes say themselves.
    """

    def __init__(self, clamping_mode: str | None = "auto") -> None:
        super().__init__()
        self.clamping_mode = clamping_mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The boxes inside of the canvas."""
        return F.clamp_bounding_boxes(inpt, clamping_mode=self.clamping_mode)


class ClampKeyPoints(Transform):
    """Move points outside of the canvas to its nearest pixel."""

    _alone_is_image = False

    def selects(self, part: Any) -> bool:
        """Whether a part is `KeyPoints`."""
        return isinstance(part, tv_tensors.KeyPoints)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The points inside of the canvas."""
        return F.clamp_keypoints(inpt)


class SetClampingMode(_BoxTransform):
    """Say how the transforms after this one treat boxes that leave the canvas.

    Args:
        clamping_mode: "soft", "hard" or None, see `tv_tensors.BoundingBoxes`.
    """

    def __init__(self, clamping_mode: str | None) -> None:
        super().__init__()
        self.clamping_mode = checked_clamping_mode(clamping_mode)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The same boxes with the new mode."""
        return tv_tensors.wrap(inpt, like=inpt, clamping_mode=self.clamping_mode)


class _Sanitize(Transform):
    """Drops objects, and with them their labels.

    Args:
        labels_getter: "default", which looks for a key such as "labels"; a function of the
            sample that returns a tensor or several; or None, there are none.
    """

    def __init__(self, labels_getter_: LabelsGetter) -> None:
        super().__init__()
        self.labels_getter = labels_getter_
        self._labels_getter = labels_getter(labels_getter_)

    def valid(self, parts: list[Any]) -> tp.Tensor:
        """(n,) bool, the objects that stay."""
        raise NotImplementedError(f"{type(self).__name__}.valid is not written")

    def goes_along(self, part: Any, valid: tp.Tensor) -> bool:
        """Whether a part has an entry for each object."""
        raise NotImplementedError(f"{type(self).__name__}.goes_along is not written")

    def forward(self, *inputs: Any) -> Any:
        """The sample without the objects that are not valid."""
        sample = inputs if len(inputs) > 1 else inputs[0]
        parts = flattened(sample)
        valid = self.valid(parts)
        labels = _label_tensors(
            type(self).__name__, self._labels_getter(sample), int(valid.shape[0])
        )
        return rebuilt(sample, (self._kept(part, valid, labels) for part in parts))

    def _kept(self, part: Any, valid: tp.Tensor, labels: tuple[tp.Tensor, ...]) -> Any:
        if self.goes_along(part, valid):
            return tv_tensors.wrap(part[valid], like=part)
        return part[valid] if any(part is label for label in labels) else part


def _label_tensors(name: str, labels: Any, count: int) -> tuple[tp.Tensor, ...]:
    """Labels, one tensor, several or None, as a tuple of tensors with one entry per object."""
    several = labels if isinstance(labels, tuple | list) else (labels,)
    tensors = () if labels is None else tuple(several)
    for label in tensors:
        if not isinstance(label, tp.Tensor) or label.ndim < 1 or label.shape[0] != count:
            came = tuple(label.shape) if isinstance(label, tp.Tensor) else type(label).__name__
            raise ValueError(
                f"{name}: wanted labels as tensors of {count} entries, one per object, got {came}"
            )
    return tensors


class SanitizeBoundingBoxes(_Sanitize):
    """Drop boxes that are too small or reach outside of the canvas, their labels and masks.

    Use it at the end, and always after `RandomIoUCrop`, which marks boxes by making them empty.

    Args:
        min_size: least width and height, in pixels, at least 1.
        min_area: least area, in pixels, at least 1.
        labels_getter: "default", which finds labels under a key such as "labels"; a function of
            the sample that returns a tensor or several; or None, there are none.

    Raises:
        BoundsError: min_size or min_area is less than 1.
        ValueError: the sample has no boxes, or labels are not found or of another length.

    Example:
        >>> boxes = [[0, 0, 5, 5], [2, 2, 2, 9]]
        >>> boxes = tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=(10, 10))
        >>> out = SanitizeBoundingBoxes()({"boxes": boxes, "labels": tp.tensor([7, 8])})
        >>> out["boxes"].tolist(), out["labels"].tolist()
        ([[0, 0, 5, 5]], [7])
    """

    def __init__(
        self, min_size: float = 1.0, min_area: float = 1.0, labels_getter: LabelsGetter = "default"
    ) -> None:
        super().__init__(labels_getter)
        if min_size < 1 or min_area < 1:
            raise BoundsError(
                "SanitizeBoundingBoxes: min_size and min_area are at least 1 pixel, got "
                f"{min_size} and {min_area}"
            )
        self.min_size = min_size
        self.min_area = min_area

    def valid(self, parts: list[Any]) -> tp.Tensor:
        """(n,) bool, by the first boxes of the sample."""
        boxes = get_bounding_boxes(parts)
        return F.sanitize_bounding_boxes(boxes, None, None, self.min_size, self.min_area)[1]

    def goes_along(self, part: Any, valid: tp.Tensor) -> bool:
        """Whether a part is boxes, or masks of which there are as many."""
        if isinstance(part, tv_tensors.Mask):
            return part.ndim > 2 and part.shape[0] == valid.shape[0]
        return isinstance(part, tv_tensors.BoundingBoxes)


class SanitizeKeyPoints(_Sanitize):
    """Drop points outside of the canvas, or groups of points with one outside, and their labels.

    Args:
        labels_getter: as of `SanitizeBoundingBoxes`; default None.

    Raises:
        ValueError: the sample has no keypoints, or labels are not found or of another length.
    """

    def __init__(self, labels_getter: LabelsGetter = None) -> None:
        super().__init__(labels_getter)

    def valid(self, parts: list[Any]) -> tp.Tensor:
        """(n,) bool, by the first keypoints of the sample."""
        return F.sanitize_keypoints(get_keypoints(parts))[1]

    def goes_along(self, part: Any, valid: tp.Tensor) -> bool:
        """Whether a part is keypoints."""
        return isinstance(part, tv_tensors.KeyPoints)

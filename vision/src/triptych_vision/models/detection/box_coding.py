"""Boxes as differences from reference boxes, which is what detectors learn."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import triptych as tp
from triptych.nn import functional as F

from ...ops import complete_box_iou_loss, distance_box_iou_loss, generalized_box_iou_loss

__all__ = ["BoxCoder", "BoxLinearCoder", "box_loss"]

WIDEST = math.log(1000.0 / 16)  # a box is at most so many times larger than its reference
IOU_LOSSES: dict[str, Callable[..., tp.Tensor]] = {
    "ciou": complete_box_iou_loss,
    "diou": distance_box_iou_loss,
    "giou": generalized_box_iou_loss,
}
CODE_LOSSES: dict[str, Callable[..., tp.Tensor]] = {
    "l1": F.l1_loss,
    "smooth_l1": F.smooth_l1_loss,
}


class BoxCoder:
    """Distance of the centres in sizes of the reference, and logarithms of the ratios of sizes.

    Args:
        weights: that the four numbers are multiplied by: x, y, width, height.
        bbox_xform_clip: largest logarithm when decoding.

    Source: Girshick et al. 2014, appendix C.
    """

    def __init__(
        self, weights: tuple[float, float, float, float], bbox_xform_clip: float = WIDEST
    ) -> None:
        self.weights = weights
        self.bbox_xform_clip = bbox_xform_clip

    def encode(
        self, reference_boxes: Sequence[tp.Tensor], proposals: Sequence[tp.Tensor]
    ) -> list[tp.Tensor]:
        """Codes of boxes, given what they differ from.

        Args:
            reference_boxes: the true boxes, for each image (l, 4), xyxy.
            proposals: what they differ from, likewise.

        Returns:
            For each image (l, 4).
        """
        pairs = zip(reference_boxes, proposals, strict=True)
        return [self.encode_single(true, proposed) for true, proposed in pairs]

    def encode_single(self, reference_boxes: tp.Tensor, proposals: tp.Tensor) -> tp.Tensor:
        """`encode` for one image: (l, 4) and (l, 4) to (l, 4)."""
        size, centre = _size_and_centre(proposals)
        true_size, true_centre = _size_and_centre(reference_boxes)
        wx, wy, ww, wh = self.weights
        shift = (true_centre - centre) / size * tp.tensor([wx, wy], dtype=size.dtype).to(size)
        scale = (true_size / size).log() * tp.tensor([ww, wh], dtype=size.dtype).to(size)
        return tp.cat((shift, scale), 1)

    def decode(self, rel_codes: tp.Tensor, boxes: Sequence[tp.Tensor]) -> tp.Tensor:
        """Boxes that codes mean.

        Args:
            rel_codes: (k, 4 * classes) for the boxes of all images together.
            boxes: what they differ from, for each image (l, 4), xyxy.

        Returns:
            (k, classes, 4), xyxy.
        """
        together = tp.cat(list(boxes))
        codes = rel_codes.reshape(together.shape[0], -1) if together.shape[0] else rel_codes
        return self.decode_single(codes, together).unflatten(1, (-1, 4))

    def decode_single(self, rel_codes: tp.Tensor, boxes: tp.Tensor) -> tp.Tensor:
        """(k, 4 * classes) and (k, 4) to (k, 4 * classes)."""
        size, centre = _size_and_centre(boxes.to(rel_codes.dtype))
        codes = rel_codes.unflatten(1, (-1, 4))  # (k, classes, 4)
        codes = codes / tp.tensor(self.weights, dtype=codes.dtype).to(codes)
        middle = codes[..., :2] * size[:, None] + centre[:, None]
        half = codes[..., 2:].clamp(max=self.bbox_xform_clip).exp() * size[:, None] * 0.5
        return tp.cat((middle - half, middle + half), -1).flatten(1)


class BoxLinearCoder:
    """Distances from the reference's centre to the four sides.

    Args:
        normalize_by_size: divide by the reference's width and height.

    Source: Tian, Shen, Chen and He 2019, equation 1.
    """

    def __init__(self, normalize_by_size: bool = True) -> None:
        self.normalize_by_size = normalize_by_size

    def encode(self, reference_boxes: tp.Tensor, proposals: tp.Tensor) -> tp.Tensor:
        """Codes of the boxes `proposals` as seen from the references: (..., 4) each, xyxy."""
        size, centre = _size_and_centre(reference_boxes)
        codes = tp.cat((centre - proposals[..., :2], proposals[..., 2:] - centre), -1)
        return codes / tp.cat((size, size), -1) if self.normalize_by_size else codes

    def decode(self, rel_codes: tp.Tensor, boxes: tp.Tensor) -> tp.Tensor:
        """Boxes that codes mean, given the references: (..., 4) each, to (..., 4) xyxy."""
        size, centre = _size_and_centre(boxes.to(rel_codes.dtype))
        if self.normalize_by_size:
            rel_codes = rel_codes * tp.cat((size, size), -1)
        return tp.cat((centre - rel_codes[..., :2], centre + rel_codes[..., 2:]), -1)


def _size_and_centre(boxes: tp.Tensor) -> tuple[tp.Tensor, tp.Tensor]:
    """(..., 2) each."""
    size = boxes[..., 2:] - boxes[..., :2]
    return size, boxes[..., :2] + 0.5 * size


def box_loss(
    kind: str, coder: BoxCoder, anchors: tp.Tensor, true_boxes: tp.Tensor, codes: tp.Tensor
) -> tp.Tensor:
    """Sum of the losses of the boxes that codes mean.

    Args:
        kind: "l1" or "smooth_l1" of the codes; "giou", "diou" or "ciou" of the boxes.
        coder: makes codes of boxes.
        anchors: (l, 4), what the codes differ from, xyxy.
        true_boxes: (l, 4), xyxy.
        codes: (l, 4), learned.

    Returns:
        A number.
    """
    if kind in IOU_LOSSES:
        return IOU_LOSSES[kind](coder.decode_single(codes, anchors), true_boxes, reduction="sum")
    wanted = coder.encode_single(true_boxes, anchors)
    return CODE_LOSSES[kind](codes, wanted, reduction="sum")

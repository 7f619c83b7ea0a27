"""Ways to write a box down, and the steps from one to another.

| format | numbers |
| --- | --- |
| xyxy | left, top, right, bottom |
| xywh | left, top, width, height |
| cxcywh | centre, width, height |
| xywhr | first corner, width, height, angle |
| cxcywhr | centre, width, height, angle |
| xyxyxyxy | four corners |

All are in pixels. Angles are in degrees, counter-clockwise as one sees the picture, about the
centre. Corners go clockwise as one sees it, starting at the one that is top left at angle 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import triptych as tp
from triptych.errors import DomainError, ShapeError

__all__ = ["ROTATED", "UPRIGHT", "box_convert", "check_boxes"]

UPRIGHT = ("xyxy", "xywh", "cxcywh")
ROTATED = ("xywhr", "cxcywhr", "xyxyxyxy")
NUMBERS = {"xyxy": 4, "xywh": 4, "cxcywh": 4, "xywhr": 5, "cxcywhr": 5, "xyxyxyxy": 8}


def box_convert(boxes: tp.Tensor, in_fmt: str, out_fmt: str) -> tp.Tensor:
    """Boxes in another format.

    Args:
        boxes: (..., 4), or (..., 5) with an angle, or (..., 8) for four corners.
        in_fmt: how they are written: "xyxy", "xywh", "cxcywh"; or, for rotated ones, "xywhr",
            "cxcywhr", "xyxyxyxy".
        out_fmt: how they shall be written; upright and rotated formats do not mix.

    Returns:
        (..., 4), (..., 5) or (..., 8), a copy. Integer boxes stay integers; where an angle comes
        in they are rounded.

    Raises:
        DomainError: there is no such format, or no way between the two.
        ShapeError: the last axis does not fit in_fmt.

    Example:
        >>> box_convert(tp.tensor([[10.0, 20.0, 30.0, 60.0]]), "xyxy", "cxcywh")
        tensor([[20., 40., 20., 40.]])
    """
    families = [fmts for fmts in (UPRIGHT, ROTATED) if in_fmt in fmts and out_fmt in fmts]
    if not families:
        raise DomainError(
            f"box_convert: in_fmt and out_fmt are both among {UPRIGHT} or both among {ROTATED}, "
            f"got {in_fmt!r} and {out_fmt!r}"
        )
    check_boxes("box_convert", boxes, in_fmt)
    if in_fmt == out_fmt:
        return boxes.clone()
    middle = families[0][0]  # all conversions go by way of the family's first format
    if in_fmt != middle:
        boxes = STEPS[in_fmt, middle](boxes)
    return boxes if out_fmt == middle else STEPS[middle, out_fmt](boxes)


def check_boxes(name: str, boxes: tp.Tensor, fmt: str) -> None:
    """Raise if the last axis has not as many numbers as the format.

    Args:
        name: of the function, for the error's text.
        boxes: (..., n).
        fmt: one of the six formats.

    Raises:
        ShapeError: n does not fit.
    """
    if boxes.ndim == 0 or boxes.shape[-1] != NUMBERS[fmt]:
        raise ShapeError(
            f"{name}: {fmt} boxes have shape (..., {NUMBERS[fmt]}), got {tuple(boxes.shape)}"
        )


def _xywh_to_xyxy(boxes: tp.Tensor) -> tp.Tensor:
    x, y, w, h = boxes.unbind(-1)
    return tp.stack((x, y, x + w, y + h), -1)


def _xyxy_to_xywh(boxes: tp.Tensor) -> tp.Tensor:
    x1, y1, x2, y2 = boxes.unbind(-1)
    return tp.stack((x1, y1, x2 - x1, y2 - y1), -1)


def _cxcywh_to_xyxy(boxes: tp.Tensor) -> tp.Tensor:
    cx, cy, w, h = boxes.unbind(-1)
    return tp.stack((cx - 0.5 * w, cy - 0.5 * h, cx + 0.5 * w, cy + 0.5 * h), -1)


def _xyxy_to_cxcywh(boxes: tp.Tensor) -> tp.Tensor:
    x1, y1, x2, y2 = boxes.unbind(-1)
    return tp.stack(((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1), -1)


def _rotated(convert: Callable[[tp.Tensor], tp.Tensor]) -> Callable[[tp.Tensor], tp.Tensor]:
    """A conversion with angles, for integer boxes too: those are rounded."""

    def call(boxes: tp.Tensor) -> tp.Tensor:
        if boxes.is_floating_point():
            return convert(boxes)
        return convert(boxes.to(tp.float32)).round().to(boxes.dtype)

    return call


def _half_diagonal(w: tp.Tensor, h: tp.Tensor, r: tp.Tensor) -> tuple[tp.Tensor, tp.Tensor]:
    """From the first corner to the centre, in pixels."""
    angle = r * (math.pi / 180)
    cos, sin = angle.cos(), angle.sin()
    return w / 2 * cos + h / 2 * sin, h / 2 * cos - w / 2 * sin


@_rotated
def _xywhr_to_cxcywhr(boxes: tp.Tensor) -> tp.Tensor:
    x, y, w, h, r = boxes.unbind(-1)
    dx, dy = _half_diagonal(w, h, r)
    return tp.stack((x + dx, y + dy, w, h, r), -1)


@_rotated
def _cxcywhr_to_xywhr(boxes: tp.Tensor) -> tp.Tensor:
    cx, cy, w, h, r = boxes.unbind(-1)
    dx, dy = _half_diagonal(w, h, r)
    return tp.stack((cx - dx, cy - dy, w, h, r), -1)


@_rotated
def _xywhr_to_corners(boxes: tp.Tensor) -> tp.Tensor:
    x, y, w, h, r = boxes.unbind(-1)
    angle = r * (math.pi / 180)
    cos, sin = angle.cos(), angle.sin()
    x2, y2 = x + w * cos, y - w * sin
    across, down = h * sin, h * cos
    return tp.stack((x, y, x2, y2, x2 + across, y2 + down, x + across, y + down), -1)


@_rotated
def _corners_to_xywhr(boxes: tp.Tensor) -> tp.Tensor:
    x1, y1, x2, y2, x3, y3, _, _ = boxes.unbind(-1)
    r = tp.atan2(y1 - y2, x2 - x1) * (180 / math.pi)
    w = ((x2 - x1) ** 2 + (y1 - y2) ** 2).sqrt()
    h = ((x3 - x2) ** 2 + (y3 - y2) ** 2).sqrt()
    return tp.stack((x1, y1, w, h, r), -1)


STEPS: dict[tuple[str, str], Callable[[tp.Tensor], tp.Tensor]] = {
    ("xywh", "xyxy"): _xywh_to_xyxy,
    ("xyxy", "xywh"): _xyxy_to_xywh,
    ("cxcywh", "xyxy"): _cxcywh_to_xyxy,
    ("xyxy", "cxcywh"): _xyxy_to_cxcywh,
    ("cxcywhr", "xywhr"): _cxcywhr_to_xywhr,
    ("xywhr", "cxcywhr"): _xywhr_to_cxcywhr,
    ("xywhr", "xyxyxyxy"): _xywhr_to_corners,
    ("xyxyxyxy", "xywhr"): _corners_to_xywhr,
}

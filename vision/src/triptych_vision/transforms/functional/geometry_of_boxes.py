"""What mirroring, cutting, framing, resizing and warping do to boxes.

Each kernel takes a plain tensor (..., numbers), its format, the canvas size (h, w) and the
arguments of the function it belongs to; it returns the boxes, and the new canvas size if that
changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import triptych as tp

from ...tv_tensors import BoundingBoxes, BoundingBoxFormat
from ..dispatch import kind_kernel
from ..matrices import affine_matrix
from .boxes import clamped, converted
from .geometry import (
    center_crop,
    center_crop_corner,
    crop,
    horizontal_flip,
    pad,
    resized_crop,
    sides,
    two_lengths,
    vertical_flip,
)
from .geometry_of_points import (
    affine_map,
    check_constant,
    displaced,
    perspective_map,
    rotation_map,
)
from .resizing import resize, resized_size
from .rotated import rectangle
from .warping import affine, checked_displacement, elastic, perspective, rotate, two_shears

__all__ = [
    "affine_bounding_boxes",
    "center_crop_bounding_boxes",
    "crop_bounding_boxes",
    "elastic_bounding_boxes",
    "horizontal_flip_bounding_boxes",
    "pad_bounding_boxes",
    "perspective_bounding_boxes",
    "resize_bounding_boxes",
    "resized_crop_bounding_boxes",
    "rotate_bounding_boxes",
    "vertical_flip_bounding_boxes",
]

Canvas = tuple[int, int]
F = BoundingBoxFormat
Numbers = list[tp.Tensor]


def _side(numbers: Numbers) -> tuple[tp.Tensor, tp.Tensor]:
    """The second corner of boxes (x, y, w, h, r)."""
    x, y, w, _, degrees = numbers
    angle = degrees.deg2rad()
    return x + w * angle.cos(), y - w * angle.sin()


def _mirrored_xywhr(n: Numbers, width: int) -> Numbers:
    x, y = _side(n)
    return [width - x, y, n[2], n[3], -n[4]]


def _flipped_xywhr(n: Numbers, height: int) -> Numbers:
    x, y = _side(n)
    return [x, height - y, n[2], n[3], 180 - n[4]]


# How numbers change under a mirror; corners stay in clockwise order.
_MIRRORED: dict[F, Callable[[Numbers, int], Numbers]] = {
    F.XYXY: lambda n, width: [width - n[2], n[1], width - n[0], n[3]],
    F.XYWH: lambda n, width: [width - (n[0] + n[2]), *n[1:]],
    F.CXCYWH: lambda n, width: [width - n[0], *n[1:]],
    F.XYWHR: _mirrored_xywhr,
    F.CXCYWHR: lambda n, width: [width - n[0], *n[1:4], -n[4]],
    F.XYXYXYXY: lambda n, width: [
        *(width - n[2], n[3], width - n[0], n[1], width - n[6], n[7], width - n[4], n[5])
    ],
}
_FLIPPED: dict[F, Callable[[Numbers, int], Numbers]] = {
    F.XYXY: lambda n, height: [n[0], height - n[3], n[2], height - n[1]],
    F.XYWH: lambda n, height: [n[0], height - (n[1] + n[3]), *n[2:]],
    F.CXCYWH: lambda n, height: [n[0], height - n[1], *n[2:]],
    F.XYWHR: _flipped_xywhr,
    F.CXCYWHR: lambda n, height: [n[0], height - n[1], *n[2:4], 180 - n[4]],
    F.XYXYXYXY: lambda n, height: [
        *(n[2], height - n[3], n[0], height - n[1], n[6], height - n[7], n[4], height - n[5])
    ],
}


@kind_kernel(horizontal_flip, BoundingBoxes)
def horizontal_flip_bounding_boxes(
    bounding_boxes: tp.Tensor, format: BoundingBoxFormat, canvas_size: Canvas
) -> tp.Tensor:
    """Boxes of the image mirrored left and right.

    Args:
        bounding_boxes: (..., 4), rotated ones (..., 5) or (..., 8), in pixels.
        format: of the boxes: a member of `BoundingBoxFormat`.
        canvas_size: (h, w) of the image.

    Returns:
        Boxes of the same shape and dtype.
    """
    numbers = list(bounding_boxes.unbind(-1))
    return tp.stack(_MIRRORED[format](numbers, canvas_size[1]), -1)


@kind_kernel(vertical_flip, BoundingBoxes)
def vertical_flip_bounding_boxes(
    bounding_boxes: tp.Tensor, format: BoundingBoxFormat, canvas_size: Canvas
) -> tp.Tensor:
    """Boxes of the image mirrored top and bottom.

    Args:
        bounding_boxes: (..., 4), rotated ones (..., 5) or (..., 8), in pixels.
        format: of the boxes: a member of `BoundingBoxFormat`.
        canvas_size: (h, w) of the image.

    Returns:
        Boxes of the same shape and dtype.
    """
    numbers = list(bounding_boxes.unbind(-1))
    return tp.stack(_FLIPPED[format](numbers, canvas_size[0]), -1)


def _shifted(boxes: tp.Tensor, format: BoundingBoxFormat, x: int, y: int) -> tp.Tensor:
    pairs = {F.XYXY: 2, F.XYXYXYXY: 4}.get(format, 1)
    shift = [x, y] * pairs + [0] * (format.length - 2 * pairs)
    return boxes + tp.tensor(shift, dtype=boxes.dtype, device=boxes.device)


@kind_kernel(pad, BoundingBoxes)
def pad_bounding_boxes(
    bounding_boxes: tp.Tensor,
    format: BoundingBoxFormat,
    canvas_size: Canvas,
    padding: int | Sequence[int],
    padding_mode: str = "constant",
    clamping_mode: str | None = "soft",
) -> tuple[tp.Tensor, Canvas]:
    """Boxes of the framed image; frames that copy pixels are refused.

    Args:
        bounding_boxes: (..., 4), rotated ones (..., 5) or (..., 8), in pixels.
        format: of the boxes: a member of `BoundingBoxFormat`.
        canvas_size: (h, w) of the image.
        padding: pixels: one width, (left and right, top and bottom), or (left, top, right,
            bottom).
        padding_mode: "constant".
        clamping_mode: how boxes are cut to the canvas: "soft", "hard" or None.

    Returns:
        Boxes of the same shape and dtype, and the new canvas size (h, w).
    """
    check_constant("boxes", padding_mode)
    left, top, right, bottom = sides(padding)
    size = canvas_size[0] + top + bottom, canvas_size[1] + left + right
    return clamped(_shifted(bounding_boxes, format, left, top), format, size, clamping_mode), size


@kind_kernel(crop, BoundingBoxes)
def crop_bounding_boxes(
    bounding_boxes: tp.Tensor,
    format: BoundingBoxFormat,
    top: int,
    left: int,
    height: int,
    width: int,
    clamping_mode: str | None = "soft",
) -> tuple[tp.Tensor, Canvas]:
    """Boxes of the rectangle cut out.

    Args:
        bounding_boxes: (..., 4), rotated ones (..., 5) or (..., 8), in pixels.
        format: of the boxes: a member of `BoundingBoxFormat`.
        top: first row of the rectangle, in pixels; may be negative.
        left: first column, likewise.
        height: of the rectangle in pixels.
        width: likewise.
        clamping_mode: how boxes are cut to the canvas: "soft", "hard" or None.

    Returns:
        Boxes of the same shape and dtype, and the new canvas size (h, w).
    """
    moved = _shifted(bounding_boxes, format, -left, -top)
    if format is F.XYXYXYXY:
        moved = rectangle(moved)
    return clamped(moved, format, (height, width), clamping_mode), (height, width)


@kind_kernel(center_crop, BoundingBoxes)
def center_crop_bounding_boxes(
    bounding_boxes: tp.Tensor,
    format: BoundingBoxFormat,
    canvas_size: Canvas,
    output_size: int | Sequence[int],
    clamping_mode: str | None = "soft",
) -> tuple[tp.Tensor, Canvas]:
    """Boxes of the middle.

    Args:
        bounding_boxes: (..., 4), rotated ones (..., 5) or (..., 8), in pixels.
        format: of the boxes: a member of `BoundingBoxFormat`.
        canvas_size: (h, w) of the image.
        output_size: height and width of the middle, or one for both.
        clamping_mode: how boxes are cut to the canvas: "soft", "hard" or None.

    Returns:
        Boxes of the same shape and dtype, and the new canvas size (h, w).
    """
    size = two_lengths("center_crop", output_size)
    corner = center_crop_corner(canvas_size, size)
    return crop_bounding_boxes(bounding_boxes, format, *corner, *size, clamping_mode)


@kind_kernel(resize, BoundingBoxes)
def resize_bounding_boxes(
    bounding_boxes: tp.Tensor,
    canvas_size: Canvas,
    size: int | Sequence[int] | None,
    max_size: int | None = None,
    format: BoundingBoxFormat = F.XYXY,
    clamping_mode: str | None = "soft",
) -> tuple[tp.Tensor, Canvas]:
    """Boxes of the resized image.

    Args:
        bounding_boxes: (..., 4), rotated ones (..., 5) or (..., 8), in pixels.
        canvas_size: (h, w) of the image.
        size: (h, w), or the shorter side; see `resized_size`.
        max_size: bound of the longer side, when size is one int.
        format: of the boxes: a member of `BoundingBoxFormat`.
        clamping_mode: how boxes are cut to the canvas: "soft", "hard" or None.

    Returns:
        Boxes of the same shape and dtype, and the new canvas size (h, w).
    """
    new = resized_size(canvas_size, size, max_size)
    if new == tuple(canvas_size):
        return bounding_boxes, new
    wide = _as_floats(bounding_boxes)
    ratio = tp.tensor(
        [new[1] / canvas_size[1], new[0] / canvas_size[0]], dtype=wide.dtype, device=wide.device
    )
    if not format.rotated:
        return (wide * ratio.repeat(2)).to(bounding_boxes.dtype), new
    return _through_corners(
        bounding_boxes, format, lambda points: points * ratio, new, clamping_mode
    ), new


@kind_kernel(resized_crop, BoundingBoxes)
def resized_crop_bounding_boxes(
    bounding_boxes: tp.Tensor,
    format: BoundingBoxFormat,
    top: int,
    left: int,
    height: int,
    width: int,
    size: int | Sequence[int],
    clamping_mode: str | None = "soft",
) -> tuple[tp.Tensor, Canvas]:
    """Boxes of the rectangle cut out and resized.

    Args:
        bounding_boxes: (..., 4), rotated ones (..., 5) or (..., 8), in pixels.
        format: of the boxes: a member of `BoundingBoxFormat`.
        top: first row of the rectangle, in pixels; may be negative.
        left: first column, likewise.
        height: of the rectangle in pixels.
        width: likewise.
        size: (h, w), or the shorter side; see `resized_size`.
        clamping_mode: how boxes are cut to the canvas: "soft", "hard" or None.

    Returns:
        Boxes of the same shape and dtype, and the new canvas size (h, w).
    """
    boxes, canvas = crop_bounding_boxes(
        bounding_boxes, format, top, left, height, width, clamping_mode
    )
    return resize_bounding_boxes(boxes, canvas, size, None, format, clamping_mode)


def _as_floats(boxes: tp.Tensor) -> tp.Tensor:
    return boxes if boxes.is_floating_point() else boxes.to(tp.float32)


_AROUND = [0, 1, 2, 1, 2, 3, 0, 3]  # corners of (left, top, right, bottom), clockwise


def _through_corners(
    boxes: tp.Tensor,
    format: BoundingBoxFormat,
    move: Callable[[tp.Tensor], tp.Tensor],
    canvas_size: Canvas,
    clamping_mode: str | None,
) -> tp.Tensor:
    """Boxes around their moved corners, cut to the new canvas.

    Args:
        boxes: (..., numbers).
        format: how they are written.
        move: from corners (n, 4, 2) to corners.
        canvas_size: (h, w) after.
        clamping_mode: see `clamp_bounding_boxes`.

    Returns:
        The boxes in the same format and dtype.
    """
    if not boxes.numel():
        return boxes
    middle = F.XYXYXYXY if format.rotated else F.XYXY
    corners = _as_floats(converted(boxes, format, middle)).reshape(-1, middle.length)
    if not format.rotated:
        corners = corners[:, tp.tensor(_AROUND, device=boxes.device)]
    moved = move(corners.reshape(-1, 4, 2))
    if format.rotated:
        out = rectangle(moved.reshape(-1, 8))
    else:
        out = tp.cat((moved.amin(1), moved.amax(1)), 1)
    out = clamped(out, middle, canvas_size, clamping_mode)
    return converted(out, middle, format).reshape(boxes.shape).to(boxes.dtype)


@kind_kernel(affine, BoundingBoxes)
def affine_bounding_boxes(
    bounding_boxes: tp.Tensor,
    format: BoundingBoxFormat,
    canvas_size: Canvas,
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: float | Sequence[float],
    center: Sequence[float] | None = None,
    clamping_mode: str | None = "soft",
) -> tp.Tensor:
    """Boxes around what `affine` makes of their content.

    Args:
        bounding_boxes: (..., 4), rotated ones (..., 5) or (..., 8), in pixels.
        format: of the boxes: a member of `BoundingBoxFormat`.
        canvas_size: (h, w) of the image.
        angle: degrees, clockwise.
        translate: to the right and down, in pixels.
        scale: above zero.
        shear: degrees, across, or across and down.
        center: (x, y) that stays, in pixels; default the middle.
        clamping_mode: how boxes are cut to the canvas: "soft", "hard" or None.

    Returns:
        Boxes of the same shape and dtype.
    """
    center = (0.5 * canvas_size[1], 0.5 * canvas_size[0]) if center is None else center
    move = affine_map(affine_matrix(center, angle, translate, scale, two_shears(shear)))
    wide = _as_floats(bounding_boxes)
    out = _through_corners(wide, format, move, canvas_size, clamping_mode)
    return out.to(bounding_boxes.dtype)


@kind_kernel(rotate, BoundingBoxes)
def rotate_bounding_boxes(
    bounding_boxes: tp.Tensor,
    format: BoundingBoxFormat,
    canvas_size: Canvas,
    angle: float,
    expand: bool = False,
    center: Sequence[float] | None = None,
    clamping_mode: str | None = "soft",
) -> tuple[tp.Tensor, Canvas]:
    """Boxes around what `rotate` makes of their content.

    Args:
        bounding_boxes: (..., 4), rotated ones (..., 5) or (..., 8), in pixels.
        format: of the boxes: a member of `BoundingBoxFormat`.
        canvas_size: (h, w) of the image.
        angle: degrees, counter-clockwise.
        expand: make the canvas large enough for all corners.
        center: (x, y) that stays, in pixels; default the middle.
        clamping_mode: how boxes are cut to the canvas: "soft", "hard" or None.

    Returns:
        Boxes of the same shape and dtype, and the new canvas size (h, w).
    """
    move, size = rotation_map(canvas_size, angle, expand, center)
    if not bounding_boxes.numel():
        return bounding_boxes, size
    wide = _as_floats(bounding_boxes)
    out = _through_corners(wide, format, move, size, clamping_mode)
    return out.to(bounding_boxes.dtype), size


@kind_kernel(perspective, BoundingBoxes)
def perspective_bounding_boxes(
    bounding_boxes: tp.Tensor,
    format: BoundingBoxFormat,
    canvas_size: Canvas,
    startpoints: Sequence[Sequence[float]] | None,
    endpoints: Sequence[Sequence[float]] | None,
    coefficients: Sequence[float] | None = None,
    clamping_mode: str | None = "soft",
) -> tp.Tensor:
    """Boxes around what `perspective` makes of their content.

    Args:
        bounding_boxes: (..., 4), rotated ones (..., 5) or (..., 8), in pixels.
        format: of the boxes: a member of `BoundingBoxFormat`.
        canvas_size: (h, w) of the image.
        startpoints: four corners (x, y) before; None with coefficients.
        endpoints: the same four after.
        coefficients: the eight numbers of the map back, in place of the corners.
        clamping_mode: how boxes are cut to the canvas: "soft", "hard" or None.

    Returns:
        Boxes of the same shape and dtype.
    """
    move = perspective_map(startpoints, endpoints, coefficients)
    return _through_corners(bounding_boxes, format, move, canvas_size, clamping_mode)


@kind_kernel(elastic, BoundingBoxes)
def elastic_bounding_boxes(
    bounding_boxes: tp.Tensor,
    format: BoundingBoxFormat,
    canvas_size: Canvas,
    displacement: tp.Tensor,
    clamping_mode: str | None = "soft",
) -> tp.Tensor:
    """Boxes around what `elastic` makes of their corners; rotated ones move with their centre.

    The displacement is undone at the whole pixel to the right of and below each point, which is
    an approximation.

    Args:
        bounding_boxes: (..., 4), rotated ones (..., 5) or (..., 8), in pixels.
        format: of the boxes: a member of `BoundingBoxFormat`.
        canvas_size: (h, w) of the image.
        displacement: (1, h, w, 2), (x, y) in halves of the width and height.
        clamping_mode: how boxes are cut to the canvas: "soft", "hard" or None.

    Returns:
        Boxes of the same shape and dtype.
    """
    field = checked_displacement(displacement, canvas_size)
    middle = F.CXCYWHR if format.rotated else F.XYXY
    boxes = converted(bounding_boxes, format, middle).reshape(-1, middle.length)
    if format.rotated:
        out = tp.cat((displaced(boxes[:, :2].ceil(), field), boxes[:, 2:]), 1)
    else:
        corners = boxes[:, tp.tensor(_AROUND, device=boxes.device)].reshape(-1, 4, 2)
        moved = displaced(corners.ceil(), field)
        out = tp.cat((moved.amin(1), moved.amax(1)), 1)
    out = clamped(out.to(boxes.dtype), middle, canvas_size, clamping_mode)
    return converted(out, middle, format).reshape(bounding_boxes.shape)

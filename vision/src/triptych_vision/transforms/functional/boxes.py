"""Writing boxes in another format, cutting them to the canvas, dropping broken ones."""

from __future__ import annotations

from typing import Any

import triptych as tp
from triptych.errors import DTypeError, ShapeError

from ... import tv_tensors
from ...ops.box_formats import STEPS
from ...tv_tensors import BoundingBoxFormat
from ...tv_tensors.base import plain
from ...tv_tensors.boxes import bounding_box_format, checked_clamping_mode
from .rotated import clamp_corners

__all__ = [
    "as_kind",
    "clamp_bounding_boxes",
    "clamped",
    "convert_bounding_box_format",
    "converted",
    "given",
    "sanitize_bounding_boxes",
]

Format = BoundingBoxFormat | str


def convert_bounding_box_format(
    inpt: tp.Tensor,
    old_format: Format | None = None,
    new_format: Format | None = None,
    inplace: bool = False,
) -> Any:
    """Boxes in another format.

    Args:
        inpt: `BoundingBoxes`, or a tensor (..., numbers) with old_format.
        old_format: how a plain tensor is written.
        new_format: how it shall be written; upright and rotated formats do not mix.
        inplace: write into the memory of inpt, where both formats have as many numbers.

    Returns:
        The boxes, same kind and dtype. Integers are rounded down for a centre, else to zero.

    Raises:
        DTypeError: inpt is no tensor or another kind.
        ValueError: old_format is missing for a tensor or given for `BoundingBoxes`, new_format is
            missing, or one of them is rotated and the other not.
        UnknownNameError: no format is called so.

    Example:
        >>> boxes = tp.tensor([[1, 2, 5, 8]])
        >>> convert_bounding_box_format(boxes, "XYXY", "XYWH").tolist()
        [[1, 2, 4, 6]]
    """
    if new_format is None:
        raise ValueError("convert_bounding_box_format: new_format is missing")
    old = given("convert_bounding_box_format", inpt, "format", "old_format", old_format)
    new = bounding_box_format(new_format)
    out = converted(plain(inpt), bounding_box_format(old), new)
    if inplace and out.shape == inpt.shape:
        out = plain(inpt).copy_(out)
    return as_kind(out, inpt, format=new)


def as_kind(out: tp.Tensor, like: tp.Tensor, **metadata: Any) -> Any:
    """A result as the kind of the tensor it was made from."""
    if isinstance(like, tv_tensors.TVTensor):
        return tv_tensors.wrap(out, like=like, **metadata)
    return out


def given(name: str, inpt: object, field: str, argument: str, value: Any) -> Any:
    """A field of boxes or points, which a plain tensor has none of and needs as an argument."""
    if not isinstance(inpt, tp.Tensor):
        raise DTypeError(f"{name}: wanted a tensor, got {type(inpt).__name__}")
    if isinstance(inpt, tv_tensors.TVTensor):
        if not hasattr(inpt, field):
            raise DTypeError(f"{name}: has no kernel for {type(inpt).__name__}")
        if value is not None:
            kind = type(inpt).__name__
            raise ValueError(f"{name}: {kind} say their {field}; leave {argument} out")
        return getattr(inpt, field)
    if value is None:
        raise ValueError(f"{name}: a plain tensor needs {argument}=")
    return value


def converted(boxes: tp.Tensor, old: BoundingBoxFormat, new: BoundingBoxFormat) -> tp.Tensor:
    """A plain tensor of boxes in another format."""
    if old is new:
        return boxes
    if old.rotated != new.rotated:
        raise ValueError(
            f"convert_bounding_box_format: {old.name} and {new.name} do not convert; one is "
            "rotated and the other is not"
        )
    middle = BoundingBoxFormat.XYWHR if old.rotated else BoundingBoxFormat.XYXY
    for start, end in ((old, middle), (middle, new)):
        if start is not end:
            boxes = _step(boxes, start.name.lower(), end.name.lower())
    return boxes


def _step(boxes: tp.Tensor, old: str, new: str) -> tp.Tensor:
    if boxes.is_floating_point():
        return STEPS[old, new](boxes)
    out = STEPS[old, new](boxes.to(tp.float32))
    return (out.floor() if new == "cxcywh" else out.trunc()).to(boxes.dtype)


def clamp_bounding_boxes(
    inpt: tp.Tensor,
    format: Format | None = None,
    canvas_size: tuple[int, int] | None = None,
    clamping_mode: str | None = "auto",
) -> Any:
    """Cut boxes to the canvas.

    Args:
        inpt: `BoundingBoxes`, or a tensor (..., numbers) with the other arguments.
        format: how a plain tensor is written.
        canvas_size: (h, w) for a plain tensor.
        clamping_mode: "soft" lets rotated boxes reach outside as far as they must to hold the
            part inside; "hard" does not; None changes nothing; "auto" is what `BoundingBoxes` say.

    Returns:
        The boxes, same kind and dtype.

    Raises:
        DTypeError: inpt is no tensor or another kind.
        ValueError: arguments are missing for a tensor, or given for `BoundingBoxes`.
        UnknownNameError: no format or mode is called so.

    Example:
        >>> boxes = tp.tensor([[-1, 2, 5, 8]])
        >>> clamp_bounding_boxes(boxes, "XYXY", canvas_size=(4, 9), clamping_mode="hard").tolist()
        [[0, 2, 5, 4]]
    """
    name = "clamp_bounding_boxes"
    layout = bounding_box_format(given(name, inpt, "format", "format", format))
    size = given(name, inpt, "canvas_size", "canvas_size", canvas_size)
    if clamping_mode == "auto":
        clamping_mode = given(name, inpt, "clamping_mode", "clamping_mode", None)
    return as_kind(clamped(plain(inpt), layout, size, clamping_mode), inpt)


def clamped(
    boxes: tp.Tensor, format: BoundingBoxFormat, canvas_size: tuple[int, int], mode: str | None
) -> tp.Tensor:
    """A plain tensor of boxes cut to the canvas; see `clamp_bounding_boxes`."""
    if checked_clamping_mode(mode) is None:
        return boxes.clone()
    wide = boxes if boxes.is_floating_point() else boxes.to(tp.float32)
    if format.rotated:
        middle = BoundingBoxFormat.XYXYXYXY
        corners = converted(wide, format, middle).reshape(-1, 8)
        out = clamp_corners(corners, canvas_size, hard=mode == "hard")
    else:
        middle = BoundingBoxFormat.XYXY
        height, width = canvas_size
        x1, y1, x2, y2 = converted(wide, format, middle).unbind(-1)
        xs, ys = (x.clamp(0, width) for x in (x1, x2)), (y.clamp(0, height) for y in (y1, y2))
        out = tp.stack([v for pair in zip(xs, ys, strict=True) for v in pair], -1)
    return converted(out, middle, format).reshape(boxes.shape).to(boxes.dtype)


def sanitize_bounding_boxes(
    bounding_boxes: tp.Tensor,
    format: Format | None = None,
    canvas_size: tuple[int, int] | None = None,
    min_size: float = 1.0,
    min_area: float = 1.0,
) -> tuple[Any, tp.Tensor]:
    """Drop boxes that are too small or reach outside of the canvas.

    Args:
        bounding_boxes: `BoundingBoxes`, or a tensor (n, numbers) with format and canvas_size.
        format: how a plain tensor is written.
        canvas_size: (h, w) for a plain tensor.
        min_size: least width and height, in pixels.
        min_area: least area, in pixels.

    Returns:
        The boxes that are left, same kind; and (n,) bool, which of all they are.

    Raises:
        DTypeError: no tensor or another kind.
        ValueError: format or canvas_size is missing for a tensor, or given for `BoundingBoxes`.

    Example:
        >>> boxes = tp.tensor([[0, 0, 9, 9], [3, 3, 3, 8]])
        >>> sanitize_bounding_boxes(boxes, "XYXY", (10, 10))[1].tolist()
        [True, False]
    """
    name = "sanitize_bounding_boxes"
    layout = bounding_box_format(given(name, bounding_boxes, "format", "format", format))
    size = given(name, bounding_boxes, "canvas_size", "canvas_size", canvas_size)
    boxes = plain(bounding_boxes)
    valid = _valid_boxes(boxes, layout, size, min_size, min_area)
    return as_kind(boxes[valid], bounding_boxes), valid


def _valid_boxes(
    boxes: tp.Tensor,
    format: BoundingBoxFormat,
    canvas_size: tuple[int, int],
    min_size: float,
    min_area: float,
) -> tp.Tensor:
    """(n,) bool."""
    if boxes.ndim != 2:
        raise ShapeError(
            f"sanitize_bounding_boxes: wanted boxes (n, numbers), got {tuple(boxes.shape)}"
        )
    sized = BoundingBoxFormat.CXCYWHR if format.rotated else BoundingBoxFormat.XYWH
    w, h = converted(boxes, format, sized)[:, 2:4].unbind(-1)
    large = (w >= min_size) & (h >= min_size) & (w * h >= min_area)
    corners = BoundingBoxFormat.XYXYXYXY if format.rotated else BoundingBoxFormat.XYXY
    points = converted(boxes, format, corners)
    limit = tp.tensor(canvas_size[::-1], device=boxes.device).repeat(corners.length // 2)
    return large & ((points >= 0) & (points <= limit)).all(-1)

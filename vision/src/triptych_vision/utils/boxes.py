"""Boxes drawn on images, upright and rotated, with their labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych.errors import ShapeError

from .canvas import check_image, drawn_on, picture_of
from .colors import RGB, Colors, parsed_colors

__all__ = ["draw_bounding_boxes"]

_DASH, _GAP = 5, 5  # pixels, along the first edge of a rotated box, which tells which way it points
_TINT = 100  # opacity of a filled box, of 255
_MARGIN = 1  # pixels around a label


def draw_bounding_boxes(
    image: tp.Tensor,
    boxes: tp.Tensor,
    labels: Sequence[str | None] | None = None,
    colors: Colors = None,
    fill: bool = False,
    width: int = 1,
    font: str | None = None,
    font_size: int | None = None,
    label_colors: Colors = None,
    label_background_colors: Colors = None,
    fill_labels: bool = False,
) -> tp.Tensor:
    """Draw boxes on an image.

    Args:
        image: (c, h, w) with 1 or 3 channels, uint8 or floats from 0 to 1.
        boxes: (n, 4), left, top, right, bottom in pixels; or (n, 8), the four corners (x, y) of
            rotated ones, whose first edge is dashed.
        labels: a text for each box, or None.
        colors: one for all, or a list with one for each box; a name, "#rrggbb" or (r, g, b).
            Default torchvision's palette.
        fill: tint the inside as well.
        width: of the lines, in pixels.
        font: a TrueType file; default Pillow's own.
        font_size: in points; default 10.
        label_colors: of the texts; default those of the boxes, or black on a filled ground.
        label_background_colors: of the grounds; default those of the boxes.
        fill_labels: put a filled ground behind each text.

    Returns:
        (3, h, w), a new tensor of the image's dtype.

    Raises:
        ShapeError: other shapes, an upright box turned inside out, or not one label or color per
            box.
        DTypeError: another dtype.

    Example:
        >>> image = tp.zeros(3, 8, 8, dtype=tp.uint8)
        >>> drawn = draw_bounding_boxes(image, tp.tensor([[1, 1, 6, 6]]), colors="red")
        >>> drawn[:, 1, 3].tolist(), drawn[:, 3, 3].tolist()
        ([255, 0, 0], [0, 0, 0])
    """
    from PIL import ImageDraw

    check_image("draw_bounding_boxes", image, (1, 3))
    _check_boxes(boxes, labels)
    count = boxes.shape[0]
    lines = parsed_colors("draw_bounding_boxes", colors, count)
    inks, grounds = _label_colors(lines, label_colors, label_background_colors, fill_labels)
    picture = picture_of(image)
    pen = ImageDraw.Draw(picture, "RGBA" if fill else None)
    letters = _font(font, font_size) if labels is not None else None
    for place, box in enumerate(boxes.to(tp.int64).tolist()):
        tint = (*lines[place], _TINT) if fill else None
        _outline(pen, box, lines[place], tint, width)
        text = None if labels is None else labels[place]
        if text is not None:
            corner = (box[0] + width + _MARGIN, box[1] + width + _MARGIN)
            _write(pen, corner, text, letters, inks[place], grounds[place])
    return drawn_on(picture, like=image)


def _check_boxes(boxes: tp.Tensor, labels: Sequence[str | None] | None) -> None:
    if boxes.ndim != 2 or boxes.shape[1] not in (4, 8):
        raise ShapeError(
            f"draw_bounding_boxes: wanted boxes (n, 4) or (n, 8), got {tuple(boxes.shape)}"
        )
    if boxes.shape[1] == 4 and bool((boxes[:, :2] > boxes[:, 2:]).any()):
        raise ShapeError(
            "draw_bounding_boxes: wanted (left, top, right, bottom) with left <= right and top <= "
            "bottom in every box; ops.box_convert knows other formats"
        )
    if labels is not None and len(labels) != boxes.shape[0]:
        raise ShapeError(f"draw_bounding_boxes: {len(labels)} labels for {boxes.shape[0]} boxes")


def _label_colors(
    lines: list[RGB], given: Colors, ground: Colors, filled: bool
) -> tuple[Sequence[RGB], Sequence[RGB | None]]:
    """Colours of the letters, and of the ground behind them, or None for no ground."""
    caller, count = "draw_bounding_boxes", len(lines)
    if given is None:
        inks = parsed_colors(caller, "black", count) if filled else lines
    else:
        inks = parsed_colors(caller, given, count)
    if not filled:
        return inks, [None] * count
    return inks, lines if ground is None else parsed_colors(caller, ground, count)


def _font(font: str | None, size: int | None) -> Any:
    from PIL import ImageFont

    return ImageFont.truetype(font, size or 10) if font else ImageFont.load_default(size or 10)


def _outline(pen: Any, box: list[int], line: RGB, tint: Any, width: int) -> None:
    if len(box) == 4:
        pen.rectangle(box, width=width, outline=line, fill=tint)
        return
    corners = list(zip(box[::2], box[1::2], strict=True))
    _dashed(pen, corners[0], corners[1], line, width)
    for start, end in zip(corners[1:], (*corners[2:], corners[0]), strict=True):
        pen.line((start, end), width=width, fill=line)
    pen.polygon(corners, fill=tint, outline=None, width=0)


def _dashed(pen: Any, start: tuple[int, int], end: tuple[int, int], line: RGB, width: int) -> None:
    spot, left, drawn = (float(start[0]), float(start[1])), math.dist(start, end), True
    while left > 0:  # step by step as torchvision does, so that rounding falls on the same pixels
        step = min(left, _DASH if drawn else _GAP)
        angle = math.atan2(end[1] - spot[1], end[0] - spot[0])
        following = (spot[0] + math.cos(angle) * step, spot[1] + math.sin(angle) * step)
        if drawn:
            pen.line((spot, following), fill=line, width=width)
        spot, left, drawn = following, left - step, not drawn


def _write(
    pen: Any, corner: tuple[int, int], text: str, letters: Any, ink: RGB, ground: RGB | None
) -> None:
    if ground is not None:
        left, top, right, bottom = pen.textbbox(corner, text, font=letters)
        box = (left - _MARGIN, top - _MARGIN, right + _MARGIN, bottom + _MARGIN)
        pen.rectangle(box, fill=ground)
    pen.text(corner, text, fill=ink, font=letters)

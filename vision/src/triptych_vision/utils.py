"""Showing images: grids of them, files, boxes drawn on them."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np

import triptych as tp
from triptych.errors import DTypeError, ShapeError

__all__ = ["draw_bounding_boxes", "make_grid", "save_image"]

Color = str | tuple[int, int, int]


def make_grid(
    tensor: tp.Tensor | Sequence[tp.Tensor],
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> tp.Tensor:
    """Several images in one, row by row.

    Args:
        tensor: (n, c, h, w), or images (c, h, w) of one size; one image (c, h, w) or (h, w) comes
            back alone. Images of one channel get three.
        nrow: images in a row.
        padding: pixels between them.
        normalize: map value_range to [0, 1].
        value_range: (least, most); default those of the images.
        scale_each: take the range of each image on its own.
        pad_value: of the pixels between.

    Returns:
        (c, height, width).

    Raises:
        ShapeError: images of different sizes, or another number of axes.

    Example:
        >>> make_grid(tp.zeros(5, 3, 8, 8), nrow=3).shape
        Size([3, 22, 32])
    """
    images = _batch(tensor)
    if normalize:
        images = _into_unit_range(images, value_range, scale_each)
    count, channels, height, width = images.shape
    if count == 1:
        return images[0]
    columns = min(nrow, count)
    rows = math.ceil(count / columns)
    down, right = height + padding, width + padding
    shape = (channels, rows * down + padding, columns * right + padding)
    grid = tp.full(shape, pad_value, dtype=images.dtype, device=images.device)
    for place, image in enumerate(images):
        top, left = place // columns * down + padding, place % columns * right + padding
        grid[:, top : top + height, left : left + width] = image
    return grid


def _batch(tensor: tp.Tensor | Sequence[tp.Tensor]) -> tp.Tensor:
    if not isinstance(tensor, tp.Tensor):
        parts = list(tensor)
        if not parts or any(not isinstance(part, tp.Tensor) for part in parts):
            raise DTypeError(
                f"make_grid: wanted a tensor or a sequence of them, got {tensor!r:.80}"
            )
        if len({tuple(part.shape) for part in parts}) > 1:
            raise ShapeError(
                f"make_grid: images have different sizes, {[tuple(p.shape) for p in parts]}; "
                "resize them first"
            )
        tensor = tp.stack(parts)
    images = tensor[None] if tensor.ndim == 2 else tensor
    images = images[None] if images.ndim == 3 else images
    if images.ndim != 4:
        raise ShapeError(f"make_grid: wanted images (n, c, h, w), got shape {tuple(tensor.shape)}")
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images


def _into_unit_range(
    images: tp.Tensor, value_range: tuple[float, float] | None, scale_each: bool
) -> tp.Tensor:
    axes = (1, 2, 3) if scale_each else (0, 1, 2, 3)
    low: Any = images.amin(axes, keepdim=True)
    high: Any = images.amax(axes, keepdim=True)
    if value_range is not None:
        low, high = (tp.full_like(low, bound) for bound in value_range)
        images = images.clamp(*value_range)
    return (images - low) / (high - low).clamp(1e-5)


def save_image(
    tensor: tp.Tensor | Sequence[tp.Tensor],
    fp: str | os.PathLike[str] | BinaryIO,
    format: str | None = None,
    **kwargs: Any,
) -> None:
    """Write images into one file, as a grid.

    Args:
        tensor: as for `make_grid`; floats from 0 to 1, or uint8.
        fp: where, a path or a binary file.
        format: "png", "jpeg" and so on; default by the path's suffix.
        **kwargs: arguments of `make_grid`.
    """
    from PIL import Image

    grid = make_grid(tensor, **kwargs).detach()
    if grid.dtype is not tp.uint8:
        grid = (grid * 255 + 0.5).clamp(0, 255).to(tp.uint8)
    array = np.ascontiguousarray(grid.cpu().numpy().transpose(1, 2, 0))
    Image.fromarray(array).save(fp, format=format)


def draw_bounding_boxes(
    image: tp.Tensor,
    boxes: tp.Tensor,
    labels: Sequence[str | None] | None = None,
    colors: Color | Sequence[Color] | None = None,
    fill: bool = False,
    width: int = 1,
    font: str | None = None,
    font_size: int | None = None,
) -> tp.Tensor:
    """Draw rectangles on an image.

    Args:
        image: (c, h, w) with 1 or 3 channels, uint8 or floats from 0 to 1.
        boxes: (n, 4), left, top, right, bottom in pixels.
        labels: a text for each box, or None.
        colors: one for all, or one for each box; a name, "#rrggbb" or (r, g, b). Default: a
            palette in which neighbours differ.
        fill: tint the inside as well.
        width: of the lines, in pixels.
        font: a TrueType file; default Pillow's own.
        font_size: in points; default 10.

    Returns:
        (3, h, w), a new tensor of the image's dtype.

    Raises:
        ShapeError: other shapes, a box turned inside out, or not one label or color per box.
        DTypeError: another dtype.
    """
    from PIL import Image, ImageDraw

    _check_drawing(image, boxes)
    count = boxes.shape[0]
    if labels is not None and len(labels) != count:
        raise ShapeError(f"draw_bounding_boxes: {len(labels)} labels for {count} boxes")
    shades = _colors(colors, count)
    scaled = image if image.dtype is tp.uint8 else (image * 255).clamp(0, 255).to(tp.uint8)
    array = scaled.expand(3, -1, -1).cpu().numpy().transpose(1, 2, 0)
    canvas = Image.fromarray(np.ascontiguousarray(array))
    pen = ImageDraw.Draw(canvas, "RGBA") if fill else ImageDraw.Draw(canvas)
    for place, box in enumerate(boxes.to(tp.int64).tolist()):
        inside = (*shades[place], 100) if fill else None
        pen.rectangle(box, width=width, outline=shades[place], fill=inside)
        text = None if labels is None else labels[place]
        if text is not None:
            corner = (box[0] + width + 1, box[1] + width + 1)
            pen.text(corner, text, fill=shades[place], font=_font(font, font_size))
    drawn = tp.from_numpy(np.asarray(canvas).transpose(2, 0, 1).copy())
    return drawn if image.dtype is tp.uint8 else drawn.to(image.dtype) / 255


def _check_drawing(image: tp.Tensor, boxes: tp.Tensor) -> None:
    if image.dtype is not tp.uint8 and not image.dtype.is_floating_point:
        raise DTypeError(
            f"draw_bounding_boxes: wanted uint8 or floats from 0 to 1, got {image.dtype}"
        )
    if image.ndim != 3 or image.shape[0] not in (1, 3):
        raise ShapeError(
            f"draw_bounding_boxes: wanted an image (1 or 3, h, w), got {tuple(image.shape)}"
        )
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ShapeError(f"draw_bounding_boxes: wanted boxes (n, 4), got {tuple(boxes.shape)}")
    if bool((boxes[:, :2] > boxes[:, 2:]).any()):
        raise ShapeError(
            "draw_bounding_boxes: wanted (left, top, right, bottom) with left <= right and top <= "
            "bottom in every box"
        )


def _font(font: str | None, size: int | None) -> Any:
    from PIL import ImageFont

    return ImageFont.truetype(font, size or 10) if font else ImageFont.load_default(size or 10)


def _colors(colors: Color | Sequence[Color] | None, count: int) -> list[tuple[int, int, int]]:
    from PIL import ImageColor

    if colors is None:
        # Hues in steps of the golden angle: any few neighbours lie far apart.
        given: list[Color] = [f"hsl({137.5 * place % 360:.0f}, 90%, 50%)" for place in range(count)]
    elif isinstance(colors, str) or (colors and isinstance(colors[0], int)):
        given = [colors] * count  # type: ignore[list-item]
    else:
        given = list(colors)  # type: ignore[arg-type]
    if len(given) < count:
        raise ShapeError(f"draw_bounding_boxes: {len(given)} colors for {count} boxes")
    return [
        ImageColor.getrgb(color)[:3] if isinstance(color, str) else tuple(color)  # type: ignore[misc]
        for color in given
    ]

"""Several images in one, and into a file."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np

import triptych as tp
from triptych.errors import DTypeError, ShapeError

__all__ = ["make_grid", "save_image"]


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

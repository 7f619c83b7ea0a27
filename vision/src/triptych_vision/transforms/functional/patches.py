"""Large images as tiles, and tiles as images again."""

from __future__ import annotations

from collections.abc import Sequence

import triptych as tp
from triptych.errors import ShapeError
from triptych.nn.functional import fold, unfold

__all__ = ["combine_tensor_patches", "extract_tensor_patches"]

Lengths = int | Sequence[int]


def _pair(name: str, value: Lengths) -> tuple[int, int]:
    lengths = [value] if isinstance(value, int) else list(value)
    if len(lengths) not in (1, 2):
        raise ShapeError(f"{name}: wanted one length or (h, w), got {value!r}")
    return lengths[0], lengths[-1]


def extract_tensor_patches(
    input: tp.Tensor, window_size: Lengths, stride: Lengths | None = None, padding: Lengths = 0
) -> tp.Tensor:
    """Tiles of images, in reading order.

    Args:
        input: (n, c, h, w).
        window_size: (h, w) of a tile, or one length for both.
        stride: from one tile to the next; default window_size, so that they do not overlap.
        padding: frame of zeros around the images first. What does not fill a tile is left out.

    Returns:
        (n, tiles, c, window h, window w).

    Raises:
        ShapeError: input has other axes, or is smaller than a tile.

    Example:
        >>> extract_tensor_patches(tp.zeros(1, 3, 6, 8), 4, stride=2).shape
        Size([1, 6, 3, 4, 4])
    """
    window = _pair("window_size", window_size)
    if input.ndim != 4:
        raise ShapeError(f"extract_tensor_patches: wanted (n, c, h, w), got {tuple(input.shape)}")
    step = window if stride is None else _pair("stride", stride)
    columns = unfold(input, window, padding=_pair("padding", padding), stride=step)
    return columns.mT.reshape(len(input), -1, input.shape[1], *window)


def combine_tensor_patches(
    patches: tp.Tensor,
    original_size: Lengths,
    window_size: Lengths,
    stride: Lengths | None = None,
    unpadding: Lengths = 0,
) -> tp.Tensor:
    """Images from their tiles; where tiles overlap, their mean. Undoes `extract_tensor_patches`.

    Args:
        patches: (n, tiles, c, window h, window w).
        original_size: (h, w) of the images.
        window_size: (h, w) of a tile, or one length for both.
        stride: as the tiles were taken.
        unpadding: the padding they were taken with.

    Returns:
        (n, c, h, w); zero where no tile is.

    Raises:
        ShapeError: the tiles have another shape or count.
    """
    window, size = _pair("window_size", window_size), _pair("original_size", original_size)
    if patches.ndim != 5 or tuple(patches.shape[-2:]) != window:
        raise ShapeError(
            f"combine_tensor_patches: wanted (n, tiles, c, {window[0]}, {window[1]}), got "
            f"{tuple(patches.shape)}"
        )
    step = window if stride is None else _pair("stride", stride)
    pad = _pair("unpadding", unpadding)
    flat = patches.reshape(*patches.shape[:2], -1).mT

    def joined(columns: tp.Tensor) -> tp.Tensor:
        return fold(columns, size, window, padding=pad, stride=step)

    return joined(flat) / joined(tp.ones_like(flat)).clamp(min=1)

"""Maxima over the bins of regions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import triptych as tp
from triptych import nn
from triptych.library import accelerated, by_device

from .regions import Boxes, memory, output_pair, roi_table

__all__ = ["RoIPool", "roi_pool", "whole_pixels"]

PIXELS_AT_ONCE = 1 << 22  # of all windows of one step, padded to one size


def roi_pool(
    input: tp.Tensor,
    boxes: Boxes,
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
) -> tp.Tensor:
    """The largest value in each bin of each region.

    Args:
        input: (n, c, h, w) feature maps.
        boxes: (k, 5), image index and xyxy; or for each image (l, 4), xyxy. Corners are rounded
            to whole pixels and belong to the region.
        output_size: height and width of the result, in bins.
        spatial_scale: pixels of the map for one unit of the boxes.

    Returns:
        (k, c, height, width), 0 for a bin outside of the map. The gradient flows to the pixel
        that was the largest, the first one of several.

    Raises:
        ShapeError: the shapes do not fit.
        BoundsError: an image index is too large.

    Source: Girshick 2015, section 2.1.
    """
    images, corners = roi_table("roi_pool", input, boxes)
    rows, columns = output_pair(output_size)
    scaled = whole_pixels(corners * corners.dtype.type(spatial_scale))
    extent = np.maximum(scaled[:, 2:] - scaled[:, :2] + 1, 1)
    height, width = input.shape[2:]
    top, bottom = _bin_edges(scaled[:, 1], extent[:, 1], rows, height)
    left, right = _bin_edges(scaled[:, 0], extent[:, 0], columns, width)
    empty = (bottom <= top)[:, :, None] | (right <= left)[:, None, :]  # (k, rows, columns)
    tracked = input.requires_grad and tp.is_grad_enabled()
    edges = images, top, bottom, left, right
    if input.device.type == "cpu":
        array = _found(memory(input), *edges, not tracked)
        found = None if array is None else tp.from_numpy(array)
    else:
        placed = (tp.from_numpy(np.ascontiguousarray(e)).to(input.device) for e in edges)
        found = by_device("roi_largest", input.detach().contiguous(), *placed, not tracked)
    if found is not None and not tracked:
        return found
    if found is None:
        pooled = _in_steps(input, images, (top, bottom), (left, right))
    else:
        places = found
        pooled = input.reshape(-1).index_select(0, places.reshape(-1)).reshape(places.shape)
    return pooled.masked_fill(tp.from_numpy(empty).to(input.device)[:, None], 0)


@accelerated("roi_largest")
def _found(
    maps: np.ndarray | None,
    images: np.ndarray,
    top: np.ndarray,
    bottom: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    values: bool,
) -> np.ndarray | None:
    """The largest values (k, c, bins, bins), or else their places among all of maps (n, c, h, w);
    None for the way in operations of tensors.
    """
    return None


def _in_steps(
    input: tp.Tensor,
    images: np.ndarray,
    rows: tuple[np.ndarray, np.ndarray],
    columns: tuple[np.ndarray, np.ndarray],
) -> tp.Tensor:
    """(k, c, bins, bins): as many regions at a time as memory holds."""
    tall, wide = (max((stop - first).max(initial=1), 1) for first, stop in (rows, columns))
    pixels = tall * wide * rows[0].shape[1] * columns[0].shape[1] * max(input.shape[1], 1)
    step = max(1, PIXELS_AT_ONCE // int(pixels))
    parts = []
    for i in range(0, max(len(images), 1), step):
        part = slice(i, i + step)
        edges = ((a[part], b[part]) for a, b in (rows, columns))
        parts.append(_largest(input, images[part], *edges))
    return tp.cat(parts)


def whole_pixels(x: np.ndarray) -> np.ndarray:
    """Rounded to integers, halves away from zero.

    Args:
        x: any shape, floats.

    Returns:
        Same shape, int64.
    """
    return (np.sign(x) * np.floor(np.abs(x) + x.dtype.type(0.5))).astype(np.int64)


def _bin_edges(
    first: np.ndarray, extent: np.ndarray, bins: int, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """First row and the one after the last of each bin, (k, bins) each; bins share rows."""
    step = (extent.astype(np.float32) / np.float32(bins))[:, None]
    place = np.arange(bins, dtype=np.float32)
    low = np.floor(place * step).astype(np.int64) + first[:, None]
    high = np.ceil((place + 1) * step).astype(np.int64) + first[:, None]
    return low.clip(0, size), high.clip(0, size)


def _largest(
    input: tp.Tensor,
    images: np.ndarray,
    rows: tuple[np.ndarray, np.ndarray],
    columns: tuple[np.ndarray, np.ndarray],
) -> tp.Tensor:
    """(k, c, rows, columns): finds the place of each maximum, then reads it."""
    if len(images) == 0:
        none = input[:0].sum((2, 3), keepdim=True)  # of the input, so that backward runs
        return none.expand(0, -1, rows[0].shape[1], columns[0].shape[1])
    channels, (height, width) = input.shape[1], input.shape[2:]
    y, x = _members(*rows, height), _members(*columns, width)  # (k, bins, pixels)
    flat = y[:, :, None, :, None] * width + x[:, None, :, None, :]
    flat = tp.from_numpy(flat.reshape(*flat.shape[:3], y.shape[2] * x.shape[2])).to(input.device)
    k, down, across, count = flat.shape
    maps = input.flatten(2)[tp.from_numpy(images).to(input.device)]  # (k, c, h * w)
    with tp.no_grad():
        places = flat.reshape(k, 1, -1).expand(k, channels, -1)
        values = maps.gather(2, places).reshape(k, channels, down, across, count)
        best = values.argmax(-1)
        chosen = flat[:, None].expand(k, channels, -1, -1, -1).gather(-1, best[..., None])
    return maps.gather(2, chosen.reshape(k, channels, -1)).reshape(k, channels, down, across)


def _members(first: np.ndarray, stop: np.ndarray, size: int) -> np.ndarray:
    """Pixels of each bin, (k, bins, pixels); the last one again where a bin has fewer."""
    place = np.arange(max(int((stop - first).max(initial=1)), 1))
    last = np.clip(stop - 1, 0, size - 1)[..., None]
    return np.minimum(np.clip(first, 0, size - 1)[..., None] + place, last)


class RoIPool(nn.Module):
    """Layer of `roi_pool`.

    Args:
        output_size: height and width of the result, in bins.
        spatial_scale: pixels of the map for one unit of the boxes.
    """

    def __init__(self, output_size: int | Sequence[int], spatial_scale: float) -> None:
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale

    def forward(self, input: tp.Tensor, rois: Boxes) -> tp.Tensor:
        """(n, c, h, w) and boxes to (k, c, height, width)."""
        return roi_pool(input, rois, self.output_size, self.spatial_scale)

    def extra_repr(self) -> str:
        """The arguments, for printing."""
        return f"output_size={self.output_size}, spatial_scale={self.spatial_scale}"

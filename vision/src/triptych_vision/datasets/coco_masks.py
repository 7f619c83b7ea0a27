"""COCO's ways to write a mask: runs of pixels, plain or packed, and polygons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from triptych.errors import FileFormatError

__all__ = ["mask_of_polygons", "mask_of_runs", "segmentation_mask", "unpacked_runs"]

_SCALE = 5  # a polygon is drawn five times as large, and its edge then taken at pixel centres


def unpacked_runs(text: str | bytes) -> list[int]:
    """Lengths of runs from COCO's packed text: six bits a character, differences from the third.

    Raises:
        FileFormatError: the text ends within a number.

    Source: the COCO API, "rleFrString".
    """
    runs: list[int] = []
    value, shift = 0, 0
    for byte in text.encode() if isinstance(text, str) else text:
        bits = byte - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value, shift = 0, 0
    if shift:
        raise FileFormatError("COCO mask: its packed runs end within a number")
    return runs


def mask_of_runs(runs: Sequence[int], height: int, width: int) -> np.ndarray:
    """A mask from lengths of runs, 0 and 1 in turn from 0, column after column.

    Args:
        runs: they add up to height * width.
        height: in pixels.
        width: in pixels.

    Returns:
        (height, width) uint8, 0 and 1.

    Raises:
        FileFormatError: they do not add up.
    """
    lengths = np.asarray(runs, np.int64)
    if lengths.sum() != height * width or (lengths < 0).any():
        raise FileFormatError(
            f"COCO mask: its runs cover {lengths.sum()} pixels of {height} x {width}"
        )
    bits = (np.arange(len(lengths)) % 2).astype(np.uint8)
    return np.repeat(bits, lengths).reshape(width, height).T


def mask_of_polygons(polygons: Sequence[Sequence[float]], height: int, width: int) -> np.ndarray:
    """The union of polygons, pixel for pixel what the COCO API draws.

    Args:
        polygons: each x0, y0, x1, y1, ... in pixels.
        height: in pixels.
        width: in pixels.

    Returns:
        (height, width) uint8, 0 and 1.
    """
    mask = np.zeros((height, width), np.uint8)
    for polygon in polygons:
        mask |= _one_polygon(np.asarray(polygon, np.float64).reshape(-1, 2), height, width)
    return mask


def _one_polygon(corners: np.ndarray, height: int, width: int) -> np.ndarray:
    """Along each column the mask flips wherever the polygon's edge crosses it.

    Source: the COCO API, "rleFrPoly".
    """
    scaled = np.trunc(_SCALE * corners + 0.5).astype(np.int64)
    edges = zip(scaled, np.roll(scaled, -1, axis=0), strict=True)
    u, v = np.concatenate([_edge(start, end) for start, end in edges], axis=1)
    crossing = np.flatnonzero(u[1:] != u[:-1])
    before, after = u[crossing], u[crossing + 1]
    x = (np.where(after < before, after, after - 1) + 0.5) / _SCALE - 0.5
    inside = (np.floor(x) == x) & (x >= 0) & (x <= width - 1)
    y = (np.minimum(v[crossing], v[crossing + 1]) + 0.5) / _SCALE - 0.5
    rows = np.ceil(np.clip(y[inside], 0, height)).astype(np.int64)
    at = x[inside].astype(np.int64) * height + rows
    flips = np.bincount(at, minlength=height * width + 1)[: height * width]
    return (np.cumsum(flips) % 2).astype(np.uint8).reshape(width, height).T


def _edge(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(2, n) whole points from start to end, one for each step along the longer axis."""
    reach = np.abs(end - start)
    long = 0 if reach[0] >= reach[1] else 1
    swap = start[long] > end[long]
    first, last = (end, start) if swap else (start, end)
    steps = np.arange(reach[long] + 1)
    slope = (last[1 - long] - first[1 - long]) / max(int(reach[long]), 1)
    points = np.empty((2, len(steps)), np.int64)
    points[long] = first[long] + steps
    points[1 - long] = np.trunc(first[1 - long] + slope * steps + 0.5)
    return points[:, ::-1] if swap else points


def segmentation_mask(segmentation: Any, height: int, width: int) -> np.ndarray:
    """The mask of a COCO annotation's "segmentation", polygons or runs.

    Args:
        segmentation: a list of polygons, or a dict with "counts", a list or packed, and "size".
        height: in pixels, of the image.
        width: in pixels, of the image.

    Returns:
        (height, width) uint8, 0 and 1.

    Raises:
        FileFormatError: neither, or runs that do not fill the image.
    """
    if isinstance(segmentation, Mapping):
        runs = segmentation["counts"]
        return mask_of_runs(
            runs if isinstance(runs, list) else unpacked_runs(runs),
            *segmentation.get("size", (height, width)),
        )
    if isinstance(segmentation, list):
        return mask_of_polygons(segmentation, height, width)
    raise FileFormatError(
        f"COCO mask: wanted polygons or runs, got a {type(segmentation).__name__}"
    )

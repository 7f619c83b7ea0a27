"""Shapes in masks: growing, shrinking, and telling regions apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import ShapeError, UnknownNameError

__all__ = ["closing", "connected_components", "dilation", "erosion", "opening"]


def _offsets(name: str, kernel: Any) -> list[tuple[int, int]]:
    """(rows, columns) from the middle to each place of a kernel that is not zero."""
    shape = np.asarray(kernel.cpu().numpy() if isinstance(kernel, tp.Tensor) else kernel)
    if shape.ndim != 2 or not shape.any():
        raise ShapeError(f"{name}: kernel is (kh, kw) with a place that is not zero, got {shape!r}")
    middle = shape.shape[0] // 2, shape.shape[1] // 2
    return [(int(i) - middle[0], int(j) - middle[1]) for i, j in np.argwhere(shape)]


def _moved(x: tp.Tensor, offsets: list[tuple[int, int]], beyond: Any) -> Iterator[tp.Tensor]:
    """x seen from each offset; outside of it is a value that never wins."""
    if x.ndim < 2:
        raise ShapeError(f"wanted (..., h, w), got {tuple(x.shape)}")
    height, width = x.shape[-2:]
    down, across = (max(abs(o[axis]) for o in offsets) for axis in (0, 1))
    shape = (*x.shape[:-2], height + 2 * down, width + 2 * across)
    wide = tp.full(shape, beyond, dtype=x.dtype, device=x.device)
    wide[..., down : down + height, across : across + width] = x
    for i, j in offsets:
        yield wide[..., down + i : down + i + height, across + j : across + j + width]


def _limits(x: tp.Tensor) -> tuple[Any, Any]:
    if x.dtype is tp.bool:
        return False, True
    if x.dtype.is_floating_point:
        return -float("inf"), float("inf")
    info = tp.iinfo(x.dtype)
    return info.min, info.max


def dilation(tensor: tp.Tensor, kernel: Any) -> tp.Tensor:
    """The greatest value under a kernel laid on each pixel: bright regions grow.

    Args:
        tensor: (..., h, w) of any dtype: masks or images.
        kernel: (kh, kw); places that are not zero count, and its middle lies on the pixel. Nothing
            beyond the edges counts.

    Returns:
        (..., h, w) of the same dtype.

    Raises:
        ShapeError: a kernel of another shape, or of zeros.

    Example:
        >>> dilation(tp.tensor([[0, 0, 1, 0, 0]]), tp.ones(1, 3)).tolist()
        [[0, 1, 1, 1, 0]]

    Source: Serra 1982, "Image analysis and mathematical morphology".
    """
    offsets = [(-i, -j) for i, j in _offsets("dilation", kernel)]
    parts = _moved(tensor, offsets, _limits(tensor)[0])
    out = next(parts)
    for part in parts:
        out = out | part if tensor.dtype is tp.bool else tp.maximum(out, part)
    return out


def erosion(tensor: tp.Tensor, kernel: Any) -> tp.Tensor:
    """The least value under a kernel laid on each pixel: bright regions shrink.

    Args:
        tensor: (..., h, w) of any dtype: masks or images.
        kernel: as of `dilation`.

    Returns:
        (..., h, w) of the same dtype.

    Raises:
        ShapeError: a kernel of another shape, or of zeros.
    """
    parts = _moved(tensor, _offsets("erosion", kernel), _limits(tensor)[1])
    out = next(parts)
    for part in parts:
        out = out & part if tensor.dtype is tp.bool else tp.minimum(out, part)
    return out


def opening(tensor: tp.Tensor, kernel: Any) -> tp.Tensor:
    """`erosion`, then `dilation`: bright spots smaller than the kernel vanish.

    Args:
        tensor: (..., h, w) of any dtype.
        kernel: as of `dilation`.

    Returns:
        (..., h, w) of the same dtype.
    """
    return dilation(erosion(tensor, kernel), kernel)


def closing(tensor: tp.Tensor, kernel: Any) -> tp.Tensor:
    """`dilation`, then `erosion`: dark spots smaller than the kernel vanish.

    Args:
        tensor: (..., h, w) of any dtype.
        kernel: as of `dilation`.

    Returns:
        (..., h, w) of the same dtype.
    """
    return erosion(dilation(tensor, kernel), kernel)


def connected_components(image: tp.Tensor, connectivity: int = 8) -> tp.Tensor:
    """A number for each region of pixels that touch.

    Args:
        image: (..., h, w); what is not zero belongs to a region.
        connectivity: 8, corners touch, or 4, only sides do.

    Returns:
        (..., h, w) int64: 0 outside, regions from 1 in the order of their first pixels, counted
        anew for each mask.

    Raises:
        ShapeError: less than two axes.
        UnknownNameError: another connectivity.

    Example:
        >>> mask = tp.tensor([[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 0]])
        >>> connected_components(mask).tolist()
        [[1, 0, 1], [0, 1, 0], [0, 0, 0], [2, 2, 0]]

    Source: run-based labelling, He, Chao, Suzuki 2008, with all rows of runs joined at once.
    """
    if image.ndim < 2:
        raise ShapeError(f"connected_components: wanted (..., h, w), got {tuple(image.shape)}")
    if connectivity not in (4, 8):
        raise UnknownNameError(f"connected_components: connectivity 4 or 8, got {connectivity!r}")
    masks = (image != 0).cpu().numpy().reshape(-1, *image.shape[-2:])
    out = np.zeros(masks.shape, np.int64)
    for mask, labels in zip(masks, out, strict=True):
        labels[mask] = _labelled(mask, int(connectivity == 8))
    return tp.from_numpy(out.reshape(image.shape)).to(image.device)


def _labelled(mask: np.ndarray, slack: int) -> np.ndarray:
    """The number of each pixel of a mask (h, w) that is set, in reading order."""
    width = mask.shape[1]
    steps = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(steps == 1)  # runs of set pixels, in reading order
    ends = np.nonzero(steps == -1)[1]
    line = width + 4  # so that a run reaches runs of the next row only
    first = np.searchsorted(rows * line + ends, (rows + 1) * line + starts - slack, "right")
    last = np.searchsorted(rows * line + starts, (rows + 1) * line + ends + slack, "left")
    counts = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(len(rows)), counts)
    within = np.arange(len(upper)) - np.repeat(counts.cumsum() - counts, counts)
    roots = _joined(len(rows), upper, np.repeat(first, counts) + within)
    numbers = np.unique(roots, return_inverse=True)[1] + 1
    return np.repeat(numbers, ends - starts)


def _joined(count: int, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """For each of count runs the least run that pairs lead to."""
    roots = np.arange(count)
    while len(one):
        a, b = roots[one], roots[other]
        apart = a != b
        if not apart.any():
            break
        one, other, a, b = one[apart], other[apart], a[apart], b[apart]
        np.minimum.at(roots, np.maximum(a, b), np.minimum(a, b))
        while (roots[roots] != roots).any():
            roots = roots[roots]
    return roots

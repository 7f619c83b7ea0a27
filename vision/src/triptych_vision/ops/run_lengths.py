"""Masks as lengths of runs, the way COCO writes them, and how far such masks overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import FileFormatError, ShapeError

__all__ = ["mask_to_rle", "rle_area", "rle_iou", "rle_to_mask"]

Rle = Mapping[str, Any]


def mask_to_rle(mask: tp.Tensor, compress: bool = False) -> dict[str, Any] | list[dict[str, Any]]:
    """Masks as lengths of runs, column after column, 0 and 1 in turn from 0.

    Args:
        mask: (h, w), or (n, h, w) for n masks; what is not zero is set.
        compress: write the lengths as COCO's packed text instead of a list.

    Returns:
        {"size": [h, w], "counts": [...]}, or a list of n of them.

    Raises:
        ShapeError: neither two nor three axes.

    Example:
        >>> mask_to_rle(tp.tensor([[0, 1], [1, 1]]))
        {'size': [2, 2], 'counts': [1, 3]}

    Source: the COCO API, "rleEncode" and "rleToString".
    """
    if mask.ndim not in (2, 3):
        raise ShapeError(f"mask_to_rle: wanted (h, w) or (n, h, w), got {tuple(mask.shape)}")
    array = (mask != 0).cpu().numpy()
    if array.ndim == 2:
        return _encoded(array, compress)
    return [_encoded(one, compress) for one in array]


def _encoded(mask: np.ndarray, compress: bool) -> dict[str, Any]:
    flat = np.concatenate(([False], mask.T.ravel()))  # runs start with zeros, be they none
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    runs = np.diff(np.concatenate(([0], changes, [mask.size]))).tolist()
    return {"size": list(mask.shape), "counts": _packed(runs) if compress else runs}


def _packed(runs: Sequence[int]) -> str:
    """Six bits a character, differences to the run before the last from the third on."""
    out = []
    for place, run in enumerate(runs):
        value = run - runs[place - 2] if place > 2 else run
        more = True
        while more:
            bits = value & 0x1F
            value >>= 5
            more = value != (-1 if bits & 0x10 else 0)
            out.append(chr((bits | 0x20 if more else bits) + 48))
    return "".join(out)


def _runs(name: str, rle: Rle) -> tuple[list[int], int, int]:
    from ..datasets.coco_masks import unpacked_runs

    if not isinstance(rle, Mapping) or not {"size", "counts"} <= set(rle):
        raise FileFormatError(f"{name}: wanted a dict of size and counts, got {rle!r}")
    height, width = rle["size"]
    counts = rle["counts"]
    runs = unpacked_runs(counts) if isinstance(counts, str | bytes) else list(counts)
    if sum(runs) != height * width or min(runs, default=0) < 0:
        raise FileFormatError(f"{name}: runs cover {sum(runs)} pixels of {height} x {width}")
    return runs, height, width


def rle_to_mask(rle: Rle | Sequence[Rle]) -> tp.Tensor:
    """The masks of lengths of runs.

    Args:
        rle: {"size": [h, w], "counts": list or packed text}, or a list of n of one size.

    Returns:
        (h, w), or (n, h, w), uint8 of 0 and 1.

    Raises:
        FileFormatError: not of this form, or the runs do not fill the size.

    Example:
        >>> rle_to_mask({"size": [2, 2], "counts": [1, 3]}).tolist()
        [[0, 1], [1, 1]]
    """
    if not isinstance(rle, Mapping):
        return tp.stack([rle_to_mask(one) for one in rle])
    from ..datasets.coco_masks import mask_of_runs

    return tp.from_numpy(np.ascontiguousarray(mask_of_runs(*_runs("rle_to_mask", rle))))


def rle_area(rle: Rle) -> int:
    """How many pixels a mask of runs has, without unpacking it.

    Args:
        rle: see `rle_to_mask`.

    Returns:
        The number of ones.

    Raises:
        FileFormatError: not of this form, or the runs do not fill the size.
    """
    return sum(_runs("rle_area", rle)[0][1::2])


def rle_iou(rles1: Sequence[Rle], rles2: Sequence[Rle]) -> tp.Tensor:
    """Intersection over union of each mask with each other one, from their runs alone.

    Args:
        rles1: n masks, see `rle_to_mask`.
        rles2: m masks of the same size.

    Returns:
        (n, m) float64; 0 for two empty masks.

    Raises:
        FileFormatError: not of this form.
        ShapeError: two sizes.

    Example:
        >>> one, other = {"size": [1, 4], "counts": [0, 2, 2]}, {"size": [1, 4], "counts": [1, 3]}
        >>> rle_iou([one], [other]).tolist()
        [[0.25]]
    """
    sizes = {tuple(rle["size"]) for rle in (*rles1, *rles2)}
    if len(sizes) > 1:
        raise ShapeError(f"rle_iou: masks of one size, got {sorted(sizes)}")
    edges = [
        [np.cumsum(_runs("rle_iou", rle)[0], dtype=np.int64) for rle in rles]
        for rles in (rles1, rles2)
    ]
    out = np.zeros((len(rles1), len(rles2)))
    for i, one in enumerate(edges[0]):
        for j, other in enumerate(edges[1]):
            both = np.unique(np.concatenate((one, other)))  # ends of pieces of one value each
            lengths = np.diff(both, prepend=0)
            first, second = (np.searchsorted(e, both, "left") % 2 == 1 for e in (one, other))
            union = lengths[first | second].sum()
            out[i, j] = lengths[first & second].sum() / union if union else 0.0
    return tp.from_numpy(out)

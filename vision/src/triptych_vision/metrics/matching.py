"""How well found things cover true ones, and which belongs to which, by COCO's rules.

Source of the rules: Lin and others, "Microsoft COCO: Common Objects in Context", 2014, and COCO's
evaluation code, whose numbers these are.
"""

from __future__ import annotations

import numpy as np

__all__ = ["box_areas", "box_overlaps", "keypoint_overlaps", "mask_overlaps", "matched"]

_TINY = np.spacing(1.0)


def box_overlaps(found: np.ndarray, true: np.ndarray, crowd: np.ndarray) -> np.ndarray:
    """Overlap over union; over the found box alone where the true one is a crowd.

    Args:
        found: (d, 4) left, top, right, bottom, float64.
        true: (g, 4).
        crowd: (g,) bool.

    Returns:
        (d, g).
    """
    low = np.maximum(found[:, None, :2], true[None, :, :2])
    high = np.minimum(found[:, None, 2:], true[None, :, 2:])
    inner = np.clip(high - low, 0, None).prod(axis=2)
    return _over_union(inner, box_areas(found), box_areas(true), crowd)


def box_areas(boxes: np.ndarray) -> np.ndarray:
    """(n,) areas of boxes (n, 4)."""
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def mask_overlaps(found: np.ndarray, true: np.ndarray, crowd: np.ndarray) -> np.ndarray:
    """As `box_overlaps`, for masks (d, h, w) and (g, h, w) bool."""
    # Counts of pixels are exact in float32 up to 2**24; beyond, float64 holds them.
    exact = np.float32 if found[0].size < 2**24 else np.float64
    a, b = (np.reshape(m, (len(m), -1)).astype(exact) for m in (found, true))
    inner = np.matmul(a, b.T).astype(np.float64)
    return _over_union(inner, a.sum(axis=1, dtype=float), b.sum(axis=1, dtype=float), crowd)


def _over_union(
    inner: np.ndarray, found: np.ndarray, true: np.ndarray, crowd: np.ndarray
) -> np.ndarray:
    union = np.where(crowd, found[:, None], found[:, None] + true - inner)
    return np.divide(inner, union, out=np.zeros_like(inner), where=union > 0)


def keypoint_overlaps(
    found: np.ndarray,
    true: np.ndarray,
    boxes: np.ndarray,
    areas: np.ndarray,
    sigmas: np.ndarray,
) -> np.ndarray:
    """Object keypoint similarity: how near the points lie, for the size of the thing.

    Args:
        found: (d, k, 2 or more) x and y first.
        true: (g, k, 3) x, y and whether labelled.
        boxes: (g, 4) of the true things.
        areas: (g,) of the true things.
        sigmas: (k,) spread of people's own labels for each point.

    Returns:
        (d, g).
    """
    gap = np.abs(found[:, None, :, :2] - true[None, :, :, :2])  # (d, g, k, 2)
    labelled: np.ndarray = true[..., 2] > 0  # (g, k)
    blank = np.logical_not(labelled.any(axis=1))
    if blank.any():  # measured from a box of three times the size instead
        size = boxes[:, 2:] - boxes[:, :2]
        low, high = boxes[:, None, :2] - size[:, None], boxes[:, None, 2:] + size[:, None]
        spots = found[:, None, :, :2]
        outside = np.maximum(0, low - spots) + np.maximum(0, spots - high)
        gap = np.where(blank[:, None, None], outside, gap)
        labelled = labelled | blank[:, None]
    error = (gap**2).sum(axis=3) / (2 * sigmas) ** 2 / (areas[:, None] + _TINY) / 2
    return (np.exp(-error) * labelled).sum(axis=2) / labelled.sum(axis=1)


def matched(
    overlaps: np.ndarray, ignored: np.ndarray, crowd: np.ndarray, thresholds: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each found thing, the surest first, takes the true one it covers best.

    A true thing can be taken once, a crowd again and again; one that counts goes before one that is
    ignored.

    Args:
        overlaps: (d, g), rows in falling order of score.
        ignored: (a, g) bool, which true things do not count in each of a ranges of size.
        crowd: (g,) bool.
        thresholds: (t,) least overlaps.

    Returns:
        Whether each found thing took something, and whether what it took is ignored: (a, t, d)
        bool both.
    """
    ranges, count = ignored.shape
    took = np.zeros((ranges, len(thresholds), len(overlaps)), bool)
    blank = np.zeros_like(took)
    if not overlaps.size:
        return took, blank
    free = np.ones((ranges, len(thresholds), count), bool)
    least = np.minimum(thresholds, 1 - 1e-10)[None, :, None]
    lanes = np.ogrid[:ranges, : len(thresholds)]
    counts = ~ignored[:, None]
    for place in np.flatnonzero(overlaps.max(axis=1) >= least.min()):
        row = overlaps[place]
        possible = (free | crowd) & (row >= least)
        good = possible & counts
        chosen = np.where(good.any(axis=2, keepdims=True), good, possible)
        # The last of equally good ones, hence from the end.
        best = count - 1 - np.where(chosen, row, -1.0)[..., ::-1].argmax(axis=2)  # (a, t)
        hit = chosen.any(axis=2)
        took[..., place] = hit
        blank[..., place] = hit & ignored[lanes[0], best]
        free[(*lanes, best)] &= ~hit
    return took, blank

"""Tables of what each output pixel reads when an axis is resized: positions and weights."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

__all__ = ["cubic_taps", "linear_taps", "nearest_spots", "short_taps", "smooth_taps"]

Taps = tuple[np.ndarray, np.ndarray]
"""Positions (out, k) int64 and weights (out, k) float64."""

# Keys 1981: the free parameter of cubic convolution; torch uses -0.75 plain and, as Pillow does,
# -0.5 with antialiasing.
CUBIC, CUBIC_SMOOTH = -0.75, -0.5


def _step(n: int, out: int, scale: float | None, align_corners: bool) -> float:
    """Distance between neighbouring output pixels, in input pixels."""
    if align_corners:
        return (n - 1) / (out - 1) if out > 1 else 0.0
    return 1 / scale if scale else n / out


def _centres(n: int, out: int, scale: float | None, align_corners: bool) -> np.ndarray:
    """Where output pixels lie, in input pixels."""
    step = _step(n, out, scale, align_corners)
    places = np.arange(out, dtype=np.float64)
    return places * step if align_corners else (places + 0.5) * step - 0.5


@lru_cache(maxsize=256)
def nearest_spots(n: int, out: int, scale: float | None, exact: bool) -> np.ndarray:
    """(out,) the nearest position; `exact` measures from pixel centres.

    Computed in float32, where ties fall as in torch.
    """
    step = np.float32(1 / scale) if scale else np.float32(n) / np.float32(out)
    places = np.arange(out, dtype=np.float32)
    spots = np.floor((places + np.float32(0.5)) * step if exact else places * step)
    return np.minimum(spots.astype(np.int64), n - 1)


@lru_cache(maxsize=256)
def linear_taps(n: int, out: int, scale: float | None, align_corners: bool) -> Taps:
    """Two neighbours each."""
    centres = np.maximum(_centres(n, out, scale, align_corners), 0)
    low = np.minimum(np.floor(centres).astype(np.int64), n - 1)
    share = np.minimum(centres - low, 1)
    spots = np.stack([low, np.minimum(low + 1, n - 1)], 1)
    return spots, np.stack([1 - share, share], 1)


def _cubic(x: np.ndarray, a: float) -> np.ndarray:
    """Keys 1981, eq. 15, at distances x."""
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


@lru_cache(maxsize=256)
def cubic_taps(n: int, out: int, scale: float | None, align_corners: bool) -> Taps:
    """Four neighbours each; beyond the ends the last pixel repeats."""
    centres = _centres(n, out, scale, align_corners)
    low = np.floor(centres)
    offsets = np.arange(-1, 3)
    weights = _cubic((centres - low)[:, None] - offsets, CUBIC)
    spots = np.clip(low[:, None].astype(np.int64) + offsets, 0, n - 1)
    return spots, weights


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(1 - np.abs(x), 0)


def _smooth_cubic(x: np.ndarray) -> np.ndarray:
    return _cubic(x, CUBIC_SMOOTH)


def _merged(spots: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """All the weight of a position that a pixel reads twice where it reads it first."""
    out = np.zeros_like(weights)
    rows = np.arange(len(spots))
    for k in range(spots.shape[1]):
        first = (spots == spots[:, k : k + 1]).argmax(1)
        out[rows, first] += weights[:, k]
    return out


def short_taps(taps: Taps) -> Taps:
    """Weights rounded to what int16 holds beside a common power of two, as torch and Pillow-SIMD
    resample bytes.
    """
    spots, weights = taps[0], _merged(*taps)
    bits = 0
    while bits < 22 and int(0.5 + weights.max() * 2 ** (bits + 1)) < 2**15:
        bits += 1
    scaled = weights * 2**bits
    return spots, np.trunc(scaled + np.copysign(0.5, scaled)) / 2**bits


_SMOOTH = {"bilinear": (_triangle, 1.0), "bicubic": (_smooth_cubic, 2.0)}


@lru_cache(maxsize=256)
def smooth_taps(n: int, out: int, scale: float | None, align_corners: bool, mode: str) -> Taps:
    """All pixels under the filter, which widens when the axis shrinks."""
    shape, reach = _SMOOTH[mode]
    step = _step(n, out, scale, align_corners)
    width = max(step, 1.0)
    support = reach * width
    centres = step * (np.arange(out) + 0.5)
    first = np.maximum((centres - support + 0.5).astype(np.int64), 0)
    last = np.minimum((centres + support + 0.5).astype(np.int64), n)
    spots = first[:, None] + np.arange(max(math.ceil(support) * 2 + 1, 1))
    weights = shape((spots - centres[:, None] + 0.5) / width)
    weights = np.where(spots < last[:, None], weights, 0)
    weights /= weights.sum(1, keepdims=True)
    return np.minimum(spots, n - 1), weights

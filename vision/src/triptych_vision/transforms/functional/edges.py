"""Edges: first and second differences of neighbouring pixels, and Canny's thin lines."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

import triptych as tp
from triptych.errors import DTypeError

from .blurring import gaussian_blur
from .color import luma
from .filtering import filter2d, odd_lengths
from .regions import connected_components

__all__ = ["canny", "laplacian", "sobel", "spatial_gradient"]

_SOBEL = ((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0))


def _floats(name: str, x: tp.Tensor) -> tp.Tensor:
    if not isinstance(x, tp.Tensor) or not x.dtype.is_floating_point:
        raise DTypeError(
            f"{name}: wanted a tensor of floats (..., c, h, w), got "
            f"{getattr(x, 'dtype', type(x).__name__)}; use to_dtype(x, tp.float32, scale=True)"
        )
    return x


def spatial_gradient(input: tp.Tensor, normalized: bool = True) -> tp.Tensor:
    """How fast each channel grows to the right and down, by Sobel's weights.

    Args:
        input: (..., c, h, w) floats.
        normalized: weights whose absolute values add up to 1, else Sobel's whole numbers.

    Returns:
        (..., c, 2, h, w): along x, along y.

    Example:
        >>> ramp = tp.arange(5.0).expand(1, 4, 5)
        >>> spatial_gradient(ramp, normalized=False)[0, :, 1, 2].tolist()
        [8.0, 0.0]
    """
    x = _floats("spatial_gradient", input)
    kernel = tp.tensor(_SOBEL, dtype=x.dtype)
    return tp.stack([filter2d(x, k, "replicate", normalized) for k in (kernel, kernel.mT)], -3)


def sobel(input: tp.Tensor, normalized: bool = True, eps: float = 1e-6) -> tp.Tensor:
    """How steep each channel is at each pixel.

    Args:
        input: (..., c, h, w) floats.
        normalized: as of `spatial_gradient`.
        eps: added below the root, which has no gradient at zero.

    Returns:
        (..., c, h, w).
    """
    x, y = spatial_gradient(input, normalized).unbind(-3)
    return (x * x + y * y + eps).sqrt()


def laplacian(
    input: tp.Tensor,
    kernel_size: int | Sequence[int],
    border_type: str = "reflect",
    normalized: bool = True,
) -> tp.Tensor:
    """How far each pixel is from the mean of those around it.

    Args:
        input: (..., c, h, w) floats.
        kernel_size: odd, one number or (h, w). All weights are 1 but the middle, and add up to 0.
        border_type: as of `filter2d`.
        normalized: divide the weights by the sum of their absolute values.

    Returns:
        (..., c, h, w).
    """
    down, across = odd_lengths("laplacian", kernel_size)
    kernel = tp.ones(down, across)
    kernel[down // 2, across // 2] = 1.0 - down * across
    return filter2d(_floats("laplacian", input), kernel, border_type, normalized)


def canny(
    input: tp.Tensor,
    low_threshold: float = 0.1,
    high_threshold: float = 0.2,
    kernel_size: int | Sequence[int] = 5,
    sigma: float | Sequence[float] = 1.0,
    hysteresis: bool = True,
    eps: float = 1e-6,
) -> tuple[tp.Tensor, tp.Tensor]:
    """Edges one pixel wide.

    Args:
        input: (..., 1 or 3, h, w) floats from 0 to 1.
        low_threshold: least steepness of an edge, in steps of `sobel`.
        high_threshold: steepness that makes it sure.
        kernel_size: of the blur before, see `gaussian_blur`.
        sigma: of the blur.
        hysteresis: keep weak edges that touch a sure one, drop others; else they stay as 0.5.
        eps: as of `sobel`.

    Returns:
        (..., 1, h, w) each: how steep the summits are, zero elsewhere; and the edges, 0, 0.5 or 1.

    Raises:
        DTypeError: no floats.
        ValueError: thresholds are not 0 < low <= high.

    Source: Canny 1986, "A computational approach to edge detection".
    """
    if not 0 < low_threshold <= high_threshold:
        raise ValueError(f"canny: 0 < low <= high, got {low_threshold} and {high_threshold}")
    x = _floats("canny", input)
    grey = luma(x) if x.shape[-3] == 3 else x
    gradient = spatial_gradient(gaussian_blur(grey, kernel_size, sigma), normalized=False)
    across, down = gradient.unbind(-3)
    steep = (across**2 + down**2 + eps).sqrt()
    summits = steep * _is_summit(steep, across, down).to(steep.dtype)
    weak, sure = summits > low_threshold, summits > high_threshold
    if hysteresis:
        weak = sure = _touching(weak, sure)
    edges = 0.5 * weak.to(x.dtype) + 0.5 * sure.to(x.dtype)
    return summits, edges


_ALONG = ((0, 1), (1, 1), (1, 0), (1, -1))  # (rows, columns) to a neighbour, by eighths of a turn


def _is_summit(steep: tp.Tensor, across: tp.Tensor, down: tp.Tensor) -> tp.Tensor:
    """Where neither neighbour along the gradient is steeper."""
    eighths = (tp.atan2(down, across) * (4 / math.pi)).round().to(tp.int64).remainder(4)
    height, width = steep.shape[-2:]
    wide = tp.nn.functional.pad(steep, (1, 1, 1, 1))
    out = tp.zeros_like(eighths, dtype=tp.bool)
    for direction, (i, j) in enumerate(_ALONG):
        higher, before = (
            wide[..., 1 + s * i : 1 + s * i + height, 1 + s * j : 1 + s * j + width]
            for s in (1, -1)
        )
        out = out | ((eighths == direction) & (steep >= higher) & (steep > before))
    return out


def _touching(weak: tp.Tensor, sure: tp.Tensor) -> tp.Tensor:
    """The regions of weak edges that have a sure pixel."""
    labels = connected_components(weak)
    flat = labels.reshape(-1, *labels.shape[-2:]).cpu().numpy()
    hits = sure.reshape(flat.shape).cpu().numpy()
    kept = [
        np.isin(plane, np.setdiff1d(plane[hit], [0])) for plane, hit in zip(flat, hits, strict=True)
    ]
    return tp.from_numpy(np.stack(kept).reshape(labels.shape)).to(weak.device)

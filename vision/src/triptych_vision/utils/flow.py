"""Optical flow as colours."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

import triptych as tp
from triptych.errors import DTypeError, ShapeError

__all__ = ["flow_to_image"]

# Shades between red, yellow, green, cyan, blue, magenta and red again. Source: Baker and others,
# "A Database and Evaluation Methodology for Optical Flow", 2011, and the code that goes with it.
_SHADES = (15, 6, 4, 11, 13, 6)
_CORNERS = ((1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1), (1, 0, 0))


def flow_to_image(flow: tp.Tensor) -> tp.Tensor:
    """Show a flow: the hue is its direction, the strength of the colour its length.

    Args:
        flow: (2, h, w) or (n, 2, h, w) float32, x and y in pixels; the longest of all is shown at
            full strength.

    Returns:
        (3, h, w) or (n, 3, h, w) uint8.

    Raises:
        DTypeError: another dtype.
        ShapeError: another shape.

    Example:
        >>> flow_to_image(tp.zeros(2, 1, 1)).flatten().tolist()
        [255, 255, 255]
    """
    if flow.dtype is not tp.float32:
        raise DTypeError(f"flow_to_image: wanted float32, got {flow.dtype}")
    if flow.ndim not in (3, 4) or flow.shape[-3] != 2:
        raise ShapeError(
            f"flow_to_image: wanted (2, h, w) or (n, 2, h, w), got {tuple(flow.shape)}"
        )
    batch = flow.detach() if flow.ndim == 4 else flow.detach()[None]
    longest = (batch**2).sum(1).sqrt().max()
    scaled = batch / (longest + tp.finfo(tp.float32).eps)
    image = _colors(scaled)
    return image if flow.ndim == 4 else image[0]


def _colors(flow: tp.Tensor) -> tp.Tensor:
    wheel = tp.from_numpy(_color_wheel()).to(flow.device) / 255.0  # (k, 3)
    length = (flow**2).sum(1).sqrt()[..., None]  # (n, h, w, 1)
    turn = tp.atan2(-flow[:, 1], -flow[:, 0]) / math.pi  # -1 to 1
    place = (turn + 1) / 2 * (wheel.shape[0] - 1)
    before = place.floor().to(tp.int64)
    part = (place - before)[..., None]
    hue = (1 - part) * wheel[before] + part * wheel[(before + 1) % wheel.shape[0]]
    shown = 1 - length * (1 - hue)  # white where nothing moves
    return (255 * shown).floor().to(tp.uint8).permute(0, 3, 1, 2)


@lru_cache(maxsize=1)
def _color_wheel() -> np.ndarray:
    """(k, 3) float32, whole numbers from 0 to 255."""
    parts = []
    for shades, start, end in zip(_SHADES, _CORNERS[:-1], _CORNERS[1:], strict=True):
        rise = np.floor(255 * np.arange(shades, dtype=np.float32) / shades)[:, None]
        kept, falls = np.minimum(start, end), np.greater(start, end)
        # A falling colour is 255 minus the whole number of a rising one.
        parts.append(
            np.where(kept, 255, np.where(falls, 255 - rise, np.maximum(start, end) * rise))
        )
    return np.concatenate(parts).astype(np.float32)

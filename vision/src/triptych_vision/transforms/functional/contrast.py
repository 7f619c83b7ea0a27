"""Brightness and contrast: lines, colours shifted in HSV, local histograms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import ShapeError

from ..dispatch import functional, register_kernel
from ..kinds import PIL_IMAGE
from .color_spaces import TURN, hsv_to_rgb, lab_to_rgb, rgb_to_hsv, rgb_to_lab
from .conversion import pil_to_tensor, to_dtype, to_pil_image
from .lookup import largest, tabulated

__all__ = ["adjust_brightness_contrast", "clahe", "shift_hsv"]


@functional
def adjust_brightness_contrast(inpt: Any, alpha: float, beta: float, by_max: bool = True) -> Any:
    """alpha times each value, plus beta of full brightness.

    Args:
        inpt: an image of any kind.
        alpha: contrast; 1 keeps it.
        beta: what is added, where full brightness is 1; of bytes, too.
        by_max: else beta is in units of the mean of the image.

    Returns:
        The image, same kind and dtype, cut to the range of the dtype.

    Example:
        >>> x = tp.tensor([[[0, 100, 200]]], dtype=tp.uint8)
        >>> adjust_brightness_contrast(x, 1.5, 0.1).tolist()
        [[[26, 176, 255]]]
    """
    if not inpt.numel():
        return inpt
    bright, kind = largest(inpt.dtype), inpt.dtype
    wide = kind if kind.is_floating_point else tp.float32
    unit = bright if by_max else inpt.to(wide).mean().item()

    def line(x: tp.Tensor) -> tp.Tensor:
        out = (x.to(wide) * alpha + beta * unit).clamp(0, bright)
        return out if kind.is_floating_point else out.round().to(kind)

    return tabulated(inpt, line)


@functional
def shift_hsv(inpt: Any, hue_shift: float, sat_shift: float, val_shift: float) -> Any:
    """Hue turned, saturation and value raised or lowered.

    Args:
        inpt: an image of any kind, three channels; one of one channel gets the value only.
        hue_shift: in half turns of 180, two degrees each, as OpenCV counts hue.
        sat_shift: of 255, for floats, too.
        val_shift: of 255, for floats, too.

    Returns:
        The image, same kind and dtype.

    Raises:
        ShapeError: another number of channels.
    """
    if inpt.ndim < 3 or inpt.shape[-3] not in (1, 3):
        raise ShapeError(f"shift_hsv: wanted (..., 1 or 3, h, w), got {tuple(inpt.shape)}")
    kind = inpt.dtype
    if inpt.shape[-3] == 1:
        return adjust_brightness_contrast(inpt, 1.0, val_shift / 255)
    floats = to_dtype(inpt, kind if kind.is_floating_point else tp.float32, scale=True)
    hue, saturation, value = rgb_to_hsv(floats).unbind(-3)
    grey = saturation == 0  # a grey has no hue that more saturation could bring out
    saturation = tp.where(grey, 0.0, (saturation + sat_shift / 255).clamp(0, 1))
    parts = hue + hue_shift / 180 * TURN, saturation, (value + val_shift / 255).clamp(0, 1)
    return _from_floats(hsv_to_rgb(tp.stack(parts, -3)), kind)


def _from_floats(x: tp.Tensor, dtype: tp.dtype) -> tp.Tensor:
    """Floats from 0 to 1 as another dtype, rounded."""
    if dtype.is_floating_point:
        return x.to(dtype)
    return (x * largest(dtype)).round().clamp(0, largest(dtype)).to(dtype)


@functional
def clahe(inpt: Any, clip_limit: float = 4.0, tile_grid_size: Sequence[int] = (8, 8)) -> Any:
    """Histograms equalised tile by tile, as far as a limit of contrast lets them.

    Args:
        inpt: an image of any kind, one channel or three; of three the lightness of Lab is
            equalised, and colours stay. Other dtypes than uint8 are counted in 256 steps.
        clip_limit: how many times more frequent than the mean a brightness may count.
        tile_grid_size: how many tiles (down, across).

    Returns:
        The image, same kind and dtype.

    Raises:
        ShapeError: another number of channels, or more tiles than pixels.
        ValueError: clip_limit is not above zero.

    Source: Zuiderveld 1994, "Contrast limited adaptive histogram equalization", Graphics Gems IV;
    what is cut off is spread as OpenCV does.
    """
    if inpt.ndim < 3 or inpt.shape[-3] not in (1, 3):
        raise ShapeError(f"clahe: wanted (..., 1 or 3, h, w), got {tuple(inpt.shape)}")
    height, width = inpt.shape[-2:]
    down, across = tile_grid_size
    if not 1 <= down <= height or not 1 <= across <= width:
        raise ShapeError(f"clahe: {(down, across)} tiles do not fit into {(height, width)} pixels")
    if clip_limit <= 0:
        raise ValueError(f"clahe: clip_limit is above zero, got {clip_limit}")
    if inpt.shape[-3] == 1:
        bytes_ = to_dtype(inpt, tp.uint8, scale=True)
        out = _equalized(bytes_, clip_limit, (down, across))
        return to_dtype(out.to(inpt.device), inpt.dtype, scale=True)
    wide = inpt.dtype if inpt.dtype.is_floating_point else tp.float32
    lightness, a, b = rgb_to_lab(to_dtype(inpt, wide, scale=True)).unbind(-3)
    steps = (lightness * 2.55).round().clamp(0, 255).to(tp.uint8)
    steps = _equalized(steps, clip_limit, (down, across)).to(inpt.device, wide)
    return _from_floats(lab_to_rgb(tp.stack((steps / 2.55, a, b), -3)), inpt.dtype)


def _equalized(x: tp.Tensor, clip_limit: float, tiles: tuple[int, int]) -> tp.Tensor:
    """Bytes (..., h, w), each plane equalised."""
    array = x.cpu().numpy()
    out = np.empty(array.shape, np.uint8)
    for place in np.ndindex(array.shape[:-2]):
        out[place] = _equalized_plane(array[place], clip_limit, tiles)
    return tp.from_numpy(out)


def _equalized_plane(plane: np.ndarray, clip_limit: float, tiles: tuple[int, int]) -> np.ndarray:
    height, width = plane.shape
    missing = -height % tiles[0], -width % tiles[1]
    mode: Any = "reflect" if missing[0] < height and missing[1] < width else "edge"
    whole = np.pad(plane, ((0, missing[0]), (0, missing[1])), mode)
    h, w = whole.shape[0] // tiles[0], whole.shape[1] // tiles[1]
    parts = whole.reshape(tiles[0], h, tiles[1], w).swapaxes(1, 2).reshape(-1, h * w)
    numbered = parts + 256 * np.arange(len(parts))[:, None]
    counts = np.bincount(numbered.ravel(), minlength=256 * len(parts)).reshape(-1, 256)
    tables = _clipped_tables(counts, max(int(clip_limit * h * w / 256), 1), h * w)
    return _blended(plane, tables.reshape(*tiles, 256), (h, w))


def _clipped_tables(counts: np.ndarray, limit: int, area: int) -> np.ndarray:
    """New brightnesses from histograms cut at a limit, (tiles, 256) float32."""
    excess = np.maximum(counts - limit, 0).sum(1)
    counts = np.minimum(counts, limit) + (excess // 256)[:, None]
    rest = excess % 256
    step = np.maximum(256 // np.maximum(rest, 1), 1)
    bins = np.arange(256)
    spread = (bins % step[:, None] == 0) & (bins // step[:, None] < rest[:, None])
    tables = (counts + spread).cumsum(1) * (255 / area)
    return np.rint(np.minimum(tables, 255)).astype(np.float32)


def _blended(plane: np.ndarray, tables: np.ndarray, tile: tuple[int, int]) -> np.ndarray:
    """Each pixel by the tables of the four nearest tiles, the nearer the more."""
    (first, next_, low), (left, right, part) = (
        _neighbours(n, count, size)
        for n, count, size in zip(plane.shape, tables.shape[:2], tile, strict=True)
    )
    low, part = low[:, None], part[None, :]

    def by(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        return tables[rows[:, None], columns[None, :], plane]

    upper = by(first, left) * (1 - part) + by(first, right) * part
    lower = by(next_, left) * (1 - part) + by(next_, right) * part
    return np.rint(upper * (1 - low) + lower * low).astype(np.uint8)


def _neighbours(n: int, count: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The tiles before and after each pixel of an axis, and the share of the latter."""
    place = np.arange(n, dtype=np.float32) / size - 0.5
    before = np.floor(place).astype(np.int64)
    share = place - before
    return np.clip(before, 0, count - 1), np.clip(before + 1, 0, count - 1), share


for _function in (adjust_brightness_contrast, shift_hsv, clahe):

    def _through_tensors(image: Any, *args: Any, _call: Any = _function, **kwargs: Any) -> Any:
        return to_pil_image(_call(pil_to_tensor(image), *args, **kwargs), image.mode)

    register_kernel(_function, PIL_IMAGE)(_through_tensors)

"""Colour changes of bytes on the CPU, a few pixels at a time so that they stay in the cache.

Each function computes what its twin in `adjusting` says, in float32, written into a handful of
buffers that are used again for the next pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

import triptych as tp

from .lookup import ALL_BYTES, looked_up

__all__ = ["LUMA", "contrast", "grey", "hue", "saturation", "sharpness"]

# Luma of red, green, blue: ITU-R BT.601, to the four digits that Pillow and torchvision share.
LUMA = (0.2989, 0.587, 0.114)
_WEIGHTS = np.array(LUMA, np.float32)
_PIXELS = 1 << 15  # of three channels: 400 kB as float32; of 2 ** 13 to 2 ** 18 the fastest
_WHITE = np.float32(255)


def _images(x: tp.Tensor) -> np.ndarray:
    """(..., c, h, w) as (n, c, h, w), in rows one after the other."""
    array = np.ascontiguousarray(x.numpy())
    return array.reshape(prod(array.shape[:-3]), *array.shape[-3:])


def _pieces(x: tp.Tensor, out: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Views (3, pixels) of the bytes before, and those of an array (..., 1 or 3, h, w) after."""
    old = _images(x)
    num_images, channels, height, width = old.shape
    old = old.reshape(num_images, channels, height * width)
    new = out.reshape(num_images, out.shape[-3], height * width)
    for image in range(num_images):
        for start in range(0, height * width, _PIXELS):
            part = slice(start, start + _PIXELS)
            yield old[image, :, part], new[image, :, part]


def grey(x: tp.Tensor) -> tp.Tensor:
    """`rgb_to_grayscale`.

    Args:
        x: (..., 3, h, w) bytes.

    Returns:
        (..., 1, h, w) bytes, cut off after the point.
    """
    out = np.empty((*x.shape[:-3], 1, *x.shape[-2:]), np.uint8)
    for old, new in _pieces(x, out):
        np.copyto(new[0], _WEIGHTS @ old.astype(np.float32), casting="unsafe")
    return tp.from_numpy(out)


def contrast(x: tp.Tensor, factor: float) -> tp.Tensor:
    """`adjust_contrast`: the mean of an image makes a table of its 256 values.

    Args:
        x: (..., 1 or 3, h, w) bytes.
        factor: zero or more.

    Returns:
        Bytes of the same shape.
    """
    means = np.array([_mean_grey(image) for image in _images(x)], np.float32)
    values = ALL_BYTES * np.float32(factor) + means[:, None] * np.float32(1.0 - factor)
    tables = np.clip(values, 0, _WHITE).astype(np.uint8)
    if len(tables) == 1:
        return looked_up(x, tables[0])
    return looked_up(x, tables.reshape(*x.shape[:-3], 256))


def _mean_grey(image: np.ndarray) -> float:
    """Mean of the brightness in whole numbers, of (c, h, w)."""
    if image.shape[0] == 1:
        return float(image.mean())
    pixels = image.reshape(3, -1)
    total = 0.0
    for start in range(0, pixels.shape[1], _PIXELS):
        grey = _WEIGHTS @ pixels[:, start : start + _PIXELS].astype(np.float32)
        total += float(np.floor(grey, out=grey).sum(dtype=np.float64))
    return total / pixels.shape[1]


def saturation(x: tp.Tensor, factor: float) -> tp.Tensor:
    """`adjust_saturation`.

    Args:
        x: (..., 3, h, w) bytes.
        factor: zero or more.

    Returns:
        Bytes of the same shape.
    """
    out = np.empty(x.shape, np.uint8)
    for old, new in _pieces(x, out):
        wide = old.astype(np.float32)
        grey = _WEIGHTS @ wide
        np.floor(grey, out=grey)
        grey *= np.float32(1.0 - factor)
        wide *= np.float32(factor)
        wide += grey
        if factor > 1:  # else it lies between two bytes
            np.clip(wide, 0, _WHITE, out=wide)
        np.copyto(new, wide, casting="unsafe")
    return tp.from_numpy(out)


def hue(x: tp.Tensor, turns: float) -> tp.Tensor:
    """`adjust_hue`.

    Args:
        x: (..., 3, h, w) bytes.
        turns: of the colour wheel, from -0.5 to 0.5.

    Returns:
        Bytes of the same shape.
    """
    out = np.empty(x.shape, np.uint8)
    for old, new in _pieces(x, out):
        _turn(old, new, np.float32(6.0 * (turns % 1.0)))
    return tp.from_numpy(out)


# What `to_dtype` multiplies values from 0 to 1 with, before it cuts off, over the range of bytes.
_TO_BYTES = np.float32((256 - 1e-3) / 255)
# Red is weakest at three sixths of the colour wheel (cyan), green at five, blue at one; the way
# from there to the start of the wheel.
_VALLEYS = np.array([3.0, 1.0, -1.0])


def _turn(old: np.ndarray, new: np.ndarray, sixths: np.float32) -> None:
    """(3, pixels) bytes into another (3, pixels).

    With u the way from the middle of a channel's valley, in sixths from -6 to 6, the channel is
    high - spread * clip(||u| - 3| - 1, 0, 1). All is multiplied by spread, so nothing is divided.
    """
    high = old.max(axis=0)
    spread = high - old.min(axis=0)
    place = _place(old.astype(np.int16), spread.astype(np.int16), old == high)
    top, width = high * _TO_BYTES, spread * _TO_BYTES  # float32
    start = (_VALLEYS + float(sixths) + 5.0) % 6.0 - 5.0  # place is from -1 to 5 times spread
    way = start.astype(np.float32)[:, None] * width
    way += place * _TO_BYTES
    np.abs(way, out=way)
    way -= 3 * width
    np.abs(way, out=way)
    way -= width
    np.maximum(way, np.float32(0), out=way)
    np.minimum(way, width, out=way)
    np.copyto(new, np.subtract(top, way, out=way), casting="unsafe")


def _place(x: np.ndarray, spread: np.ndarray, highest: np.ndarray) -> np.ndarray:
    """The hue in sixths of the wheel times spread, (pixels,) int16.

    Args:
        x: (3, pixels) int16.
        spread: (pixels,) int16, the highest channel less the lowest.
        highest: (3, pixels) whether a channel is as high as any.
    """
    red, green, blue = x
    by_red, by_green = highest[0], highest[1] & ~highest[0]
    by_blue = ~(by_red | by_green)
    place = (green - blue) * by_red.astype(np.int16)
    place += (blue - red + 2 * spread) * by_green.astype(np.int16)
    place += (red - green + 4 * spread) * by_blue.astype(np.int16)
    return place


def sharpness(x: tp.Tensor, factor: float) -> tp.Tensor:
    """`adjust_sharpness`: sums of 3 x 3 pixels fit into 16 bits.

    Args:
        x: (..., c, h, w) bytes, h and w above 2.
        factor: zero or more.

    Returns:
        Bytes of the same shape.
    """
    old = _images(x)
    out = old.copy()
    for image, new in zip(old, out, strict=True):
        wide = image.astype(np.uint16)  # (c, h, w)
        inner = wide[:, 1:-1, 1:-1]
        rows = wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]
        total = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:] + 4 * inner
        blurred = np.rint(total * np.float32(1 / 13))
        mixed = inner + (blurred - inner) * np.float32(1.0 - factor)
        np.copyto(new[:, 1:-1, 1:-1], np.clip(mixed, 0, _WHITE), casting="unsafe")
    return tp.from_numpy(out.reshape(x.shape))

"""Changing how bright each brightness is: negatives, steps, stretched and equalised histograms."""

from __future__ import annotations

from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import DTypeError

from ..dispatch import functional, register_kernel
from ..kinds import PIL_IMAGE
from .adjusting import check_channels
from .conversion import to_dtype
from .lookup import ALL_BYTES, largest, looked_up, on_bytes, tabulated

__all__ = ["autocontrast", "equalize", "invert", "posterize", "solarize"]


def _operated(image: Any, name: str, *args: Any) -> Any:
    from PIL import ImageOps

    return getattr(ImageOps, name)(image, *args)


@functional
def invert(inpt: Any) -> Any:
    """The negative: 1 - x for floats, the largest value less x for integers.

    Args:
        inpt: an image of any kind.

    Returns:
        The negative, same kind and dtype.

    Example:
        >>> invert(tp.tensor([0, 9, 255], dtype=tp.uint8)).tolist()
        [255, 246, 0]
    """
    return ~inpt if inpt.dtype is tp.bool else largest(inpt.dtype) - inpt


@register_kernel(invert, PIL_IMAGE)
def _invert_pil(image: Any) -> Any:
    return _operated(image, "invert")


@functional
def posterize(inpt: Any, bits: int) -> Any:
    """Keep the highest bits of each value.

    Args:
        inpt: an image of any kind; floats get as many steps as integers of those bits have.
        bits: how many, from 0 to 8.

    Returns:
        The image, same kind and dtype.

    Raises:
        DTypeError: bits is no int.
        ValueError: bits is beyond.

    Example:
        >>> posterize(tp.tensor([0, 100, 255], dtype=tp.uint8), 2).tolist()
        [0, 64, 192]
    """
    _check_bits(bits)
    if inpt.dtype.is_floating_point:
        levels = 1 << bits
        return (inpt * levels).floor().clamp(0, levels - 1) * (1.0 / levels)
    lost = largest(inpt.dtype).bit_length() - bits
    return inpt if lost <= 0 else inpt & (((1 << bits) - 1) << lost)


def _check_bits(bits: int) -> None:
    if not isinstance(bits, int):
        raise DTypeError(f"posterize: bits is an int from 0 to 8, got {bits!r}")
    if not 0 <= bits <= 8:
        raise ValueError(f"posterize: bits is an int from 0 to 8, got {bits}")


@register_kernel(posterize, PIL_IMAGE)
def _posterize_pil(image: Any, bits: int) -> Any:
    _check_bits(bits)
    return _operated(image, "posterize", bits)


@functional
def solarize(inpt: Any, threshold: float) -> Any:
    """The negative of all values from a threshold on.

    Args:
        inpt: an image of any kind.
        threshold: in the range of the dtype: up to 255 for bytes, up to 1 for floats.

    Returns:
        The image, same kind and dtype.

    Raises:
        ValueError: the threshold is above the largest value.

    Example:
        >>> solarize(tp.tensor([0, 100, 255], dtype=tp.uint8), 100).tolist()
        [0, 155, 0]
    """
    if threshold > largest(inpt.dtype):
        raise ValueError(
            f"solarize: threshold is at most {largest(inpt.dtype)} for {inpt.dtype}, got "
            f"{threshold}"
        )
    return tabulated(inpt, lambda x: tp.where(x >= threshold, invert(x), x))


@register_kernel(solarize, PIL_IMAGE)
def _solarize_pil(image: Any, threshold: float) -> Any:
    return _operated(image, "solarize", threshold)


@functional
def autocontrast(inpt: Any) -> Any:
    """Stretch each channel so that its darkest value becomes black and its brightest white.

    Args:
        inpt: an image of any kind, one or three channels.

    Returns:
        The image, same kind and dtype; a channel of one value stays.

    Raises:
        ShapeError: a tensor with another number of channels.
    """
    check_channels("autocontrast", inpt)
    if not inpt.numel():
        return inpt
    if on_bytes(inpt):
        array = inpt.numpy()
        return looked_up(inpt, _stretching(array.min((-2, -1)), array.max((-2, -1))))
    return _stretched(inpt)


def _stretching(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Tables for channels of bytes from low to high, (...) -> (..., 256); twin of `_stretched`."""
    step = (high - low).astype(np.float32) * np.float32(1 / 255)
    flat = step == 0
    tables = ALL_BYTES - np.where(flat, 0, low).astype(np.float32)[..., None]
    tables /= np.where(flat, np.float32(1), step)[..., None]
    return np.clip(tables, 0, 255).astype(np.uint8)


def _stretched(x: tp.Tensor) -> tp.Tensor:
    """Values of each channel spread over the range of the dtype."""
    low, high = x.amin(dim=(-2, -1), keepdim=True), x.amax(dim=(-2, -1), keepdim=True)
    bright, kind = largest(x.dtype), x.dtype
    dtype = kind if kind.is_floating_point else tp.float32
    x, low, high = x.to(dtype), low.to(dtype), high.to(dtype)
    flat = low == high
    step = tp.where(flat, tp.ones_like(low), (high - low) * (1.0 / bright))
    return ((x - tp.where(flat, tp.zeros_like(low), low)) / step).clamp(0, bright).to(kind)


@register_kernel(autocontrast, PIL_IMAGE)
def _autocontrast_pil(image: Any) -> Any:
    return _operated(image, "autocontrast")


@functional
def equalize(inpt: Any) -> Any:
    """Make all brightnesses of each channel about equally frequent.

    Args:
        inpt: an image of any kind; other dtypes than uint8 are counted in 256 steps.

    Returns:
        The image, same kind and dtype; a channel of one value stays.

    Source: the rule is that of Pillow's `ImageOps.equalize`.
    """
    if not inpt.numel():
        return inpt
    x = to_dtype(inpt, tp.uint8, scale=True)
    flat = x.reshape(-1, x.shape[-2] * x.shape[-1]).cpu().numpy()  # (planes, pixels)
    tables = _equalizing(np.stack([np.bincount(plane, minlength=256) for plane in flat]))
    out = looked_up(tp.from_numpy(flat), tables).reshape(x.shape).to(inpt.device)
    return to_dtype(out, inpt.dtype, True)


def _equalizing(counts: np.ndarray) -> np.ndarray:
    """Tables for histograms, (n, 256) -> (n, 256) uint8."""
    up_to = counts.cumsum(axis=1)
    total = up_to[:, -1:]
    brightest = np.take_along_axis(counts, up_to.argmax(axis=1)[:, None], axis=1)
    step = (total - brightest) // 255
    before = np.concatenate([np.zeros_like(total), up_to[:, :-1]], axis=1)
    tables = (before + step // 2) // np.maximum(step, 1)
    return np.where(step == 0, np.arange(256), np.minimum(tables, 255)).astype(np.uint8)


@register_kernel(equalize, PIL_IMAGE)
def _equalize_pil(image: Any) -> Any:
    return _operated(image, "equalize")

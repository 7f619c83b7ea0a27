"""Brightness, contrast, saturation, hue, gamma and sharpness, by a factor.

Images have one or three channels. The numbers are torchvision's for tensors and Pillow's for PIL
images; the two differ by a rounding. Bytes have kernels of their own (`color_bytes`), which the
plain ones here are the twins of.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import ShapeError

from ..dispatch import functional, register_kernel
from ..kinds import PIL_IMAGE
from . import color_bytes
from .color import luma
from .color_kernels import by_kernel
from .conversion import to_dtype
from .lookup import largest, on_bytes, tabulated

__all__ = [
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "adjust_sharpness",
]


def _check_factor(name: str, factor: float) -> None:
    if factor < 0:
        raise ValueError(f"adjust_{name}: {name}_factor is zero or more, got {factor}")


def check_channels(name: str, x: tp.Tensor) -> None:
    """Raise ShapeError for an image that has neither one channel nor three."""
    if x.ndim < 3 or x.shape[-3] not in (1, 3):
        raise ShapeError(
            f"{name}: wanted one channel or three, (..., 1, h, w) or (..., 3, h, w), got shape "
            f"{tuple(x.shape)}"
        )


def _enhanced(image: Any, kind: str, factor: float) -> Any:
    from PIL import ImageEnhance

    return getattr(ImageEnhance, kind)(image).enhance(factor)


def _blend(x: tp.Tensor, other: tp.Tensor, factor: float) -> tp.Tensor:
    """factor of x and the rest of other, cut to the range of the dtype; integers are cut off."""
    mixed = x * factor + other * (1.0 - factor)
    return mixed.clamp(0, largest(x.dtype)).to(x.dtype)


@functional
def adjust_brightness(inpt: Any, brightness_factor: float) -> Any:
    """Multiply all values.

    Args:
        inpt: an image of any kind, one or three channels.
        brightness_factor: 0 makes it black, 1 keeps it, 2 doubles the brightness.

    Returns:
        The image, same kind and dtype, cut to the range of the dtype.

    Raises:
        ValueError: the factor is negative.
        ShapeError: a tensor with another number of channels.

    Example:
        >>> adjust_brightness(tp.full((1, 1, 2), 0.4), 2.0).tolist()
        [[[0.800000011920929, 0.800000011920929]]]
    """
    _check_factor("brightness", brightness_factor)
    check_channels("adjust_brightness", inpt)
    found = by_kernel("color_scale", inpt, brightness_factor)
    if found is not None:
        return found
    bright = largest(inpt.dtype)
    return tabulated(inpt, lambda x: (x * brightness_factor).clamp(0, bright).to(x.dtype))


@register_kernel(adjust_brightness, PIL_IMAGE)
def _adjust_brightness_pil(image: Any, brightness_factor: float) -> Any:
    _check_factor("brightness", brightness_factor)
    return _enhanced(image, "Brightness", brightness_factor)


@functional
def adjust_contrast(inpt: Any, contrast_factor: float) -> Any:
    """Move all values away from the mean brightness of the image, or towards it.

    Args:
        inpt: an image of any kind, one or three channels; each image of a batch has its own mean.
        contrast_factor: 0 makes it grey, 1 keeps it, 2 doubles the differences.

    Returns:
        The image, same kind and dtype, cut to the range of the dtype.

    Raises:
        ValueError: the factor is negative.
        ShapeError: a tensor with another number of channels.
    """
    _check_factor("contrast", contrast_factor)
    check_channels("adjust_contrast", inpt)
    if not inpt.numel():
        return inpt
    found = by_kernel("color_contrast", inpt, contrast_factor)
    if found is not None:
        return found
    if on_bytes(inpt):
        return color_bytes.contrast(inpt, contrast_factor)
    mean = _grey(inpt).mean(dim=(-3, -2, -1), keepdim=True)
    return _blend(inpt, mean, contrast_factor)


def _grey(x: tp.Tensor) -> tp.Tensor:
    """The brightness of each pixel as floats; those of integers are whole numbers."""
    if x.shape[-3] == 1:
        return x if x.dtype.is_floating_point else x.to(tp.float32)
    return luma(x) if x.dtype.is_floating_point else luma(x).floor()


@register_kernel(adjust_contrast, PIL_IMAGE)
def _adjust_contrast_pil(image: Any, contrast_factor: float) -> Any:
    _check_factor("contrast", contrast_factor)
    return _enhanced(image, "Contrast", contrast_factor)


@functional
def adjust_saturation(inpt: Any, saturation_factor: float) -> Any:
    """Move each pixel away from the grey of its brightness, or towards it.

    Args:
        inpt: an image of any kind, one or three channels; one of one channel stays as it is.
        saturation_factor: 0 makes it grey, 1 keeps it, 2 doubles the colour.

    Returns:
        The image, same kind and dtype, cut to the range of the dtype.

    Raises:
        ValueError: the factor is negative.
        ShapeError: a tensor with another number of channels.
    """
    _check_factor("saturation", saturation_factor)
    check_channels("adjust_saturation", inpt)
    if inpt.shape[-3] == 1 or not inpt.numel():
        return inpt
    found = by_kernel("color_saturation", inpt, saturation_factor)
    if found is not None:
        return found
    if on_bytes(inpt):
        return color_bytes.saturation(inpt, saturation_factor)
    return _blend(inpt, _grey(inpt), saturation_factor)


@register_kernel(adjust_saturation, PIL_IMAGE)
def _adjust_saturation_pil(image: Any, saturation_factor: float) -> Any:
    _check_factor("saturation", saturation_factor)
    return _enhanced(image, "Color", saturation_factor)


@functional
def adjust_hue(inpt: Any, hue_factor: float) -> Any:
    """Turn all colours around the colour wheel.

    Args:
        inpt: an image of any kind, one or three channels; one of one channel stays as it is.
        hue_factor: from -0.5 to 0.5, in turns; both ends are the opposite colours.

    Returns:
        The image, same kind and dtype.

    Raises:
        ValueError: the factor is beyond.
        ShapeError: a tensor with another number of channels.

    Source: the hexagonal HSV model, Smith 1978, "Color gamut transform pairs".
    """
    _check_hue(hue_factor)
    check_channels("adjust_hue", inpt)
    if inpt.shape[-3] == 1 or not inpt.numel():
        return inpt
    if on_bytes(inpt):
        return color_bytes.hue(inpt, hue_factor)
    return to_dtype(
        _turned(to_dtype(inpt, _float_of(inpt), scale=True), hue_factor), inpt.dtype, True
    )


def _float_of(x: tp.Tensor) -> tp.dtype:
    return x.dtype if x.dtype.is_floating_point else tp.float32


def _check_hue(hue_factor: float) -> None:
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"adjust_hue: hue_factor is from -0.5 to 0.5, got {hue_factor}")


def _turned(x: tp.Tensor, turns: float) -> tp.Tensor:
    """(..., 3, h, w) floats from 0 to 1, with another hue."""
    high, low = x.amax(dim=-3, keepdim=True), x.amin(dim=-3, keepdim=True)
    spread = high - low
    hue = _sixths(x, high, spread) + 6.0 * turns
    # Red, green and blue are highest at 0, 2 and 4 sixths of the wheel, and fall off after one.
    peaks = tp.tensor([5.0, 3.0, 1.0], dtype=x.dtype, device=x.device)[:, None, None]
    k = (hue + peaks) % 6.0
    return (high - spread * tp.minimum(k, 4.0 - k).clamp(0.0, 1.0)).clamp(0.0, 1.0)


def _sixths(x: tp.Tensor, high: tp.Tensor, spread: tp.Tensor) -> tp.Tensor:
    """The hue in sixths of the wheel, 0 for grey, (..., 1, h, w)."""
    red, green, blue = (x[..., i : i + 1, :, :] for i in range(3))
    width = tp.where(spread == 0, tp.ones_like(spread), spread)
    by_blue = (red - green) / width + 4.0
    by_green = tp.where(green == high, (blue - red) / width + 2.0, by_blue)
    return tp.where(red == high, (green - blue) / width, by_green)


@register_kernel(adjust_hue, PIL_IMAGE)
def _adjust_hue_pil(image: Any, hue_factor: float) -> Any:
    _check_hue(hue_factor)
    if image.mode in ("L", "1", "I", "F"):
        return image
    from PIL import Image

    hue, saturation, value = image.convert("HSV").split()
    step = int(hue_factor * 255) % 256  # the wheel has 256 places, the shift is cut off
    hue = hue.point([(place + step) % 256 for place in range(256)])
    return Image.merge("HSV", (hue, saturation, value)).convert(image.mode)


@functional
def adjust_gamma(inpt: Any, gamma: float, gain: float = 1) -> Any:
    """Raise all values to a power: gain * x ** gamma, with x from 0 to 1.

    Args:
        inpt: an image of any kind.
        gamma: above 1 darkens the shadows, below 1 lights them up.
        gain: factor afterwards.

    Returns:
        The image, same kind and dtype.

    Raises:
        ValueError: gamma is negative.
    """
    _check_gamma(gamma)

    def curve(x: tp.Tensor) -> tp.Tensor:
        powers = to_dtype(x, _float_of(x), scale=True) ** gamma
        scaled = powers if gain == 1 else (powers * gain).clamp(0.0, 1.0)
        return to_dtype(scaled, x.dtype, True)

    return tabulated(inpt, curve)


def _check_gamma(gamma: float) -> None:
    if gamma < 0:
        raise ValueError(f"adjust_gamma: gamma is zero or more, got {gamma}")


@register_kernel(adjust_gamma, PIL_IMAGE)
def _adjust_gamma_pil(image: Any, gamma: float, gain: float = 1) -> Any:
    _check_gamma(gamma)
    curve = [int(255.999 * gain * (value / 255) ** gamma) for value in range(256)]
    return image.convert("RGB").point(curve * 3).convert(image.mode)


# What `adjust_sharpness` calls blurred: the mean of 3 x 3 pixels, the middle one counting five
# times; the filter is that of Pillow's ImageFilter.SMOOTH.
_SMOOTH = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]], np.float64) / 13


@functional
def adjust_sharpness(inpt: Any, sharpness_factor: float) -> Any:
    """Move each pixel away from a blurred version of the image, or towards it.

    Args:
        inpt: an image of any kind, one or three channels. The outermost pixels stay, and so do
            images that have no others.
        sharpness_factor: 0 blurs it, 1 keeps it, 2 sharpens it.

    Returns:
        The image, same kind and dtype, cut to the range of the dtype.

    Raises:
        ValueError: the factor is negative.
        ShapeError: a tensor with another number of channels.
    """
    _check_factor("sharpness", sharpness_factor)
    check_channels("adjust_sharpness", inpt)
    if not inpt.numel() or min(inpt.shape[-2:]) <= 2:
        return inpt
    if on_bytes(inpt):
        return color_bytes.sharpness(inpt, sharpness_factor)
    x = inpt.to(_float_of(inpt))
    blurred = _smoothed(x)
    if not inpt.dtype.is_floating_point:
        blurred = blurred.round()
    inner = x[..., 1:-1, 1:-1]
    inner = inner + (blurred - inner) * (1.0 - sharpness_factor)
    rows = tp.cat([x[..., 1:-1, :1], inner, x[..., 1:-1, -1:]], dim=-1)
    out = tp.cat([x[..., :1, :], rows, x[..., -1:, :]], dim=-2)
    return out.clamp(0, largest(inpt.dtype)).to(inpt.dtype)


def _smoothed(x: tp.Tensor) -> tp.Tensor:
    """(..., h, w) -> (..., h - 2, w - 2)."""
    height, width = x.shape[-2:]
    total: Any = 0
    for row, column in np.ndindex(_SMOOTH.shape):
        part = x[..., row : height - 2 + row, column : width - 2 + column]
        total = part * float(_SMOOTH[row, column]) + total
    return total


@register_kernel(adjust_sharpness, PIL_IMAGE)
def _adjust_sharpness_pil(image: Any, sharpness_factor: float) -> Any:
    _check_factor("sharpness", sharpness_factor)
    return _enhanced(image, "Sharpness", sharpness_factor)

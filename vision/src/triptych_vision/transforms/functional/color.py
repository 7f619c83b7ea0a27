"""Changing colours."""

from __future__ import annotations

from typing import Any

import triptych as tp
from triptych.errors import ShapeError

from ..dispatch import functional, register_kernel
from ..kinds import PIL_IMAGE

__all__ = ["grayscale_to_rgb", "invert", "rgb_to_grayscale", "to_grayscale"]

# Luma of red, green, blue: ITU-R BT.601, to the four digits that Pillow and torchvision share.
LUMA = (0.2989, 0.587, 0.114)


@functional
def rgb_to_grayscale(inpt: Any, num_output_channels: int = 1) -> Any:
    """Grey of the same brightness.

    Args:
        inpt: an image of three channels; of one, it is grey already.
        num_output_channels: 1, or 3 equal ones.

    Returns:
        The grey image, same kind and dtype.

    Raises:
        ShapeError: another number of channels, before or after.
    """
    _check_count(num_output_channels)
    if inpt.ndim < 3 or inpt.shape[-3] not in (1, 3):
        raise ShapeError(
            f"rgb_to_grayscale: wanted (..., 3, h, w) or (..., 1, h, w), got {tuple(inpt.shape)}"
        )
    grey = inpt
    if inpt.shape[-3] == 3:
        parts = inpt if inpt.dtype.is_floating_point else inpt.to(tp.float32)
        red, green, blue = (parts[..., i : i + 1, :, :] for i in range(3))
        grey = (red * LUMA[0] + green * LUMA[1] + blue * LUMA[2]).to(inpt.dtype)
    return grey if num_output_channels == 1 else tp.cat([grey] * 3, dim=-3)


@register_kernel(rgb_to_grayscale, PIL_IMAGE)
def _rgb_to_grayscale_pil(image: Any, num_output_channels: int = 1) -> Any:
    _check_count(num_output_channels)
    grey = image.convert("L")
    return grey if num_output_channels == 1 else grey.convert("RGB")


def _check_count(num_output_channels: int) -> None:
    if num_output_channels not in (1, 3):
        raise ShapeError(
            f"rgb_to_grayscale: num_output_channels is 1 or 3, got {num_output_channels}"
        )


to_grayscale = rgb_to_grayscale


@functional
def grayscale_to_rgb(inpt: Any) -> Any:
    """Three channels from one, or from grey with alpha; an image of three stays as it is."""
    if inpt.ndim < 3 or inpt.shape[-3] not in (1, 2, 3, 4):
        raise ShapeError(f"grayscale_to_rgb: wanted (..., c, h, w), got {tuple(inpt.shape)}")
    if inpt.shape[-3] >= 3:
        return inpt[..., :3, :, :]
    return tp.cat([inpt[..., :1, :, :]] * 3, dim=-3)


@register_kernel(grayscale_to_rgb, PIL_IMAGE)
def _grayscale_to_rgb_pil(image: Any) -> Any:
    return image.convert("RGB")


@functional
def invert(inpt: Any) -> Any:
    """The negative: 1 - x for floats, the largest value less x for integers."""
    if inpt.dtype is tp.bool:
        return ~inpt
    if inpt.dtype.is_floating_point:
        return 1 - inpt
    return int(tp.iinfo(inpt.dtype).max) - inpt


@register_kernel(invert, PIL_IMAGE)
def _invert_pil(image: Any) -> Any:
    from PIL import ImageOps

    return ImageOps.invert(image)

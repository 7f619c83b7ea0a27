"""Grey and colour, and the order of the channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych.errors import ShapeError

from ..dispatch import functional, register_kernel
from ..kinds import PIL_IMAGE
from . import color_bytes
from .color_bytes import LUMA
from .color_kernels import by_kernel
from .conversion import pil_to_tensor, to_pil_image
from .lookup import on_bytes

__all__ = ["grayscale_to_rgb", "luma", "permute_channels", "rgb_to_grayscale", "to_grayscale"]


def luma(x: tp.Tensor) -> tp.Tensor:
    """How bright each pixel looks, (..., 3, h, w) -> (..., 1, h, w), float32 for integers."""
    red, green, blue = (x[..., i : i + 1, :, :] for i in range(3))
    return red * LUMA[0] + green * LUMA[1] + blue * LUMA[2]


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
        found = by_kernel("color_grey", inpt, num_output_channels)
        if found is not None:
            return found
        grey = color_bytes.grey(inpt) if on_bytes(inpt) else luma(inpt).to(inpt.dtype)
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
    """Three channels from one, or from grey with alpha; an image of three stays as it is.

    Args:
        inpt: an image of any kind; tensors (..., 1 to 4, h, w).

    Returns:
        The image, same kind and dtype; tensors (..., 3, h, w).
    """
    if inpt.ndim < 3 or inpt.shape[-3] not in (1, 2, 3, 4):
        raise ShapeError(f"grayscale_to_rgb: wanted (..., c, h, w), got {tuple(inpt.shape)}")
    if inpt.shape[-3] >= 3:
        return inpt[..., :3, :, :]
    return tp.cat([inpt[..., :1, :, :]] * 3, dim=-3)


@register_kernel(grayscale_to_rgb, PIL_IMAGE)
def _grayscale_to_rgb_pil(image: Any) -> Any:
    return image.convert("RGB")


@functional
def permute_channels(inpt: Any, permutation: Sequence[int]) -> Any:
    """Put the channels into another order.

    Args:
        inpt: an image of any kind.
        permutation: for each new channel the old one that it is, all of them once.

    Returns:
        The image, same kind and dtype.

    Raises:
        ShapeError: not as many places as channels.
        ValueError: not each channel once.

    Example:
        >>> rgb = tp.tensor([1, 2, 3]).reshape(3, 1, 1)
        >>> permute_channels(rgb, [2, 0, 1]).flatten().tolist()
        [3, 1, 2]
    """
    order = [int(place) for place in permutation]
    channels = inpt.shape[-3] if inpt.ndim >= 3 else 0
    if len(order) != channels:
        raise ShapeError(
            f"permute_channels: wanted a place for each channel of {tuple(inpt.shape)}, got "
            f"{len(order)}"
        )
    if sorted(order) != list(range(channels)):
        raise ValueError(f"permute_channels: wanted each of 0 to {channels - 1} once, got {order}")
    return tp.cat([inpt[..., place : place + 1, :, :] for place in order], dim=-3)


@register_kernel(permute_channels, PIL_IMAGE)
def _permute_channels_pil(image: Any, permutation: Sequence[int]) -> Any:
    moved = permute_channels(pil_to_tensor(image), permutation)
    return to_pil_image(moved, image.mode)

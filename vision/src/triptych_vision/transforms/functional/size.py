"""How large an image is."""

from __future__ import annotations

from typing import Any

from triptych.errors import ShapeError

from ..dispatch import functional, register_kernel
from ..kinds import PIL_IMAGE

__all__ = ["get_dimensions", "get_image_num_channels", "get_num_channels", "get_size"]


@functional
def get_dimensions(inpt: Any) -> list[int]:
    """Channels, height and width of an image.

    Args:
        inpt: an image of any kind.

    Returns:
        [c, h, w]; a tensor of two axes has one channel.

    Raises:
        ShapeError: a tensor has fewer than two axes.

    Example:
        >>> import triptych
        >>> get_dimensions(triptych.zeros(3, 4, 5))
        [3, 4, 5]
    """
    if inpt.ndim < 2:
        raise ShapeError(
            f"get_dimensions: wanted an image (c, h, w) or (h, w), got shape {tuple(inpt.shape)}"
        )
    height, width = inpt.shape[-2:]
    return [1 if inpt.ndim == 2 else inpt.shape[-3], height, width]


@register_kernel(get_dimensions, PIL_IMAGE)
def _get_dimensions_pil(image: Any) -> list[int]:
    width, height = image.size
    return [len(image.getbands()), height, width]


def get_size(inpt: Any) -> list[int]:
    """Height and width of an image, [h, w]; see `get_dimensions`."""
    return get_dimensions(inpt)[1:]


def get_num_channels(inpt: Any) -> int:
    """Number of channels of an image; see `get_dimensions`."""
    return get_dimensions(inpt)[0]


get_image_num_channels = get_num_channels

"""How large an image is."""

from __future__ import annotations

from typing import Any

from triptych.errors import ShapeError

from ...tv_tensors import BoundingBoxes, KeyPoints, Mask
from ..dispatch import functional, kind_kernel, register_kernel
from ..kinds import PIL_IMAGE

__all__ = [
    "get_dimensions",
    "get_image_num_channels",
    "get_image_size",
    "get_num_channels",
    "get_size",
    "get_size_bounding_boxes",
    "get_size_keypoints",
    "get_size_mask",
]


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


@functional
def get_size(inpt: Any) -> list[int]:
    """Height and width of an image, a film or a mask, or of the canvas of boxes or keypoints.

    Args:
        inpt: of any kind.

    Returns:
        [h, w].
    """
    return get_dimensions(inpt)[1:]


register_kernel(get_size, PIL_IMAGE)(lambda image: [image.height, image.width])
kind_kernel(get_size, Mask)(lambda mask: list(mask.shape[-2:]))


@kind_kernel(get_size, BoundingBoxes, KeyPoints)
def _canvas(inpt: Any, canvas_size: tuple[int, int]) -> list[int]:
    return list(canvas_size)


get_size_bounding_boxes = get_size_keypoints = get_size_mask = get_size


def get_image_size(inpt: Any) -> list[int]:
    """Width and height of an image, [w, h]: the order of torchvision's first version.

    Args:
        inpt: an image of any kind: PIL, (h, w, c) of NumPy, (..., c, h, w) of tensors.

    Returns:
        [w, h] in pixels.
    """
    return get_size(inpt)[::-1]


def get_num_channels(inpt: Any) -> int:
    """Number of channels of an image; see `get_dimensions`.

    Args:
        inpt: an image of any kind: PIL, (h, w, c) of NumPy, (..., c, h, w) of tensors.

    Returns:
        The number, 1 for (h, w).
    """
    return get_dimensions(inpt)[0]


get_image_num_channels = get_num_channels

"""From a tensor to something Pillow draws on, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import DTypeError, ShapeError

from ..transforms.functional import to_dtype

__all__ = ["check_image", "drawn_on", "picture_of"]


def check_image(caller: str, image: tp.Tensor, channels: tuple[int, ...] = (3,)) -> None:
    """Raise for what cannot be drawn on.

    Args:
        caller: the public function, for the text of the error.
        image: wanted (c, h, w), uint8 or floats from 0 to 1.
        channels: allowed numbers of them.

    Raises:
        DTypeError: no tensor, or of another dtype.
        ShapeError: another number of axes or channels.
    """
    if not isinstance(image, tp.Tensor):
        raise DTypeError(f"{caller}: wanted a tensor, got {type(image).__name__}")
    if image.dtype is not tp.uint8 and not image.dtype.is_floating_point:
        raise DTypeError(f"{caller}: wanted uint8 or floats from 0 to 1, got {image.dtype}")
    if image.ndim != 3 or image.shape[0] not in channels:
        wanted = " or ".join(map(str, channels))
        raise ShapeError(
            f"{caller}: wanted one image ({wanted}, h, w), got shape {tuple(image.shape)}"
        )


def picture_of(image: tp.Tensor) -> Any:
    """An image (1 or 3, h, w) as a new PIL image in colours."""
    from PIL import Image

    pixels = to_dtype(image.detach(), tp.uint8, scale=True).expand(3, -1, -1)
    return Image.fromarray(np.ascontiguousarray(pixels.cpu().numpy().transpose(1, 2, 0)))


def drawn_on(picture: Any, like: tp.Tensor) -> tp.Tensor:
    """A PIL image as a tensor (3, h, w) of the dtype and on the device of another."""
    pixels = tp.from_numpy(np.array(np.asarray(picture).transpose(2, 0, 1), order="C", copy=True))
    return to_dtype(pixels, like.dtype, scale=True).to(like.device)

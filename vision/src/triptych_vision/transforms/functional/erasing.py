"""Taking away: a rectangle, or what JPEG does not keep."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import triptych as tp
from triptych.errors import DTypeError

from ..dispatch import functional, register_kernel
from ..kinds import PIL_IMAGE
from .conversion import pil_to_tensor, to_pil_image

__all__ = ["erase", "jpeg"]


@functional
def erase(inpt: Any, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> Any:
    """Fill a rectangle.

    Args:
        inpt: an image of any kind.
        i: its first row.
        j: its first column.
        h: number of rows.
        w: number of columns.
        v: what it is filled with: a number, or an array that broadcasts to (..., c, h, w).
        inplace: write into the tensor itself.

    Returns:
        The image, same kind and dtype.

    Example:
        >>> erase(tp.ones(1, 2, 3), 0, 1, 2, 2, 0.0).tolist()
        [[[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]]
    """
    out = inpt if inplace else inpt.clone()
    value = v if isinstance(v, int | float) else tp.as_tensor(v).to(out.device, out.dtype)
    out[..., i : i + h, j : j + w] = value
    return out


@register_kernel(erase, PIL_IMAGE)
def _erase_pil(image: Any, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> Any:
    erased = erase(pil_to_tensor(image), i, j, h, w, v, inplace=True)
    return to_pil_image(erased, image.mode)


@functional
def jpeg(image: Any, quality: int) -> Any:
    """Store as JPEG and read again.

    Args:
        image: bytes (..., 1 or 3, h, w), or a PIL image.
        quality: from 1 to 100; the lower, the more is lost.

    Returns:
        The image, same kind and dtype.

    Raises:
        DTypeError: a tensor of another dtype.
        ValueError: quality is beyond.
    """
    if image.dtype is not tp.uint8:
        raise DTypeError(
            f"jpeg: wanted uint8, got {image.dtype}; use to_dtype(x, triptych.uint8, scale=True)"
        )
    flat = image.reshape(-1, *image.shape[-3:])
    again = [pil_to_tensor(_jpeg_pil(to_pil_image(one), quality)) for one in flat]
    return tp.stack(again).reshape(image.shape).to(image.device) if again else image.clone()


@register_kernel(jpeg, PIL_IMAGE)
def _jpeg_pil(image: Any, quality: int) -> Any:
    if not 1 <= quality <= 100:
        raise ValueError(f"jpeg: quality is from 1 to 100, got {quality}")
    from PIL import Image

    file = BytesIO()
    image.save(file, format="JPEG", quality=quality)
    return Image.open(file).copy()  # a plain image instead of a JPEG file

"""Taking away: a rectangle, some pixels, or what JPEG and WebP do not keep."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import triptych as tp
from triptych.errors import DTypeError, ShapeError

from ..dispatch import functional, register_kernel
from ..kinds import PIL_IMAGE
from .conversion import pil_to_tensor, to_pil_image

__all__ = ["cover", "erase", "jpeg", "webp"]


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


def _read_again(name: str, image: Any, stored: Callable[[Any], Any]) -> Any:
    """Each image of (..., c, h, w) bytes as `stored` gives it back."""
    if image.dtype is not tp.uint8:
        raise DTypeError(
            f"{name}: wanted uint8, got {image.dtype}; use to_dtype(x, triptych.uint8, scale=True)"
        )
    flat = image.reshape(-1, *image.shape[-3:])
    again = [pil_to_tensor(stored(to_pil_image(one))) for one in flat]
    return tp.stack(again).reshape(image.shape).to(image.device) if again else image.clone()


def _check_quality(name: str, quality: int) -> None:
    if not 1 <= quality <= 100:
        raise ValueError(f"{name}: quality is from 1 to 100, got {quality}")


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
    return _read_again("jpeg", image, lambda picture: _jpeg_pil(picture, quality))


@register_kernel(jpeg, PIL_IMAGE)
def _jpeg_pil(image: Any, quality: int) -> Any:
    _check_quality("jpeg", quality)
    from PIL import Image

    file = BytesIO()
    image.save(file, format="JPEG", quality=quality)
    return Image.open(file).copy()  # a plain image instead of a JPEG file


@functional
def cover(inpt: Any, where: tp.Tensor, v: Any) -> Any:
    """Some pixels replaced by a value.

    Args:
        inpt: an image of any kind.
        where: (h, w) bool, which pixels.
        v: a number, or one per channel.

    Returns:
        The image, same kind and dtype.

    Raises:
        ShapeError: where has another size.

    Example:
        >>> cover(tp.ones(1, 1, 3), tp.tensor([[True, False, True]]), 0.0).tolist()
        [[[0.0, 1.0, 0.0]]]
    """
    if tuple(where.shape) != tuple(inpt.shape[-2:]):
        raise ShapeError(f"cover: where is {tuple(inpt.shape[-2:])}, got {tuple(where.shape)}")
    values = [v] if isinstance(v, int | float) else list(v)
    value = tp.tensor(values).to(inpt.device, inpt.dtype)[:, None, None]
    return tp.where(where.to(inpt.device), value, inpt)


@register_kernel(cover, PIL_IMAGE)
def _cover_pil(image: Any, where: tp.Tensor, v: Any) -> Any:
    return to_pil_image(cover(pil_to_tensor(image), where, v), image.mode)


@functional
def webp(image: Any, quality: int) -> Any:
    """Store as WebP with losses and read again.

    Args:
        image: bytes (..., 1 or 3, h, w), or a PIL image.
        quality: from 1 to 100; the lower, the more is lost.

    Returns:
        The image, same kind and dtype.

    Raises:
        DTypeError: a tensor of another dtype.
        ValueError: quality is beyond.
    """
    return _read_again("webp", image, lambda picture: _webp_pil(picture, quality))


@register_kernel(webp, PIL_IMAGE)
def _webp_pil(image: Any, quality: int) -> Any:
    _check_quality("webp", quality)
    from PIL import Image

    file = BytesIO()
    image.convert("RGB").save(file, format="WEBP", quality=quality)
    return Image.open(file).convert(image.mode)

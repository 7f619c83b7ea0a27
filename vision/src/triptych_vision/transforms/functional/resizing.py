"""Resizing: Pillow for PIL images, the same filters as matrix products for tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import DTypeError, ShapeError

from ..dispatch import functional, register_kernel, tensor_kernel
from ..filters import FIXED_POINT_BITS, filter_blocks, nearest_index
from ..interpolation import InterpolationMode, interpolation_mode
from ..kinds import PIL_IMAGE, via_numpy
from .size import get_size

__all__ = ["resize", "resized_size"]

Mode = InterpolationMode | str | int
_NEAREST = (InterpolationMode.NEAREST, InterpolationMode.NEAREST_EXACT)


def resized_size(
    image_size: Sequence[int], size: int | Sequence[int] | None, max_size: int | None = None
) -> tuple[int, int]:
    """The height and width that an argument `size` asks for.

    Args:
        image_size: (h, w) before.
        size: (h, w) after; or the length of the shorter side, an int or one in a sequence, the
            longer one following in proportion, cut to an int; or None with max_size.
        max_size: the longer side is at most this; the shorter one follows.

    Returns:
        (h, w) after.

    Raises:
        ShapeError: not one or two positive lengths, or max_size does not go with them.

    Example:
        >>> resized_size((300, 451), 256), resized_size((300, 451), (8, 9))
        ((256, 384), (8, 9))
    """
    height, width = image_size
    wanted = _lengths(size, max_size)
    if len(wanted) == 2:
        return wanted[0], wanted[1]
    short, long = sorted((height, width))
    if not wanted:  # None: the longer side becomes max_size
        assert max_size is not None
        new_short, new_long = int(max_size * short / long), max_size
    else:
        new_short, new_long = wanted[0], int(wanted[0] * long / short)
    if max_size is not None and new_long > max_size:
        new_short, new_long = int(max_size * new_short / new_long), max_size
    return (new_short, new_long) if height <= width else (new_long, new_short)


def _lengths(size: int | Sequence[int] | None, max_size: int | None) -> list[int]:
    lengths = [] if size is None else [size] if isinstance(size, int) else list(size)
    fits = len(lengths) < 3 and all(n > 0 for n in lengths)
    if not fits or (not lengths and max_size is None):
        raise ShapeError(
            "resize: size is a positive int (the shorter side), one of (h, w), or None with "
            f"max_size, got {size!r}"
        )
    if max_size is not None and (len(lengths) == 2 or (lengths and max_size <= lengths[0])):
        raise ShapeError(
            f"resize: max_size bounds the longer side when size is one int smaller than it, got "
            f"size {size!r} and max_size {max_size}"
        )
    return lengths


@functional
def resize(
    inpt: Any,
    size: int | Sequence[int] | None,
    interpolation: Mode = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Any:
    """Change height and width.

    Tensors get the same numbers as PIL images do: with antialias, uint8 equals Pillow 13's
    `Image.resize` bit for bit, channel by channel, for all but the nearest modes, where ties fall
    as in torch. (Pillow multiplies colours by alpha first; a tensor's channels are all alike.)

    Args:
        inpt: an image of any kind; tensors (..., c, h, w) of any dtype, floats with gradients.
        size: (h, w), or the shorter side; see `resized_size`.
        interpolation: an `InterpolationMode`, its string, or Pillow's code.
        max_size: bound of the longer side, when size is one int.
        antialias: when shrinking, let every old pixel count. PIL images always do.

    Returns:
        The image in its new size, same kind and dtype.

    Raises:
        ShapeError: size is none of these.
        UnknownNameError: no interpolation is called so.
        DTypeError: a boolean or complex tensor with a mode other than the nearest ones.

    Example:
        >>> import triptych
        >>> resize(triptych.zeros(3, 30, 45), 20).shape
        Size([3, 20, 30])
    """
    mode = interpolation_mode(interpolation)
    old = tuple(inpt.shape[-2:])
    new = resized_size(get_size(inpt), size, max_size)
    if new == old:
        return inpt
    if mode in _NEAREST:
        return _pick(inpt, new, mode)
    by_dtype = _resize_bytes if inpt.dtype is tp.uint8 else _resize_numbers
    return by_dtype(inpt, new, mode, bool(antialias))


@register_kernel(resize, PIL_IMAGE)
def _resize_pil(
    image: Any,
    size: int | Sequence[int] | None,
    interpolation: Mode = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Any:
    mode = interpolation_mode(interpolation)
    height, width = resized_size((image.height, image.width), size, max_size)
    if (width, height) == image.size:
        return image
    return image.resize((width, height), mode.pillow_code)


@register_kernel(resize, np.ndarray)
def _resize_numpy(
    image: np.ndarray,
    size: int | Sequence[int] | None,
    interpolation: Mode = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> np.ndarray:
    """Pillow reads the array's memory as it is when it has a mode for it; else as a tensor."""
    pillow_has_it = image.dtype == np.uint8 and (image.ndim == 2 or image.shape[2:] == (3,))
    if not (pillow_has_it and antialias) or interpolation_mode(interpolation) in _NEAREST:
        kernel = via_numpy(tensor_kernel(resize))
        return kernel(image, size, interpolation, max_size, antialias)
    from PIL import Image

    resized = _resize_pil(Image.fromarray(image), size, interpolation, max_size)
    return np.array(resized)


def _pick(x: tp.Tensor, size: tuple[int, int], mode: InterpolationMode) -> tp.Tensor:
    for axis in (-2, -1):
        num_in, num_out = x.shape[axis], size[axis]
        if num_in != num_out:
            x = x.index_select(axis, nearest_index(num_in, num_out, mode).to(x.device))
    return x


def _resize_numbers(
    x: tp.Tensor, size: tuple[int, int], mode: InterpolationMode, antialias: bool
) -> tp.Tensor:
    """In floating point; other dtypes are rounded to the nearest value they hold."""
    if x.dtype is tp.bool or x.dtype.is_complex:
        raise DTypeError(f"resize: {x.dtype} takes interpolation 'nearest' or 'nearest-exact' only")
    kept = x.dtype in (tp.float32, tp.float64)
    wide = x if kept else x.to(tp.float32 if x.dtype.itemsize < 4 else tp.float64)
    out = _filtered(_filtered(wide, -1, size[1], mode, antialias), -2, size[0], mode, antialias)
    if kept or x.dtype.is_floating_point:
        return out.to(x.dtype)
    limits = tp.iinfo(x.dtype)
    return out.round().clamp(limits.min, limits.max).to(x.dtype)


def _resize_bytes(
    x: tp.Tensor, size: tuple[int, int], mode: InterpolationMode, antialias: bool
) -> tp.Tensor:
    """Pillow's way for 8 bits: weights in fixed point, rounded after each axis.

    The products are integers below 2 ** 53, so float64 holds them exactly.
    """
    wide = x.to(tp.float64)
    for axis in (-2, -1) if antialias and rows_first(x.shape[-2:], size) else (-1, -2):
        if x.shape[axis] != size[axis]:
            wide = _filtered(wide, axis, size[axis], mode, antialias, fixed_point=True)
            wide = (wide * 2.0**-FIXED_POINT_BITS + 0.5).floor().clamp(0, 255)
    return wide.to(tp.uint8)


def rows_first(old: Sequence[int], new: Sequence[int]) -> bool:
    """Whether Pillow resizes rows before columns; the order shows, as it rounds in between.

    Args:
        old: (h, w) before.
        new: (h, w) after.

    Returns:
        True when many more rows than columns go away.

    Source: found by comparing both orders with Pillow 13; older versions start with columns always.
    """
    lost_rows, lost_columns = old[0] - new[0], old[1] - new[1]
    return lost_rows > max(0, 2 * lost_columns)


def _filtered(
    x: tp.Tensor,
    axis: int,
    num_out: int,
    mode: InterpolationMode,
    antialias: bool,
    fixed_point: bool = False,
) -> tp.Tensor:
    """One axis through its matrix, block by block."""
    num_in = x.shape[axis]
    if num_in == num_out:
        return x
    parts = []
    for start, stop, weights in filter_blocks(
        num_in, num_out, mode, antialias, x.dtype, fixed_point
    ):
        old = x.narrow(axis, start, stop - start)
        weights = weights.to(x.device)
        parts.append(weights @ old if axis == -2 else old @ weights.mT)
    return parts[0] if len(parts) == 1 else tp.cat(parts, dim=axis)

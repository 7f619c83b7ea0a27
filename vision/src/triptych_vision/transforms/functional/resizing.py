"""Resizing: Pillow for PIL images and bytes, the same filters as matrix products for others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych.errors import DTypeError, ShapeError
from triptych.library import by_device

from ..dispatch import functional, register_kernel
from ..filters import FIXED_POINT_BITS, Block, filter_blocks, nearest_index
from ..interpolation import InterpolationMode, interpolation_mode
from ..kinds import PIL_IMAGE
from .lookup import array_of
from .resizing_arrays import (
    filter_passes,
    filtered,
    resized_bytes,
    same_without_antialias,
)
from .size import get_size

__all__ = ["resize", "resize_bytes_exactly", "resized_size", "rows_first"]

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

    Tensors get the same numbers as PIL images do: with antialias, uint8 equals Pillow's
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
    out = _resize_floats(wide, size, mode, antialias)
    if kept or x.dtype.is_floating_point:
        return out.to(x.dtype)
    limits = tp.iinfo(x.dtype)
    return out.round().clamp(limits.min, limits.max).to(x.dtype)


def _resize_floats(
    x: tp.Tensor, size: tuple[int, int], mode: InterpolationMode, antialias: bool
) -> tp.Tensor:
    passes = filter_passes(x.shape[-2:], size, mode, antialias, x.dtype.name)
    array = array_of(x)
    if array is not None:
        return tp.from_numpy(filtered(array, size, passes))
    for axis, blocks in passes:
        x = _filtered_tensor(x, axis, blocks)
    return x


def _resize_bytes(
    x: tp.Tensor, size: tuple[int, int], mode: InterpolationMode, antialias: bool
) -> tp.Tensor:
    if x.device.type != "cpu" and antialias:
        found = by_device("resize_bytes", x.contiguous(), size, mode.value, True)
        if found is not None:
            return found
    array = array_of(x)
    if array is None:
        return resize_bytes_exactly(x, size, mode, antialias)
    stretch = antialias or same_without_antialias(x.shape[-2:], size, mode)
    return tp.from_numpy(resized_bytes(array, size, mode.value, stretch))


def resize_bytes_exactly(
    x: tp.Tensor, size: tuple[int, int], mode: InterpolationMode, antialias: bool
) -> tp.Tensor:
    """Pillow's way for 8 bits in operations of tensors, for all devices.

    Weights are in fixed point, and numbers are rounded after each axis. The products are integers
    below 2 ** 53, so float64 holds them exactly.

    Args:
        x: (..., c, h, w) uint8.
        size: (h, w) after.
        mode: any but the nearest ones.
        antialias: when shrinking, let every old pixel count.

    Returns:
        (..., c, *size) uint8.
    """
    wide = x.to(tp.float64)
    for axis in (-2, -1) if antialias and rows_first(x.shape[-2:], size) else (-1, -2):
        num_in, num_out = x.shape[axis], size[axis]
        if num_in != num_out:
            blocks = filter_blocks(num_in, num_out, mode, antialias, "float64", fixed_point=True)
            wide = _filtered_tensor(wide, axis, blocks)
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


def _filtered_tensor(x: tp.Tensor, axis: int, blocks: Sequence[Block]) -> tp.Tensor:
    """One axis through its matrix, block by block."""
    parts = []
    for start, stop, weights in blocks:
        old = x.narrow(axis, start, stop - start)
        matrix = tp.from_numpy(weights).to(x.device)
        parts.append(matrix @ old if axis == -2 else old @ matrix.mT)
    return parts[0] if len(parts) == 1 else tp.cat(parts, dim=axis)

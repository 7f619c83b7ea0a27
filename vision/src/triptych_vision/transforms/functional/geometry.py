"""Cutting, framing and mirroring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import ShapeError, UnknownNameError

from ..dispatch import functional, register_kernel, tensor_kernel
from ..interpolation import InterpolationMode
from ..kinds import PIL_IMAGE
from .lookup import array_of
from .resizing import Mode, resize
from .size import get_size

__all__ = [
    "center_crop",
    "center_crop_corner",
    "crop",
    "five_crop",
    "hflip",
    "horizontal_flip",
    "pad",
    "pil_color",
    "resized_crop",
    "sides",
    "ten_crop",
    "two_lengths",
    "vertical_flip",
    "vflip",
]

Fill = float | Sequence[float] | None
# mode of padding -> numpy.pad's mode, which says where each new pixel is copied from
_COPYING = {"edge": "edge", "reflect": "reflect", "symmetric": "symmetric"}


@functional
def horizontal_flip(inpt: Any) -> Any:
    """Mirror left and right; an image of any kind.

    Args:
        inpt: an image of any kind: PIL, (h, w, c) of NumPy, (..., c, h, w) of tensors.

    Returns:
        The image, same kind, shape and dtype.
    """
    array = array_of(inpt) if inpt.dtype is tp.uint8 else None
    return inpt.flip(-1) if array is None else tp.from_numpy(_mirrored_bytes(array))


def _mirrored_bytes(x: np.ndarray) -> np.ndarray:
    """Eight bytes at a time, in a quarter of the time: a change of byte order turns the words."""
    out = np.empty(x.shape, np.uint8)
    whole = x.shape[-1] // 8 * 8 if x.strides[-1] == 1 else 0
    rest = x.shape[-1] - whole
    if whole:
        out[..., :whole].view("<u8")[...] = x[..., rest:].view(">u8")[..., ::-1]
    out[..., whole:] = x[..., :rest][..., ::-1]
    return out


@functional
def vertical_flip(inpt: Any) -> Any:
    """Mirror top and bottom; an image of any kind.

    Args:
        inpt: an image of any kind: PIL, (h, w, c) of NumPy, (..., c, h, w) of tensors.

    Returns:
        The image, same kind, shape and dtype.
    """
    return inpt.flip(-2)


@register_kernel(horizontal_flip, PIL_IMAGE)
def _horizontal_flip_pil(image: Any) -> Any:
    return image.transpose(0)  # PIL.Image.Transpose.FLIP_LEFT_RIGHT


@register_kernel(vertical_flip, PIL_IMAGE)
def _vertical_flip_pil(image: Any) -> Any:
    return image.transpose(1)  # PIL.Image.Transpose.FLIP_TOP_BOTTOM


hflip, vflip = horizontal_flip, vertical_flip


@functional
def crop(inpt: Any, top: int, left: int, height: int, width: int) -> Any:
    """Cut out a rectangle; what lies outside of the image is filled with zeros.

    Args:
        inpt: an image of any kind.
        top: first row.
        left: first column.
        height: of the rectangle, in pixels.
        width: of the rectangle, in pixels.

    Returns:
        The rectangle, same kind; a view of a tensor when it lies inside.

    Example:
        >>> import triptych
        >>> crop(triptych.arange(9).reshape(1, 3, 3), 1, 1, 2, 3).tolist()
        [[[4, 5, 0], [7, 8, 0]]]
    """
    image_height, image_width = inpt.shape[-2:]
    rows = max(top, 0), max(min(top + height, image_height), 0)
    columns = max(left, 0), max(min(left + width, image_width), 0)
    inside = inpt[..., rows[0] : rows[1], columns[0] : columns[1]]
    if tuple(inside.shape[-2:]) == (height, width):
        return inside
    before = min(max(-left, 0), width), min(max(-top, 0), height)
    after = width - inside.shape[-1] - before[0], height - inside.shape[-2] - before[1]
    return _pad_with_value(inside, (*before, *after), 0)


@register_kernel(crop, PIL_IMAGE)
def _crop_pil(image: Any, top: int, left: int, height: int, width: int) -> Any:
    return image.crop((left, top, left + width, top + height))


def two_lengths(name: str, size: int | Sequence[int]) -> tuple[int, int]:
    """(h, w) from one length for both, or from a sequence of one or two.

    Raises:
        ShapeError: not one or two positive ints.
    """
    lengths = [size] if isinstance(size, int) else list(size)
    if len(lengths) not in (1, 2) or any(n <= 0 for n in lengths):
        raise ShapeError(f"{name}: wanted one length or (h, w), all positive, got {size!r}")
    return lengths[0], lengths[-1]


@functional
def center_crop(inpt: Any, output_size: int | Sequence[int]) -> Any:
    """Cut out the middle; a smaller image is framed with zeros first.

    Args:
        inpt: an image of any kind.
        output_size: (h, w), or one length for both.

    Returns:
        The middle, same kind. A half pixel is rounded to the even row or column.
    """
    new_height, new_width = two_lengths("center_crop", output_size)
    height, width = get_size(inpt)
    if new_height > height or new_width > width:
        down, right = max(new_height - height, 0), max(new_width - width, 0)
        inpt = pad(inpt, [right // 2, down // 2, (right + 1) // 2, (down + 1) // 2])
        height, width = height + down, width + right
        if (height, width) == (new_height, new_width):
            return inpt
    top, left = center_crop_corner((height, width), (new_height, new_width))
    return crop(inpt, top, left, new_height, new_width)


register_kernel(center_crop, PIL_IMAGE)(tensor_kernel(center_crop))


def center_crop_corner(image_size: Sequence[int], size: Sequence[int]) -> tuple[int, int]:
    """(top, left) of the middle of an image, both sizes being (h, w); may be negative."""
    return round((image_size[0] - size[0]) / 2), round((image_size[1] - size[1]) / 2)


@functional
def resized_crop(
    inpt: Any,
    top: int,
    left: int,
    height: int,
    width: int,
    size: int | Sequence[int],
    interpolation: Mode = InterpolationMode.BILINEAR,
    antialias: bool | None = True,
) -> Any:
    """Cut out a rectangle and resize it; arguments as of `crop` and `resize`.

    Args:
        inpt: an image of any kind: PIL, (h, w, c) of NumPy, (..., c, h, w) of tensors.
        top: first row of the rectangle, in pixels; may be negative.
        left: first column, likewise.
        height: of the rectangle in pixels.
        width: likewise.
        size: (h, w) after, or the shorter side; see `resized_size`.
        interpolation: an `InterpolationMode`, its string, or Pillow's code.
        antialias: when shrinking, let every old pixel count.

    Returns:
        The image, same kind and dtype; tensors (..., c, new h, new w).
    """
    return resize(crop(inpt, top, left, height, width), size, interpolation, antialias=antialias)


register_kernel(resized_crop, PIL_IMAGE)(tensor_kernel(resized_crop))


def sides(padding: int | Sequence[int]) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) from one width, (left and right, top and bottom), or all four.

    Raises:
        ShapeError: another count.
    """
    widths = [padding] if isinstance(padding, int) else list(padding)
    if len(widths) not in (1, 2, 4):
        raise ShapeError(
            "pad: padding is one width, (left and right, top and bottom) or (left, top, right, "
            f"bottom), got {padding!r}"
        )
    left, top, right, bottom = widths * (4 // len(widths))
    return left, top, right, bottom


def _check_padding_mode(mode: str) -> None:
    if mode != "constant" and mode not in _COPYING:
        raise UnknownNameError(
            f"pad: padding_mode is one of constant, {', '.join(_COPYING)}, got {mode!r}"
        )


@functional
def pad(
    inpt: Any,
    padding: int | Sequence[int],
    fill: Fill = None,
    padding_mode: str = "constant",
) -> Any:
    """Put a frame around an image.

    Args:
        inpt: an image of any kind.
        padding: widths in pixels: one, (left and right, top and bottom), or (left, top, right,
            bottom). Negative ones cut off.
        fill: value of the frame when constant, one or one per channel; default 0.
        padding_mode: "constant"; "edge" repeats the outermost pixel; "reflect" mirrors without
            repeating it, "symmetric" mirrors and repeats it.

    Returns:
        The framed image, same kind.

    Raises:
        ShapeError: another count of widths, or of values in fill.
        UnknownNameError: another padding_mode.

    Example:
        >>> import triptych
        >>> pad(triptych.tensor([[[1, 2, 3]]]), [2, 0], padding_mode="reflect").tolist()
        [[[3, 2, 1, 2, 3, 2, 1]]]
    """
    widths = sides(padding)
    _check_padding_mode(padding_mode)
    left, top, right, bottom = (max(side, 0) for side in widths)
    if padding_mode == "constant":
        out = _pad_with_value(inpt, (left, top, right, bottom), 0 if fill is None else fill)
    else:
        out = _pad_with_copies(inpt, (left, right), (top, bottom), _COPYING[padding_mode])
    if min(widths) >= 0:
        return out
    left, top, right, bottom = (max(-side, 0) for side in widths)
    height, width = out.shape[-2:]
    return out[..., top : max(height - bottom, top), left : max(width - right, left)]


def _pad_with_copies(
    x: tp.Tensor, columns: tuple[int, int], rows: tuple[int, int], mode: Any
) -> tp.Tensor:
    array = array_of(x)
    if array is not None:
        widths = [(0, 0)] * (x.ndim - 2) + [rows, columns]
        return tp.from_numpy(np.pad(array, widths, mode)) if any(columns + rows) else x
    for axis, frame in ((-1, columns), (-2, rows)):
        if any(frame):
            index = np.pad(np.arange(x.shape[axis]), frame, mode)
            x = x.index_select(axis, tp.from_numpy(index).to(x.device))
    return x


def _pad_with_value(
    x: tp.Tensor, widths: tuple[int, int, int, int], fill: float | Sequence[float]
) -> tp.Tensor:
    left, top, right, bottom = widths
    if not any(widths):
        return x
    height, width = x.shape[-2:]
    shape = (*x.shape[:-2], top + height + bottom, left + width + right)
    frame = tp.zeros(shape, dtype=x.dtype, device=x.device)
    if not isinstance(fill, int | float):
        values = tp.tensor(list(fill), device=x.device).to(x.dtype)
        if x.ndim < 3 or len(values) not in (1, x.shape[-3]):
            raise ShapeError(
                f"pad: fill is one value or one per channel, got {len(values)} for shape "
                f"{tuple(x.shape)}"
            )
        frame[...] = values[:, None, None]
    elif fill:
        frame = tp.full(shape, fill, dtype=x.dtype, device=x.device)
    frame[..., top : top + height, left : left + width] = x
    return frame


@register_kernel(pad, PIL_IMAGE)
def _pad_pil(
    image: Any, padding: int | Sequence[int], fill: Fill = None, padding_mode: str = "constant"
) -> Any:
    from PIL import Image

    _check_padding_mode(padding_mode)
    left, top, right, bottom = sides(padding)
    if padding_mode == "constant":
        size = image.width + left + right, image.height + top + bottom
        framed = Image.new(image.mode, size, pil_color(image, fill))
        framed.putpalette(image.palette) if image.mode == "P" else None
        framed.paste(image, (left, top))
        return framed
    image = image.crop(
        (-min(left, 0), -min(top, 0), image.width + min(right, 0), image.height + min(bottom, 0))
    )
    columns, rows = (max(left, 0), max(right, 0)), (max(top, 0), max(bottom, 0))
    array = np.asarray(image)
    channels = ((0, 0),) * (array.ndim - 2)
    framed = Image.fromarray(np.pad(array, (rows, columns, *channels), _COPYING[padding_mode]))  # type: ignore[call-overload]
    if image.mode == "P":
        framed.putpalette(image.palette)
    return framed


def pil_color(image: Any, fill: Fill) -> Any:
    """fill as Pillow wants it: one number for one band, else a tuple of one int per band."""
    bands = len(image.getbands())
    values = [0 if fill is None else fill] if isinstance(fill, int | float | None) else list(fill)
    if len(values) not in (1, bands):
        raise ShapeError(
            f"pad: fill is one value or one per channel, got {len(values)} for {bands} channels"
        )
    if bands == 1:
        return values[0] if image.mode == "F" else int(values[0])
    return tuple(int(v) for v in (values * bands if len(values) == 1 else values))


@functional
def five_crop(inpt: Any, size: int | Sequence[int]) -> tuple[Any, Any, Any, Any, Any]:
    """The four corners and the middle.

    Args:
        inpt: an image of any kind.
        size: (h, w) of each, or one length for both.

    Returns:
        Top left, top right, bottom left, bottom right, middle.

    Raises:
        ShapeError: size is larger than the image.
    """
    new_height, new_width = two_lengths("five_crop", size)
    height, width = get_size(inpt)
    if new_height > height or new_width > width:
        raise ShapeError(
            f"five_crop: size {(new_height, new_width)} is larger than the image, {(height, width)}"
        )
    tops, lefts = (0, height - new_height), (0, width - new_width)
    corners = [crop(inpt, top, left, new_height, new_width) for top in tops for left in lefts]
    return (*corners, center_crop(inpt, [new_height, new_width]))


register_kernel(five_crop, PIL_IMAGE)(tensor_kernel(five_crop))


@functional
def ten_crop(inpt: Any, size: int | Sequence[int], vertical_flip: bool = False) -> tuple[Any, ...]:
    """`five_crop` of an image and of its mirror image.

    Args:
        inpt: an image of any kind.
        size: (h, w) of each, or one length for both.
        vertical_flip: mirror top and bottom in place of left and right.

    Returns:
        Ten images.
    """
    mirrored = vflip(inpt) if vertical_flip else hflip(inpt)
    return five_crop(inpt, size) + five_crop(mirrored, size)


register_kernel(ten_crop, PIL_IMAGE)(tensor_kernel(ten_crop))

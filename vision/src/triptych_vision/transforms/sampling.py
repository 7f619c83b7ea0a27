"""Reading an image between its pixels, at places given by coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych.errors import (
    CaptureError,
    GradError,
    ShapeError,
    TransformError,
    UnknownNameError,
)

from .blockwise import Places, sample_blocks
from .interpolation import InterpolationMode

__all__ = ["Fill", "checked_fill", "float_for", "sample", "sample_tensors"]

Fill = float | Sequence[float] | None


def checked_fill(name: str, fill: Fill, num_channels: int) -> list[float] | None:
    """fill as one value, or one per channel.

    Raises:
        ShapeError: another count of values.
    """
    if fill is None:
        return None
    values = [float(fill)] if isinstance(fill, int | float) else [float(v) for v in fill]
    if len(values) not in (1, num_channels):
        raise ShapeError(
            f"{name}: fill is one value or one per channel, got {len(values)} for {num_channels} "
            "channels"
        )
    return values


def sample(
    name: str,
    image: tp.Tensor,
    places: Places,
    size: tuple[int, int],
    mode: InterpolationMode,
    fill: Fill = None,
) -> tp.Tensor:
    """The image at places between its pixels.

    Args:
        name: of the function, for the text of errors.
        image: (..., c, h, w).
        places: where each new pixel is read.
        size: (new h, new w).
        mode: NEAREST or BILINEAR.
        fill: what lies outside of the image; None is zero. With a fill, BILINEAR weighs border
            pixels by how much of them is inside twice, as torchvision does.

    Returns:
        (..., c, new h, new w) in the image's dtype; integers are rounded.

    Raises:
        ShapeError: another count of values in fill.
        UnknownNameError: another mode.
    """
    if mode not in _SAMPLERS:
        raise UnknownNameError(
            f"{name}: tensors are interpolated by nearest or bilinear, got {mode.value}; a PIL "
            "image can be by bicubic"
        )
    values = checked_fill(name, fill, image.shape[-3])
    shape = (*image.shape[:-2], *size)
    if 0 in shape or not image.numel():
        return tp.zeros(shape, dtype=image.dtype, device=image.device)
    if image.device.type != "cpu":
        return sample_tensors(image, places, size, mode, values)
    bilinear, dtype = mode is InterpolationMode.BILINEAR, float_for(image).name
    try:
        kind, numbers = places.in_memory()
        out = sample_blocks(image.numpy(), kind, numbers, size, bilinear, values, dtype)
        return tp.from_numpy(out)
    except (CaptureError, GradError, TransformError):  # numbers with a history, or not known yet
        return sample_tensors(image, places, size, mode, values)


def float_for(image: tp.Tensor) -> tp.dtype:
    """The dtype that coordinates and weights are computed in."""
    return tp.float64 if image.dtype is tp.float64 else tp.float32


def sample_tensors(
    image: tp.Tensor,
    places: Places,
    size: tuple[int, int],
    mode: InterpolationMode,
    fill: list[float] | None,
) -> tp.Tensor:
    """`sample` in operations of tensors: on all devices, with gradients of the pixels."""
    height, width = image.shape[-2:]
    kind: dict[str, Any] = {"dtype": float_for(image), "device": image.device}
    columns, rows = tp.arange(size[1], **kind), tp.arange(size[0], **kind)
    x, y = places.at(columns[None], rows[:, None], slice(None))
    columns, rows = (
        (((place + 1) * n - 1) * 0.5).nan_to_num(-1.0).reshape(-1).clamp(-1, n)
        for place, n in ((x, width), (y, height))
    )
    framed = tp.nn.functional.pad(image, (1, 1, 1, 1))
    flat = framed.reshape(-1, image.shape[-3], (height + 2) * (width + 2))
    out = _SAMPLERS[mode](flat, columns, rows, (height, width), fill)
    return out.reshape(*image.shape[:-2], *size)


Size = tuple[int, int]


def _nearest(
    flat: tp.Tensor, x: tp.Tensor, y: tp.Tensor, size: Size, fill: list[float] | None
) -> tp.Tensor:
    column, row = x.round().to(tp.int64), y.round().to(tp.int64)
    out = flat.index_select(-1, _index(column, row, size))
    if fill is None or not any(fill):
        return out
    inside = (column >= 0) & (column < size[1]) & (row >= 0) & (row < size[0])
    return tp.where(inside, out, _as_dtype(_per_channel(fill, x), out.dtype))


def _bilinear(
    flat: tp.Tensor, x: tp.Tensor, y: tp.Tensor, size: Size, fill: list[float] | None
) -> tp.Tensor:
    height, width = size
    left, top = x.floor().clamp(max=width - 1), y.floor().clamp(max=height - 1)
    right_part, low_part = x - left, y - top
    column, row = left.to(tp.int64), top.to(tp.int64)
    first, line = _index(column, row, size), width + 2
    wide = flat.to(x.dtype)
    out = tp.zeros(*flat.shape[:-1], len(x), dtype=x.dtype, device=x.device)
    for down, weight_y in ((0, 1 - low_part), (line, low_part)):
        for across, weight_x in ((0, 1 - right_part), (1, right_part)):
            out += wide.index_select(-1, first + (down + across)) * (weight_x * weight_y)
    if fill is not None:
        share = _share_inside(right_part, column, width) * _share_inside(low_part, row, height)
        value = _per_channel(fill, x)
        out = (out - value) * share + value
    return _as_dtype(out, flat.dtype)


def _share_inside(part: tp.Tensor, first: tp.Tensor, n: int) -> tp.Tensor:
    """How much of a bilinear sample comes from pixels 0 to n - 1, along one axis."""
    return tp.where(first < 0, part, 1.0) - tp.where(first + 1 >= n, part, 0.0)


def _index(column: tp.Tensor, row: tp.Tensor, size: Size) -> tp.Tensor:
    """Place in the flattened image with a frame of one pixel."""
    return (row + 1) * (size[1] + 2) + (column + 1)


def _per_channel(fill: list[float], like: tp.Tensor) -> tp.Tensor:
    return tp.tensor(fill, dtype=like.dtype, device=like.device)[:, None]


def _as_dtype(x: tp.Tensor, dtype: tp.dtype) -> tp.Tensor:
    return x.to(dtype) if dtype.is_floating_point else x.round().to(dtype)


_SAMPLERS = {InterpolationMode.NEAREST: _nearest, InterpolationMode.BILINEAR: _bilinear}

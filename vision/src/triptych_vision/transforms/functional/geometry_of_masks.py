"""What mirroring, cutting, framing, resizing and warping do to masks: the nearest pixel is taken.

Each kernel takes a plain tensor (..., h, w) and the arguments of the function it belongs to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import triptych as tp
from triptych.errors import ShapeError

from ...tv_tensors import Mask
from ..dispatch import kind_kernel, tensor_kernel
from ..interpolation import InterpolationMode, interpolation_mode
from ..sampling import Fill
from .geometry import center_crop, crop, horizontal_flip, pad, resized_crop, vertical_flip
from .resizing import Mode, resize
from .warping import affine, elastic, perspective, rotate

__all__ = [
    "affine_mask",
    "center_crop_mask",
    "crop_mask",
    "elastic_mask",
    "horizontal_flip_mask",
    "pad_mask",
    "perspective_mask",
    "resize_mask",
    "resized_crop_mask",
    "rotate_mask",
    "vertical_flip_mask",
]

NEAREST = InterpolationMode.NEAREST


def _as_image(
    functional: Callable[..., Any], mask: tp.Tensor, *args: Any, **kwargs: Any
) -> tp.Tensor:
    """The mask through the kernel for images; (h, w) gets a channel on the way."""
    kernel = tensor_kernel(functional)
    if mask.ndim == 2:
        return kernel(mask[None], *args, **kwargs)[0]
    return kernel(mask, *args, **kwargs)


@kind_kernel(horizontal_flip, Mask)
def horizontal_flip_mask(mask: tp.Tensor) -> tp.Tensor:
    """The mask mirrored left and right.

    Args:
        mask: (..., h, w) of any dtype.

    Returns:
        (..., new h, new w) of the same dtype.
    """
    return mask.flip(-1)


@kind_kernel(vertical_flip, Mask)
def vertical_flip_mask(mask: tp.Tensor) -> tp.Tensor:
    """The mask mirrored top and bottom.

    Args:
        mask: (..., h, w) of any dtype.

    Returns:
        (..., new h, new w) of the same dtype.
    """
    return mask.flip(-2)


@kind_kernel(crop, Mask)
def crop_mask(mask: tp.Tensor, top: int, left: int, height: int, width: int) -> tp.Tensor:
    """A rectangle of the mask.

    Args:
        mask: (..., h, w) of any dtype.
        top: first row of the rectangle, in pixels; may be negative.
        left: first column, likewise.
        height: of the rectangle in pixels.
        width: likewise.

    Returns:
        (..., new h, new w) of the same dtype.
    """
    return _as_image(crop, mask, top, left, height, width)


@kind_kernel(center_crop, Mask)
def center_crop_mask(mask: tp.Tensor, output_size: int | Sequence[int]) -> tp.Tensor:
    """The middle of the mask.

    Args:
        mask: (..., h, w) of any dtype.
        output_size: height and width of the middle, or one for both.

    Returns:
        (..., new h, new w) of the same dtype.
    """
    return _as_image(center_crop, mask, output_size)


@kind_kernel(pad, Mask)
def pad_mask(
    mask: tp.Tensor,
    padding: int | Sequence[int],
    fill: Fill = None,
    padding_mode: str = "constant",
) -> tp.Tensor:
    """The framed mask; fill is one value.

    Args:
        mask: (..., h, w) of any dtype.
        padding: pixels: one width, (left and right, top and bottom), or (left, top, right,
            bottom).
        fill: one value for what lies outside; None is zero.
        padding_mode: "constant", "edge", "reflect" or "symmetric".

    Returns:
        (..., new h, new w) of the same dtype.
    """
    if fill is not None and not isinstance(fill, int | float):
        raise ShapeError(f"pad: the fill of a mask is one value, got {fill!r}")
    return _as_image(pad, mask, padding, fill, padding_mode)


@kind_kernel(resize, Mask)
def resize_mask(
    mask: tp.Tensor,
    size: int | Sequence[int] | None,
    interpolation: Mode = NEAREST,
    max_size: int | None = None,
) -> tp.Tensor:
    """The resized mask; a mode that mixes pixels is replaced by NEAREST.

    Args:
        mask: (..., h, w) of any dtype.
        size: (h, w), or the shorter side; see `resized_size`.
        interpolation: the nearest pixel is taken whatever it says, but NEAREST_EXACT rounds
            otherwise.
        max_size: bound of the longer side, when size is one int.

    Returns:
        (..., new h, new w) of the same dtype.
    """
    mode = interpolation_mode(interpolation)
    mode = mode if mode is InterpolationMode.NEAREST_EXACT else NEAREST
    return _as_image(resize, mask, size, mode, max_size)


@kind_kernel(resized_crop, Mask)
def resized_crop_mask(
    mask: tp.Tensor, top: int, left: int, height: int, width: int, size: int | Sequence[int]
) -> tp.Tensor:
    """A rectangle of the mask, resized.

    Args:
        mask: (..., h, w) of any dtype.
        top: first row of the rectangle, in pixels; may be negative.
        left: first column, likewise.
        height: of the rectangle in pixels.
        width: likewise.
        size: (h, w), or the shorter side; see `resized_size`.

    Returns:
        (..., new h, new w) of the same dtype.
    """
    return resize_mask(crop_mask(mask, top, left, height, width), size)


@kind_kernel(affine, Mask)
def affine_mask(
    mask: tp.Tensor,
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: float | Sequence[float],
    fill: Fill = None,
    center: Sequence[float] | None = None,
) -> tp.Tensor:
    """The mask under `affine`.

    Args:
        mask: (..., h, w) of any dtype.
        angle: degrees, clockwise.
        translate: to the right and down, in pixels.
        scale: above zero.
        shear: degrees, across, or across and down.
        fill: one value for what lies outside; None is zero.
        center: (x, y) that stays, in pixels; default the middle.

    Returns:
        (..., new h, new w) of the same dtype.
    """
    return _as_image(affine, mask, angle, translate, scale, shear, NEAREST, fill, center)


@kind_kernel(rotate, Mask)
def rotate_mask(
    mask: tp.Tensor,
    angle: float,
    expand: bool = False,
    center: Sequence[float] | None = None,
    fill: Fill = None,
) -> tp.Tensor:
    """The mask under `rotate`.

    Args:
        mask: (..., h, w) of any dtype.
        angle: degrees, counter-clockwise.
        expand: make the canvas large enough for all corners.
        center: (x, y) that stays, in pixels; default the middle.
        fill: one value for what lies outside; None is zero.

    Returns:
        (..., new h, new w) of the same dtype.
    """
    return _as_image(rotate, mask, angle, NEAREST, expand, center, fill)


@kind_kernel(perspective, Mask)
def perspective_mask(
    mask: tp.Tensor,
    startpoints: Sequence[Sequence[float]] | None,
    endpoints: Sequence[Sequence[float]] | None,
    fill: Fill = None,
    coefficients: Sequence[float] | None = None,
) -> tp.Tensor:
    """The mask under `perspective`.

    Args:
        mask: (..., h, w) of any dtype.
        startpoints: four corners (x, y) before; None with coefficients.
        endpoints: the same four after.
        fill: one value for what lies outside; None is zero.
        coefficients: the eight numbers of the map back, in place of the corners.

    Returns:
        (..., new h, new w) of the same dtype.
    """
    return _as_image(perspective, mask, startpoints, endpoints, NEAREST, fill, coefficients)


@kind_kernel(elastic, Mask)
def elastic_mask(mask: tp.Tensor, displacement: tp.Tensor, fill: Fill = None) -> tp.Tensor:
    """The mask under `elastic`.

    Args:
        mask: (..., h, w) of any dtype.
        displacement: (1, h, w, 2), (x, y) in halves of the width and height.
        fill: one value for what lies outside; None is zero.

    Returns:
        (..., new h, new w) of the same dtype.
    """
    return _as_image(elastic, mask, displacement, NEAREST, fill)

"""Turning, shearing, projecting and bending images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import DTypeError, ShapeError

from ..blockwise import Places
from ..dispatch import functional, register_kernel
from ..interpolation import InterpolationMode, interpolation_mode
from ..kinds import PIL_IMAGE
from ..matrices import affine_output_size, inverse_affine_matrix, perspective_coefficients
from ..sampling import Fill, float_for, sample
from .conversion import pil_to_tensor, to_pil_image
from .geometry import pil_color
from .resizing import Mode

__all__ = [
    "affine",
    "checked_displacement",
    "coefficients_of",
    "elastic",
    "elastic_transform",
    "identity_grid",
    "perspective",
    "rotate",
    "two_shears",
]
Points = Sequence[Sequence[float]] | None


def two_shears(shear: float | Sequence[float]) -> list[float]:
    """Degrees along (x, y) from a number, which is along x, or a sequence; one entry is for both.

    Raises:
        ShapeError: a sequence of more.
    """
    if isinstance(shear, int | float):
        return [float(shear), 0.0]
    values = [float(v) for v in shear]
    if len(values) not in (1, 2):
        raise ShapeError(f"affine: shear is one angle or (x, y), got {shear!r}")
    return [values[0], values[-1]]


def _check_affine(translate: Sequence[float], scale: float) -> None:
    if len(translate) != 2:
        raise ShapeError(f"affine: translate is (x, y), got {translate!r}")
    if scale <= 0:
        raise ValueError(f"affine: scale is above zero, got {scale}")


@functional
def affine(
    inpt: Any,
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: float | Sequence[float],
    interpolation: Mode = InterpolationMode.NEAREST,
    fill: Fill = None,
    center: Sequence[float] | None = None,
) -> Any:
    """Shear, scale, turn and move an image; its size stays.

    Args:
        inpt: an image of any kind, a mask, boxes or keypoints.
        angle: degrees, clockwise.
        translate: (x, y) in pixels.
        scale: factor, above zero.
        shear: degrees along (x, y); a number is along x.
        interpolation: nearest or bilinear; of a PIL image also bicubic. Masks take the nearest.
        fill: what comes in from outside, one value or one per channel; default zero.
        center: (x, y) in pixels that turns about itself; default the middle.

    Returns:
        The image, same kind and size.

    Raises:
        ShapeError: another count of values in translate, shear or fill.
        ValueError: scale is not above zero.

    Example:
        >>> image = tp.arange(9).reshape(1, 3, 3)
        >>> affine(image, angle=0, translate=[1, 0], scale=1, shear=0).tolist()
        [[[0, 0, 1], [0, 3, 4], [0, 6, 7]]]
    """
    _check_affine(translate, scale)
    height, width = inpt.shape[-2:]
    about = _from_middle(center, inpt)
    matrix = inverse_affine_matrix(about, angle, translate, scale, two_shears(shear))
    return _affine_sampled("affine", inpt, matrix, (height, width), interpolation, fill)


def _from_middle(center: Sequence[float] | None, image: tp.Tensor) -> list[float]:
    """center counted from the middle of the image."""
    height, width = image.shape[-2:]
    return [0.0, 0.0] if center is None else [center[0] - 0.5 * width, center[1] - 0.5 * height]


def _affine_sampled(
    name: str,
    image: tp.Tensor,
    matrix: list[float],
    size: tuple[int, int],
    interpolation: Mode,
    fill: Fill,
) -> tp.Tensor:
    """The image under an inverse matrix about the middle; size is the new (h, w).

    The steps of the arithmetic are torchvision's, so that halves are rounded alike.
    """
    height, width = image.shape[-2:]
    dtype = np.dtype(float_for(image).name)
    theta = np.array(matrix, dtype).reshape(2, 3)
    (a, b, c), (d, e, f) = (theta / np.array([[0.5 * width], [0.5 * height]], dtype)).tolist()
    middle = (size[1] - 1) * 0.5, (size[0] - 1) * 0.5
    places = Places("affine", (*middle, a, b, c, d, e, f))
    return sample(name, image, places, size, interpolation_mode(interpolation), fill)


@register_kernel(affine, PIL_IMAGE)
def _affine_pil(
    image: Any,
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: float | Sequence[float],
    interpolation: Mode = InterpolationMode.NEAREST,
    fill: Fill = None,
    center: Sequence[float] | None = None,
) -> Any:
    _check_affine(translate, scale)
    about = [0.5 * image.width, 0.5 * image.height] if center is None else center
    matrix = inverse_affine_matrix(about, angle, translate, scale, two_shears(shear))
    return _transformed(image, 0, matrix, interpolation, fill)


def _transformed(
    image: Any, method: int, numbers: Sequence[float], interpolation: Mode, fill: Fill
) -> Any:
    """Pillow's own warp; method is a number of `PIL.Image.Transform`."""
    code = interpolation_mode(interpolation).pillow_code
    return image.transform(
        image.size, method, list(numbers), resample=code, fillcolor=pil_color(image, fill)
    )


@functional
def rotate(
    inpt: Any,
    angle: float,
    interpolation: Mode = InterpolationMode.NEAREST,
    expand: bool = False,
    center: Sequence[float] | None = None,
    fill: Fill = None,
) -> Any:
    """Turn an image.

    Args:
        inpt: an image of any kind, a mask, boxes or keypoints.
        angle: degrees, counter-clockwise.
        interpolation: nearest or bilinear; of a PIL image also bicubic. Masks take the nearest.
        expand: make the image large enough to hold all of the turned one about its middle.
        center: (x, y) in pixels that stays where it is; default the middle.
        fill: what comes in from outside, one value or one per channel; default zero.

    Returns:
        The image, same kind.

    Raises:
        ShapeError: another count of values in fill.

    Example:
        >>> rotate(tp.arange(4).reshape(1, 2, 2), 90).tolist()
        [[[1, 3], [0, 2]]]
    """
    angle = angle % 360
    height, width = inpt.shape[-2:]
    quarter = angle in (0, 180) or (angle in (90, 270) and (expand or height == width))
    if center is None and quarter:
        return inpt.clone() if angle == 0 else inpt.rot90(int(angle) // 90, (-2, -1))
    about = _from_middle(center, inpt)
    matrix = inverse_affine_matrix(about, -angle, (0.0, 0.0), 1.0, (0.0, 0.0))
    size = (height, width)
    if expand:
        size = affine_output_size(matrix, width, height)[::-1]
    return _affine_sampled("rotate", inpt, matrix, size, interpolation, fill)


@register_kernel(rotate, PIL_IMAGE)
def _rotate_pil(
    image: Any,
    angle: float,
    interpolation: Mode = InterpolationMode.NEAREST,
    expand: bool = False,
    center: Sequence[float] | None = None,
    fill: Fill = None,
) -> Any:
    code = interpolation_mode(interpolation).pillow_code
    return image.rotate(angle, code, expand, center, fillcolor=pil_color(image, fill))


def coefficients_of(
    startpoints: Points, endpoints: Points, coefficients: Sequence[float] | None
) -> list[float]:
    """The eight numbers of a projection, given themselves or by four points and their targets.

    Raises:
        ShapeError: another count.
        ValueError: both or neither are given.
    """
    if coefficients is not None and startpoints is None and endpoints is None:
        if len(coefficients) != 8:
            raise ShapeError(f"perspective: wanted eight coefficients, got {len(coefficients)}")
        return list(coefficients)
    if coefficients is not None or startpoints is None or endpoints is None:
        raise ValueError(
            "perspective: give startpoints and endpoints, or coefficients in place of both"
        )
    return perspective_coefficients(startpoints, endpoints)


@functional
def perspective(
    inpt: Any,
    startpoints: Points,
    endpoints: Points,
    interpolation: Mode = InterpolationMode.BILINEAR,
    fill: Fill = None,
    coefficients: Sequence[float] | None = None,
) -> Any:
    """Project an image so that four points come to lie on four others; its size stays.

    Args:
        inpt: an image of any kind, a mask, boxes or keypoints.
        startpoints: four (x, y) in pixels.
        endpoints: where they go.
        interpolation: nearest or bilinear; of a PIL image also bicubic. Masks take the nearest.
        fill: what comes in from outside, one value or one per channel; default zero.
        coefficients: eight numbers of the inverse projection, in place of the points (None).

    Returns:
        The image, same kind and size.

    Raises:
        ShapeError: another count of points, coefficients or values in fill.
        ValueError: both or neither of points and coefficients are given.
    """
    a, b, c, d, e, f, g, h = coefficients_of(startpoints, endpoints, coefficients)
    height, width = inpt.shape[-2:]
    numbers = (-0.5, -0.5, a, b, c, d, e, f, g, h, 0.5 * width, 0.5 * height)
    places = Places("projective", numbers)
    size, mode = (height, width), interpolation_mode(interpolation)
    return sample("perspective", inpt, places, size, mode, fill)


@register_kernel(perspective, PIL_IMAGE)
def _perspective_pil(
    image: Any,
    startpoints: Points,
    endpoints: Points,
    interpolation: Mode = InterpolationMode.BILINEAR,
    fill: Fill = None,
    coefficients: Sequence[float] | None = None,
) -> Any:
    numbers = coefficients_of(startpoints, endpoints, coefficients)
    return _transformed(image, 2, numbers, interpolation, fill)


@functional
def elastic(
    inpt: Any,
    displacement: tp.Tensor,
    interpolation: Mode = InterpolationMode.BILINEAR,
    fill: Fill = None,
) -> Any:
    """Bend an image: each pixel is read from a place of its own.

    Args:
        inpt: an image of any kind, a mask, boxes or keypoints.
        displacement: (1, h, w, 2), how far from its own place each pixel is read, (x, y) in
            halves of the width and height.
        interpolation: nearest or bilinear. Masks take the nearest.
        fill: what comes in from outside, one value or one per channel; default zero.

    Returns:
        The image, same kind and size.

    Raises:
        DTypeError: displacement is no tensor.
        ShapeError: displacement has another shape, or fill another count of values.
    """
    height, width = inpt.shape[-2:]
    moved = checked_displacement(displacement, (height, width)).to(inpt.device, float_for(inpt))
    x, y = (identity_grid(height, width, moved) + moved)[0].unbind(-1)
    size, mode = (height, width), interpolation_mode(interpolation)
    return sample("elastic", inpt, Places("given", (x, y)), size, mode, fill)


def checked_displacement(displacement: Any, size: tuple[int, int]) -> tp.Tensor:
    """displacement itself.

    Raises:
        DTypeError: it is no tensor.
        ShapeError: its shape is not (1, h, w, 2).
    """
    if not isinstance(displacement, tp.Tensor):
        raise DTypeError(f"elastic: displacement is a tensor, got {type(displacement).__name__}")
    if tuple(displacement.shape) != (1, *size, 2):
        raise ShapeError(
            f"elastic: wanted a displacement of shape {(1, *size, 2)}, got "
            f"{tuple(displacement.shape)}"
        )
    return displacement


def identity_grid(height: int, width: int, like: tp.Tensor) -> tp.Tensor:
    """(1, h, w, 2): the place of each pixel, (x, y) from -1 at one edge to 1 at the other."""
    x, y = (
        tp.linspace((1 - n) / n, (n - 1) / n, n, dtype=like.dtype, device=like.device)
        for n in (width, height)
    )
    grid = tp.stack(tp.meshgrid(x, y, indexing="xy"), dim=-1)
    return grid[None]


@register_kernel(elastic, PIL_IMAGE)
def _elastic_pil(
    image: Any,
    displacement: tp.Tensor,
    interpolation: Mode = InterpolationMode.BILINEAR,
    fill: Fill = None,
) -> Any:
    out = elastic(pil_to_tensor(image), displacement, interpolation, fill)
    return to_pil_image(out, mode=image.mode)


elastic_transform = elastic

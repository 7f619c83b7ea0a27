"""What mirroring, cutting, framing, resizing and warping do to keypoints.

Each kernel takes a plain tensor (..., 2), the canvas size (h, w) and the arguments of the function
it belongs to; it returns the points, and the new canvas size if that changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

import triptych as tp
from triptych.errors import UnknownNameError

from ...tv_tensors import KeyPoints
from ..dispatch import kind_kernel
from ..matrices import (
    affine_matrix,
    affine_output_size,
    inverse_affine_matrix,
    inverse_perspective,
)
from .geometry import (
    center_crop,
    center_crop_corner,
    crop,
    horizontal_flip,
    pad,
    resized_crop,
    sides,
    two_lengths,
    vertical_flip,
)
from .resizing import resize, resized_size
from .warping import (
    affine,
    checked_displacement,
    coefficients_of,
    elastic,
    identity_grid,
    perspective,
    rotate,
    two_shears,
)

__all__ = [
    "affine_keypoints",
    "affine_map",
    "center_crop_keypoints",
    "check_constant",
    "crop_keypoints",
    "displaced",
    "elastic_keypoints",
    "horizontal_flip_keypoints",
    "pad_keypoints",
    "perspective_keypoints",
    "perspective_map",
    "resize_keypoints",
    "resized_crop_keypoints",
    "rotate_keypoints",
    "rotation_map",
    "vertical_flip_keypoints",
]

Canvas = tuple[int, int]
Map = Callable[[tp.Tensor], tp.Tensor]


def affine_map(matrix: Sequence[float]) -> Map:
    """The function of points (..., 2) that a matrix [a, b, c, d, e, f] is, in their dtype."""

    def move(points: tp.Tensor) -> tp.Tensor:
        rows = tp.tensor(matrix, dtype=points.dtype, device=points.device).reshape(2, 3)
        return points @ rows[:, :2].mT + rows[:, 2]

    return move


def rotation_map(
    canvas_size: Canvas, angle: float, expand: bool, center: Sequence[float] | None
) -> tuple[Map, Canvas]:
    """Where `rotate` takes points, and the new size, which is that of a tensor's image."""
    height, width = canvas_size
    about = (0.5 * width, 0.5 * height) if center is None else center
    turn = -angle, (0.0, 0.0), 1.0, (0.0, 0.0)
    matrix = affine_matrix(about, *turn)
    quarter = center is None and angle % 90 == 0
    if quarter:  # such turns are exact, as those of images
        matrix = np.round(matrix, 9).tolist()
    if not expand:
        return affine_map(matrix), canvas_size
    corners = np.array([(0, 0, 1), (0, height, 1), (width, height, 1), (width, 0, 1)])
    left, top = (corners @ np.reshape(matrix, (2, 3)).T).min(0)
    matrix[2], matrix[5] = matrix[2] - left, matrix[5] - top
    if quarter:
        return affine_map(matrix), (height, width) if angle % 180 == 0 else (width, height)
    from_middle = about[0] - 0.5 * width, about[1] - 0.5 * height
    new = affine_output_size(inverse_affine_matrix(from_middle, *turn), width, height)
    return affine_map(matrix), (new[1], new[0])


def perspective_map(
    startpoints: Sequence[Sequence[float]] | None,
    endpoints: Sequence[Sequence[float]] | None,
    coefficients: Sequence[float] | None,
) -> Map:
    """Where `perspective` takes points."""
    matrix = inverse_perspective(coefficients_of(startpoints, endpoints, coefficients))
    matrix[2, 2] = 1.0

    def move(points: tp.Tensor) -> tp.Tensor:
        rows = tp.tensor(matrix.tolist(), dtype=points.dtype, device=points.device)
        above = points @ rows[:2, :2].mT + rows[:2, 2]
        return above / (points @ rows[2:, :2].mT + 1)

    return move


def displaced(points: tp.Tensor, field: tp.Tensor) -> tp.Tensor:
    """Where `elastic` takes points (..., 2), by the displacement at the pixel they are in."""
    dtype = points.dtype if points.is_floating_point() else tp.float32
    field = field.to(points.device, dtype)
    height, width = field.shape[1:3]
    place = points.to(tp.int64)
    x, y = place[..., 0].clamp(0, width - 1), place[..., 1].clamp(0, height - 1)
    moved = (identity_grid(height, width, field) - field)[0][y, x]
    size = tp.tensor([width, height], dtype=dtype, device=points.device)
    return (moved + 1) * (0.5 * size) - 0.5


def check_constant(what: str, padding_mode: str) -> None:
    """Raise for frames that copy pixels, and with them what boxes and points are about."""
    if padding_mode != "constant":
        raise UnknownNameError(
            f"pad: padding_mode={padding_mode!r} copies content, so {what} cannot follow; use "
            "'constant'"
        )


def _as_floats(points: tp.Tensor) -> tp.Tensor:
    return points if points.is_floating_point() else points.to(tp.float32)


@kind_kernel(horizontal_flip, KeyPoints)
def horizontal_flip_keypoints(keypoints: tp.Tensor, canvas_size: Canvas) -> tp.Tensor:
    """Points of the image mirrored left and right; pixel 0 becomes pixel w - 1.

    Args:
        keypoints: (..., 2), x and y in pixels.
        canvas_size: (h, w) of the image.

    Returns:
        Points of the same shape and dtype.
    """
    x, y = keypoints.unbind(-1)
    return tp.stack((canvas_size[1] - 1 - x, y), -1)


@kind_kernel(vertical_flip, KeyPoints)
def vertical_flip_keypoints(keypoints: tp.Tensor, canvas_size: Canvas) -> tp.Tensor:
    """Points of the image mirrored top and bottom; pixel 0 becomes pixel h - 1.

    Args:
        keypoints: (..., 2), x and y in pixels.
        canvas_size: (h, w) of the image.

    Returns:
        Points of the same shape and dtype.
    """
    x, y = keypoints.unbind(-1)
    return tp.stack((x, canvas_size[0] - 1 - y), -1)


def _shifted(points: tp.Tensor, x: int, y: int) -> tp.Tensor:
    return points + tp.tensor([x, y], dtype=points.dtype, device=points.device)


@kind_kernel(pad, KeyPoints)
def pad_keypoints(
    keypoints: tp.Tensor,
    canvas_size: Canvas,
    padding: int | Sequence[int],
    padding_mode: str = "constant",
) -> tuple[tp.Tensor, Canvas]:
    """Points of the framed image; frames that copy pixels are refused.

    Args:
        keypoints: (..., 2), x and y in pixels.
        canvas_size: (h, w) of the image.
        padding: pixels: one width, (left and right, top and bottom), or (left, top, right,
            bottom).
        padding_mode: "constant".

    Returns:
        Points of the same shape and dtype, and the canvas size (h, w) after.
    """
    check_constant("keypoints", padding_mode)
    left, top, right, bottom = sides(padding)
    size = canvas_size[0] + top + bottom, canvas_size[1] + left + right
    return _shifted(keypoints, left, top), size


@kind_kernel(crop, KeyPoints)
def crop_keypoints(
    keypoints: tp.Tensor, top: int, left: int, height: int, width: int
) -> tuple[tp.Tensor, Canvas]:
    """Points of the rectangle cut out.

    Args:
        keypoints: (..., 2), x and y in pixels.
        top: first row of the rectangle, in pixels; may be negative.
        left: first column, likewise.
        height: of the rectangle in pixels.
        width: likewise.

    Returns:
        Points of the same shape and dtype, and the canvas size (h, w) after.
    """
    return _shifted(keypoints, -left, -top), (height, width)


@kind_kernel(center_crop, KeyPoints)
def center_crop_keypoints(
    keypoints: tp.Tensor, canvas_size: Canvas, output_size: int | Sequence[int]
) -> tuple[tp.Tensor, Canvas]:
    """Points of the middle.

    Args:
        keypoints: (..., 2), x and y in pixels.
        canvas_size: (h, w) of the image.
        output_size: height and width of the middle, or one for both.

    Returns:
        Points of the same shape and dtype, and the canvas size (h, w) after.
    """
    size = two_lengths("center_crop", output_size)
    return crop_keypoints(keypoints, *center_crop_corner(canvas_size, size), *size)


@kind_kernel(resize, KeyPoints)
def resize_keypoints(
    keypoints: tp.Tensor,
    size: int | Sequence[int] | None,
    canvas_size: Canvas,
    max_size: int | None = None,
) -> tuple[tp.Tensor, Canvas]:
    """Points of the resized image.

    Args:
        keypoints: (..., 2), x and y in pixels.
        size: (h, w), or the shorter side; see `resized_size`.
        canvas_size: (h, w) of the image.
        max_size: bound of the longer side, when size is one int.

    Returns:
        Points of the same shape and dtype, and the canvas size (h, w) after.
    """
    new = resized_size(canvas_size, size, max_size)
    if new == tuple(canvas_size):
        return keypoints, new
    wide = _as_floats(keypoints)
    ratio = tp.tensor(
        [new[1] / canvas_size[1], new[0] / canvas_size[0]], dtype=wide.dtype, device=wide.device
    )
    return (wide * ratio).to(keypoints.dtype), new


@kind_kernel(resized_crop, KeyPoints)
def resized_crop_keypoints(
    keypoints: tp.Tensor,
    top: int,
    left: int,
    height: int,
    width: int,
    size: int | Sequence[int],
) -> tuple[tp.Tensor, Canvas]:
    """Points of the rectangle cut out and resized.

    Args:
        keypoints: (..., 2), x and y in pixels.
        top: first row of the rectangle, in pixels; may be negative.
        left: first column, likewise.
        height: of the rectangle in pixels.
        width: likewise.
        size: (h, w), or the shorter side; see `resized_size`.

    Returns:
        Points of the same shape and dtype, and the canvas size (h, w) after.
    """
    points, canvas = crop_keypoints(keypoints, top, left, height, width)
    return resize_keypoints(points, size, canvas)


@kind_kernel(affine, KeyPoints)
def affine_keypoints(
    keypoints: tp.Tensor,
    canvas_size: Canvas,
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: float | Sequence[float],
    center: Sequence[float] | None = None,
) -> tuple[tp.Tensor, Canvas]:
    """Where `affine` takes the points.

    Args:
        keypoints: (..., 2), x and y in pixels.
        canvas_size: (h, w) of the image.
        angle: degrees, clockwise.
        translate: to the right and down, in pixels.
        scale: above zero.
        shear: degrees, across, or across and down.
        center: (x, y) that stays, in pixels; default the middle.

    Returns:
        Points of the same shape and dtype, and the canvas size (h, w) after.
    """
    about = (0.5 * canvas_size[1], 0.5 * canvas_size[0]) if center is None else center
    move = affine_map(affine_matrix(about, angle, translate, scale, two_shears(shear)))
    return move(_as_floats(keypoints)).to(keypoints.dtype), canvas_size


@kind_kernel(rotate, KeyPoints)
def rotate_keypoints(
    keypoints: tp.Tensor,
    canvas_size: Canvas,
    angle: float,
    expand: bool = False,
    center: Sequence[float] | None = None,
) -> tuple[tp.Tensor, Canvas]:
    """Where `rotate` takes the points.

    Args:
        keypoints: (..., 2), x and y in pixels.
        canvas_size: (h, w) of the image.
        angle: degrees, counter-clockwise.
        expand: make the canvas large enough for all corners.
        center: (x, y) that stays, in pixels; default the middle.

    Returns:
        Points of the same shape and dtype, and the canvas size (h, w) after.
    """
    move, size = rotation_map(canvas_size, angle, expand, center)
    return move(_as_floats(keypoints)).to(keypoints.dtype), size


@kind_kernel(perspective, KeyPoints)
def perspective_keypoints(
    keypoints: tp.Tensor,
    canvas_size: Canvas,
    startpoints: Sequence[Sequence[float]] | None,
    endpoints: Sequence[Sequence[float]] | None,
    coefficients: Sequence[float] | None = None,
) -> tp.Tensor:
    """Where `perspective` takes the points.

    Args:
        keypoints: (..., 2), x and y in pixels.
        canvas_size: (h, w) of the image.
        startpoints: four corners (x, y) before; None with coefficients.
        endpoints: the same four after.
        coefficients: the eight numbers of the map back, in place of the corners.

    Returns:
        Points of the same shape and dtype.
    """
    move = perspective_map(startpoints, endpoints, coefficients)
    return move(_as_floats(keypoints)).to(keypoints.dtype)


@kind_kernel(elastic, KeyPoints)
def elastic_keypoints(
    keypoints: tp.Tensor, canvas_size: Canvas, displacement: tp.Tensor
) -> tp.Tensor:
    """Where `elastic` takes the points, by the displacement at the pixel they are in.

    Args:
        keypoints: (..., 2), x and y in pixels.
        canvas_size: (h, w) of the image.
        displacement: (1, h, w, 2), (x, y) in halves of the width and height.

    Returns:
        Points of the same shape and dtype.
    """
    field = checked_displacement(displacement, canvas_size)
    return displaced(keypoints, field).to(keypoints.dtype)

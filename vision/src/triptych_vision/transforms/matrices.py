"""The matrices behind rotating, shearing and seeing from the side."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from triptych.errors import ShapeError

__all__ = [
    "affine_matrix",
    "affine_output_size",
    "inverse_affine_matrix",
    "inverse_perspective",
    "perspective_coefficients",
]

Matrix = list[float]


def affine_matrix(
    center: Sequence[float],
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: Sequence[float],
) -> Matrix:
    """Where a point goes: shear along x, then along y, scale, turn about the centre, move.

    Args:
        center: (x, y) that stays where it is but for the translation.
        angle: degrees, clockwise as one sees it, since y points down.
        translate: (x, y) in pixels.
        scale: factor, above zero.
        shear: degrees along (x, y).

    Returns:
        [a, b, c, d, e, f]: (x, y) goes to (a x + b y + c, d x + e y + f).

    Example:
        >>> affine_matrix((0, 0), 0, (5, 6), 2, (0, 0))
        [2.0, -0.0, 5.0, 0.0, 2.0, 6.0]
    """
    a, b, c, d = (scale * entry for entry in _linear_part(angle, shear))
    (cx, cy), (tx, ty) = center, translate
    return [a, b, cx + tx - a * cx - b * cy, c, d, cy + ty - c * cx - d * cy]


def inverse_affine_matrix(
    center: Sequence[float],
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: Sequence[float],
) -> Matrix:
    """Where a point comes from: the inverse of `affine_matrix`, with the same arguments."""
    a, b, c, d = _linear_part(angle, shear)  # of determinant one
    p, q, r, s = d / scale, -b / scale, -c / scale, a / scale
    (cx, cy), (tx, ty) = center, translate
    fx, fy = cx + tx, cy + ty
    return [p, q, cx - p * fx - q * fy, r, s, cy - r * fx - s * fy]


def _linear_part(angle: float, shear: Sequence[float]) -> tuple[float, float, float, float]:
    turn, sx, sy = (math.radians(degrees) for degrees in (angle, *shear))
    a = math.cos(turn - sy) / math.cos(sy)
    c = math.sin(turn - sy) / math.cos(sy)
    return a, -a * math.tan(sx) - math.sin(turn), c, math.cos(turn) - c * math.tan(sx)


def affine_output_size(inverse: Matrix, width: int, height: int) -> tuple[int, int]:
    """How large an image must be to hold all of a turned one.

    Args:
        inverse: matrix about the middle of the image.
        width: of the image, in pixels.
        height: of the image, in pixels.

    Returns:
        (width, height). Computed in float32 and cut to four digits, as torchvision does, so that
        rounding errors add no row.
    """
    x, y = 0.5 * width, 0.5 * height
    corners = np.array([(-x, -y, 1), (-x, y, 1), (x, y, 1), (x, -y, 1)], np.float32)
    moved = corners @ np.array(inverse, np.float32).reshape(2, 3).T
    half = np.array((x, y), np.float32)
    digits = np.float32(1e4)
    low, high = (
        np.trunc((end + half) * digits) * np.float32(1e-4) for end in (moved.min(0), moved.max(0))
    )
    size = np.ceil(high) - np.floor(low)
    return int(size[0]), int(size[1])


def perspective_coefficients(
    startpoints: Sequence[Sequence[float]], endpoints: Sequence[Sequence[float]]
) -> Matrix:
    """The eight numbers of the projection that takes endpoints back to startpoints.

    Args:
        startpoints: four (x, y) in the image.
        endpoints: where they shall be.

    Returns:
        [a, ..., h]: the pixel at (x, y) comes from ((a x + b y + c) / (g x + h y + 1),
        (d x + e y + f) / (g x + h y + 1)); rounded to float32.

    Raises:
        ShapeError: not four points each.
    """
    if len(startpoints) != 4 or len(endpoints) != 4:
        raise ShapeError(
            f"perspective: wanted four startpoints and four endpoints, got {len(startpoints)} "
            f"and {len(endpoints)}"
        )
    rows = []
    for (x, y), (u, v) in zip(endpoints, startpoints, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    target = np.asarray(startpoints, np.float64).reshape(8)
    solution = np.linalg.lstsq(np.asarray(rows, np.float64), target)[0]
    return solution.astype(np.float32).tolist()


def inverse_perspective(coefficients: Sequence[float]) -> np.ndarray:
    """The matrix that takes points of the old image to the new one.

    Args:
        coefficients: of `perspective_coefficients`.

    Returns:
        (3, 3) float64, in homogeneous coordinates, scaled by the determinant of the upper left
        2 x 2 block and with its last entry set to one.

    Raises:
        ValueError: that determinant is zero.
    """
    a, b, c, d, e, f, g, h = coefficients
    scale = a * e - b * d
    if scale == 0:
        raise ValueError(
            f"perspective: coefficients {list(coefficients)} squeeze the image into a line, so "
            "points cannot be taken along"
        )
    rows = np.array(
        [
            [e - f * h, c * h - b, b * f - c * e],
            [f * g - d, a - c * g, c * d - a * f],
            [d * h - e * g, b * g - a * h, scale],
        ]
    )
    return rows / scale

"""Points drawn on images, and the lines between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych.errors import BoundsError, ShapeError

from .canvas import check_image, drawn_on, picture_of
from .colors import RGB, Colors, parsed_colors

__all__ = ["draw_keypoints"]


def draw_keypoints(
    image: tp.Tensor,
    keypoints: tp.Tensor,
    connectivity: Sequence[tuple[int, int]] | None = None,
    colors: Colors = None,
    radius: int = 2,
    width: int = 3,
    visibility: tp.Tensor | None = None,
) -> tp.Tensor:
    """Draw points, such as joints of bodies, on an image.

    Args:
        image: (3, h, w), uint8 or floats from 0 to 1.
        keypoints: (n, k, 2), x and y of k points of each of n things.
        connectivity: pairs of places in k; a white line joins each pair.
        colors: of the points, one for all, or a list with one for each thing; a name, "#rrggbb" or
            (r, g, b). Without, only lines are drawn, as torchvision does.
        radius: of a point, in pixels.
        width: of the lines, in pixels.
        visibility: (n, k) or (n, k, 1), whether a point is seen; a line needs both its ends.
            Default all are.

    Returns:
        (3, h, w), a new tensor of the image's dtype.

    Raises:
        ShapeError: other shapes.
        BoundsError: connectivity names a point that is not there.
        DTypeError: another dtype.

    Example:
        >>> points = tp.tensor([[[2, 2], [6, 6]]])
        >>> drawn = draw_keypoints(tp.zeros(3, 9, 9), points, [(0, 1)], colors="red", radius=1)
        >>> drawn[:, 4, 4].tolist()
        [1.0, 1.0, 1.0]
    """
    from PIL import ImageDraw

    check_image("draw_keypoints", image)
    seen = _check_points(keypoints, connectivity or (), visibility)
    count = keypoints.shape[0]
    inks: list[RGB | None] = (
        [None] * count if colors is None else [*parsed_colors("draw_keypoints", colors, count)]
    )
    picture = picture_of(image)
    pen = ImageDraw.Draw(picture)
    for place, points in enumerate(keypoints.to(tp.int64).tolist()):
        _draw(pen, points, seen[place], connectivity or (), inks[place], radius, width)
    return drawn_on(picture, like=image)


def _check_points(
    keypoints: tp.Tensor, pairs: Sequence[tuple[int, int]], visibility: tp.Tensor | None
) -> list[list[bool]]:
    if keypoints.ndim != 3 or keypoints.shape[2] != 2:
        raise ShapeError(
            f"draw_keypoints: wanted keypoints (n, k, 2), got {tuple(keypoints.shape)}"
        )
    points = keypoints.shape[1]
    if any(not -points <= end < points for pair in pairs for end in pair):
        raise BoundsError(f"draw_keypoints: connectivity beyond the {points} points: {pairs}")
    if visibility is None:
        return [[True] * points] * keypoints.shape[0]
    flat = visibility.squeeze(-1) if visibility.ndim == 3 else visibility
    if flat.shape != keypoints.shape[:2]:
        raise ShapeError(
            f"draw_keypoints: wanted visibility {tuple(keypoints.shape[:2])}, got "
            f"{tuple(visibility.shape)}"
        )
    seen: list[list[bool]] = flat.to(tp.bool).tolist()
    return seen


def _draw(
    pen: Any,
    points: list[list[int]],
    seen: list[bool],
    pairs: Sequence[tuple[int, int]],
    ink: RGB | None,
    radius: int,
    width: int,
) -> None:
    for (x, y), visible in zip(points, seen, strict=True):
        if visible:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink, width=0)
    for first, second in pairs:
        if seen[first] and seen[second]:
            pen.line((*points[first], *points[second]), width=width)

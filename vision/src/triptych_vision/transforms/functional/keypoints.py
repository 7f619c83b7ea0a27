"""Moving points to the canvas, dropping those outside."""

from __future__ import annotations

from typing import Any

import triptych as tp

from ...tv_tensors.base import plain
from .boxes import as_kind, given

__all__ = ["clamp_keypoints", "sanitize_keypoints"]


def clamp_keypoints(inpt: tp.Tensor, canvas_size: tuple[int, int] | None = None) -> Any:
    """Points outside of the canvas moved to its nearest pixel.

    Args:
        inpt: `KeyPoints`, or a tensor (..., 2) with canvas_size.
        canvas_size: (h, w) for a plain tensor.

    Returns:
        The points, same kind and dtype; x from 0 to w - 1, y from 0 to h - 1.

    Raises:
        DTypeError: inpt is no tensor or another kind.
        ValueError: canvas_size is missing for a tensor, or given for `KeyPoints`.

    Example:
        >>> clamp_keypoints(tp.tensor([[-3, 9]]), canvas_size=(5, 6)).tolist()
        [[0, 4]]
    """
    height, width = given("clamp_keypoints", inpt, "canvas_size", "canvas_size", canvas_size)
    x, y = plain(inpt).unbind(-1)
    return as_kind(tp.stack((x.clamp(0, width - 1), y.clamp(0, height - 1)), -1), inpt)


def sanitize_keypoints(
    key_points: tp.Tensor, canvas_size: tuple[int, int] | None = None
) -> tuple[Any, tp.Tensor]:
    """Drop points outside of the canvas; of groups of points, those with any point outside.

    Args:
        key_points: `KeyPoints`, or a tensor (n, ..., 2) with canvas_size.
        canvas_size: (h, w) for a plain tensor.

    Returns:
        The points or groups that are left, same kind; and (n,) bool, which of all they are.

    Raises:
        DTypeError: no tensor or another kind.
        ValueError: canvas_size is missing for a tensor, or given for `KeyPoints`.

    Example:
        >>> sanitize_keypoints(tp.tensor([[1, 1], [7, 1]]), (5, 6))[1].tolist()
        [True, False]
    """
    height, width = given(
        "sanitize_keypoints", key_points, "canvas_size", "canvas_size", canvas_size
    )
    points = plain(key_points)
    x, y = points.unbind(-1)
    valid = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    valid = valid.flatten(1).all(1) if valid.ndim > 1 else valid
    return as_kind(points[valid], key_points), valid

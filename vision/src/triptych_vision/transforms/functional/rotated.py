"""Rotated boxes: from a parallelogram back to a rectangle, and cutting them to a canvas."""

from __future__ import annotations

import math

import triptych as tp

__all__ = ["clamp_corners", "rectangle"]


def rectangle(corners: tp.Tensor) -> tp.Tensor:
    """The rectangle for a parallelogram: one of its diagonals stays.

    Args:
        corners: (..., 8) clockwise as one sees it.

    Returns:
        (..., 8), same dtype.

    Source: the rule of torchvision 0.23 and later, in which corners follow the longer side.
    """
    x1, y1, x2, y2, x3, y3, x4, y4 = _floats(corners).unbind(-1)
    across = ((x2 - x1) ** 2 + (y2 - y1) ** 2).sqrt()
    down = ((x4 - x1) ** 2 + (y4 - y1) ** 2).sqrt()
    first, second = tp.atan2(y1 - y2, x2 - x1), tp.atan2(y1 - y4, x4 - x1)
    between = first - second
    overhang = between.cos() * tp.where(between > math.pi / 2, -1.0, 1.0)
    w = tp.where(across < down, across * between.sin(), across + down * overhang) / 2
    h = tp.where(across > down, down * between.sin(), down + across * overhang) / 2
    angle = tp.where(down > across, second + math.pi / 2, first)
    cos, sin = angle.cos(), angle.sin()
    cx, cy = (x1 + x3) / 2, (y1 + y3) / 2
    wx, wy, hx, hy = w * cos, w * sin, h * sin, h * cos  # half a side along x and y
    points = (
        *(cx - wx - hx, cy - hy + wy, cx + wx - hx, cy - hy - wy),
        *(cx + wx + hx, cy + hy - wy, cx - wx + hx, cy + hy + wy),
    )
    return tp.stack(points, -1).to(corners.dtype)


def _floats(x: tp.Tensor) -> tp.Tensor:
    return x if x.dtype in (tp.float32, tp.float64) else x.to(tp.float32)


def clamp_corners(corners: tp.Tensor, canvas_size: tuple[int, int], hard: bool) -> tp.Tensor:
    """Rotated boxes made smaller so that they fit a canvas; their angle stays.

    The left edge cuts first; then all is turned by a quarter, so that each edge is left in turn.

    Args:
        corners: (n, 8) floats.
        canvas_size: (h, w).
        hard: no corner may lie outside; else what remains must hold the part that is inside.

    Returns:
        (n, 8). Corners may come in another order.

    Source: the rules of torchvision 0.23 and later.
    """
    points = corners.reshape(-1, 4, 2)
    bounds = points
    height, width = canvas_size
    for _ in range(4):
        order = _from_leftmost(points)
        points, bounds = _picked(points, order), _picked(bounds, order)
        points = _cut_left(points, bounds, (height, width), hard)
        points, bounds = _picked(points, order), _picked(bounds, order)
        points, bounds = _quarter_turn(points, width), _quarter_turn(bounds, width)
        height, width = width, height
    return points.reshape(-1, 8)


def _from_leftmost(points: tp.Tensor) -> tp.Tensor:
    """(n, 4) which corner is first, second ...: the leftmost one, of two the upper one, first."""
    size = points.abs().amax(1, keepdim=True)
    share = points / size
    first = (share[..., 1] + share[..., 0] * 100).argmin(1)
    return (first[:, None] + tp.arange(4, device=points.device)) % 4


def _picked(points: tp.Tensor, order: tp.Tensor) -> tp.Tensor:
    return points.gather(1, order[..., None].expand(-1, -1, 2))


def _quarter_turn(points: tp.Tensor, width: int) -> tp.Tensor:
    return tp.stack((points[..., 1], width - points[..., 0]), -1)


def _lines(points: tp.Tensor) -> tuple[tp.Tensor, tp.Tensor]:
    """(n, 4) slope and intercept of the line from each corner to the next."""
    step = points.roll(-1, 1) - points
    slope = step[..., 1] / step[..., 0]
    return slope, points[..., 1] - slope * points[..., 0]


def _crossings(slope: tp.Tensor, intercept: tp.Tensor) -> tp.Tensor:
    """(n, 4, 2) where each line meets the one before."""
    x = (intercept.roll(1, 1) - intercept) / (slope - slope.roll(1, 1))
    return tp.stack((x, slope * x + intercept), -1)


def _cut_left(
    points: tp.Tensor, bounds: tp.Tensor, canvas_size: tuple[int, int], hard: bool
) -> tp.Tensor:
    """Boxes without what lies left of the canvas; the first corner is the leftmost."""
    slope, intercept = _lines(points)
    limits = _lines(bounds)[1]
    moved = _moved_lines(slope, intercept, limits, canvas_size, hard)
    turned = _crossings(slope, tp.stack(moved, -1))
    x, y = points.unbind(-1)
    zero = tp.zeros_like(x)
    inner = tp.stack((x[:, 0].clamp(min=0), x[:, 1], x[:, 2], x[:, 3].clamp(min=0)), -1)
    upright = y[:, 0].isclose(y[:, 1]) | y[:, 2].isclose(y[:, 3])
    flat = y[:, 0].isclose(y[:, 3]) | y[:, 1].isclose(y[:, 2])
    gone = (x <= 0).all(1) | flat | (upright & x[:, 0].isclose(x[:, 1]))
    tilted = (x[:, 0] < 0) & ~turned.isnan().flatten(1).any(1)
    out = tp.where(tilted[:, None, None], turned, points)
    out = tp.where(upright[:, None, None], tp.stack((inner, y), -1), out)
    return tp.where(gone[:, None, None], tp.stack((zero, zero), -1), out)


def _moved_lines(
    slope: tp.Tensor,
    intercept: tp.Tensor,
    limits: tp.Tensor,
    canvas_size: tuple[int, int],
    hard: bool,
) -> tuple[tp.Tensor, ...]:
    """The intercepts of the four lines, moved inwards and never past the limits."""
    b1, b2, b3, b4 = intercept.unbind(-1)
    low1, low2, high3, high4 = limits.unbind(-1)
    b1, b4 = (
        b2.clamp(b1, b3).clamp(0, canvas_size[0]),
        b3.clamp(b2, b4).clamp(0, canvas_size[0]),
    )
    if hard:
        b1, b2, b3 = _largest_inside(slope, (b1, b2, b3, b4), canvas_size)
        b1 = b4 = b1.clamp(low1, high3).clamp(low2, high4)
    return (
        b1 if hard else b1.clamp(low1, high3),
        b2.clamp(low2, high4),
        b3.clamp(low1, high3),
        b4 if hard else b4.clamp(low2, high4),
    )


def _largest_inside(
    slope: tp.Tensor, intercepts: tuple[tp.Tensor, ...], canvas_size: tuple[int, int]
) -> tuple[tp.Tensor, tp.Tensor, tp.Tensor]:
    """The lines through one point of the left edge that leave no corner outside."""
    height, width = canvas_size
    a1, a2, a3, a4 = slope.unbind(-1)
    b1, b2, b3, b4 = intercepts
    start = (b1 + b4) / 2
    # upper side: its corners at y = 0, then at x = width
    upper = (start * a2 / a1, b3 * a2 / a3, (a1 - a2) * width + start, (a3 - a2) * width + b3)
    b2 = tp.minimum(tp.stack(upper, 1).amax(1), b2)
    lower = (
        height * (1 - a3 / a4) + start * a3 / a4,
        height * (1 - a3 / a2) + b2 * a3 / a2,
        (a2 - a3) * width + b2,
        (a4 - a3) * width + start,
    )
    b3 = tp.maximum(tp.stack(lower, 1).amin(1), b3)
    return start, b2, b3

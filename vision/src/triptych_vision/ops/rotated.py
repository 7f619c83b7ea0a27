"""Overlap of rotated boxes."""

from __future__ import annotations

import triptych as tp

__all__ = ["rotated_iou"]

PAIRS_AT_ONCE = 1 << 15  # keeps the arrays of one step below about 50 MB
TOLERANCE = {tp.float32: 1e-6}  # of rounding, as a part of the larger box; 1e-12 for float64


def rotated_iou(corners1: tp.Tensor, corners2: tp.Tensor) -> tp.Tensor:
    """Intersection over union of every rotated box with every other.

    Args:
        corners1: (..., n, 8), the four corners in order around the box.
        corners2: (..., m, 8), likewise.

    Returns:
        (..., n, m), from 0 to 1; 0 where a box has no area.

    Source: the corners of the common polygon are those where two sides cross and those of one box
    inside of the other (Ma et al. 2018, section 3.2); its area is Gauss's formula.
    """
    if not corners1.is_floating_point():
        corners1, corners2 = corners1.to(tp.float32), corners2.to(tp.float32)
    one = corners1.unflatten(-1, (4, 2))[..., :, None, :, :]
    two = corners2.unflatten(-1, (4, 2))[..., None, :, :, :]
    shape = tp.broadcast_shapes(one.shape, two.shape)
    one, two = (t.broadcast_to(shape).reshape(-1, 4, 2) for t in (one, two))
    parts = [
        _pair_iou(one[i : i + PAIRS_AT_ONCE], two[i : i + PAIRS_AT_ONCE])
        for i in range(0, max(one.shape[0], 1), PAIRS_AT_ONCE)
    ]
    return tp.cat(parts).reshape(shape[:-2])


def _pair_iou(one: tp.Tensor, two: tp.Tensor) -> tp.Tensor:
    """(p, 4, 2) and (p, 4, 2) to (p,)."""
    middle = (one.mean(1, keepdim=True) + two.mean(1, keepdim=True)) / 2
    one, two = one - middle, two - middle  # small numbers keep the digits
    area1, area2 = _polygon_area(one).abs(), _polygon_area(two).abs()
    crossings, crossed = _crossings(one, two)
    points = tp.cat((crossings, one, two), 1)  # (p, 24, 2)
    valid = tp.cat((crossed, _inside(one, two), _inside(two, one)), 1)
    inter = _hull_area(points, valid)
    union = area1 + area2 - inter
    solid = (area1 > 0) & (area2 > 0)
    return tp.where(solid, inter / tp.where(solid, union, tp.ones_like(union)), 0 * inter)


def _cross(a: tp.Tensor, b: tp.Tensor) -> tp.Tensor:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _polygon_area(points: tp.Tensor) -> tp.Tensor:
    """Signed area, (p, k, 2) to (p,)."""
    return _cross(points, points.roll(-1, 1)).sum(1) / 2


def _crossings(one: tp.Tensor, two: tp.Tensor) -> tuple[tp.Tensor, tp.Tensor]:
    """Where the sides of one box cross those of the other, (p, 16, 2), and whether, (p, 16).

    Where nearly parallel sides cross is drowned by rounding, so the other box has the last word: a
    point on a side of one that lies in the other belongs to both, however it was found.
    """
    start1, start2 = one[:, :, None], two[:, None, :]
    side1 = one.roll(-1, 1)[:, :, None] - start1
    side2 = two.roll(-1, 1)[:, None, :] - start2
    slope = _cross(side1, side2)  # (p, 4, 4), 0 for parallel sides
    parallel = slope == 0
    safe = tp.where(parallel, tp.ones_like(slope), slope)
    along = _cross(start2 - start1, side2) / safe
    hit = (~parallel & (along >= 0) & (along <= 1)).flatten(1, 2)
    points = (start1 + along[..., None] * side1).flatten(1, 2)
    return points, hit & _inside(points, two)


def _inside(points: tp.Tensor, box: tp.Tensor) -> tp.Tensor:
    """Whether points (p, k, 2) lie in a box (p, 4, 2) or on its edge, (p, k)."""
    with tp.no_grad():
        side = box.roll(-1, 1) - box
        way = points[:, :, None] - box[:, None]  # (p, k, 4, 2), from each corner
        turn = _cross(side[:, None], way) * _polygon_area(box).sign()[:, None, None]
        slack = TOLERANCE.get(points.dtype, 1e-12) * box.abs().amax((1, 2))[:, None]
        length = (side * side).sum(-1).sqrt()  # (p, 4)
        return (turn >= -(slack * length)[:, None]).all(-1)


def _hull_area(points: tp.Tensor, valid: tp.Tensor) -> tp.Tensor:
    """Area of the convex polygon of the valid points, (p, k, 2) and (p, k) to (p,)."""
    count = valid.sum(1, keepdim=True).clamp(min=1)
    centre = (points * valid[..., None]).sum(1, keepdim=True) / count[..., None]
    # A point that is not valid sits at the centre, where it adds no area.
    spokes = tp.where(valid[..., None], points - centre, tp.zeros_like(points))
    with tp.no_grad():
        angle = tp.atan2(spokes[..., 1], spokes[..., 0])
        order = tp.where(valid, angle, tp.full_like(angle, 4.0)).argsort(1)
    spokes = spokes.gather(1, order[..., None].broadcast_to(spokes.shape))
    # Invalid points came last; the first valid one closes the polygon.
    last = valid.sum(1, keepdim=True) - 1
    place = tp.arange(points.shape[1], device=points.device)[None]
    after = tp.where(place == last, tp.zeros_like(place + last), place + 1)
    after = after.clamp(max=points.shape[1] - 1)
    following = spokes.gather(1, after[..., None].broadcast_to(spokes.shape))
    return (_cross(spokes, following).sum(1) / 2).clamp(min=0)

"""A line search for a point that satisfies the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from ..tensor import Tensor

__all__ = ["Point", "strong_wolfe"]

DECREASE, CURVATURE = 1e-4, 0.9  # c1 and c2 of Nocedal and Wright 2006, eq. 3.7


class Point(NamedTuple):
    """A step along the direction, the loss there, its gradient, and the slope of the direction."""

    t: float
    loss: float
    grad: Tensor
    slope: float


def strong_wolfe(
    evaluate: Callable[[float], Point],
    start: Point,
    t: float,
    length: float,
    tolerance_change: float,
    most: int,
) -> tuple[Point, int]:
    """A point where the loss has fallen enough and the slope is flat enough.

    Args:
        evaluate: the point at a step.
        start: the point at step 0, of negative slope.
        t: the first step to try.
        length: the largest element of the direction; brackets that move no element by more than
            tolerance_change are not refined.
        tolerance_change: see there.
        most: how often to evaluate.

    Returns:
        The point, and how often `evaluate` was called. With the calls used up, the best point.

    Source: Nocedal and Wright 2006, algorithms 3.5 and 3.6; steps by cubic interpolation, kept
    away from the ends of the bracket, as in Schmidt's minFunc.
    """
    search = _Search(evaluate, start, length, tolerance_change, most)
    return search.run(t), search.calls


class _Search:
    def __init__(
        self,
        evaluate: Callable[[float], Point],
        start: Point,
        length: float,
        tolerance_change: float,
        most: int,
    ) -> None:
        self._evaluate, self.start, self.length = evaluate, start, length
        self.tolerance, self.most, self.calls, self.rounds = tolerance_change, most, 0, 0

    def at(self, t: float) -> Point:
        self.calls += 1
        return self._evaluate(t)

    def too_high(self, point: Point, best: float) -> bool:
        """Whether the loss has not fallen enough, or not below `best`."""
        wanted = self.start.loss + DECREASE * point.t * self.start.slope
        return point.loss > wanted or point.loss >= best

    def flat(self, point: Point) -> bool:
        return abs(point.slope) <= -CURVATURE * self.start.slope

    def run(self, t: float) -> Point:
        found, bracket = self._bracket(t)
        return found if found is not None else self._zoom(*bracket)

    def _bracket(self, t: float) -> tuple[Point | None, tuple[Point, Point]]:
        """A point that satisfies the conditions, or two points with such a one between them."""
        before, point = self.start, self.at(t)
        while self.rounds < self.most:
            best = before.loss if self.rounds > 1 else math.inf
            if self.too_high(point, best):
                return None, (before, point)
            if self.flat(point):
                return point, (before, point)
            if point.slope >= 0:
                return None, (before, point)
            low, high = point.t + 0.01 * (point.t - before.t), point.t * 10
            t = _cubic(before, point, low, high)
            before, point = point, self.at(t)
            self.rounds += 1
        return None, (self.start, point)

    def _zoom(self, one: Point, other: Point) -> Point:
        """Narrow the bracket down; `low` is the end with the lower loss."""
        low, high = (one, other) if one.loss <= other.loss else (other, one)
        stuck = False
        while self.rounds < self.most:
            ends = min(low.t, high.t), max(low.t, high.t)
            if (ends[1] - ends[0]) * self.length < self.tolerance:
                break
            t, stuck = _inside(_cubic(low, high, *ends), *ends, stuck)
            point = self.at(t)
            self.rounds += 1
            if self.too_high(point, low.loss):
                low, high = (low, point) if low.loss <= point.loss else (point, low)
            elif self.flat(point):
                return point
            else:
                low, high = point, low if point.slope * (high.t - low.t) >= 0 else high
        return low


def _inside(t: float, low: float, high: float, stuck: bool) -> tuple[float, bool]:
    """A step near an end of the bracket twice in a row is moved a tenth inwards."""
    margin = 0.1 * (high - low)
    if min(high - t, t - low) >= margin:
        return t, False
    if not stuck and low < t < high:
        return t, True
    return (high - margin if abs(t - high) < abs(t - low) else low + margin), False


def _cubic(one: Point, two: Point, low: float, high: float) -> float:
    """The minimum of the cubic through two points with slopes, clipped to [low, high].

    Source: Nocedal and Wright 2006, eq. 3.59.
    """
    left, right = (one, two) if one.t <= two.t else (two, one)
    d1 = left.slope + right.slope - 3 * (left.loss - right.loss) / (left.t - right.t)
    inner = d1 * d1 - left.slope * right.slope
    if not inner >= 0:
        return (low + high) / 2
    d2 = math.sqrt(inner)
    share = (right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2)
    return min(max(right.t - (right.t - left.t) * share, low), high)

"""How well scores tell same from different: for speaker verification and wake words."""

from __future__ import annotations

import numpy as np

from triptych import Tensor
from triptych.errors import DomainError, ShapeError
from triptych_audio.interop import same_kind

__all__ = ["equal_error_rate", "min_dcf"]


def _error_rates(
    name: str, scores: Tensor, labels: Tensor
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Thresholds, and which share of the same is missed and of the different accepted at each."""
    values = scores.detach().cpu().numpy().astype(np.float64).reshape(-1)
    same = labels.detach().cpu().numpy().reshape(-1) > 0
    if values.shape != same.shape or not same.any() or same.all():
        raise ShapeError(
            f"{name}: wanted as many labels as scores, some 1 and some 0, got {len(same)} labels, "
            f"{int(same.sum())} of them 1, and {len(values)} scores"
        )
    order = np.argsort(values, kind="stable")
    values, same = values[order], same[order]
    last = np.append(np.flatnonzero(np.diff(values)), len(values) - 1)  # of equal scores
    missed = np.append(0, np.cumsum(same)[last]) / same.sum()
    accepted = 1 - np.append(0, np.cumsum(~same)[last]) / (~same).sum()
    return np.append(values[0], np.append(values[last[:-1] + 1], np.inf)), missed, accepted


@same_kind
def equal_error_rate(scores: Tensor, labels: Tensor) -> tuple[float, float]:
    """The rate at which as many are wrongly accepted as wrongly refused.

    Args:
        scores: (n,) higher means more likely the same.
        labels: (n,) 1 for the same, 0 for different.

    Returns:
        The rate, between the two nearest thresholds where there is none, and the threshold: scores
        from it on are accepted.

    Raises:
        ShapeError: numbers differ, or all labels are alike.

    Example:
        >>> equal_error_rate(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1]))
        (0.5, 0.4)
    """
    thresholds, missed, accepted = _error_rates("equal_error_rate", scores, labels)
    i = int(np.argmax(missed >= accepted))
    before = max(i - 1, 0)
    gap, rest = accepted[before] - missed[before], missed[i] - accepted[i]
    share = gap / (gap + rest) if gap + rest > 0 else 0.0
    rate = missed[before] + share * (missed[i] - missed[before])
    nearer = i if rest <= gap else before
    return float(rate), float(thresholds[nearer])


@same_kind
def min_dcf(
    scores: Tensor,
    labels: Tensor,
    p_target: float = 0.01,
    cost_miss: float = 1.0,
    cost_false_alarm: float = 1.0,
) -> tuple[float, float]:
    """The least detection cost over all thresholds, relative to accepting all or none.

    Args:
        scores: (n,) higher means more likely the same.
        labels: (n,) 1 for the same, 0 for different.
        p_target: how likely the same is in use.
        cost_miss: of refusing the same.
        cost_false_alarm: of accepting the different.

    Returns:
        The cost, from 0 to 1, and the threshold: scores from it on are accepted.

    Raises:
        ShapeError: numbers differ, or all labels are alike.
        DomainError: p_target is not between 0 and 1, or a cost is not positive.

    Source: NIST 2016 Speaker Recognition Evaluation Plan, section 3.
    """
    if not 0 < p_target < 1 or min(cost_miss, cost_false_alarm) <= 0:
        raise DomainError(
            "min_dcf: wanted 0 < p_target < 1 and positive costs, got "
            f"{p_target}, {cost_miss} and {cost_false_alarm}"
        )
    thresholds, missed, accepted = _error_rates("min_dcf", scores, labels)
    of_misses, of_alarms = cost_miss * p_target, cost_false_alarm * (1 - p_target)
    costs = (of_misses * missed + of_alarms * accepted) / min(of_misses, of_alarms)
    best = int(costs.argmin())
    return float(costs[best]), float(thresholds[best])

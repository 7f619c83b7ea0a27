"""Which steps of a loop a profile records."""

from __future__ import annotations

import enum
from collections.abc import Callable

__all__ = ["ProfilerAction", "schedule"]


class ProfilerAction(enum.Enum):
    """What a profile does during a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0
) -> Callable[[int], ProfilerAction]:
    """A function of the step for `profile`: cycles of waiting, warming up and recording.

    Args:
        wait, warmup, active: steps of each part of a cycle; at least one is active.
        repeat: how many cycles; 0 for no end.
        skip_first: steps before the first cycle.

    Raises:
        ValueError: a count is negative, or active is 0.

    Example:
        >>> plan = schedule(wait=1, warmup=1, active=2)
        >>> [plan(step).name for step in range(5)]
        ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE', 'NONE']
    """
    counts = {"wait": wait, "warmup": warmup, "repeat": repeat, "skip_first": skip_first}
    for name, value in counts.items():
        if value < 0:
            raise ValueError(f"schedule: {name} should be at least 0, got {value}")
    if active < 1:
        raise ValueError(f"schedule: active should be at least 1, got {active}")
    cycle = wait + warmup + active

    def action(step: int) -> ProfilerAction:
        step -= skip_first
        if step < 0 or (repeat and step >= repeat * cycle):
            return ProfilerAction.NONE
        place = step % cycle
        if place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD_AND_SAVE if place == cycle - 1 else ProfilerAction.RECORD

    return action

"""Schedule by success: lower the rates when a metric stops improving."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..optimizer import Optimizer
from .annealed import per_group
from .base import LRScheduler

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(LRScheduler):
    """Multiply the rates by factor when a metric has not improved for more than patience epochs.

    Args:
        mode: "min" if lower is better, "max" if higher.
        factor: less than 1.
        patience: how many epochs without improvement are put up with.
        threshold: how much better counts as improvement,
        threshold_mode: "rel", relative to the best, or "abs".
        cooldown: epochs after a reduction that are not judged.
        min_lr: where to stop, or one per group.
        eps: a smaller change of a rate is left out.

    Raises:
        ValueError: an option is out of its range.

    Example:
        >>> optimizer = triptych.optim.SGD([triptych.ones(1, requires_grad=True)], lr=1.0)
        >>> schedule = ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
        >>> for loss in (3.0, 2.0, 2.0):
        ...     schedule.step(loss)
        >>> schedule.get_last_lr()
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"ReduceLROnPlateau: wanted an Optimizer, got {type(optimizer).__name__}"
            )
        if factor >= 1:
            raise ValueError(f"ReduceLROnPlateau: factor should be less than 1, got {factor}")
        for name, value, allowed in (
            ("mode", mode, ("min", "max")),
            ("threshold_mode", threshold_mode, ("rel", "abs")),
        ):
            if value not in allowed:
                raise ValueError(
                    f"ReduceLROnPlateau: {name} should be one of {allowed}, got {value!r}"
                )
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.cooldown, self.eps = cooldown, eps
        self.min_lrs = per_group("min_lr", min_lr, optimizer)
        self.last_epoch = 0
        self.best = math.inf if mode == "min" else -math.inf
        self.cooldown_counter = self.num_bad_epochs = 0
        self._note()

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Judge a metric, a number or 0-d tensor, and lower the rates if it is time."""
        value = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self.num_bad_epochs += 1
        if self._improves(value):
            self.best, self.num_bad_epochs = value, 0
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._note()

    @property
    def in_cooldown(self) -> bool:
        """Whether epochs are not judged yet after a reduction."""
        return self.cooldown_counter > 0

    def _improves(self, value: float) -> bool:
        margin = -self.threshold if self.mode == "min" else self.threshold
        goal = self.best + margin if self.threshold_mode == "abs" else self.best * (1 + margin)
        return value < goal if self.mode == "min" else value > goal

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            self.min_lrs += [self.min_lrs[-1]] * (len(groups) - len(self.min_lrs))
        for group, low in zip(groups, self.min_lrs, strict=True):
            old = float(group["lr"])
            new = max(old * self.factor, low)
            if old - new > self.eps:
                group["lr"] = new

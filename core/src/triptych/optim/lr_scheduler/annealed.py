"""Schedules along curves with a lower bound: cosines, restarts, one cycle."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts", "OneCycleLR"]


def _bow(part: float) -> float:
    """Half a cosine: 1 at 0, 0 at 1."""
    return (1 + math.cos(math.pi * part)) / 2


class CosineAnnealingLR(LRScheduler):
    """Bring the rates down to eta_min along half a cosine over T_max epochs; then up again.

    Args:
        T_max: epochs from top to bottom.
        eta_min: the lowest rate.

    Source: Loshchilov and Hutter 2017, eq. 5, without restarts.
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rates there are, moved along the curve by one epoch."""
        low, t = self.eta_min, self.last_epoch
        if self._is_initial or t == 0:
            return self.current()
        if (t - 1 - self.T_max) % (2 * self.T_max) == 0:  # from the bottom no ratio leads up
            rise = 1 - _bow(1 / self.T_max)
            pairs = zip(self.base_lrs, self.current(), strict=True)
            return [rate + (base - low) * rise for base, rate in pairs]
        ratio = _bow(t / self.T_max) / _bow((t - 1) / self.T_max)
        return [low + (rate - low) * ratio for rate in self.current()]

    def closed_form(self) -> list[float]:
        """The curve itself."""
        low = self.eta_min
        return [low + (b - low) * _bow(self.last_epoch / self.T_max) for b in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Bring the rates down to eta_min along half a cosine, start again from the top, and so on.

    Args:
        T_0: epochs until the first restart.
        T_mult: each period is this many times as long as the one before.
        eta_min: the lowest rate.

    Raises:
        ValueError: T_0 or T_mult is no positive integer.

    Source: Loshchilov and Hutter 2017, eq. 5.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        for name, value in (("T_0", T_0), ("T_mult", T_mult)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(
                    f"CosineAnnealingWarmRestarts: {name} should be a positive integer, got "
                    f"{value!r}"
                )
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        self.T_i, self.T_cur = T_0, float(last_epoch)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The curve at `T_cur` of a period of `T_i`."""
        low, height = self.eta_min, _bow(self.T_cur / self.T_i)
        return [low + (base - low) * height for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Move to the next epoch, or to a given point, such as 2.5 in the middle of epoch 2.

        Raises:
            ValueError: epoch is negative.
        """
        epoch = self.last_epoch + 1 if epoch is None else epoch
        if epoch < 0:
            raise ValueError(
                f"CosineAnnealingWarmRestarts: epoch should be at least 0, got {epoch}"
            )
        self._place(epoch)
        self.last_epoch = math.floor(epoch)
        for group, rate in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = rate
        self._note()

    def _place(self, epoch: float) -> None:
        """Find the period that an epoch is in, and the place in it."""
        start, self.T_i = 0, self.T_0
        if self.T_mult == 1:
            start = int(epoch // self.T_0) * self.T_0
        else:
            while epoch >= start + self.T_i:
                start, self.T_i = start + self.T_i, self.T_i * self.T_mult
        self.T_cur = epoch - start


def _line(part: float) -> float:
    return 1 - part


_CURVES: dict[str, Callable[[float], float]] = {"cos": _bow, "linear": _line}

# (name of the group's option at the start, at the end) of each phase
_Phase = tuple[float, tuple[str, str], tuple[str, str]]


class OneCycleLR(LRScheduler):
    """Raise the rates to max_lr, then bring them far below the start; momentum goes the other way.

    To be called after every batch.

    Args:
        max_lr: the highest rate, or one per group.
        total_steps: how many steps the cycle has; or give epochs and steps_per_epoch.
        pct_start: the part of the cycle, in [0, 1], in which the rates rise.
        anneal_strategy: "cos" or "linear".
        cycle_momentum: move momentum (for Adam beta1) from max_momentum to base_momentum and back.
        base_momentum, max_momentum: its bounds, or one per group.
        div_factor: the cycle starts at ``max_lr / div_factor``,
        final_div_factor: and ends at the start's rate divided by this.
        three_phase: fall to the start's rate first, as fast as it rose, and then to the end's.

    Raises:
        ValueError: an option is out of its range, the length of the cycle is missing, the
            optimizer has no momentum to cycle, or the cycle is over.

    Source: Smith and Topin 2019; the default shape is that of fastai.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        self.total_steps = _total(total_steps, epochs, steps_per_epoch)
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: pct_start should be in [0, 1], got {pct_start}")
        if anneal_strategy not in _CURVES:
            raise ValueError(
                f"OneCycleLR: anneal_strategy should be 'cos' or 'linear', got {anneal_strategy!r}"
            )
        self._anneal_func_type, self.cycle_momentum = anneal_strategy, cycle_momentum
        self._phases = _phases(self.total_steps, pct_start, three_phase)
        self.use_beta1 = "betas" in optimizer.defaults
        if cycle_momentum and not self.use_beta1 and "momentum" not in optimizer.defaults:
            raise ValueError(
                f"OneCycleLR: {type(optimizer).__name__} has neither momentum nor betas; pass "
                "cycle_momentum=False"
            )
        if last_epoch == -1:
            rates = per_group("max_lr", max_lr, optimizer)
            lows = per_group("base_momentum", base_momentum, optimizer)
            highs = per_group("max_momentum", max_momentum, optimizer)
            for group, top, low, high in zip(
                optimizer.param_groups, rates, lows, highs, strict=True
            ):
                start = top / div_factor
                group.update(initial_lr=start, max_lr=top, min_lr=start / final_div_factor)
                if cycle_momentum:
                    group.update(base_momentum=low, max_momentum=high)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rates of the step; sets the momentum, too."""
        t = self.last_epoch
        if t > self.total_steps:
            raise ValueError(
                f"OneCycleLR: step {t} of a cycle of {self.total_steps}; raise total_steps, or stop"
            )
        start, (end, rates, momenta) = self._phase(t)
        part = (t - start) / (end - start) if end > start else 1.0
        height = _CURVES[self._anneal_func_type](part)
        for group in self.optimizer.param_groups if self.cycle_momentum else ():
            value = _between(group, momenta, height)
            if self.use_beta1:
                group["betas"] = (value, *group["betas"][1:])
            else:
                group["momentum"] = value
        return [_between(group, rates, height) for group in self.optimizer.param_groups]

    def _phase(self, t: int) -> tuple[float, _Phase]:
        """Where the phase of a step starts, and the phase."""
        start = 0.0
        for phase in self._phases[:-1]:
            if t <= phase[0]:
                return start, phase
            start = phase[0]
        return start, self._phases[-1]


def _total(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    given = {"total_steps": total_steps}
    if total_steps is None:
        given = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
    product = 1
    for name, value in given.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(
                f"OneCycleLR: {name} should be a positive integer, got {value!r}; give "
                "total_steps, or epochs and steps_per_epoch"
            )
        product *= value
    return product


def _phases(total: int, pct_start: float, three_phase: bool) -> list[_Phase]:
    peak = pct_start * total - 1
    rise: _Phase = (peak, ("initial_lr", "max_lr"), ("max_momentum", "base_momentum"))
    if not three_phase:
        return [rise, (total - 1, ("max_lr", "min_lr"), ("base_momentum", "max_momentum"))]
    fall: _Phase = (2 * peak, ("max_lr", "initial_lr"), ("base_momentum", "max_momentum"))
    rest: _Phase = (total - 1, ("initial_lr", "min_lr"), ("max_momentum", "max_momentum"))
    return [rise, fall, rest]


def _between(group: dict[str, Any], ends: tuple[str, str], height: float) -> Any:
    """From the option at the start (height 1) to that at the end (height 0)."""
    start, end = (group[key] for key in ends)
    return end + (start - end) * height


def per_group(name: str, value: Any, optimizer: Optimizer) -> list[Any]:
    """One value per group.

    Raises:
        ValueError: there are more or fewer values than groups.
    """
    n = len(optimizer.param_groups)
    if not isinstance(value, Sequence):
        return [value] * n
    if len(value) != n:
        raise ValueError(f"{name}: {len(value)} values for {n} parameter groups")
    return list(value)

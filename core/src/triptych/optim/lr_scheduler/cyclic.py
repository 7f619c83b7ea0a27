"""A rate that goes up and down between two bounds."""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..optimizer import Optimizer
from .annealed import per_group
from .base import LRScheduler

__all__ = ["CyclicLR"]

# mode: (what the height depends on, the height from that and gamma)
_MODES: dict[str, tuple[str, Callable[[float, float], float]]] = {
    "triangular": ("cycle", lambda x, gamma: 1.0),
    "triangular2": ("cycle", lambda x, gamma: 0.5 ** (x - 1)),
    "exp_range": ("iterations", lambda x, gamma: gamma**x),
}


class CyclicLR(LRScheduler):
    """Move the rates up from base_lr to max_lr and down again, in straight lines, over and over.

    Momentum goes the other way. To be called after every batch.

    Args:
        base_lr, max_lr: lower and upper bound, or one per group.
        step_size_up, step_size_down: steps of the rising and the falling half; default alike.
        mode: "triangular" keeps the height of the cycles, "triangular2" halves it after each,
            "exp_range" multiplies it by gamma at each step.
        gamma: see mode.
        scale_fn: a height of your own, in place of mode: a function of the number of the cycle
            (from 1), or of the step with ``scale_mode="iterations"``.
        scale_mode: see scale_fn.
        cycle_momentum: move momentum (for Adam beta1) from max_momentum to base_momentum and back.
        base_momentum, max_momentum: its bounds, or one per group.

    Raises:
        ValueError: mode is unknown, or the optimizer has no momentum to cycle.

    Example:
        >>> optimizer = triptych.optim.SGD([triptych.ones(1, requires_grad=True)], momentum=0.9)
        >>> schedule = CyclicLR(optimizer, base_lr=0.0, max_lr=1.0, step_size_up=2)
        >>> rates = []
        >>> for _ in range(5):
        ...     rates += schedule.get_last_lr()
        ...     optimizer.step()
        ...     schedule.step()
        >>> rates
        [0.0, 0.5, 1.0, 0.5, 0.0]

    Source: Smith 2017, section 3.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | Sequence[float],
        max_lr: float | Sequence[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.8,
        max_momentum: float | Sequence[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        if scale_fn is None and mode not in _MODES:
            raise ValueError(f"CyclicLR: mode should be one of {', '.join(_MODES)}, got {mode!r}")
        down = step_size_up if step_size_down is None else step_size_down
        self.total_size = step_size_up + down
        self.step_ratio = step_size_up / self.total_size
        self.mode, self.gamma, self.scale_fn = mode, gamma, scale_fn
        self.scale_mode = scale_mode if scale_fn is not None else _MODES[mode][0]
        lows = per_group("base_lr", base_lr, optimizer)
        self.max_lrs = per_group("max_lr", max_lr, optimizer)
        if last_epoch == -1:
            for group, low in zip(optimizer.param_groups, lows, strict=True):
                group["lr"] = low
        self.cycle_momentum, self.use_beta1 = cycle_momentum, "betas" in optimizer.defaults
        if cycle_momentum:
            if not self.use_beta1 and "momentum" not in optimizer.defaults:
                raise ValueError(
                    f"CyclicLR: {type(optimizer).__name__} has neither momentum nor betas; pass "
                    "cycle_momentum=False"
                )
            self.base_momentums = per_group("base_momentum", base_momentum, optimizer)
            self.max_momentums = per_group("max_momentum", max_momentum, optimizer)
        for group, low in zip(optimizer.param_groups, lows, strict=True):
            if last_epoch == -1:
                group["initial_lr"] = float(low)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = [float(low) for low in lows]

    def get_lr(self) -> list[float]:
        """The rates of the step; sets the momentum, too."""
        height = self._height()
        if self.cycle_momentum:
            pairs = zip(self.base_momentums, self.max_momentums, strict=True)
            for group, (low, high) in zip(self.optimizer.param_groups, pairs, strict=True):
                value = high - (high - low) * height
                if self.use_beta1:
                    group["betas"] = (value, *group["betas"][1:])
                else:
                    group["momentum"] = value
        bounds = zip(self.base_lrs, self.max_lrs, strict=True)
        return [low + (high - low) * height for low, high in bounds]

    def _height(self) -> float:
        """How far up, from 0 to 1 in the first cycle."""
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        part = 1 + self.last_epoch / self.total_size - cycle
        rising = part <= self.step_ratio
        line = part / self.step_ratio if rising else (part - 1) / (self.step_ratio - 1)
        x = cycle if self.scale_mode == "cycle" else self.last_epoch
        if self.scale_fn is not None:
            return line * self.scale_fn(x)
        return line * _MODES[self.mode][1](x, self.gamma)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer and a plain function; of a callable its attributes."""
        plain = self.scale_fn is None or isinstance(self.scale_fn, types.FunctionType)
        return {
            **super().state_dict(),
            "scale_fn": None if plain else dict(self.scale_fn.__dict__),
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from what `state_dict` gave; a plain function stays that of this schedule."""
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "scale_fn"})
        if state_dict["scale_fn"] is not None and self.scale_fn is not None:
            self.scale_fn.__dict__.update(state_dict["scale_fn"])

"""Schedules that multiply the rates by a factor from epoch to epoch.

They can act together on one optimizer, since each changes the rates that are there.
"""

from __future__ import annotations

import types
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler

__all__ = [
    "ConstantLR",
    "ExponentialLR",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "PolynomialLR",
    "StepLR",
]


class ScaledLR(LRScheduler):
    """Base of schedules with one factor for all groups: ``lr = base * scale``."""

    # Whether the ratio applies when a schedule is continued with last_epoch; as in torch.
    _moves_when_continued = False

    def scale(self) -> float:
        """The factor of `last_epoch` on the base rates."""
        raise NotImplementedError

    def ratio(self) -> float:
        """The factor from the epoch before to `last_epoch`."""
        raise NotImplementedError

    def get_lr(self) -> list[float]:
        """The rates there are, times a factor."""
        if self.last_epoch == 0:
            factor = self.scale()
        elif self._is_initial and not self._moves_when_continued:
            factor = 1.0
        else:
            factor = self.ratio()
        return [rate * factor for rate in self.current()]

    def closed_form(self) -> list[float] | None:
        """The base rates times `scale`."""
        return [base * self.scale() for base in self.base_lrs]


class StepLR(ScaledLR):
    """Multiply the rates by gamma every step_size epochs.

    Example:
        >>> optimizer = triptych.optim.SGD([triptych.ones(1, requires_grad=True)], lr=1.0)
        >>> schedule = StepLR(optimizer, step_size=2, gamma=0.5)
        >>> for _ in range(4):
        ...     optimizer.step()
        ...     schedule.step()
        >>> schedule.get_last_lr()
        [0.25]
    """

    _moves_when_continued = True

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        if step_size < 1:
            raise ValueError(f"StepLR: step_size should be at least 1, got {step_size}")
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def scale(self) -> float:
        """The factor of `last_epoch` on the base rates."""
        return self.gamma ** (self.last_epoch // self.step_size)

    def ratio(self) -> float:
        """The factor from the epoch before."""
        return self.gamma if self.last_epoch % self.step_size == 0 else 1.0


class MultiStepLR(ScaledLR):
    """Multiply the rates by gamma at each of the milestones, which are epochs."""

    _moves_when_continued = True

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def scale(self) -> float:
        """The factor of `last_epoch` on the base rates."""
        return self.gamma ** bisect_right(sorted(self.milestones.elements()), self.last_epoch)

    def ratio(self) -> float:
        """The factor from the epoch before."""
        return self.gamma ** self.milestones[self.last_epoch]


class ConstantLR(ScaledLR):
    """Multiply the rates by a factor until epoch total_iters.

    Raises:
        ValueError: factor is outside (0, 1].
    """

    _moves_when_continued = True

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < factor <= 1:
            raise ValueError(f"ConstantLR: factor should be in (0, 1], got {factor}")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def scale(self) -> float:
        """The factor of `last_epoch` on the base rates."""
        return self.factor if self.last_epoch < self.total_iters else 1.0

    def ratio(self) -> float:
        """The factor from the epoch before."""
        return 1.0 / self.factor if self.last_epoch == self.total_iters else 1.0


class LinearLR(ScaledLR):
    """Move a factor on the rates in a line from start_factor to end_factor over total_iters epochs.

    Raises:
        ValueError: start_factor is outside (0, 1] or end_factor outside [0, 1].
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not (0 < start_factor <= 1 and 0 <= end_factor <= 1):
            raise ValueError(
                "LinearLR: start_factor should be in (0, 1] and end_factor in [0, 1], got "
                f"{start_factor} and {end_factor}"
            )
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _at(self, epoch: int) -> float:
        part = min(self.total_iters, epoch) / max(self.total_iters, 1)
        return self.start_factor + (self.end_factor - self.start_factor) * part

    def scale(self) -> float:
        """The factor of `last_epoch` on the base rates."""
        return self._at(self.last_epoch)

    def ratio(self) -> float:
        """The factor from the epoch before."""
        if self.last_epoch > self.total_iters:
            return 1.0
        return self._at(self.last_epoch) / self._at(self.last_epoch - 1)


class ExponentialLR(ScaledLR):
    """Multiply the rates by gamma every epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def scale(self) -> float:
        """The factor of `last_epoch` on the base rates."""
        return float(self.gamma**self.last_epoch)

    def ratio(self) -> float:
        """The factor from the epoch before."""
        return self.gamma


class PolynomialLR(ScaledLR):
    """Bring the rates to zero as ``(1 - epoch / total_iters) ** power``."""

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
    ) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def _left(self, epoch: int) -> float:
        return 1.0 - min(self.total_iters, epoch) / self.total_iters

    def scale(self) -> float:
        """The factor of `last_epoch` on the base rates."""
        return float(self._left(self.last_epoch) ** self.power)

    def ratio(self) -> float:
        """The factor from the epoch before."""
        if self.last_epoch > self.total_iters:
            return 1.0
        return float((self._left(self.last_epoch) / self._left(self.last_epoch - 1)) ** self.power)


Factor = Callable[[int], float]


class LambdaLR(LRScheduler):
    """Multiply the base rates by a function of the epoch.

    Args:
        lr_lambda: one function, or one per group.

    Raises:
        ValueError: as many functions as groups are wanted; TypeError: one is no function.

    Example:
        >>> optimizer = triptych.optim.SGD([triptych.ones(1, requires_grad=True)], lr=2.0)
        >>> LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch)).get_last_lr()
        [2.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Factor | Sequence[Factor],
        last_epoch: int = -1,
    ) -> None:
        name, groups = type(self).__name__, optimizer.param_groups
        self.lr_lambdas: list[Factor] = (
            list(lr_lambda) if isinstance(lr_lambda, Sequence) else [lr_lambda] * len(groups)
        )
        if len(self.lr_lambdas) != len(groups):
            raise ValueError(
                f"{name}: {len(self.lr_lambdas)} functions for {len(groups)} parameter groups"
            )
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(f"{name}: lr_lambda should be a function, got {function!r:.60}")
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The base rates times the functions' values."""
        return [b * f(self.last_epoch) for f, b in zip(self.lr_lambdas, self.base_lrs, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer and plain functions; of callables their attributes."""
        saved = super().state_dict()
        saved["lr_lambdas"] = [
            None if isinstance(f, types.FunctionType) else dict(f.__dict__) for f in self.lr_lambdas
        ]
        return saved

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from what `state_dict` gave; plain functions stay those of this schedule."""
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "lr_lambdas"})
        for function, attributes in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if attributes is not None:
                function.__dict__.update(attributes)


class MultiplicativeLR(LambdaLR):
    """Multiply the rates there are by a function of the epoch, from epoch 1 on.

    Args:
        lr_lambda: one function, or one per group.
    """

    def get_lr(self) -> list[float]:
        """The rates there are, times the functions' values."""
        if self._is_initial:
            return self.current()
        rates = zip(self.lr_lambdas, self.current(), strict=True)
        return [rate * f(self.last_epoch) for f, rate in rates]

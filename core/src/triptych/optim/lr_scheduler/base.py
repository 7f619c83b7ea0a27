"""`LRScheduler`: what all schedules share."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from ..optimizer import Optimizer

__all__ = ["LRScheduler"]


class LRScheduler:
    """Base of the schedules. A subclass writes `get_lr`.

    Args:
        optimizer: whose groups to schedule.
        last_epoch: the number of the last epoch that was run; -1 starts afresh. To continue, each
            group needs "initial_lr", which the optimizer's checkpoint contains.

    Attributes:
        base_lrs: the rate of each group at the start.
        last_epoch: the number of the current epoch, from 0.

    Raises:
        TypeError: optimizer is none.
        KeyError: last_epoch is given and a group has no "initial_lr".

    Example:
        >>> class Halving(LRScheduler):
        ...     def get_lr(self):
        ...         return [base * 0.5**self.last_epoch for base in self.base_lrs]
        >>> optimizer = triptych.optim.SGD([triptych.ones(1, requires_grad=True)], lr=1.0)
        >>> schedule = Halving(optimizer)
        >>> optimizer.step()
        >>> schedule.step()
        >>> optimizer.param_groups[0]["lr"]
        0.5
    """

    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = _checked(optimizer, type(self).__name__)
        _remember_initial(optimizer, last_epoch)
        self.base_lrs: list[float] = [float(g["initial_lr"]) for g in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._initial_step()

    def _initial_step(self) -> None:
        """Set the rates of the first epoch."""
        self._step_count = 0
        self._steps_before = self.optimizer._num_steps
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def get_lr(self) -> list[float]:
        """The rate of each group for `last_epoch`; may build on the rates there are."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_lr()")

    def closed_form(self) -> list[float] | None:
        """The rates from `base_lrs` and `last_epoch` alone; None if there is no such formula."""
        return None

    def get_last_lr(self) -> list[float]:
        """The rates that the last step set."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Move to the next epoch, or to a given one, and set the rates.

        Call it after ``optimizer.step()``; a warning says so if not.
        """
        if self._step_count == 1 and self.optimizer._num_steps == self._steps_before:
            warnings.warn(
                f"{type(self).__name__}.step() was called before optimizer.step(), which skips the "
                "first value of the schedule; call optimizer.step() first",
                UserWarning,
                stacklevel=2,
            )
        self._step_count += 1
        self._move(epoch)

    def _move(self, epoch: int | None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        rates = None if epoch is None else self.closed_form()
        rates = self.get_lr() if rates is None else rates
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        self._note()

    def _note(self) -> None:
        self._last_lr = self.current()

    def current(self) -> list[float]:
        """The rates that the groups have now."""
        return [float(g["lr"]) for g in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer."""
        hidden = ("optimizer", "_steps_before", "_is_initial")
        return {k: v for k, v in self.__dict__.items() if k not in hidden}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from what `state_dict` gave; the rates themselves are in the optimizer's."""
        self.__dict__.update(state_dict)


def _checked(optimizer: Any, name: str) -> Optimizer:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{name}: wanted an Optimizer, got {type(optimizer).__name__}")
    return optimizer


def _remember_initial(optimizer: Optimizer, last_epoch: int) -> None:
    for i, group in enumerate(optimizer.param_groups):
        if last_epoch == -1:
            group.setdefault("initial_lr", float(group["lr"]))
        elif "initial_lr" not in group:
            raise KeyError(
                f"last_epoch={last_epoch} continues a schedule, but group {i} has no 'initial_lr'; "
                "load the optimizer's state_dict first"
            )

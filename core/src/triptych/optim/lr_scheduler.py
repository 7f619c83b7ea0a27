"""Learning-rate schedules: each step of a schedule sets ``lr`` in the optimizer's groups.

The chained forms follow torch: a schedule multiplies the rate that is there, so several schedules
can act on one optimizer.
"""

from __future__ import annotations

import math
import warnings
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..tensor import Tensor
from .optimizer import Optimizer

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]

Group = dict[str, Any]
Rate = float | Tensor


def set_option(group: Group, key: str, value: Any) -> None:
    """Set an option; one that is a tensor keeps its identity, so captured graphs see the change."""
    if isinstance(group.get(key), Tensor):
        group[key].fill_(value)
    else:
        group[key] = value


def _copied(value: Rate) -> Rate:
    return value.detach().clone() if isinstance(value, Tensor) else value


class LRScheduler:
    """Base of the schedules. A subclass writes `get_lr`.

    Args:
        optimizer: whose groups to schedule.
        last_epoch: how many steps were made already, less one; -1 starts afresh. To continue from
            elsewhere, each group needs "initial_lr".

    Attributes:
        base_lrs: the rate of each group at the start.
        last_epoch: the number of the current step, from 0.

    Raises:
        TypeError: optimizer is none.
        KeyError: last_epoch is given and a group has no "initial_lr".

    Example:
        >>> class Halving(LRScheduler):
        ...     def get_lr(self):
        ...         return [base * 0.5**self.last_epoch for base in self.base_lrs]
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = _checked(optimizer, type(self).__name__)
        _remember_initial(optimizer, last_epoch)
        self.base_lrs: list[Rate] = [_copied(g["initial_lr"]) for g in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._steps_before = optimizer._num_steps
        self._step_count = 0
        self._last_lr: list[Rate] = []
        self._starting = True
        self.step()
        self._starting = False

    def get_lr(self) -> list[Rate]:
        """The rate of each group for `last_epoch`; may build on the rates there are."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_lr()")

    def get_last_lr(self) -> list[Rate]:
        """The rates that the last step set."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Move to the next epoch, or to a given one, and set the rates.

        Call it after ``optimizer.step()``.
        """
        if self._step_count == 1 and self.optimizer._num_steps == self._steps_before:
            warnings.warn(
                f"{type(self).__name__}.step() was called before optimizer.step(), which skips the "
                "first value of the schedule; call optimizer.step() first",
                UserWarning,
                stacklevel=2,
            )
        self._step_count += 1
        self._advance(epoch)

    def _advance(self, epoch: int | None) -> None:
        if epoch is None:
            self.last_epoch += 1
            rates = self.get_lr()
        else:
            self.last_epoch = epoch
            rates = self.closed_form() or self.get_lr()
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            set_option(group, "lr", rate)
        self._last_lr = [_copied(g["lr"]) for g in self.optimizer.param_groups]

    def closed_form(self) -> list[Rate] | None:
        """The rates from `base_lrs` and `last_epoch` alone; None if there is no such formula."""
        return None

    def _rates(self) -> list[Rate]:
        return [_copied(g["lr"]) for g in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer."""
        hidden = ("optimizer", "_steps_before", "_starting")
        return {k: v for k, v in self.__dict__.items() if k not in hidden}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from what `state_dict` gave. The rates themselves are in the optimizer's state."""
        self.__dict__.update(state_dict)


def _checked(optimizer: Any, name: str) -> Optimizer:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{name}: wanted an Optimizer, got {type(optimizer).__name__}")
    return optimizer


def _remember_initial(optimizer: Optimizer, last_epoch: int) -> None:
    for i, group in enumerate(optimizer.param_groups):
        if last_epoch == -1:
            group["initial_lr"] = _copied(group.get("initial_lr", group["lr"]))
        elif "initial_lr" not in group:
            raise KeyError(
                f"last_epoch={last_epoch} continues a schedule, but group {i} has no 'initial_lr'; load "
                "the optimizer's state_dict first"
            )

"""Averages of a model's parameters over training: SWA, EMA, and what goes with them."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..autograd.modes import no_grad
from ..nn.module import Module
from ..nn.modules.normalization import _BatchNorm
from ..ops.creation import tensor
from ..tensor import Tensor
from .lr_scheduler.annealed import per_group
from .lr_scheduler.base import LRScheduler
from .optimizer import Optimizer

__all__ = [
    "AveragedModel",
    "SWALR",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

Average = Callable[[Tensor, Tensor, Any], Tensor]
MultiAverage = Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """``f(averaged, current, count)``, the exponential moving average.

    Raises:
        ValueError: decay is outside [0, 1].
    """
    _check_decay(decay)

    def ema_update(averaged: Tensor, current: Tensor, num_averaged: Any) -> Tensor:
        return decay * averaged + (1 - decay) * current

    return ema_update


def get_swa_avg_fn() -> Average:
    """``f(averaged, current, count)``, the mean of all models so far."""

    def swa_update(averaged: Tensor, current: Tensor, num_averaged: Any) -> Tensor:
        return averaged + (current - averaged) / (num_averaged + 1)

    return swa_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAverage:
    """`get_ema_avg_fn` for lists of tensors, in place.

    Raises:
        ValueError: decay is outside [0, 1].
    """
    return _in_place(get_ema_avg_fn(decay), lambda num_averaged: 1 - decay)


def get_swa_multi_avg_fn() -> MultiAverage:
    """`get_swa_avg_fn` for lists of tensors, in place."""
    return _in_place(get_swa_avg_fn(), lambda num_averaged: 1 / (float(num_averaged) + 1))


def _in_place(average: Average, share: Callable[[Any], float]) -> MultiAverage:
    """Averages in place: where numbers are not whole, by moving a share of the way."""

    def update(averaged: Sequence[Tensor], current: Sequence[Tensor], num_averaged: Any) -> None:
        with no_grad():
            for mean, new in zip(averaged, current, strict=True):
                if mean.is_floating_point() or mean.is_complex():
                    mean.lerp_(new.to(mean.dtype), share(num_averaged))
                else:
                    mean.copy_(average(mean, new, num_averaged))

    return update


def _check_decay(decay: float) -> None:
    if not 0 <= decay <= 1:
        raise ValueError(f"decay should be in [0, 1], got {decay}")


class AveragedModel(Module):
    """A copy of a model whose parameters are an average over training.

    Args:
        model: what to average; it is copied.
        device: where to keep the average; default that of the model.
        avg_fn: ``f(averaged, current, num_averaged)`` gives the new average of one parameter.
        multi_avg_fn: the same for lists of tensors, in place. Default, the equal mean (SWA).
        use_buffers: average buffers, too; else they are copied from the model.

    Attributes:
        module: the averaged model; calling `AveragedModel` calls it.
        n_averaged: how many models went in, a 0-d int64 buffer.

    Raises:
        ValueError: both avg_fn and multi_avg_fn are given.

    Example:
        >>> net = triptych.nn.Linear(2, 1)
        >>> ema = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.9))
        >>> ema.update_parameters(net)  # after every step of training
        >>> bool((ema.module.weight == net.weight).all()), int(ema.n_averaged)
        (True, 1)

    Source: Izmailov et al. 2018 for the equal mean.
    """

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: MultiAverage | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("AveragedModel: give avg_fn or multi_avg_fn, not both")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, device=device))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The averaged model's forward."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the model's parameters into the average; the first time, copy them."""
        averaged, current = self._tensors(self.module), self._tensors(model)
        with no_grad():
            self._average(
                averaged, [t.to(m.device) for m, t in zip(averaged, current, strict=True)]
            )
            if not self.use_buffers:
                for mine, theirs in zip(self.module.buffers(), model.buffers(), strict=True):
                    mine.copy_(theirs.detach().to(mine.device))
            self.n_averaged.add_(1)

    def _average(self, averaged: list[Tensor], current: list[Tensor]) -> None:
        if self.n_averaged == 0:
            for mean, new in zip(averaged, current, strict=True):
                mean.copy_(new)
        elif self.avg_fn is not None:
            for mean, new in zip(averaged, current, strict=True):
                mean.copy_(self.avg_fn(mean, new, self.n_averaged.to(mean.device)))
        else:
            (self.multi_avg_fn or get_swa_multi_avg_fn())(averaged, current, self.n_averaged)

    def _tensors(self, model: Module) -> list[Tensor]:
        found = model.parameters()
        both = itertools.chain(found, model.buffers()) if self.use_buffers else found
        return [t.detach() for t in both]


def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the statistics of batch normalization anew, as means over one pass of the data.

    Args:
        loader: gives batches, or sequences whose first entry is the batch.
        model: is run in training mode and put back into the mode it was in.
        device: where to move batches to.
    """
    norms = [m for m in model.modules() if isinstance(m, _BatchNorm)]
    if not norms:
        return
    momenta, was_training = [m.momentum for m in norms], model.training
    model.train()
    try:
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
        with no_grad():
            for batch in loader:
                batch = batch[0] if isinstance(batch, (list, tuple)) else batch
                model(batch if device is None else batch.to(device))
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        model.train(was_training)


_CURVES: dict[str, Callable[[float], float]] = {
    "cos": lambda part: (1 - math.cos(math.pi * part)) / 2,
    "linear": lambda part: part,
}


class SWALR(LRScheduler):
    """Bring the rates to swa_lr within anneal_epochs, and keep them there.

    Args:
        swa_lr: the constant rate, or one per group.
        anneal_epochs: how long it takes to get there; 0 for at once.
        anneal_strategy: along half a cosine, "cos", or a straight line, "linear".

    Raises:
        ValueError: an option is out of its range.

    Example:
        >>> optimizer = triptych.optim.SGD([triptych.ones(1, requires_grad=True)], lr=1.0)
        >>> schedule = SWALR(optimizer, swa_lr=0.0, anneal_epochs=2, anneal_strategy="linear")
        >>> optimizer.step()
        >>> schedule.step()
        >>> schedule.get_last_lr()
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | Sequence[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        if anneal_strategy not in _CURVES:
            raise ValueError(
                f"SWALR: anneal_strategy should be 'cos' or 'linear', got {anneal_strategy!r}"
            )
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"SWALR: anneal_epochs should be at least 0, got {anneal_epochs!r}")
        rates = per_group("swa_lr", swa_lr, optimizer)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["swa_lr"] = rate
        self.anneal_epochs, self._anneal_strategy = anneal_epochs, anneal_strategy
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rates there are, moved along the curve by one step; other schedules may act, too."""
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        done, to_do = self._progress(step - 1), self._progress(step)
        return [
            group["swa_lr"] * to_do + _start(rate, group["swa_lr"], done) * (1 - to_do)
            for group, rate in zip(self.optimizer.param_groups, self.current(), strict=True)
        ]

    def _progress(self, step: int) -> float:
        part = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return _CURVES[self._anneal_strategy](part)


def _start(rate: float, end: float, done: float) -> float:
    """Where a curve began that has come to `rate`."""
    return end if done == 1 else (rate - done * end) / (1 - done)

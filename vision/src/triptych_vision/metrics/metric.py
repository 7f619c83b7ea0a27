"""The base of metrics that are fed batch by batch, and a running mean."""

from __future__ import annotations

from typing import Any

from triptych.errors import DomainError

__all__ = ["AverageMeter", "Metric"]


class Metric:
    """A number, or several, about all batches seen: `update` for each, `compute`, `reset`.

    Write those three; `__call__` is `update`.
    """

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Take a batch into account."""
        raise NotImplementedError(f"{type(self).__name__}.update is not written")

    def compute(self) -> Any:
        """The metric over everything since the last `reset`."""
        raise NotImplementedError(f"{type(self).__name__}.compute is not written")

    def reset(self) -> None:
        """Forget all batches."""
        raise NotImplementedError(f"{type(self).__name__}.reset is not written")

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        self.update(*args, **kwargs)

    def _need(self, seen: int) -> None:
        if not seen:
            raise DomainError(f"{type(self).__name__}.compute: nothing was seen; call update first")


class AverageMeter(Metric):
    """A running mean, for losses and times.

    Attributes:
        val: the latest value.
        sum: of all values, each times its weight.
        count: sum of the weights.

    Example:
        >>> loss = AverageMeter()
        >>> loss.update(2.0, n=3)
        >>> loss.update(6.0)
        >>> loss.avg
        3.0
    """

    def __init__(self) -> None:
        self.reset()

    def update(self, val: float, n: float = 1) -> None:
        """Add a value.

        Args:
            val: a number, or a tensor of one.
            n: its weight, such as the size of the batch it is the mean of.
        """
        self.val = float(val)
        self.sum += self.val * n
        self.count += n

    @property
    def avg(self) -> float:
        """The mean; 0 before the first value."""
        return self.sum / self.count if self.count else 0.0

    def compute(self) -> float:
        """The mean; 0 before the first value."""
        return self.avg

    def reset(self) -> None:
        """Forget all values."""
        self.val, self.sum, self.count = 0.0, 0.0, 0.0

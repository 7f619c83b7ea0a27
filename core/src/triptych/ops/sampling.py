"""Random numbers of many distributions: from tensors of parameters, and written into tensors.

All take ``generator=``; the default generator is seeded by `manual_seed`.
"""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from ..errors import DomainError, DTypeError
from ..prims import sampling
from ..random import Generator, default_generator
from ..state import state
from ..tensor import Tensor
from . import random as random_ops
from .inplace import overwrite

__all__ = ["binomial", "poisson", "randint_like"]


def _check(name: str, holds: Tensor, wanted: str) -> None:
    """Raise DomainError unless all elements hold; a traced graph cannot look."""
    if state.trace is None and not bool(holds.all()):
        raise DomainError(f"{name}: wanted {wanted}")


def _floating(name: str, *tensors: Any) -> None:
    for x in tensors:
        if not isinstance(x, Tensor) or not x.is_floating_point():
            came = x.dtype if isinstance(x, Tensor) else type(x).__name__
            raise DTypeError(f"{name}: wanted a floating tensor, got {came}; use .float()")


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Whole numbers from Poisson distributions.

    Args:
        input: the rates, floating and not negative.

    Returns:
        the shape and dtype of input.

    Raises:
        DomainError: a rate is negative or no number.

    Example:
        >>> poisson(zeros(3)).tolist()
        [0.0, 0.0, 0.0]
    """
    _floating("poisson", input)
    _check("poisson", (input >= 0) & (input < 2.0**62), "rates from 0 to 2 ** 62")
    return sampling.poisson(
        input.detach(), generator=generator or default_generator, device=input.device
    )


def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """How many of `count` trials succeed, each with probability `prob`; both broadcast.

    Raises:
        DomainError: a count is negative, or a probability outside [0, 1].
    """
    _floating("binomial", count, prob)
    _check("binomial", (count >= 0) & (count < 2.0**62), "counts from 0 to 2 ** 62")
    _check("binomial", (prob >= 0) & (prob <= 1), "probabilities from 0 to 1")
    return sampling.binomial(
        count.detach(),
        prob.detach(),
        generator=generator or default_generator,
        device=prob.device,
    )


def randint_like(
    input: Tensor,
    low: int,
    high: int | None = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Integers in the shape, dtype and device of another tensor: ``randint_like(x, 10)`` from 0 to
    9, ``randint_like(x, 3, 10)`` from 3 to 9.
    """
    low, high = (0, low) if high is None else (low, high)
    out = random_ops.randint(
        low,
        high,
        tuple(input.shape),
        generator=generator,
        dtype=input.dtype if dtype is None else dtype,
        device=input.device if device is None else device,
    )
    return out.requires_grad_() if requires_grad else out


# In-place forms


def _fractions(self: Tensor, generator: Generator | None) -> Tensor:
    """Uniform numbers above zero, up to one, in the dtype of a floating tensor."""
    return 1 - random_ops.rand_like(self, generator=generator)


def _positive(name: str, value: float, what: str) -> None:
    if not value > 0:
        raise DomainError(f"{name}: wanted {what} > 0, got {value}")


def uniform_(
    self: Tensor, from_: float = 0.0, to: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Write uniform numbers from [from_, to); returns self."""
    if not from_ <= to:
        raise DomainError(f"uniform_: the range from {from_} to {to} is empty")
    draws = random_ops.rand_like(self, generator=generator)
    return overwrite(self, draws * (to - from_) + from_, "uniform_")


def normal_(
    self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Write normal numbers; returns self."""
    if not std >= 0:
        raise DomainError(f"normal_: wanted std >= 0, got {std}")
    draws = random_ops.randn_like(self, generator=generator)
    return overwrite(self, draws * std + mean, "normal_")


def log_normal_(
    self: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None
) -> Tensor:
    """Write numbers whose logarithm has this mean and standard deviation; returns self."""
    _positive("log_normal_", std, "std")
    draws = random_ops.randn_like(self, generator=generator)
    return overwrite(self, (draws * std + mean).exp(), "log_normal_")


def exponential_(self: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Write numbers of density lambd * exp(-lambd * x), all above zero; returns self."""
    _positive("exponential_", lambd, "lambd")
    draws = -_fractions(self, generator).log()
    return overwrite(self, draws.clamp(min=dtypes.finfo(self.dtype).tiny) / lambd, "exponential_")


def cauchy_(
    self: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Write Cauchy numbers around the median, of half width sigma; returns self."""
    _positive("cauchy_", sigma, "sigma")
    turns = (_fractions(self, generator) - 0.5) * math.pi
    return overwrite(self, turns.tan() * sigma + median, "cauchy_")


def geometric_(self: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Write the number of trials up to the first success of probability p: 1, 2, ...; returns self.

    Raises:
        DomainError: p is not within (0, 1).
    """
    if not 0 < p < 1:
        raise DomainError(f"geometric_: wanted 0 < p < 1, got {p}")
    draws = random_ops.rand(
        *self.shape, generator=generator, device=self.device, dtype=dtypes.float64
    )
    trials = ((1 - draws).log() / math.log1p(-p)).ceil().clamp(min=1)
    return overwrite(self, trials.to(self.dtype), "geometric_")


def bernoulli_(self: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Write one with probability p, a number or a tensor that broadcasts, else zero; returns self.

    Raises:
        DomainError: a probability is outside [0, 1].
    """
    if isinstance(p, Tensor):
        p = p.detach()
        _check("bernoulli_", (p >= 0) & (p <= 1), "probabilities from 0 to 1")
    elif not 0 <= p <= 1:
        raise DomainError(f"bernoulli_: wanted a probability from 0 to 1, got {p}")
    draws = random_ops.rand(*self.shape, generator=generator, device=self.device)
    return overwrite(self, (draws < p).to(self.dtype), "bernoulli_")


def random_(
    self: Tensor, from_: int = 0, to: int | None = None, *, generator: Generator | None = None
) -> Tensor:
    """Write integers: ``random_()`` over all that the dtype counts exactly, ``random_(to)`` from 0
    to to - 1, ``random_(from_, to)`` from from_ to to - 1. Returns self.
    """
    if to is None:
        from_, to = 0, from_ or _whole_range(self.dtype)
    draws = random_ops.randint(from_, to, self.shape, generator=generator, device=self.device)
    return overwrite(self, draws.to(self.dtype), "random_")


def _whole_range(dtype: dtypes.dtype) -> int:
    """One above the largest integer that random_() writes."""
    if dtype.is_floating_point:
        return round(2 / dtypes.finfo(dtype).eps)
    if dtype == dtypes.bool:
        return 2
    return min(dtypes.iinfo(dtype).max + 1, 2**63 - 1)

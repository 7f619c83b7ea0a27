"""Distributions over whole numbers: Bernoulli, binomial, geometric, negative binomial, Poisson."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from .. import special
from ..autograd.modes import no_grad
from ..errors import DomainError
from ..ops.creation import arange
from ..ops.pointwise import clamp, where
from ..ops.random import rand
from ..ops.sampling import binomial, poisson
from ..tensor import Tensor
from . import constraints
from .arguments import softplus, uniform_draw
from .distribution import ExponentialFamily
from .gamma import log_gamma_draw
from .odds import Odds

__all__ = ["Bernoulli", "Binomial", "Geometric", "NegativeBinomial", "Poisson"]


class Bernoulli(Odds, ExponentialFamily):
    """One with a probability, else zero.

    Args:
        probs: the probability; or
        logits: log(p / (1 - p)).
    """

    support: Any = constraints.boolean
    has_enumerate_support = True
    _mean_carrier_measure = 0

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._start_odds(probs, logits, validate_args)

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        one = (self.probs >= 0.5).to(self.probs.dtype)
        return where(self.probs == 0.5, float("nan"), one)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        with no_grad():
            p, shape = self.probs, self._extended_shape(sample_shape)
            draws = rand(*shape, dtype=p.dtype, device=p.device, generator=generator)
            return (draws < p).to(p.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return value * self.logits - softplus(self.logits)

    def entropy(self) -> Tensor:
        return softplus(self.logits) - self.probs * self.logits

    def enumerate_support(self, expand: bool = True) -> Tensor:
        p = self._param
        return self._enumerated(arange(2, dtype=p.dtype, device=p.device), expand)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        return softplus(natural_params[0])


class Geometric(Odds):
    """How often a trial fails before it first succeeds: 0, 1, 2, ...

    Args:
        probs: the probability of success, above zero; or
        logits: log(p / (1 - p)).
    """

    support: Any = constraints.nonnegative_integer

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._start_odds(probs, logits, validate_args)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if "probs" in self.__dict__ and not bool((self.probs > 0).all()):
            raise DomainError(f"Geometric: wanted probs above zero, got {self.probs}")

    @property
    def mean(self) -> Tensor:
        return 1 / self.probs - 1

    @property
    def mode(self) -> Tensor:
        return self.probs * 0

    @property
    def variance(self) -> Tensor:
        return (1 / self.probs - 1) / self.probs

    def sample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        with no_grad():
            u = uniform_draw(self.probs, self._extended_shape(sample_shape), generator)
            return (u.log() / (-self.probs).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return special.xlog1py(value, -self.probs) + self.probs.log()

    def entropy(self) -> Tensor:
        p = self.probs
        return -(special.xlogy(p, p) + special.xlog1py(1 - p, -p)) / p


class Binomial(Odds):
    """How many of total_count trials succeed.

    Args:
        total_count: number of trials, a number or a tensor.
        probs: the probability of success; or
        logits: log(p / (1 - p)).
    """

    arg_constraints: ClassVar[dict[str, Any]] = {
        "total_count": constraints.nonnegative_integer,
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    has_enumerate_support = True
    total_count: Tensor

    def __init__(
        self,
        total_count: Any = 1,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        self._start_odds(probs, logits, validate_args, total_count=total_count)
        self.total_count = self.total_count.to(self._param.dtype)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        """From zero to total_count."""
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        return clamp(((self.total_count + 1) * self.probs).floor(), max=self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        with no_grad():
            shape = self._extended_shape(sample_shape)
            return binomial(
                self.total_count.expand(*shape), self.probs.expand(*shape), generator=generator
            )

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n = self.total_count
        ways = special.gammaln(n + 1) - special.gammaln(value + 1) - special.gammaln(n - value + 1)
        return ways + value * self.logits - n * softplus(self.logits)

    def entropy(self) -> Tensor:
        """The entropy, by summing over all values.

        Raises:
            NotImplementedError: the counts differ.
        """
        self._count("entropy")
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(log_prob.exp() * log_prob).sum(0)

    def _count(self, what: str) -> int:
        highest = int(self.total_count.max().item())
        if not bool((self.total_count == highest).all()):
            raise NotImplementedError(f"Binomial.{what}: wanted one total_count for the batch")
        return highest

    def enumerate_support(self, expand: bool = True) -> Tensor:
        p, count = self._param, self._count("enumerate_support")
        return self._enumerated(arange(1 + count, dtype=p.dtype, device=p.device), expand)


class NegativeBinomial(Odds):
    """How often trials succeed before they fail total_count times.

    Args:
        total_count: number of failures, not negative; it need not be whole.
        probs: the probability of success, below one; or
        logits: log(p / (1 - p)).
    """

    arg_constraints: ClassVar[dict[str, Any]] = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support: Any = constraints.nonnegative_integer
    total_count: Tensor

    def __init__(
        self,
        total_count: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        self._start_odds(probs, logits, validate_args, total_count=total_count)
        self.total_count = self.total_count.to(self._param.dtype)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Tensor:
        return clamp(((self.total_count - 1) * self.logits.exp()).floor(), min=0.0)

    @property
    def variance(self) -> Tensor:
        return self.mean / special.expit(-self.logits)

    def sample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        with no_grad():
            shape = self._extended_shape(sample_shape)
            rate = (log_gamma_draw(self.total_count, shape, generator) + self.logits).exp()
            return poisson(rate, generator=generator)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n = self.total_count
        weight = -n * softplus(self.logits) - value * softplus(-self.logits)
        ways = special.gammaln(value + 1) + special.gammaln(n) - special.gammaln(n + value)
        return weight - where(n + value == 0, 0.0, ways)


class Poisson(ExponentialFamily):
    """How often something happens that happens `rate` times on average.

    Args:
        rate: not negative.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {"rate": constraints.nonnegative}
    support: Any = constraints.nonnegative_integer
    rate: Tensor

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        self._start(validate_args, rate=rate)

    @property
    def mean(self) -> Tensor:
        return self.rate

    @property
    def mode(self) -> Tensor:
        return self.rate.floor()

    @property
    def variance(self) -> Tensor:
        return self.rate

    def sample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        with no_grad():
            rate = self.rate.expand(*self._extended_shape(sample_shape))
            return poisson(rate, generator=generator)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return special.xlogy(value, self.rate) - self.rate - special.gammaln(value + 1)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.rate.log(),)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        return natural_params[0].exp()

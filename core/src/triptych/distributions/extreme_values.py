"""Distributions of extremes and of heavy tails: Gumbel, Pareto, generalised Pareto, Weibull."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from .. import dtypes, special
from ..ops.creation import full_like
from ..ops.pointwise import where
from ..tensor import Tensor
from . import constraints
from .arguments import broadcast_all, uniform_draw
from .distribution import Distribution
from .elementwise_transforms import AffineTransform, ExpTransform, PowerTransform
from .gamma import Exponential
from .transformed_distribution import TransformedDistribution

__all__ = ["GeneralizedPareto", "Gumbel", "Pareto", "Weibull"]

_EULER = 0.57721566490153286  # Euler's constant, DLMF 5.2.3
_REAL_SCALE: Any = {"loc": constraints.real, "scale": constraints.positive}


class Gumbel(Distribution):
    """The distribution of largest values, -log of exponential numbers.

    Args:
        loc: mode.
        scale: positive.
    """

    arg_constraints = _REAL_SCALE
    support: Any = constraints.real
    has_rsample = True
    loc: Tensor
    scale: Tensor

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self._start(validate_args, loc=loc, scale=scale)

    @property
    def mean(self) -> Tensor:
        return self.loc + self.scale * _EULER

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return math.pi / math.sqrt(6) * self.scale

    @property
    def variance(self) -> Tensor:
        return self.stddev.square()

    def rsample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        return self.icdf(uniform_draw(self.loc, self._extended_shape(sample_shape), generator))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        z = (value - self.loc) / self.scale
        return -z - (-z).exp() - self.scale.log()

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return (-(-(value - self.loc) / self.scale).exp()).exp()

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc - self.scale * (-value.log()).log()

    def entropy(self) -> Tensor:
        return self.scale.log() + (1 + _EULER)


class Pareto(TransformedDistribution):
    """The Pareto distribution, a power law above scale.

    Args:
        scale: the least value, positive.
        alpha: the power of the upper tail, positive.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {
        "alpha": constraints.positive,
        "scale": constraints.positive,
    }
    state_names = ("alpha", "scale")
    has_rsample = True

    def __init__(self, scale: Any, alpha: Any, validate_args: bool | None = None) -> None:
        self.scale, self.alpha = broadcast_all(scale, alpha)
        base = Exponential(self.alpha, validate_args=validate_args)
        maps = [ExpTransform(), AffineTransform(loc=0, scale=self.scale)]
        super().__init__(base, maps, validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        scale, alpha = self.scale.expand(*batch_shape), self.alpha.expand(*batch_shape)
        new = type(self)(scale, alpha, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        """From scale upwards."""
        return constraints.greater_than_eq(self.scale)

    @property
    def mean(self) -> Tensor:
        return where(self.alpha > 1, self.alpha * self.scale / (self.alpha - 1), math.inf)

    @property
    def mode(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        a = self.alpha
        found = self.scale.square() * a / ((a - 1).square() * (a - 2))
        return where(a > 2, found, math.inf)

    def entropy(self) -> Tensor:
        return (self.scale / self.alpha).log() + (1 + self.alpha.reciprocal())


class GeneralizedPareto(Distribution):
    """The distribution of how far values exceed a high threshold.

    Args:
        loc: the threshold.
        scale: positive.
        concentration: shape; 0 is exponential, below 0 the support ends at loc - scale / shape.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {**_REAL_SCALE, "concentration": constraints.real}
    has_rsample = True
    loc: Tensor
    scale: Tensor
    concentration: Tensor

    def __init__(
        self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None
    ) -> None:
        self._start(validate_args, loc=loc, scale=scale, concentration=concentration)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        """From loc upwards, to an end where the shape is below zero."""
        k = self.concentration
        end = self.loc - self.scale / where(k < 0, k, -1.0)
        return constraints.interval(self.loc, where(k < 0, end, math.inf))

    def _flat(self) -> tuple[Tensor, Tensor]:
        """Where the shape is zero in effect, and the shape with another number there."""
        flat = self.concentration.abs() < dtypes.finfo(self.loc.dtype).eps
        return flat, where(flat, 1.0, self.concentration)

    @property
    def mean(self) -> Tensor:
        k = self.concentration
        return where(k < 1, self.loc + self.scale / (1 - where(k < 1, k, 0.0)), math.inf)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        k = self.concentration
        safe = where(k < 0.5, k, 0.0)
        found = self.scale.square() / ((1 - safe).square() * (1 - 2 * safe))
        return where(k < 0.5, found, math.inf)

    def rsample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        return self.icdf(uniform_draw(self.loc, self._extended_shape(sample_shape), generator))

    def _log_survival(self, value: Tensor) -> Tensor:
        flat, k = self._flat()
        z = (value - self.loc) / self.scale
        series = 0.5 * self.concentration * z * z - z  # to first order in the shape
        return where(flat, series, -(k * z).log1p() / k)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        found = self._log_survival(value) * (1 + self.concentration) - self.scale.log()
        return where(self.support.check(value), found, -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -self._log_survival(value).expm1()

    def log_cdf(self, value: Tensor) -> Tensor:
        """log(cdf)."""
        return self.cdf(value).log()

    def log_survival_function(self, value: Tensor) -> Tensor:
        """log(1 - cdf)."""
        return self._log_survival(value)

    def icdf(self, value: Tensor) -> Tensor:
        flat, k = self._flat()
        log = (-value).log1p()
        return self.loc + self.scale * where(flat, -log, (-k * log).expm1() / k)

    def entropy(self) -> Tensor:
        return self.scale.log() + self.concentration + 1


class Weibull(TransformedDistribution):
    """The Weibull distribution: a power of exponential numbers.

    Args:
        scale: positive.
        concentration: shape, positive.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {
        "scale": constraints.positive,
        "concentration": constraints.positive,
    }
    support: Any = constraints.positive
    has_rsample = True

    def __init__(self, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.scale, self.concentration = broadcast_all(scale, concentration)
        self.concentration_reciprocal = self.concentration.reciprocal()
        maps = [
            PowerTransform(exponent=self.concentration_reciprocal),
            AffineTransform(loc=0, scale=self.scale),
        ]
        base = Exponential(full_like(self.scale, 1), validate_args=validate_args)
        super().__init__(base, maps, validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        scale = self.scale.expand(*batch_shape)
        shape = self.concentration.expand(*batch_shape)
        new = type(self)(scale, shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def _moment(self, k: int) -> Tensor:
        return special.gammaln(1 + k * self.concentration_reciprocal).exp()

    @property
    def mean(self) -> Tensor:
        return self.scale * self._moment(1)

    @property
    def mode(self) -> Tensor:
        k = self.concentration
        inside = self.scale * ((k - 1) / k).clamp(min=0).pow(self.concentration_reciprocal)
        return where(k > 1, inside, 0.0)

    @property
    def variance(self) -> Tensor:
        return self.scale.square() * (self._moment(2) - self._moment(1).square())

    def entropy(self) -> Tensor:
        back = self.concentration_reciprocal
        return _EULER * (1 - back) + (self.scale * back).log() + 1

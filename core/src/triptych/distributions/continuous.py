"""Distributions over the real line with closed forms: uniform, Laplace, Cauchy, Student's t"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from .. import special
from ..errors import DomainError
from ..ops.creation import full_like
from ..ops.pointwise import clamp, where
from ..ops.random import rand
from ..tensor import Tensor
from . import constraints
from .arguments import normal_draw, uniform_draw
from .distribution import Distribution
from .elementwise_transforms import AbsTransform
from .gamma import log_gamma_draw
from .transformed_distribution import TransformedDistribution

__all__ = [
    "Cauchy",
    "HalfCauchy",
    "Laplace",
    "StudentT",
    "Uniform",
]

_REAL_SCALE: Any = {"loc": constraints.real, "scale": constraints.positive}


class Uniform(Distribution):
    """Equal density between two bounds.

    Args:
        low, high: bounds, low < high; low belongs to the support, high does not.
    """

    has_rsample = True
    low: Tensor
    high: Tensor

    arg_constraints: ClassVar[dict[str, Any]] = {
        "low": constraints.dependent(is_discrete=False, event_dim=0),
        "high": constraints.dependent(is_discrete=False, event_dim=0),
    }

    def __init__(self, low: Any, high: Any, validate_args: bool | None = None) -> None:
        self._start(validate_args, low=low, high=high)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if not bool((self.low < self.high).all()):
            raise DomainError(f"Uniform: wanted low < high, got {self.low} and {self.high}")

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        """From low to high."""
        return constraints.interval(self.low, self.high)

    @property
    def mean(self) -> Tensor:
        return (self.low + self.high) / 2

    @property
    def mode(self) -> Tensor:
        return self.mean * math.nan

    @property
    def stddev(self) -> Tensor:
        return (self.high - self.low) / math.sqrt(12)

    @property
    def variance(self) -> Tensor:
        return (self.high - self.low).square() / 12

    def rsample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        shape = self._extended_shape(sample_shape)
        u = rand(*shape, dtype=self.low.dtype, device=self.low.device, generator=generator)
        return self.low + u * (self.high - self.low)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        inside = (value >= self.low) & (value < self.high)
        return where(inside, -(self.high - self.low).log(), -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return clamp((value - self.low) / (self.high - self.low), 0, 1)

    def icdf(self, value: Tensor) -> Tensor:
        return value * (self.high - self.low) + self.low

    def entropy(self) -> Tensor:
        return (self.high - self.low).log()


class Laplace(Distribution):
    """Two exponential distributions, back to back.

    Args:
        loc: the middle.
        scale: mean distance from it, positive.
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
        return self.loc

    mode = mean

    @property
    def stddev(self) -> Tensor:
        return math.sqrt(2) * self.scale

    @property
    def variance(self) -> Tensor:
        return 2 * self.scale.square()

    def rsample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        u = uniform_draw(self.loc, self._extended_shape(sample_shape), generator)
        return self.icdf(u)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -(2 * self.scale).log() - (value - self.loc).abs() / self.scale

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        z = (value - self.loc) / self.scale
        return where(z < 0, 0.5 * clamp(z, max=0).exp(), 1 - 0.5 * (-clamp(z, min=0)).exp())

    def icdf(self, value: Tensor) -> Tensor:
        lower = (2 * clamp(value, max=0.5)).log()
        upper = (2 * (1 - clamp(value, min=0.5))).log()
        return self.loc + self.scale * where(value < 0.5, lower, -upper)

    def entropy(self) -> Tensor:
        return 1 + (2 * self.scale).log()


class Cauchy(Distribution):
    """The Cauchy distribution: the ratio of two normal numbers, which has no mean.

    Args:
        loc: median.
        scale: half the width at half height, positive.
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
        return full_like(self.loc, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return full_like(self.loc, math.inf)

    def rsample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        return self.icdf(uniform_draw(self.loc, self._extended_shape(sample_shape), generator))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        z = (value - self.loc) / self.scale
        return -math.log(math.pi) - self.scale.log() - (z * z).log1p()

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return ((value - self.loc) / self.scale).atan() / math.pi + 0.5

    def icdf(self, value: Tensor) -> Tensor:
        return (math.pi * (value - 0.5)).tan() * self.scale + self.loc

    def entropy(self) -> Tensor:
        return math.log(4 * math.pi) + self.scale.log()


class HalfCauchy(TransformedDistribution):
    """The absolute value of a Cauchy number of median zero.

    Args:
        scale: of that number, positive.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {"scale": constraints.positive}
    support: Any = constraints.nonnegative
    has_rsample = True

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Cauchy(0, scale, validate_args=False), AbsTransform(), validate_args)

    @property
    def scale(self) -> Tensor:
        """Where the density is half of that at zero."""
        return self.base_dist.scale

    @property
    def mean(self) -> Tensor:
        return full_like(self.scale, math.inf)

    @property
    def mode(self) -> Tensor:
        return self.scale * 0

    @property
    def variance(self) -> Tensor:
        return full_like(self.scale, math.inf)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        folded = self.base_dist.log_prob(value) + math.log(2)
        return folded.masked_fill(value < 0, -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, value: Tensor) -> Tensor:
        return self.base_dist.icdf((value + 1) / 2)

    def entropy(self) -> Tensor:
        return self.base_dist.entropy() - math.log(2)


class StudentT(Distribution):
    """Student's t distribution.

    Args:
        df: degrees of freedom, positive; 1 is the Cauchy distribution.
        loc: middle.
        scale: positive.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {"df": constraints.positive, **_REAL_SCALE}
    support: Any = constraints.real
    has_rsample = True
    df: Tensor
    loc: Tensor
    scale: Tensor

    def __init__(
        self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None
    ) -> None:
        self._start(validate_args, df=df, loc=loc, scale=scale)

    @property
    def mean(self) -> Tensor:
        return where(self.df > 1, self.loc, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        df = where(self.df > 2, self.df, 3.0)
        other = where(self.df > 1, math.inf, full_like(self.df, math.nan))
        return where(self.df > 2, self.scale.square() * df / (df - 2), other)

    def rsample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        shape = self._extended_shape(sample_shape)
        normal = normal_draw(self.df, shape, generator)
        log_chi2_over_df = log_gamma_draw(self.df / 2, shape, generator) - (self.df / 2).log()
        return self.loc + self.scale * normal * (-0.5 * log_chi2_over_df).exp()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        z, half = (value - self.loc) / self.scale, self.df / 2
        norm = (
            self.scale.log()
            + 0.5 * (self.df * math.pi).log()
            + special.gammaln(half)
            - special.gammaln(half + 0.5)
        )
        return -(half + 0.5) * (z * z / self.df).log1p() - norm

    def entropy(self) -> Tensor:
        half = self.df / 2
        log_beta = special.gammaln(half) + math.log(math.pi) / 2 - special.gammaln(half + 0.5)
        slope = special.digamma(half + 0.5) - special.digamma(half)
        return self.scale.log() + (half + 0.5) * slope + 0.5 * self.df.log() + log_beta

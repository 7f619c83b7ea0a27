"""The gamma distribution and its relatives: exponential, chi-squared, inverse gamma, F."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from .. import dtypes, special
from ..autograd import Function
from ..autograd.function import once_differentiable
from ..ops.pointwise import clamp, where
from ..prims import sampling
from ..prims.trace import is_lifting
from ..random import default_generator
from ..tensor import Tensor
from . import constraints
from .arguments import uniform_draw
from .distribution import Distribution, ExponentialFamily
from .elementwise_transforms import PowerTransform
from .transformed_distribution import TransformedDistribution

__all__ = ["Chi2", "Exponential", "FisherSnedecor", "Gamma", "InverseGamma", "log_gamma_draw"]


def log_gamma_draw(concentration: Tensor, shape: Sequence[int], generator: Any) -> Tensor:
    """The logarithm of gamma variables of rate one, with the implicit reparameterisation gradient
    by their shape parameter: how a draw moves when its quantile stays. The gradient itself is not
    differentiable.
    """
    spread = concentration.expand(*shape)
    alpha = spread.detach()
    draws = sampling.log_gamma_draw(
        alpha, generator=generator or default_generator, device=alpha.device
    )
    if not spread.requires_grad and not is_lifting():
        return draws
    moving: Tensor = _QuantileStays.apply(spread, draws)
    return moving


class _QuantileStays(Function):
    """Draws as a function of the shape they were drawn for."""

    generate_vmap_rule = True

    @staticmethod
    def forward(spread: Tensor, draws: Tensor) -> Tensor:
        return draws.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> Any:
        return g * sampling.log_gamma_slope(*ctx.saved_tensors), None

    @staticmethod
    def jvp(ctx: Any, spread: Any, draws: Any) -> Any:
        return spread * sampling.log_gamma_slope(*ctx.saved_tensors)


class Gamma(ExponentialFamily):
    """The gamma distribution.

    Args:
        concentration: shape, positive.
        rate: inverse scale, positive.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {
        "concentration": constraints.positive,
        "rate": constraints.positive,
    }
    support: Any = constraints.nonnegative
    has_rsample = True
    _mean_carrier_measure = 0
    concentration: Tensor
    rate: Tensor

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self._start(validate_args, concentration=concentration, rate=rate)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        return clamp((self.concentration - 1) / self.rate, min=0)

    @property
    def variance(self) -> Tensor:
        return self.concentration / (self.rate * self.rate)

    def rsample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        log = log_gamma_draw(self.concentration, self._extended_shape(sample_shape), generator)
        draws = log.exp() / self.rate
        return clamp(draws, min=dtypes.finfo(draws.dtype).tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return (
            special.xlogy(self.concentration, self.rate)
            + special.xlogy(self.concentration - 1, value)
            - self.rate * value
            - special.gammaln(self.concentration)
        )

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return special.gammainc(self.concentration, self.rate * value)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a - self.rate.log() + special.gammaln(a) + (1 - a) * special.digamma(a)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return self.concentration - 1, -self.rate

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        x, y = natural_params
        return special.gammaln(x + 1) + (x + 1) * (-y.reciprocal()).log()


class Chi2(Gamma):
    """The sum of df squared standard normal numbers.

    Args:
        df: degrees of freedom, positive.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {"df": constraints.positive}
    state_names = ("concentration", "rate")

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    @property
    def df(self) -> Tensor:
        """The degrees of freedom."""
        return self.concentration * 2


class Exponential(ExponentialFamily):
    """The exponential distribution, rate * exp(-rate * x).

    Args:
        rate: inverse of the mean, positive.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {"rate": constraints.positive}
    support: Any = constraints.nonnegative
    has_rsample = True
    _mean_carrier_measure = 0
    rate: Tensor

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        self._start(validate_args, rate=rate)

    @property
    def mean(self) -> Tensor:
        return self.rate.reciprocal()

    @property
    def mode(self) -> Tensor:
        return self.rate * 0

    @property
    def stddev(self) -> Tensor:
        return self.rate.reciprocal()

    @property
    def variance(self) -> Tensor:
        return self.rate.pow(-2)

    def rsample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        u = uniform_draw(self.rate, self._extended_shape(sample_shape), generator)
        return -u.log() / self.rate

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return self.rate.log() - self.rate * value

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -(-self.rate * value).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        return -(-value).log1p() / self.rate

    def entropy(self) -> Tensor:
        return 1 - self.rate.log()

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (-self.rate,)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        return -(-natural_params[0]).log()


class InverseGamma(TransformedDistribution):
    """The inverse of a gamma variable.

    Args:
        concentration, rate: of that variable; positive.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {
        "concentration": constraints.positive,
        "rate": constraints.positive,
    }
    support: Any = constraints.positive
    has_rsample = True

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        base = Gamma(concentration, rate, validate_args=False)
        super().__init__(base, PowerTransform(-1.0), validate_args)

    @property
    def concentration(self) -> Tensor:
        """The shape of the gamma variable."""
        return self.base_dist.concentration

    @property
    def rate(self) -> Tensor:
        """The rate of the gamma variable."""
        return self.base_dist.rate

    @property
    def mean(self) -> Tensor:
        found = self.rate / (self.concentration - 1)
        return where(self.concentration > 1, found, math.inf)

    @property
    def mode(self) -> Tensor:
        return self.rate / (self.concentration + 1)

    @property
    def variance(self) -> Tensor:
        a = self.concentration
        found = (self.rate / (a - 1)).square() / (a - 2)
        return where(a > 2, found, math.inf)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a + self.rate.log() + special.gammaln(a) - (1 + a) * special.digamma(a)


class FisherSnedecor(Distribution):
    """The F distribution: the ratio of two chi-squared variables, each over its degrees of freedom.

    Args:
        df1, df2: degrees of freedom above and below; positive.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {
        "df1": constraints.positive,
        "df2": constraints.positive,
    }
    support: Any = constraints.positive
    has_rsample = True
    df1: Tensor
    df2: Tensor

    def __init__(self, df1: Any, df2: Any, validate_args: bool | None = None) -> None:
        self._start(validate_args, df1=df1, df2=df2)

    @property
    def mean(self) -> Tensor:
        return where(self.df2 > 2, self.df2 / (self.df2 - 2), math.nan)

    @property
    def mode(self) -> Tensor:
        found = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return where(self.df1 > 2, found, math.nan)

    @property
    def variance(self) -> Tensor:
        a, b = self.df1, self.df2
        found = 2 * b.square() * (a + b - 2) / (a * (b - 2).square() * (b - 4))
        return where(b > 4, found, math.nan)

    def rsample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        shape = self._extended_shape(sample_shape)
        above = log_gamma_draw(self.df1 / 2, shape, generator) - self.df1.log()
        below = log_gamma_draw(self.df2 / 2, shape, generator) - self.df2.log()
        draws = (above - below).exp()
        return clamp(draws, min=dtypes.finfo(draws.dtype).tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        a, b = self.df1 / 2, self.df2 / 2
        ratio = self.df1 / self.df2
        beta = special.gammaln(a + b) - special.gammaln(a) - special.gammaln(b)
        return beta + a * ratio.log() + (a - 1) * value.log() - (a + b) * (ratio * value).log1p()

"""Distributions of shares: beta, Dirichlet, Kumaraswamy, continuous Bernoulli."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from .. import dtypes, special
from ..errors import ShapeError
from ..ops.creation import full_like
from ..ops.pointwise import clamp, sigmoid, softmax, where
from ..tensor import Tensor
from . import constraints
from .arguments import broadcast_all, uniform_draw
from .continuous import Uniform
from .distribution import Distribution, ExponentialFamily
from .elementwise_transforms import AffineTransform, PowerTransform
from .gamma import log_gamma_draw
from .odds import Odds
from .transformed_distribution import TransformedDistribution

__all__ = ["Beta", "ContinuousBernoulli", "Dirichlet", "Kumaraswamy"]

_EULER = 0.57721566490153286  # Euler's constant, DLMF 5.2.3
_SHAPES: Any = {"concentration1": constraints.positive, "concentration0": constraints.positive}


def _inside(x: Tensor) -> Tensor:
    """Kept within the open unit interval, where rounding reached an end."""
    limits = dtypes.finfo(x.dtype)
    return clamp(x, limits.tiny, 1 - limits.eps / 2)


class Beta(ExponentialFamily):
    """The beta distribution on the unit interval, x ** (a - 1) (1 - x) ** (b - 1) up to a factor.

    Args:
        concentration1: a, positive.
        concentration0: b, positive.
    """

    arg_constraints = _SHAPES
    support: Any = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0
    concentration1: Tensor
    concentration0: Tensor

    def __init__(
        self, concentration1: Any, concentration0: Any, validate_args: bool | None = None
    ) -> None:
        self._start(validate_args, concentration1=concentration1, concentration0=concentration0)

    @property
    def _total(self) -> Tensor:
        return self.concentration1 + self.concentration0

    @property
    def mean(self) -> Tensor:
        return self.concentration1 / self._total

    @property
    def mode(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        inner = (a - 1) / (a + b - 2)
        edge = where(a > b, 1.0, where(a < b, 0.0, full_like(a, math.nan)))
        return where((a > 1) & (b > 1), inner, edge)

    @property
    def variance(self) -> Tensor:
        total = self._total
        return self.concentration1 * self.concentration0 / (total.square() * (total + 1))

    def rsample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        shape = self._extended_shape(sample_shape)
        one = log_gamma_draw(self.concentration1, shape, generator)
        zero = log_gamma_draw(self.concentration0, shape, generator)
        return _inside(sigmoid(one - zero))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        a, b = self.concentration1, self.concentration0
        norm = special.gammaln(a) + special.gammaln(b) - special.gammaln(a + b)
        return special.xlogy(a - 1, value) + special.xlog1py(b - 1, -value) - norm

    def entropy(self) -> Tensor:
        a, b, total = self.concentration1, self.concentration0, self._total
        norm = special.gammaln(a) + special.gammaln(b) - special.gammaln(total)
        slopes = (a - 1) * special.digamma(a) + (b - 1) * special.digamma(b)
        return norm - slopes + (total - 2) * special.digamma(total)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return self.concentration1, self.concentration0

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        x, y = natural_params
        return special.gammaln(x) + special.gammaln(y) - special.gammaln(x + y)


class Dirichlet(ExponentialFamily):
    """The Dirichlet distribution of shares that add up to one.

    Args:
        concentration: (..., n), positive.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {
        "concentration": constraints.independent(constraints.positive, 1)
    }
    support: Any = constraints.simplex
    has_rsample = True
    concentration: Tensor

    def __init__(self, concentration: Tensor, validate_args: bool | None = None) -> None:
        if concentration.ndim < 1:
            raise ShapeError("Dirichlet: wanted a concentration of at least one dim, got a 0-d one")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.concentration.sum(-1, True)

    @property
    def mode(self) -> Tensor:
        a = self.concentration
        above = clamp(a - 1, min=0.0)
        inner = above / above.sum(-1, True)
        corner = (a == a.amax(-1, True)).to(a.dtype)  # all below one: a corner of the simplex
        first = (corner.cumsum(-1) == 1).to(a.dtype) * corner
        return where((a < 1).all(-1, True), first, inner)

    @property
    def variance(self) -> Tensor:
        total = self.concentration.sum(-1, True)
        share = self.concentration / total
        return share * (1 - share) / (total + 1)

    def rsample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        logs = log_gamma_draw(self.concentration, self._extended_shape(sample_shape), generator)
        return softmax(logs, -1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        a = self.concentration
        norm = special.gammaln(a).sum(-1) - special.gammaln(a.sum(-1))
        return special.xlogy(a - 1, value).sum(-1) - norm

    def entropy(self) -> Tensor:
        a, k = self.concentration, self.concentration.shape[-1]
        total = a.sum(-1)
        norm = special.gammaln(a).sum(-1) - special.gammaln(total)
        slopes = ((a - 1) * special.digamma(a)).sum(-1)
        return norm - (k - total) * special.digamma(total) - slopes

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.concentration,)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        x = natural_params[0]
        return special.gammaln(x).sum(-1) - special.gammaln(x.sum(-1))


class Kumaraswamy(TransformedDistribution):
    """Kumaraswamy's distribution, close to the beta distribution but with a closed form.

    Args:
        concentration1, concentration0: positive.
    """

    arg_constraints = _SHAPES
    support: Any = constraints.unit_interval
    has_rsample = True

    def __init__(
        self, concentration1: Any, concentration0: Any, validate_args: bool | None = None
    ) -> None:
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        zero = full_like(self.concentration0, 0)
        base = Uniform(zero, zero + 1, validate_args=validate_args)
        maps = [
            PowerTransform(exponent=self.concentration0.reciprocal()),
            AffineTransform(loc=1.0, scale=-1.0),
            PowerTransform(exponent=self.concentration1.reciprocal()),
        ]
        super().__init__(base, maps, validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        one = self.concentration1.expand(*batch_shape)
        zero = self.concentration0.expand(*batch_shape)
        new = type(self)(one, zero, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def rsample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        u = uniform_draw(self.concentration1, self._extended_shape(sample_shape), generator)
        return _inside(self._mapped(u))

    def sample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        return Distribution.sample(self, sample_shape, generator)

    def _moment(self, n: int) -> Tensor:
        """E x ** n = b B(1 + n / a, b)."""
        a, b = self.concentration1, self.concentration0
        shape = 1 + n / a
        log = b.log() + special.gammaln(shape) + special.gammaln(b) - special.gammaln(shape + b)
        return log.exp()

    @property
    def mean(self) -> Tensor:
        return self._moment(1)

    @property
    def mode(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        inner = (a > 1) & (b > 1)
        safe_a, safe_b = where(inner, a, 2.0), where(inner, b, 2.0)
        found = ((safe_a - 1) / (safe_a * safe_b - 1)).pow(safe_a.reciprocal())
        return where(inner, found, math.nan)

    @property
    def variance(self) -> Tensor:
        return self._moment(2) - self.mean.square()

    def entropy(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        harmonic = special.digamma(b + 1) + _EULER
        return (1 - b.reciprocal()) + (1 - a.reciprocal()) * harmonic - a.log() - b.log()


class ContinuousBernoulli(Odds, ExponentialFamily):
    """Numbers on the unit interval of density p ** x (1 - p) ** (1 - x), up to a factor.

    Args:
        probs: p within (0, 1); or
        logits: log(p / (1 - p)).
        lims: taken for compatibility; the expansions near p = 1/2 need no limits here.

    Source: G. Loaiza-Ganem and J. Cunningham 2019, "The continuous Bernoulli". In the logit n the
    density is exp(n x - log Z) with Z = expm1(n) / n, from which all moments follow.
    """

    support: Any = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(
        self,
        probs: Any = None,
        logits: Any = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:
        self._start_odds(probs, logits, validate_args)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        n = natural_params[0]
        size = where(n == 0, 1.0, n.abs())
        log = (-(-size).expm1() / size).log()
        return where(n == 0, n / 2, clamp(n, min=0) + log)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _near_half(self) -> tuple[Tensor, Tensor]:
        near = self.logits.abs() < 0.1
        return near, where(near, 1.0, self.logits)

    @property
    def mean(self) -> Tensor:
        near, n = self._near_half()
        s = where(near, self.logits, 0.0)
        q = s * s
        series = 0.5 + s / 12 * (1 - q / 60 * (1 - q / 42 * (1 - q / 40)))
        return where(near, series, -1 / (-n).expm1() - 1 / n)

    @property
    def variance(self) -> Tensor:
        near, n = self._near_half()
        s = where(near, self.logits, 0.0)
        q = s * s
        series = 1 / 12 - q / 240 + q * q / 6048 - q * q * q / 172800
        return where(near, series, 1 / n.square() - 0.25 / (n / 2).sinh().square())

    def rsample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        return self.icdf(uniform_draw(self.logits, self._extended_shape(sample_shape), generator))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return self.logits * value - self._log_normalizer(self.logits)

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        value = clamp(value, 0, 1)
        flat = self.logits == 0
        n = where(flat, 1.0, self.logits)
        low, high = clamp(n, max=0), clamp(n, min=0)
        below = (low * value).expm1() / where(n < 0, low, -1.0).expm1()
        above = (-high * (1 - value)).exp() * (-high * value).expm1()
        above = above / where(n > 0, -high, -1.0).expm1()
        return where(flat, value, where(n < 0, below, above))

    def icdf(self, value: Tensor) -> Tensor:
        flat = self.logits == 0
        n = where(flat, 1.0, self.logits)
        low, high = clamp(n, max=0), clamp(n, min=0)
        below = (value * low.expm1()).log1p() / where(n < 0, n, -1.0)
        above = 1 + ((1 - value) * (-high).expm1()).log1p() / where(n > 0, n, 1.0)
        return where(flat, value, where(n < 0, below, above))

    def entropy(self) -> Tensor:
        return self._log_normalizer(self.logits) - self.logits * self.mean

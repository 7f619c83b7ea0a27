"""Kullback-Leibler divergences between families: minus the entropy of p, minus the expectation
under p of log q. The latter needs a few moments of p only, so one rule serves many families.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .. import special
from ..ops.creation import full_like
from ..ops.pointwise import where
from ..tensor import Tensor
from .beta import Beta, ContinuousBernoulli
from .continuous import Laplace, Uniform
from .discrete import Bernoulli, Binomial, Poisson
from .extreme_values import Gumbel, Pareto
from .gamma import Exponential, Gamma
from .kl import Rule, register_kl
from .normal import Normal

__all__: list[str] = []

_EULER = 0.57721566490153286  # Euler's constant, DLMF 5.2.3
UNIT = (Beta, ContinuousBernoulli)  # families on the unit interval
HALF_LINE = (Exponential, Gamma)


def _mean_log_uniform(low: Tensor, high: Tensor) -> Tensor:
    return (special.xlogy(high, high) - special.xlogy(low, low)) / (high - low) - 1


# Expected value of log x, for families of positive numbers.
MEAN_LOG: dict[type, Callable[[Any], Tensor]] = {
    Beta: lambda p: special.digamma(p.concentration1) - special.digamma(p._total),
    Exponential: lambda p: -_EULER - p.rate.log(),
    Pareto: lambda p: p.scale.log() + 1 / p.alpha,
    Uniform: lambda p: _mean_log_uniform(p.low.clamp(min=0), p.high.clamp(min=1e-30)),
}
# Expected value of exp(-t x).
TRANSFORM: dict[type, Callable[[Any, Tensor], Tensor]] = {
    Exponential: lambda p, t: p.rate / (p.rate + t),
    Gamma: lambda p, t: (-p.concentration * (t / p.rate).log1p()).exp(),
    Normal: lambda p, t: (0.5 * (t * p.scale).square() - t * p.loc).exp(),
    Uniform: lambda p, t: (-t * p.low).exp() * _falling(t * (p.high - p.low)),
}


def _falling(x: Tensor) -> Tensor:
    """(1 - exp(-x)) / x."""
    return -(-x).expm1() / x


def _for(table: dict[type, Any], p: Any) -> Any:
    return next(table[kind] for kind in type(p).__mro__ if kind in table)


def _enter(sources: Any, target: type, rule: Rule) -> None:
    for source in sources:
        register_kl(source, target)(rule)


def _infinite(p: Any, q: Any) -> Tensor:
    """p reaches where q does not."""
    return full_like(p.mean + q.mean, math.inf)


def _reaching_below_zero(p: Any, found: Tensor) -> Tensor:
    return where(p.low < 0, math.inf, found) if isinstance(p, Uniform) else found


def _to_normal(p: Any, q: Normal) -> Tensor:
    spread = p.variance + (p.mean - q.loc).square()
    log_q = -0.5 * spread / q.variance - q.scale.log() - 0.5 * math.log(2 * math.pi)
    return -p.entropy() - log_q


def _to_exponential(p: Any, q: Exponential) -> Tensor:
    return _reaching_below_zero(p, -p.entropy() - q.rate.log() + q.rate * p.mean)


def _to_gamma(p: Any, q: Gamma) -> Tensor:
    mean_log = _for(MEAN_LOG, p)(p)
    norm = special.gammaln(q.concentration) - q.concentration * q.rate.log()
    log_q = (q.concentration - 1) * mean_log - q.rate * p.mean - norm
    return _reaching_below_zero(p, -p.entropy() - log_q)


def _to_gumbel(p: Any, q: Gumbel) -> Tensor:
    t = 1 / q.scale
    moment = _for(TRANSFORM, p)(p, t) * (q.loc * t).exp()
    return -p.entropy() + q.scale.log() + (p.mean - q.loc) * t + moment


def _to_uniform(p: Any, q: Uniform) -> Tensor:
    covered = (q.low <= 0) & (q.high >= 1)
    return where(covered, -p.entropy() + (q.high - q.low).log(), math.inf)


_enter((*UNIT, *HALF_LINE, Gumbel, Laplace, Pareto, Uniform), Normal, _to_normal)
_enter((*UNIT, Gamma, Pareto, Uniform), Exponential, _to_exponential)
_enter((Beta, Exponential, Pareto, Uniform), Gamma, _to_gamma)
_enter((*HALF_LINE, Normal, Uniform), Gumbel, _to_gumbel)
_enter(UNIT, Uniform, _to_uniform)
_enter(UNIT, Pareto, _infinite)
_target: type
for _target in (*UNIT, Pareto, Uniform):
    _enter((*HALF_LINE, Gumbel, Laplace, Normal), _target, _infinite)
for _target in (*UNIT, Uniform):
    _enter((Pareto,), _target, _infinite)
for _target in HALF_LINE:
    _enter((Gumbel, Laplace, Normal), _target, _infinite)
for _target in (Bernoulli, Binomial):
    _enter((Poisson,), _target, _infinite)


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Bernoulli, q: Poisson) -> Tensor:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@register_kl(Beta, ContinuousBernoulli)
def _beta_continuous_bernoulli(p: Beta, q: ContinuousBernoulli) -> Tensor:
    return -p.entropy() - (p.mean * q.logits - q._log_normalizer(q.logits))


@register_kl(Normal, Laplace)
def _normal_laplace(p: Normal, q: Laplace) -> Tensor:
    z = (p.loc - q.loc) / p.scale
    density = (-0.5 * z * z).exp() * math.sqrt(2 / math.pi)
    distance = p.scale * (density + z * special.erf(z / math.sqrt(2)))
    return -p.entropy() + (2 * q.scale).log() + distance / q.scale


def _within(p: Uniform, low: Any, high: Any, found: Tensor) -> Tensor:
    return where((p.low < low) | (p.high > high), math.inf, found)


@register_kl(Uniform, Beta)
def _uniform_beta(p: Uniform, q: Beta) -> Tensor:
    low, high = p.low.clamp(0, 1), p.high.clamp(0, 1)
    norm = q._log_normalizer(*q._natural_params)
    log_q = (q.concentration1 - 1) * _mean_log_uniform(low, high)
    log_q = log_q + (q.concentration0 - 1) * _mean_log_uniform(1 - high, 1 - low) - norm
    return _within(p, 0, 1, -p.entropy() - log_q)


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_continuous_bernoulli(p: Uniform, q: ContinuousBernoulli) -> Tensor:
    log_q = p.mean * q.logits - q._log_normalizer(q.logits)
    return _within(p, 0, 1, -p.entropy() - log_q)


@register_kl(Uniform, Pareto)
def _uniform_pareto(p: Uniform, q: Pareto) -> Tensor:
    mean_log = MEAN_LOG[Uniform](p)
    log_q = q.alpha.log() + q.alpha * q.scale.log() - (q.alpha + 1) * mean_log
    return _within(p, q.scale, math.inf, -p.entropy() - log_q)

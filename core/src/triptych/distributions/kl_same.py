"""Kullback-Leibler divergences within a family."""

from __future__ import annotations

import math
from typing import Any

from .. import special
from ..autograd import grad
from ..autograd.modes import enable_grad
from ..linalg import solve_triangular
from ..ops.pointwise import where
from ..tensor import Tensor
from .arguments import softplus
from .beta import Beta, ContinuousBernoulli, Dirichlet
from .categorical import Categorical, OneHotCategorical
from .composed_transforms import sum_rightmost
from .continuous import Cauchy, Laplace, Uniform
from .discrete import Bernoulli, Binomial, Geometric, Poisson
from .distribution import ExponentialFamily
from .extreme_values import Gumbel, Pareto
from .gamma import Exponential, Gamma
from .independent import Independent
from .kl import kl_divergence, register_kl
from .multivariate_normal import (
    LowRankMultivariateNormal,
    MultivariateNormal,
    half_log_det,
    mahalanobis,
)
from .normal import HalfNormal, Normal
from .transformed_distribution import TransformedDistribution

__all__: list[str] = []

_EULER = 0.57721566490153286  # Euler's constant, DLMF 5.2.3


@register_kl(ExponentialFamily, ExponentialFamily)
def _families(p: Any, q: Any) -> Tensor:
    """The Bregman divergence of the log normalizer (Nielsen and Nock 2010, eq. 13)."""
    if type(p) is not type(q):
        raise NotImplementedError(
            f"kl_divergence: no formula for ({type(p).__name__}, {type(q).__name__}); enter one "
            "with register_kl"
        )
    with enable_grad():
        ours = [n if n.requires_grad else n.detach().requires_grad_() for n in p._natural_params]
        normalizer = p._log_normalizer(*ours)
        slopes = grad(normalizer.sum(), ours, create_graph=True)
    result = q._log_normalizer(*q._natural_params) - normalizer
    for a, b, slope in zip(ours, q._natural_params, slopes, strict=True):
        result = result - sum_rightmost((b - a) * slope, len(q.event_shape))
    return result


@register_kl(Normal, Normal)
def _normals(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale).square()
    apart = ((p.loc - q.loc) / q.scale).square()
    return 0.5 * (ratio + apart - 1 - ratio.log())


@register_kl(HalfNormal, HalfNormal)
def _half_normals(p: HalfNormal, q: HalfNormal) -> Tensor:
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _laplaces(p: Laplace, q: Laplace) -> Tensor:
    apart = (p.loc - q.loc).abs()
    spread = p.scale * (-apart / p.scale).exp() + apart
    return spread / q.scale - (p.scale / q.scale).log() - 1


@register_kl(Cauchy, Cauchy)
def _cauchys(p: Cauchy, q: Cauchy) -> Tensor:
    """F. Chyzak and F. Nielsen 2019, "A closed-form formula for the KL divergence between Cauchy
    distributions".
    """
    total = (p.scale + q.scale).square() + (p.loc - q.loc).square()
    return (total / (4 * p.scale * q.scale)).log()


@register_kl(Gumbel, Gumbel)
def _gumbels(p: Gumbel, q: Gumbel) -> Tensor:
    ratio = p.scale / q.scale
    apart = (p.loc - q.loc) / q.scale
    moment = (special.gammaln(1 + ratio) - apart).exp()
    return -ratio.log() + apart + ratio * _EULER + moment - (1 + _EULER)


@register_kl(Uniform, Uniform)
def _uniforms(p: Uniform, q: Uniform) -> Tensor:
    found = ((q.high - q.low) / (p.high - p.low)).log()
    return where((q.low > p.low) | (q.high < p.high), math.inf, found)


@register_kl(Pareto, Pareto)
def _paretos(p: Pareto, q: Pareto) -> Tensor:
    ratio = q.alpha / p.alpha
    found = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return where(p.scale < q.scale, math.inf, found)


@register_kl(Exponential, Exponential)
def _exponentials(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return ratio - 1 - ratio.log()


@register_kl(Gamma, Gamma)
def _gammas(p: Gamma, q: Gamma) -> Tensor:
    a, b = p.concentration, q.concentration
    return (
        b * (p.rate / q.rate).log()
        + special.gammaln(b)
        - special.gammaln(a)
        + (a - b) * special.digamma(a)
        + (q.rate - p.rate) * (a / p.rate)
    )


@register_kl(Beta, Beta)
def _betas(p: Beta, q: Beta) -> Tensor:
    norms = q._log_normalizer(*q._natural_params) - p._log_normalizer(*p._natural_params)
    total = special.digamma(p._total)
    one = (p.concentration1 - q.concentration1) * (special.digamma(p.concentration1) - total)
    zero = (p.concentration0 - q.concentration0) * (special.digamma(p.concentration0) - total)
    return norms + one + zero


@register_kl(Dirichlet, Dirichlet)
def _dirichlets(p: Dirichlet, q: Dirichlet) -> Tensor:
    a, b = p.concentration, q.concentration
    norms = q._log_normalizer(b) - p._log_normalizer(a)
    slopes = special.digamma(a) - special.digamma(a.sum(-1, True))
    return norms + ((a - b) * slopes).sum(-1)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoullis(p: ContinuousBernoulli, q: ContinuousBernoulli) -> Tensor:
    norms = q._log_normalizer(q.logits) - p._log_normalizer(p.logits)
    return p.mean * (p.logits - q.logits) + norms


@register_kl(Bernoulli, Bernoulli)
def _bernoullis(p: Bernoulli, q: Bernoulli) -> Tensor:
    one = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    zero = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    one = where(p.probs == 0, 0.0, where(q.probs == 0, math.inf, one))
    return one + where(p.probs == 1, 0.0, where(q.probs == 1, math.inf, zero))


@register_kl(Binomial, Binomial)
def _binomials(p: Binomial, q: Binomial) -> Tensor:
    """For as many trials or more; the divergence is infinite for fewer.

    Raises:
        NotImplementedError: q has more trials somewhere.
    """
    if bool((p.total_count < q.total_count).any()):
        raise NotImplementedError("kl_divergence: of binomials with fewer trials than the second")
    single = _bernoullis(p, q)
    return where(p.total_count > q.total_count, math.inf, p.total_count * single)


@register_kl(Geometric, Geometric)
def _geometrics(p: Geometric, q: Geometric) -> Tensor:
    return -p.entropy() - (-q.probs).log1p() * p.mean - q.probs.log()


@register_kl(Poisson, Poisson)
def _poissons(p: Poisson, q: Poisson) -> Tensor:
    return special.xlogy(p.rate, p.rate / q.rate) - (p.rate - q.rate)


@register_kl(Categorical, Categorical)
def _categoricals(p: Any, q: Any) -> Tensor:
    terms = p.probs * (p.logits - q.logits)
    terms = where(q.probs == 0, math.inf, terms)
    return where(p.probs == 0, 0.0, terms).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hots(p: OneHotCategorical, q: OneHotCategorical) -> Tensor:
    return _categoricals(p._categorical, q._categorical)


def _vectors(p: Any, q: Any, p_tril: Tensor, q_tril: Tensor) -> Tensor:
    """Of two normal distributions of vectors, by the Cholesky factors of their covariances."""
    logs = half_log_det(q_tril) - half_log_det(p_tril)
    trace = solve_triangular(q_tril, p_tril, upper=False).square().sum((-2, -1))
    apart = mahalanobis(q_tril, q.loc - p.loc)
    return logs + 0.5 * (trace + apart - p.event_shape[0])


@register_kl(MultivariateNormal, MultivariateNormal)
@register_kl(MultivariateNormal, LowRankMultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _multivariate_normals(p: Any, q: Any) -> Tensor:
    if p.event_shape != q.event_shape:
        raise ValueError(
            f"kl_divergence: vectors of {p.event_shape[0]} and of {q.event_shape[0]} elements"
        )
    return _vectors(p, q, p.scale_tril, q.scale_tril)


@register_kl(Independent, Independent)
def _independents(p: Independent, q: Independent) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError("kl_divergence: Independent with different numbers of dims")
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: TransformedDistribution, q: TransformedDistribution) -> Tensor:
    """That of the base distributions: the same one-to-one map changes nothing."""
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError(
            "kl_divergence: transformed distributions with different transforms or events"
        )
    base = kl_divergence(p.base_dist, q.base_dist)
    extra = len(p.event_shape) - len(p.base_dist.event_shape)
    return sum_rightmost(base, extra) if extra > 0 else base

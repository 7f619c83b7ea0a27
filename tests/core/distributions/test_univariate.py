"""Distributions of single numbers against scipy.stats: densities, moments and draws."""

import math

import numpy as np
import pytest
from scipy import stats

import triptych as tp
from triptych import distributions as dist

F64 = tp.float64


def t(x):
    return tp.tensor(x, dtype=F64)


# a Triptych distribution of float64 scalars, and SciPy's
CONTINUOUS = {
    "Normal": (dist.Normal(t(1.5), t(2.0)), stats.norm(1.5, 2)),
    "HalfNormal": (dist.HalfNormal(t(2.0)), stats.halfnorm(scale=2)),
    "LogNormal": (dist.LogNormal(t(0.3), t(0.6)), stats.lognorm(0.6, scale=math.exp(0.3))),
    "Gamma": (dist.Gamma(t(2.5), t(3.0)), stats.gamma(2.5, scale=1 / 3)),
    "Gamma of small shape": (dist.Gamma(t(0.1), t(3.0)), stats.gamma(0.1, scale=1 / 3)),
    "Chi2": (dist.Chi2(t(5.0)), stats.chi2(5)),
    "Exponential": (dist.Exponential(t(0.4)), stats.expon(scale=2.5)),
    "InverseGamma": (dist.InverseGamma(t(3.5), t(2.0)), stats.invgamma(3.5, scale=2)),
    "FisherSnedecor": (dist.FisherSnedecor(t(4.0), t(9.0)), stats.f(4, 9)),
    "Uniform": (dist.Uniform(t(-1.0), t(2.0)), stats.uniform(-1, 3)),
    "Laplace": (dist.Laplace(t(1.0), t(0.5)), stats.laplace(1, 0.5)),
    "Cauchy": (dist.Cauchy(t(1.0), t(0.5)), stats.cauchy(1, 0.5)),
    "HalfCauchy": (dist.HalfCauchy(t(0.5)), stats.halfcauchy(scale=0.5)),
    "Gumbel": (dist.Gumbel(t(1.0), t(0.5)), stats.gumbel_r(1, 0.5)),
    "Pareto": (dist.Pareto(t(1.5), t(4.0)), stats.pareto(4, scale=1.5)),
    "GeneralizedPareto": (
        dist.GeneralizedPareto(t(1.0), t(0.5), t(0.2)),
        stats.genpareto(0.2, 1, 0.5),
    ),
    "GeneralizedPareto with an end": (
        dist.GeneralizedPareto(t(1.0), t(0.5), t(-0.4)),
        stats.genpareto(-0.4, 1, 0.5),
    ),
    "GeneralizedPareto, exponential": (
        dist.GeneralizedPareto(t(1.0), t(0.5), t(0.0)),
        stats.genpareto(0, 1, 0.5),
    ),
    "Weibull": (dist.Weibull(t(2.0), t(1.7)), stats.weibull_min(1.7, scale=2)),
    "StudentT": (dist.StudentT(t(4.5), t(1.0), t(2.0)), stats.t(4.5, 1, 2)),
    "Beta": (dist.Beta(t(2.5), t(0.7)), stats.beta(2.5, 0.7)),
    "Kumaraswamy": (dist.Kumaraswamy(t(2.5), t(1.3)), None),
    "ContinuousBernoulli": (dist.ContinuousBernoulli(t(0.3)), None),
    "ContinuousBernoulli at a half": (dist.ContinuousBernoulli(t(0.5)), stats.uniform(0, 1)),
    "VonMises": (dist.VonMises(t(0.5), t(2.0)), stats.vonmises(2.0, loc=0.5)),
}
DISCRETE = {
    "Bernoulli": (dist.Bernoulli(t(0.3)), stats.bernoulli(0.3)),
    "Bernoulli by logits": (
        dist.Bernoulli(logits=t(-1.2)),
        stats.bernoulli(1 / (1 + math.exp(1.2))),
    ),
    "Binomial": (dist.Binomial(9, t(0.3)), stats.binom(9, 0.3)),
    "Geometric": (dist.Geometric(t(0.3)), stats.geom(0.3, loc=-1)),
    "NegativeBinomial": (dist.NegativeBinomial(t(3.5), t(0.4)), stats.nbinom(3.5, 0.6)),
    "Poisson": (dist.Poisson(t(4.2)), stats.poisson(4.2)),
    "Categorical": (
        dist.Categorical(t([0.1, 0.6, 0.3])),
        stats.rv_discrete(values=([0, 1, 2], [0.1, 0.6, 0.3])),
    ),
}
AGAINST_SCIPY = {n: c for n, c in CONTINUOUS.items() if c[1] is not None}


def has(d, name):
    try:
        found = getattr(d, name)
        return found() if callable(found) else found
    except NotImplementedError:
        return None


@pytest.mark.parametrize("name", AGAINST_SCIPY)
def test_density_distribution_function_and_quantiles(name):
    d, reference = AGAINST_SCIPY[name]
    p = np.linspace(0.01, 0.99, 41)
    x = reference.ppf(p)
    np.testing.assert_allclose(d.log_prob(t(x)), reference.logpdf(x), rtol=1e-10, atol=1e-12)
    if name != "VonMises" and type(d).cdf is not dist.Distribution.cdf:
        try:
            np.testing.assert_allclose(d.cdf(t(x)), p, rtol=1e-9)
        except NotImplementedError:
            assert name == "InverseGamma"
    if type(d).icdf is not dist.Distribution.icdf and name != "InverseGamma":
        np.testing.assert_allclose(d.icdf(t(p)), x, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", [*AGAINST_SCIPY, *DISCRETE])
def test_moments_and_entropy(name):
    d, reference = {**AGAINST_SCIPY, **DISCRETE}[name]
    if "Cauchy" not in name and name not in ("VonMises", "Categorical"):  # no such moments
        np.testing.assert_allclose(d.mean, reference.mean(), rtol=1e-10)
        np.testing.assert_allclose(d.variance, reference.var(), rtol=1e-9)
        np.testing.assert_allclose(d.stddev, reference.std(), rtol=1e-9)
    entropy = has(d, "entropy")
    if entropy is not None:
        np.testing.assert_allclose(entropy, reference.entropy(), rtol=1e-6)
        np.testing.assert_allclose(d.perplexity(), math.exp(reference.entropy()), rtol=1e-6)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_the_density_is_the_slope_of_the_distribution_function(name):
    d, _ = CONTINUOUS[name]
    x = d.sample((50,)).requires_grad_()
    try:
        (slope,) = tp.autograd.grad(d.cdf(x).sum(), [x])
    except NotImplementedError:
        return
    np.testing.assert_allclose(slope, d.log_prob(x).exp().detach(), rtol=1e-8)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_draws_follow_the_distribution(name):
    d, reference = CONTINUOUS[name]
    x = d.sample((5000,))
    assert x.shape == (5000,) and x.dtype is F64 and d.support.check(x).all()
    cdf = reference.cdf if reference is not None else lambda v: d.cdf(t(v)).numpy()
    assert stats.kstest(x.numpy(), cdf).pvalue > 0.01


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete_probabilities_and_draws(name):
    d, reference = DISCRETE[name]
    x = d.sample((5000,))
    assert d.support.check(x).all()
    values = np.arange(0, int(x.max().item()) + 1)
    log_prob = d.log_prob(t(values))
    np.testing.assert_allclose(log_prob, reference.logpmf(values), rtol=1e-9)
    wanted = np.exp(log_prob.numpy()) * 5000
    counts = np.bincount(x.numpy().astype(int), minlength=len(values))
    kept = wanted > 5
    assert ((counts - wanted)[kept] ** 2 / wanted[kept]).sum() < stats.chi2(kept.sum()).ppf(0.99)


@pytest.mark.parametrize("name", [*CONTINUOUS, *DISCRETE])
def test_the_mode_is_where_the_density_is_highest(name):
    d, _ = {**CONTINUOUS, **DISCRETE}[name]
    mode = has(d, "mode")
    if mode is None or mode.isnan().any():
        assert name == "Uniform" or "ContinuousBernoulli" in name
        return
    top = d.log_prob(mode.clamp(1e-12, 1 - 1e-12) if "Beta" in name else mode)
    assert (d.log_prob(d.sample((200,))) <= top + 1e-9).all()


def test_modes_at_the_ends():
    assert dist.Beta(t([0.5, 2.0, 0.3, 2.0]), t([2.0, 0.5, 0.7, 2.0])).mode.tolist() == [
        0,
        1,
        0,
        0.5,
    ]
    assert dist.Beta(t(1.0), t(1.0)).mode.isnan()
    assert dist.Weibull(t(1.0), t(0.5)).mode.item() == 0
    assert dist.Kumaraswamy(t(0.5), t(2.0)).mode.isnan()


def test_moments_that_do_not_exist():
    assert dist.Cauchy(0.0, 1.0).mean.isnan() and dist.Cauchy(0.0, 1.0).variance.isinf()
    assert dist.HalfCauchy(1.0).mean.isinf()
    assert dist.Pareto(1.0, tp.tensor([0.5, 1.5, 3.0])).variance.isinf().tolist() == [1, 1, 0]
    student = dist.StudentT(tp.tensor([0.5, 1.5, 3.0]))
    assert student.mean.isnan().tolist() == [1, 0, 0] and student.variance[1].isinf()
    assert dist.InverseGamma(tp.tensor([0.5, 1.5]), 1.0).mean.isinf().tolist() == [1, 0]


@pytest.mark.parametrize("name", ["Kumaraswamy", "ContinuousBernoulli"])
def test_moments_by_quadrature(name):
    d, _ = CONTINUOUS[name]
    nodes, weights = np.polynomial.legendre.leggauss(200)
    x, w = t((nodes + 1) / 2), t(weights / 2)
    density = d.log_prob(x).exp()
    mean = (w * density * x).sum()
    np.testing.assert_allclose((w * density).sum(), 1, rtol=1e-6)
    np.testing.assert_allclose(d.mean, mean, rtol=1e-6)
    np.testing.assert_allclose(d.variance, (w * density * (x - mean) ** 2).sum(), rtol=1e-5)
    np.testing.assert_allclose(d.entropy(), -(w * density * d.log_prob(x)).sum(), rtol=1e-5)


def test_continuous_bernoulli_is_smooth_at_a_half():
    logits = t([-0.1001, -0.0999, -1e-9, 0.0, 1e-9, 0.0999, 0.1001])
    d = dist.ContinuousBernoulli(logits=logits)
    for values in (d.mean, d.variance, d.entropy(), d.cdf(t(0.3)), d.icdf(t(0.3))):
        steps = values.diff().numpy()
        slopes = steps / logits.diff().numpy()
        assert np.ptp(slopes[[1, 4]]) < 0.2 and np.isfinite(slopes).all()
    extreme = dist.ContinuousBernoulli(logits=t([-800.0, 800.0]))
    for values in (extreme.mean, extreme.variance, extreme.cdf(t(0.5)), extreme.icdf(t(0.5))):
        assert values.isfinite().all()


def test_a_half_normal_has_no_density_below_zero():
    d = dist.HalfNormal(1.0, validate_args=False)
    assert d.log_prob(tp.tensor(-1.0)).item() == -math.inf
    assert dist.HalfCauchy(1.0, validate_args=False).log_prob(tp.tensor(-1.0)).item() == -math.inf


def test_bernoulli_far_out_and_enumeration():
    d = dist.Bernoulli(logits=t([-800.0, 0.0, 800.0]))
    assert d.log_prob(t(1.0)).tolist() == pytest.approx([-800, -math.log(2), 0])
    assert d.entropy().tolist() == pytest.approx([0, math.log(2), 0])
    assert d.enumerate_support().shape == (2, 3) and d.enumerate_support(False).shape == (2, 1)
    assert dist.Binomial(3, t([0.2, 0.5])).enumerate_support().shape == (4, 2)
    with pytest.raises(NotImplementedError, match="one total_count"):
        dist.Binomial(t([2.0, 3.0]), t(0.5)).entropy()
    assert dist.Categorical(t([[0.5, 0.5]])).enumerate_support().tolist() == [[0], [1]]


def test_the_entropy_of_an_exponential_family_follows_from_its_normalizer():
    for d in (
        dist.Normal(t(1.5), t([2.0, 0.3])),
        dist.Gamma(t(2.5), t(3.0)),
        dist.Exponential(t(3.0)),
        dist.Bernoulli(t(0.3)),
        dist.ContinuousBernoulli(t(0.3)),
    ):
        general = dist.ExponentialFamily.entropy(d)
        np.testing.assert_allclose(general.detach(), d.entropy(), rtol=1e-9)

"""Reparameterised draws: their gradients against the derivative of quantiles, and on average."""

import numpy as np
import pytest
from scipy import stats

import triptych as tp
from triptych import distributions as dist
from triptych.prims import TABLE


def t(x, grad=False):
    return tp.tensor(x, dtype=tp.float64, requires_grad=grad)


@pytest.mark.parametrize("shape", [0.05, 0.4, 1.0, 3.3, 30.0, 90.0, 150.0, 2e4])
def test_a_gamma_draw_moves_with_its_shape_as_its_quantile_does(shape):
    a = t(np.full(40, shape), grad=True)
    x = dist.Gamma(a, 1.0).rsample()
    (slope,) = tp.autograd.grad(x.sum(), [a])
    p = stats.gamma(shape).cdf(x.detach())
    kept = (p > 1e-6) & (p < 1 - 1e-6)
    h = shape * 1e-4
    wanted = (stats.gamma(shape + h).ppf(p) - stats.gamma(shape - h).ppf(p)) / (2 * h)
    np.testing.assert_allclose(slope.numpy()[kept], wanted[kept], rtol=2e-5)


# Computed with 40 digits by mpmath 1.3.0: shape, draw, slope of the logarithm of the draw.
SLOPES = [
    (0.01, 1e-30, 6851.666733195269),
    (0.01, 0.5, 93.35855881030136),
    (0.3, 4.0, 1.1060859627030801),
    (2.5, 3.0, 0.3897540022458878),
    (2.5, 30.0, 0.09569005738450745),
    (20.0, 33.0, 0.038841442597892295),
    (20.0, 60.0, 0.02768691823922042),
    (99.0, 125.0, 0.008984084508617712),
    (99.0, 140.0, 0.008465958490662276),
    (150.0, 150.0, 0.006674078993486502),
    (150.0, 210.0, 0.005614082936925279),
    (10000.0, 10200.0, 9.90147866949333e-05),
]


@pytest.mark.parametrize(("a", "x", "expected"), SLOPES)
def test_the_slope_in_every_regime(a, x, expected):
    slope = TABLE["log_gamma_slope"].call(t([a]), t([x]).log())
    assert slope.item() == pytest.approx(expected, rel=1e-12)


# name: (distribution of parameters, their values)
REPARAMETERISED = {
    "Normal": (dist.Normal, (0.5, 2.0)),
    "HalfNormal": (dist.HalfNormal, (2.0,)),
    "LogNormal": (dist.LogNormal, (0.5, 0.3)),
    "Gamma": (dist.Gamma, (2.5, 3.0)),
    "Chi2": (dist.Chi2, (5.0,)),
    "Exponential": (dist.Exponential, (3.0,)),
    "InverseGamma": (dist.InverseGamma, (6.0, 2.0)),
    "FisherSnedecor": (dist.FisherSnedecor, (5.0, 12.0)),
    "Uniform": (dist.Uniform, (-1.0, 2.0)),
    "Laplace": (dist.Laplace, (1.0, 0.5)),
    "Gumbel": (dist.Gumbel, (1.0, 0.5)),
    "Pareto": (dist.Pareto, (1.5, 6.0)),
    "GeneralizedPareto": (dist.GeneralizedPareto, (1.0, 0.5, 0.1)),
    "Weibull": (dist.Weibull, (2.0, 1.7)),
    "StudentT": (dist.StudentT, (9.0, 1.0, 2.0)),
    "Beta": (dist.Beta, (2.5, 0.7)),
    "Kumaraswamy": (dist.Kumaraswamy, (2.5, 1.3)),
    "ContinuousBernoulli": (dist.ContinuousBernoulli, (0.3,)),
}


@pytest.mark.parametrize("name", REPARAMETERISED)
def test_the_gradient_of_the_mean_is_the_mean_of_the_gradients(name):
    family, values = REPARAMETERISED[name]
    parameters = [t(v, grad=True) for v in values]
    d = family(*parameters)
    assert d.has_rsample
    x = d.rsample((40_000,))
    found = tp.autograd.grad(x.mean(), parameters, allow_unused=True)
    wanted = tp.autograd.grad(family(*parameters).mean, parameters, allow_unused=True)
    spread = float(d.stddev.item())
    for f, w in zip(found, wanted, strict=True):
        f, w = (0.0 if v is None else v.item() for v in (f, w))
        assert f == pytest.approx(w, rel=0.04, abs=0.03 * spread)


def test_shares_follow_their_concentrations():
    a = t([0.3, 2.0, 5.0], grad=True)
    d = dist.Dirichlet(a)
    weights = t([1.0, -2.0, 0.5])
    x = d.rsample((40_000,))
    (found,) = tp.autograd.grad((x @ weights).mean(), [a])
    (wanted,) = tp.autograd.grad(d.mean @ weights, [a])
    np.testing.assert_allclose(found, wanted, atol=0.01)
    assert (x.sum(-1) - 1).abs().max().item() < 1e-12


def test_tiny_shapes_give_finite_shares_and_slopes():
    a = t([1e-3, 1e-3], grad=True)
    x = dist.Dirichlet(a).rsample((500,))
    (slope,) = tp.autograd.grad(x[:, 0].sum(), [a])
    assert x.isfinite().all() and slope.isfinite().all()
    assert dist.Beta(1e-3, 1e-3).sample((500,)).isfinite().all()
    single = dist.Gamma(tp.tensor([1e-3]), 1.0).sample((500,))
    assert (single > 0).all() and single.isfinite().all()


def test_vectors_follow_their_mean_and_factor():
    factor = t([[1.0, 0.0], [0.7, 0.5]], grad=True)
    loc = t([0.3, -0.2], grad=True)
    x = dist.MultivariateNormal(loc, scale_tril=factor).rsample((40_000,))
    found = tp.autograd.grad((x[:, 0] * x[:, 1]).mean(), [loc, factor])
    # E x0 x1 = loc0 loc1 + L00 L10 + L01 L11
    np.testing.assert_allclose(found[0], [-0.2, 0.3], atol=0.03)
    np.testing.assert_allclose(found[1], [[0.7, 0.5], [1.0, 0.0]], atol=0.03)


def test_straight_through_draws_pass_gradients_to_the_probabilities():
    probs = t([0.2, 0.3, 0.5], grad=True)
    x = dist.OneHotCategoricalStraightThrough(probs).rsample()
    (found,) = tp.autograd.grad(x @ t([1.0, 2.0, 4.0]), [probs])
    mean = 0.2 + 0.6 + 2.0
    np.testing.assert_allclose(found, np.array([1.0, 2.0, 4.0]) - mean)
    assert sorted(x.tolist()) == pytest.approx([0, 0, 1])


def test_relaxed_draws_gather_at_the_classes():
    probs = t([0.2, 0.8], grad=True)
    x = dist.RelaxedOneHotCategorical(t(0.05), probs).rsample((4000,))
    assert (x.sum(-1) - 1).abs().max().item() < 1e-12
    assert abs((x[:, 1] > 0.5).double().mean().item() - 0.8) < 0.03
    assert tp.autograd.grad(x[:, 1].mean(), [probs])[0].isfinite().all()
    y = dist.RelaxedBernoulli(t(0.05), t(0.7)).sample((4000,))
    assert abs((y > 0.5).double().mean().item() - 0.7) < 0.03 and y.min() > 0 and y.max() < 1


def test_draws_without_reparameterisation_say_so():
    with pytest.raises(NotImplementedError, match="no reparameterised draws"):
        dist.Poisson(1.0).rsample()
    with pytest.raises(NotImplementedError, match="use sample"):
        dist.Categorical(tp.ones(3)).rsample()


@pytest.mark.parametrize("name", REPARAMETERISED)
def test_log_prob_has_the_gradients_of_its_formula(name):
    family, values = REPARAMETERISED[name]
    parameters = [t(v, grad=True) for v in values]
    x = family(*parameters).sample((5,))
    x = x.clamp(min=float(x.min().item()))

    def score(*current):
        return family(*current, validate_args=False).log_prob(x)

    assert tp.autograd.gradcheck(score, parameters)

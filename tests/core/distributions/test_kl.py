"""Kullback-Leibler divergences against averages over draws, for every pair there is a rule for."""

import math

import numpy as np
import pytest

import triptych as tp
from triptych import distributions as dist


def t(x):
    return tp.tensor(x, dtype=tp.float64)


FACTOR = t([[1.0, 0.0], [0.4, 0.8]])
# Two members of each family; the second takes the first one's draws.
FAMILIES = {
    "Bernoulli": (dist.Bernoulli(t(0.3)), dist.Bernoulli(t(0.6))),
    "Beta": (dist.Beta(t(2.5), t(1.7)), dist.Beta(t(1.2), t(3.0))),
    "Binomial": (dist.Binomial(6, t(0.3)), dist.Binomial(6, t(0.6))),
    "Categorical": (dist.Categorical(t([0.1, 0.9, 0.4])), dist.Categorical(t([1.0, 1.0, 2.0]))),
    "Cauchy": (dist.Cauchy(t(0.5), t(2.0)), dist.Cauchy(t(-1.0), t(0.7))),
    "Chi2": (dist.Chi2(t(3.0)), dist.Chi2(t(6.0))),
    "ContinuousBernoulli": (
        dist.ContinuousBernoulli(t(0.3)),
        dist.ContinuousBernoulli(t(0.8)),
    ),
    "Dirichlet": (dist.Dirichlet(t([2.0, 0.7, 3.0])), dist.Dirichlet(t([1.0, 2.0, 1.5]))),
    "Exponential": (dist.Exponential(t(1.5)), dist.Exponential(t(0.4))),
    "Gamma": (dist.Gamma(t(2.5), t(3.0)), dist.Gamma(t(1.2), t(0.8))),
    "Geometric": (dist.Geometric(t(0.3)), dist.Geometric(t(0.6))),
    "Gumbel": (dist.Gumbel(t(0.5), t(0.6)), dist.Gumbel(t(-0.3), t(1.5))),
    "HalfNormal": (dist.HalfNormal(t(0.7)), dist.HalfNormal(t(2.0))),
    "Independent": (
        dist.Independent(dist.Normal(t([0.1, 2.0]), t(1.0)), 1),
        dist.Independent(dist.Normal(t([0.5, 1.0]), t(2.0)), 1),
    ),
    "Laplace": (dist.Laplace(t(0.3), t(0.5)), dist.Laplace(t(-0.5), t(1.2))),
    "LogNormal": (dist.LogNormal(t(0.3), t(0.5)), dist.LogNormal(t(-0.5), t(1.2))),
    "LowRankMultivariateNormal": (
        dist.LowRankMultivariateNormal(t([0.3, 0.1]), t([[1.0], [0.5]]), t([0.5, 0.7])),
        dist.LowRankMultivariateNormal(t([0.0, 0.5]), t([[0.3], [-0.5]]), t([1.5, 0.9])),
    ),
    "MultivariateNormal": (
        dist.MultivariateNormal(t([0.3, 0.1]), scale_tril=FACTOR),
        dist.MultivariateNormal(t([0.0, 0.5]), scale_tril=2 * FACTOR),
    ),
    "Normal": (dist.Normal(t(0.3), t(0.5)), dist.Normal(t(-0.5), t(1.2))),
    "OneHotCategorical": (
        dist.OneHotCategorical(t([0.1, 0.9, 0.4])),
        dist.OneHotCategorical(t([1.0, 1.0, 2.0])),
    ),
    "Pareto": (dist.Pareto(t(1.5), t(4.0)), dist.Pareto(t(0.5), t(1.2))),
    "Poisson": (dist.Poisson(t(2.5)), dist.Poisson(t(4.0))),
    "Uniform": (dist.Uniform(t(0.2), t(0.7)), dist.Uniform(t(-1.0), t(2.0))),
}
CROSS = [
    ("Bernoulli", "Poisson"),
    ("Beta", "ContinuousBernoulli"),
    ("Normal", "Laplace"),
    ("Uniform", "Beta"),
    ("Uniform", "ContinuousBernoulli"),
    ("Beta", "Uniform"),
    ("ContinuousBernoulli", "Uniform"),
    ("LowRankMultivariateNormal", "MultivariateNormal"),
    ("MultivariateNormal", "LowRankMultivariateNormal"),
    *[(p, "Normal") for p in ("Beta", "ContinuousBernoulli", "Exponential", "Gamma", "Chi2")],
    *[(p, "Normal") for p in ("Gumbel", "Laplace", "Pareto", "Uniform")],
    *[(p, "Exponential") for p in ("Beta", "ContinuousBernoulli", "Gamma", "Pareto", "Uniform")],
    *[(p, "Gamma") for p in ("Beta", "Exponential", "Pareto", "Uniform")],
    *[(p, "Gumbel") for p in ("Exponential", "Gamma", "Chi2", "Normal", "Uniform")],
]
INFINITE = [
    ("Normal", "Exponential"),
    ("Laplace", "Gamma"),
    ("Gumbel", "Beta"),
    ("Exponential", "Uniform"),
    ("Pareto", "Beta"),
    ("Gamma", "Pareto"),
    ("Beta", "Pareto"),
    ("Normal", "Uniform"),
    ("Poisson", "Bernoulli"),
    ("Poisson", "Binomial"),
]


@pytest.mark.parametrize(("p", "q"), [*((n, n) for n in FAMILIES), *CROSS])
def test_divergence_is_the_mean_difference_of_scores(p, q):
    ours, theirs = FAMILIES[p][0], FAMILIES[q][1]
    found = dist.kl_divergence(ours, theirs)
    x = ours.sample((40_000,))
    terms = (ours.log_prob(x) - theirs.log_prob(x)).numpy()
    error = 5 * terms.std() / math.sqrt(terms.size)
    assert found.shape == () and abs(found.item() - terms.mean()) < error + 1e-12
    assert found.item() > 0


@pytest.mark.parametrize("name", FAMILIES)
def test_a_distribution_is_at_no_distance_from_itself(name):
    p = FAMILIES[name][0]
    assert abs(dist.kl_divergence(p, p).item()) < 1e-12


@pytest.mark.parametrize(("p", "q"), INFINITE)
def test_mass_outside_the_support_is_infinitely_far(p, q):
    assert dist.kl_divergence(FAMILIES[p][0], FAMILIES[q][1]).item() == math.inf


def test_supports_within_each_other():
    wide, narrow = dist.Uniform(t(0.0), t(2.0)), dist.Uniform(t(0.5), t(1.0))
    assert dist.kl_divergence(wide, narrow).item() == math.inf
    assert dist.kl_divergence(narrow, wide).item() == pytest.approx(math.log(4))
    assert dist.kl_divergence(dist.Pareto(t(1.0), t(3.0)), dist.Pareto(t(2.0), t(3.0))).isinf()
    for q in (dist.Exponential(t(1.0)), dist.Gamma(t(1.0), t(1.0)), dist.Beta(t(2.0), t(2.0))):
        assert dist.kl_divergence(dist.Uniform(t(-1.0), t(0.5)), q).item() == math.inf
    assert dist.kl_divergence(dist.Beta(t(2.0), t(2.0)), narrow).item() == math.inf


def test_certain_events():
    p, q = dist.Bernoulli(t([0.0, 1.0, 0.5, 0.0])), dist.Bernoulli(t([0.5, 1.0, 1.0, 0.0]))
    found = dist.kl_divergence(p, q).tolist()
    assert found[0] == pytest.approx(math.log(2)) and found[2] == math.inf
    assert found[1] == found[3] == 0
    found = dist.kl_divergence(
        dist.Categorical(t([[1.0, 0.0], [0.5, 0.5]])), dist.Categorical(t([[0.5, 0.5], [1.0, 0.0]]))
    )
    assert found.tolist() == [pytest.approx(math.log(2)), math.inf]
    poisson = dist.kl_divergence(dist.Poisson(t(0.0)), dist.Poisson(t(2.0)))
    assert poisson.item() == 2


def test_binomials_of_different_counts():
    assert dist.kl_divergence(dist.Binomial(3, t(0.5)), dist.Binomial(2, t(0.5))).isinf()
    with pytest.raises(NotImplementedError, match="fewer trials"):
        dist.kl_divergence(dist.Binomial(2, t(0.5)), dist.Binomial(3, t(0.5)))


def test_the_rule_of_an_exponential_family_agrees_with_the_closed_forms():
    from triptych.distributions.kl_same import _families

    for name in ("Normal", "Gamma", "Beta", "Exponential", "Bernoulli", "Dirichlet", "Poisson"):
        p, q = FAMILIES[name]
        np.testing.assert_allclose(_families(p, q).detach(), dist.kl_divergence(p, q), rtol=1e-9)
    wishart = [dist.Wishart(t(df), scale_tril=FACTOR * s) for df, s in ((4.0, 1.0), (5.0, 2.0))]
    x = wishart[0].sample((20_000,))
    terms = wishart[0].log_prob(x) - wishart[1].log_prob(x)
    found = dist.kl_divergence(*wishart).item()
    assert found == pytest.approx(terms.mean().item(), abs=5 * terms.std().item() / 140)


def test_gradients_flow_into_both_sides():
    loc = t(0.3).requires_grad_()
    scale = t(2.0).requires_grad_()
    dist.kl_divergence(dist.Normal(loc, 1.0), dist.Normal(t(0.0), scale)).backward()
    assert loc.grad.item() == pytest.approx(0.3 / 4)
    assert scale.grad.item() == pytest.approx(1 / 2 - 1.09 / 8)


def test_rules_of_ones_own_and_the_closest_ancestor():
    class Narrow(dist.Normal):
        pass

    p, q = Narrow(t(0.0), t(1.0)), dist.Normal(t(0.0), t(1.0))
    assert dist.kl_divergence(p, q).item() == 0  # inherited
    dist.register_kl(Narrow, dist.Normal)(lambda p, q: t(7.0))
    assert dist.kl_divergence(p, q).item() == 7 and dist.kl_divergence(q, q).item() == 0
    with pytest.raises(tp.DTypeError, match="wanted distribution classes"):
        dist.register_kl(Narrow, int)
    with pytest.raises(NotImplementedError, match=r"no formula for \(StudentT, Normal\)"):
        dist.kl_divergence(dist.StudentT(3.0), dist.Normal(0.0, 1.0))
    with pytest.raises(NotImplementedError, match="different transforms"):
        dist.kl_divergence(dist.LogNormal(0.0, 1.0), dist.HalfCauchy(1.0))

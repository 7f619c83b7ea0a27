"""Distributions of vectors and matrices against scipy.stats."""

import math

import numpy as np
import pytest
from scipy import stats

import triptych as tp
from triptych import distributions as dist


def t(x):
    return tp.tensor(x, dtype=tp.float64)


LOC = np.array([0.3, -1.0, 2.0])
COVARIANCE = np.array([[2.0, 0.5, 0.3], [0.5, 1.0, -0.2], [0.3, -0.2, 0.7]])
W, D = np.array([[1.0], [0.5], [-0.3]]), np.array([0.5, 0.7, 1.1])
NORMALS = {
    "covariance": (dist.MultivariateNormal(t(LOC), t(COVARIANCE)), COVARIANCE),
    "precision": (
        dist.MultivariateNormal(t(LOC), precision_matrix=t(np.linalg.inv(COVARIANCE))),
        COVARIANCE,
    ),
    "factor": (
        dist.MultivariateNormal(t(LOC), scale_tril=t(np.linalg.cholesky(COVARIANCE))),
        COVARIANCE,
    ),
    "low rank": (dist.LowRankMultivariateNormal(t(LOC), t(W), t(D)), W @ W.T + np.diag(D)),
}


@pytest.mark.parametrize("name", NORMALS)
def test_normal_vectors(name):
    d, covariance = NORMALS[name]
    reference = stats.multivariate_normal(LOC, covariance)
    x = d.sample((20_000,))
    np.testing.assert_allclose(d.log_prob(x[:50]), reference.logpdf(x[:50]), rtol=1e-10)
    np.testing.assert_allclose(d.entropy(), reference.entropy(), rtol=1e-12)
    np.testing.assert_allclose(d.covariance_matrix, covariance, rtol=1e-10)
    np.testing.assert_allclose(d.precision_matrix, np.linalg.inv(covariance), rtol=1e-9)
    np.testing.assert_allclose(d.scale_tril, np.linalg.cholesky(covariance), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(d.variance, np.diag(covariance), rtol=1e-10)
    np.testing.assert_allclose(x.mean(0), LOC, atol=0.05)
    np.testing.assert_allclose(np.cov(x.numpy().T), covariance, atol=0.06)


def test_batches_of_normal_vectors_broadcast():
    factors = t(np.stack([np.linalg.cholesky(COVARIANCE), np.eye(3)]))
    d = dist.MultivariateNormal(t(LOC), scale_tril=factors)
    assert d.batch_shape == (2,) and d.loc.shape == (2, 3)
    x = d.sample((4,))
    single = dist.MultivariateNormal(t(LOC), scale_tril=factors[1])
    np.testing.assert_allclose(d.log_prob(x)[:, 1], single.log_prob(x[:, 1]))
    with pytest.raises(tp.ShapeError, match="3 elements, cov_factor 2 rows"):
        dist.LowRankMultivariateNormal(t(LOC), t(np.ones((2, 1))), t(D))


def test_dirichlet():
    a = np.array([0.7, 2.0, 3.5])
    d, reference = dist.Dirichlet(t(a)), stats.dirichlet(a)
    x = d.sample((20_000,))
    expected = [reference.logpdf(row / row.sum()) for row in x[:50].numpy()]
    np.testing.assert_allclose(d.log_prob(x[:50]), expected, rtol=1e-9)
    np.testing.assert_allclose(d.entropy(), reference.entropy(), rtol=1e-10)
    np.testing.assert_allclose(d.mean, reference.mean())
    np.testing.assert_allclose(d.variance, reference.var())
    for i, marginal in enumerate(a):
        cdf = stats.beta(marginal, a.sum() - marginal).cdf
        assert stats.kstest(x[:4000, i].numpy(), cdf).pvalue > 0.01
    np.testing.assert_allclose(dist.Dirichlet(t([2.0, 4.0])).mode, [0.25, 0.75])
    assert dist.Dirichlet(t([0.2, 0.4, 0.4])).mode.tolist() == [0, 1, 0]


def test_multinomial():
    p = np.array([0.2, 0.5, 0.3])
    d, reference = dist.Multinomial(6, t(p)), stats.multinomial(6, p)
    x = d.sample((20_000,))
    assert (x.sum(-1) == 6).all()
    np.testing.assert_allclose(d.log_prob(x[:50]), reference.logpmf(x[:50]), rtol=1e-10)
    np.testing.assert_allclose(d.entropy(), reference.entropy(), rtol=1e-10)
    np.testing.assert_allclose(d.variance, np.diag(reference.cov()))
    np.testing.assert_allclose(np.cov(x.numpy().T), reference.cov(), atol=0.05)
    never = dist.Multinomial(2, t([0.0, 1.0])).log_prob(t([0.0, 2.0]))
    assert abs(never.item()) < 1e-12


def test_one_hot():
    d = dist.OneHotCategorical(t([0.2, 0.5, 0.3]))
    x = d.sample((20_000,))
    np.testing.assert_allclose(x.mean(0), [0.2, 0.5, 0.3], atol=0.02)
    np.testing.assert_allclose(d.log_prob(x).exp(), x @ t([0.2, 0.5, 0.3]))
    assert d.enumerate_support().tolist() == np.eye(3).tolist()
    assert d.mode.tolist() == [0, 1, 0]
    assert d.expand((4,)).enumerate_support().shape == (3, 4, 3)
    assert d.expand((4,)).enumerate_support(False).shape == (3, 1, 3)


@pytest.mark.parametrize("given", ["covariance_matrix", "precision_matrix", "scale_tril"])
def test_wishart(given):
    df, scale = 5.5, COVARIANCE
    matrix = {
        "covariance_matrix": scale,
        "precision_matrix": np.linalg.inv(scale),
        "scale_tril": np.linalg.cholesky(scale),
    }[given]
    d, reference = dist.Wishart(df, **{given: t(matrix)}), stats.wishart(df, scale)
    x = d.sample((20_000,))
    expected = [reference.logpdf(m) for m in x[:20].numpy()]
    np.testing.assert_allclose(d.log_prob(x[:20]), expected, rtol=1e-9)
    np.testing.assert_allclose(d.entropy(), reference.entropy(), rtol=1e-10)
    np.testing.assert_allclose(d.mean, reference.mean(), rtol=1e-10)
    np.testing.assert_allclose(d.variance, reference.var(), rtol=1e-10)
    np.testing.assert_allclose(x.mean(0), reference.mean(), atol=0.2)
    np.testing.assert_allclose(x.var(0), reference.var(), rtol=0.1)
    assert dist.Wishart(t([3.0, 5.0]), t(scale)).mode.isnan().all(-1).all(-1).tolist() == [1, 0]


@pytest.mark.parametrize("concentration", [0.7, 1.0, 3.0])
def test_correlation_matrices(concentration):
    d = dist.LKJCholesky(3, t(concentration))
    factor = d.sample((8000,))
    correlation = (factor @ factor.mT).numpy()
    # each correlation is a scaled beta variable (Lewandowski et al. 2009, theorem 1)
    shape = concentration + 0.5
    for i, j in ((1, 0), (2, 0), (2, 1)):
        values = (correlation[:, i, j] + 1) / 2
        assert stats.kstest(values, stats.beta(shape, shape).cdf).pvalue > 0.01
    # dim 2: the density over the correlation r = L10 is beta, and dL10 is dr
    pair = dist.LKJCholesky(2, t(concentration))
    r = 0.3
    value = t([[1.0, 0.0], [r, math.sqrt(1 - r * r)]])
    expected = stats.beta(concentration, concentration, loc=-1, scale=2).logpdf(r)
    assert pair.log_prob(value).item() == pytest.approx(expected, rel=1e-10)
    # dim 3: the density adds up to one over the free coordinates, by draws from a uniform box
    volume = dist.LKJCholesky(3, t(2.0))
    box = tp.rand(200_000, 3, dtype=tp.float64) * 2 - 1
    inside = (box[:, 1] ** 2 + box[:, 2] ** 2 < 1) & (box[:, 0] ** 2 < 1)
    box = box[inside]
    zero = tp.zeros(box.shape[0], dtype=tp.float64)
    rows = [
        tp.stack([zero + 1, zero, zero], -1),
        tp.stack([box[:, 0], (1 - box[:, 0] ** 2).sqrt(), zero], -1),
        tp.stack([box[:, 1], box[:, 2], (1 - box[:, 1] ** 2 - box[:, 2] ** 2).sqrt()], -1),
    ]
    total = volume.log_prob(tp.stack(rows, -2)).exp().sum().item() * 8 / 200_000
    assert total == pytest.approx(1, abs=0.02)


def test_mixtures():
    weights, locs, scales = t([0.2, 0.5, 0.3]), t([-2.0, 0.0, 3.0]), t([0.5, 1.0, 0.7])
    d = dist.MixtureSameFamily(dist.Categorical(weights), dist.Normal(locs, scales))
    x = np.linspace(-5, 6, 41)
    parts = [stats.norm(m, s) for m, s in zip(locs.numpy(), scales.numpy(), strict=True)]
    density = sum(w * p.pdf(x) for w, p in zip(weights.numpy(), parts, strict=True))
    np.testing.assert_allclose(d.log_prob(t(x)), np.log(density), rtol=1e-12)

    def cdf(v):
        return sum(w * p.cdf(v) for w, p in zip(weights.numpy(), parts, strict=True))

    np.testing.assert_allclose(d.cdf(t(x)), cdf(x), rtol=1e-10)
    draws = d.sample((5000,))
    assert stats.kstest(draws.numpy(), cdf).pvalue > 0.01
    assert d.mean.item() == pytest.approx(0.5)
    second = sum(w * (p.var() + p.mean() ** 2) for w, p in zip(weights.numpy(), parts, strict=True))
    assert d.variance.item() == pytest.approx(second - 0.25)
    vectors = dist.MixtureSameFamily(
        dist.Categorical(tp.ones(2)),
        dist.Independent(dist.Normal(tp.zeros(4, 2, 3), 1.0), 1),
    )
    assert vectors.batch_shape == (4,) and vectors.event_shape == (3,)
    assert vectors.sample((5,)).shape == (5, 4, 3)
    assert vectors.log_prob(tp.zeros(4, 3)).shape == (4,) and vectors.mean.shape == (4, 3)


@pytest.mark.parametrize("concentration", [1e-6, 0.5, 4.0, 500.0])
def test_von_mises_concentrations(concentration):
    d = dist.VonMises(t(3.0), t(concentration))
    x = d.sample((4000,))
    assert x.min().item() >= -math.pi and x.max().item() < math.pi
    reference = stats.vonmises(concentration, loc=3.0)
    assert (
        stats.kstest(
            np.mod(x.numpy() - 3.0 + math.pi, 2 * math.pi) - math.pi,
            stats.vonmises(concentration).cdf,
        ).pvalue
        > 0.01
    )
    np.testing.assert_allclose(d.log_prob(x[:20]), reference.logpdf(x[:20]), rtol=1e-9)
    resultant = np.hypot(np.cos(x.numpy()).mean(), np.sin(x.numpy()).mean())
    assert d.variance.item() == pytest.approx(1 - resultant, abs=0.03)


def test_relaxed_densities_add_up_to_one():
    nodes, weights = np.polynomial.legendre.leggauss(400)
    x, w = t((nodes + 1) / 2), t(weights / 2)
    d = dist.RelaxedBernoulli(t(0.8), t(0.3))
    assert (w * d.log_prob(x).exp()).sum().item() == pytest.approx(1, abs=2e-3)
    pair = dist.RelaxedOneHotCategorical(t(0.8), t([0.3, 0.7]))
    total = (w * pair.log_prob(tp.stack([x, 1 - x], -1)).exp()).sum()
    assert total.item() == pytest.approx(1, abs=2e-3)

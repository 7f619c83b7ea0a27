"""What all distributions share: shapes, expansion, checks, generators, representation."""

import math

import numpy as np
import pytest

import triptych as tp
from triptych import distributions as dist
from triptych.distributions import constraints

ONES = tp.ones(3)
MATRIX = tp.eye(2) * 2
# name: (batch_shape, event_shape, a distribution)
EVERY = {
    "Bernoulli": ((3,), (), lambda: dist.Bernoulli(ONES * 0.3)),
    "Beta": ((3,), (), lambda: dist.Beta(ONES, 2.0)),
    "Binomial": ((3,), (), lambda: dist.Binomial(4, ONES * 0.3)),
    "Categorical": ((3,), (), lambda: dist.Categorical(tp.ones(3, 4))),
    "Cauchy": ((3,), (), lambda: dist.Cauchy(ONES, 1.0)),
    "Chi2": ((3,), (), lambda: dist.Chi2(ONES)),
    "ContinuousBernoulli": ((3,), (), lambda: dist.ContinuousBernoulli(ONES * 0.3)),
    "Dirichlet": ((2,), (3,), lambda: dist.Dirichlet(tp.ones(2, 3))),
    "Exponential": ((3,), (), lambda: dist.Exponential(ONES)),
    "FisherSnedecor": ((3,), (), lambda: dist.FisherSnedecor(ONES, ONES)),
    "Gamma": ((3,), (), lambda: dist.Gamma(ONES, 2.0)),
    "GeneralizedPareto": ((3,), (), lambda: dist.GeneralizedPareto(ONES, 1.0, 0.1)),
    "Geometric": ((3,), (), lambda: dist.Geometric(ONES * 0.3)),
    "Gumbel": ((3,), (), lambda: dist.Gumbel(ONES, 1.0)),
    "HalfCauchy": ((3,), (), lambda: dist.HalfCauchy(ONES)),
    "HalfNormal": ((3,), (), lambda: dist.HalfNormal(ONES)),
    "Independent": ((2,), (3,), lambda: dist.Independent(dist.Normal(tp.zeros(2, 3), 1.0), 1)),
    "InverseGamma": ((3,), (), lambda: dist.InverseGamma(ONES, 1.0)),
    "Kumaraswamy": ((3,), (), lambda: dist.Kumaraswamy(ONES, 2.0)),
    "LKJCholesky": ((), (3, 3), lambda: dist.LKJCholesky(3, 1.5)),
    "Laplace": ((3,), (), lambda: dist.Laplace(ONES, 1.0)),
    "LogNormal": ((3,), (), lambda: dist.LogNormal(ONES, 1.0)),
    "LogisticNormal": ((2,), (4,), lambda: dist.LogisticNormal(tp.zeros(2, 3), 1.0)),
    "LowRankMultivariateNormal": (
        (2,),
        (3,),
        lambda: dist.LowRankMultivariateNormal(tp.zeros(3), tp.ones(2, 3, 1), ONES),
    ),
    "MixtureSameFamily": (
        (2,),
        (),
        lambda: dist.MixtureSameFamily(
            dist.Categorical(tp.ones(2, 3)), dist.Normal(tp.zeros(2, 3), 1.0)
        ),
    ),
    "Multinomial": ((2,), (3,), lambda: dist.Multinomial(4, tp.ones(2, 3))),
    "MultivariateNormal": (
        (4,),
        (2,),
        lambda: dist.MultivariateNormal(tp.zeros(4, 2), covariance_matrix=MATRIX),
    ),
    "NegativeBinomial": ((3,), (), lambda: dist.NegativeBinomial(2, ONES * 0.3)),
    "Normal": ((3,), (), lambda: dist.Normal(ONES, 1.0)),
    "OneHotCategorical": ((2,), (3,), lambda: dist.OneHotCategorical(tp.ones(2, 3))),
    "Pareto": ((3,), (), lambda: dist.Pareto(1.0, ONES)),
    "Poisson": ((3,), (), lambda: dist.Poisson(ONES)),
    "RelaxedBernoulli": ((3,), (), lambda: dist.RelaxedBernoulli(tp.tensor(0.5), ONES * 0.3)),
    "RelaxedOneHotCategorical": (
        (2,),
        (3,),
        lambda: dist.RelaxedOneHotCategorical(tp.tensor(0.5), tp.ones(2, 3)),
    ),
    "StudentT": ((3,), (), lambda: dist.StudentT(ONES)),
    "TransformedDistribution": (
        (3,),
        (),
        lambda: dist.TransformedDistribution(dist.Normal(ONES, 1.0), dist.TanhTransform()),
    ),
    "Uniform": ((3,), (), lambda: dist.Uniform(-ONES, 1.0)),
    "VonMises": ((3,), (), lambda: dist.VonMises(ONES, 1.0)),
    "Weibull": ((3,), (), lambda: dist.Weibull(ONES, 2.0)),
    "Wishart": ((3,), (2, 2), lambda: dist.Wishart(ONES * 4, covariance_matrix=MATRIX)),
}


def test_every_family_is_here():
    families = {
        n
        for n in dist.__all__
        if isinstance(kind := getattr(dist, n), type) and issubclass(kind, dist.Distribution)
    }
    families -= {"Distribution", "ExponentialFamily", "OneHotCategoricalStraightThrough"}
    assert families == set(EVERY)


@pytest.mark.parametrize("name", EVERY)
def test_shapes_and_expansion(name):
    batch, event, make = EVERY[name]
    d = make()
    assert d.batch_shape == batch and d.event_shape == event
    x = d.sample((5, 2))
    assert x.shape == (5, 2, *batch, *event) and not x.requires_grad
    assert d.sample().shape == (*batch, *event) and d.sample_n(4).shape == (4, *batch, *event)
    score = d.log_prob(x)
    assert score.shape == (5, 2, *batch) and score.isfinite().all()
    assert d.support.check(x).shape == (5, 2, *batch) and d.support.check(x).all()
    assert d.support.event_dim == len(event)
    wide = d.expand((6, *batch))
    assert type(wide) is type(d) and wide.batch_shape == (6, *batch) and wide.event_shape == event
    assert wide.sample((2,)).shape == (2, 6, *batch, *event)
    again = wide.log_prob(x.unsqueeze(2).expand(5, 2, 6, *batch, *event))
    np.testing.assert_allclose(again[:, :, 3], score, rtol=1e-6, atol=2e-6)  # of terms near 4
    for moment in ("mean", "variance"):
        try:
            value = getattr(wide, moment)
        except NotImplementedError:
            continue
        assert value.shape == (6, *batch, *event)
    assert repr(d).startswith(type(d).__name__ + "(")
    assert str(d.sample().dtype) == (
        "triptych.int64" if name == "Categorical" else "triptych.float32"
    )


@pytest.mark.parametrize("name", EVERY)
def test_a_generator_repeats_draws(name):
    d = EVERY[name][2]()
    one = d.sample((4,), generator=tp.Generator().manual_seed(3))
    before = tp.get_rng_state()
    assert tp.equal(d.sample((4,), generator=tp.Generator().manual_seed(3)), one)
    assert tp.equal(tp.get_rng_state(), before)
    assert not tp.equal(d.sample((40,)), d.sample((40,)))


@pytest.mark.parametrize("name", EVERY)
def test_moments_of_draws(name):
    d = EVERY[name][2]()
    try:
        mean, variance = d.mean, d.variance
    except NotImplementedError:
        return
    if not (mean.isfinite().all() and variance.isfinite().all()) or name == "VonMises":
        return
    x = d.sample((20_000,)).double()
    spread = variance.double().sqrt()
    assert ((x.mean(0) - mean).abs() <= 0.06 * spread + 1e-6).all()
    if name not in ("GeneralizedPareto", "LogNormal"):  # heavy tails
        assert ((x.std(0) - spread).abs() <= 0.1 * spread + 1e-6).all()


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: dist.Normal(0.0, -1.0), tp.DomainError, "the parameter scale, of shape"),
        (lambda: dist.Normal(math.nan, 1.0), tp.DomainError, "the parameter loc"),
        (lambda: dist.Normal("a", 1.0), tp.DTypeError, "wanted numbers or tensors"),
        (lambda: dist.Normal(tp.zeros(2), tp.ones(3)), tp.ShapeError, "broadcast"),
        (lambda: dist.HalfNormal(-1.0), tp.DomainError, "HalfNormal: the parameter scale"),
        (lambda: dist.Uniform(1.0, 1.0), tp.DomainError, "wanted low < high"),
        (lambda: dist.Bernoulli(1.5), tp.DomainError, "the parameter probs"),
        (lambda: dist.Bernoulli(), tp.DTypeError, "either probs or logits"),
        (lambda: dist.Bernoulli(0.5, 0.5), tp.DTypeError, "either probs or logits"),
        (lambda: dist.Geometric(0.0), tp.DomainError, "probs above zero"),
        (lambda: dist.Categorical(tp.tensor(1.0)), tp.ShapeError, "at least one dim"),
        (lambda: dist.Categorical(tp.tensor([-1.0, 2.0])), tp.DomainError, "probs"),
        (lambda: dist.Multinomial(tp.tensor(3), ONES), tp.DTypeError, "one whole number"),
        (lambda: dist.Dirichlet(tp.tensor(1.0)), tp.ShapeError, "at least one dim"),
        (lambda: dist.MultivariateNormal(tp.zeros(2)), tp.DTypeError, "exactly one of"),
        (
            lambda: dist.MultivariateNormal(tp.zeros(2), -tp.eye(2)),
            tp.DomainError,
            "covariance_matrix",
        ),
        (lambda: dist.MultivariateNormal(tp.zeros(2), ONES), tp.ShapeError, "at least two dims"),
        (lambda: dist.LKJCholesky(1), tp.ShapeError, "at least 2"),
        (
            lambda: dist.Wishart(0.5, covariance_matrix=MATRIX),
            tp.DomainError,
            "wanted df > 1 for 2 dims",
        ),
        (lambda: dist.Independent(dist.Normal(0.0, 1.0), 1), tp.ShapeError, "at most 0 dims"),
        (
            lambda: dist.MixtureSameFamily(dist.Categorical(ONES), dist.Normal(0.0, 1.0)),
            tp.ShapeError,
            "3 classes",
        ),
        (
            lambda: dist.MixtureSameFamily(dist.Normal(0.0, 1.0), dist.Normal(ONES, 1.0)),
            tp.DTypeError,
            "wanted a Categorical",
        ),
        (
            lambda: dist.TransformedDistribution(dist.Normal(0.0, 1.0), [abs]),
            tp.DTypeError,
            "wanted transforms",
        ),
        (
            lambda: dist.TransformedDistribution(
                dist.Normal(0.0, 1.0), dist.StickBreakingTransform()
            ),
            tp.ShapeError,
            "maps events of 1 dims",
        ),
    ],
)
def test_bad_parameters(call, error, text):
    with pytest.raises(error, match=text):
        call()


@pytest.mark.parametrize(
    ("d", "value", "error", "text"),
    [
        (dist.Exponential(1.0), tp.tensor(-1.0), tp.DomainError, "must satisfy GreaterThanEq"),
        (dist.Bernoulli(0.5), tp.tensor(0.5), tp.DomainError, "must satisfy Boolean"),
        (dist.Categorical(ONES), tp.tensor(3), tp.DomainError, "IntegerInterval"),
        (dist.Normal(0.0, 1.0), 1.0, tp.DTypeError, "wanted a tensor as value, got float"),
        (dist.Normal(ONES, 1.0), tp.zeros(2), tp.ShapeError, "broadcast"),
        (dist.Dirichlet(ONES), tp.ones(2) / 2, tp.ShapeError, r"event shape \(3,\)"),
        (dist.Dirichlet(ONES), tp.ones(3), tp.DomainError, "Simplex"),
        (dist.Poisson(1.0), tp.tensor(0.5), tp.DomainError, "IntegerGreaterThan"),
    ],
)
def test_bad_values(d, value, error, text):
    with pytest.raises(error, match=text):
        d.log_prob(value)


def test_checks_can_be_left_out():
    assert dist.Normal(0.0, -1.0, validate_args=False).scale.item() == -1
    assert dist.Exponential(1.0, validate_args=False).log_prob(tp.tensor(-1.0)).item() == 1
    dist.Distribution.set_default_validate_args(False)
    try:
        assert dist.HalfNormal(-1.0).scale.item() == -1
        with pytest.raises(tp.DomainError):
            dist.HalfNormal(-1.0, validate_args=True)
    finally:
        dist.Distribution.set_default_validate_args(True)
    with pytest.raises(tp.DTypeError, match="wanted True or False"):
        dist.Distribution.set_default_validate_args(3)


def test_numbers_take_the_dtype_of_tensors():
    assert dist.Normal(tp.zeros(2, dtype=tp.float64), 1).scale.dtype is tp.float64
    assert dist.Normal(0, 1).loc.dtype is tp.float32
    assert dist.Normal(0.0, 1.0).sample((2,)).dtype is tp.float32


def test_probabilities_and_logits_follow_from_each_other():
    logits = tp.tensor([0.3, -2.0], requires_grad=True)
    d = dist.Bernoulli(logits=logits)
    with tp.no_grad():
        probs = d.probs
    assert probs.requires_grad  # computed with its history, whoever asks first
    np.testing.assert_allclose(
        dist.Bernoulli(probs=probs.detach()).logits, logits.detach(), rtol=1e-5
    )
    assert repr(d) == "Bernoulli(logits: (2,))" == repr(dist.Bernoulli(logits=logits))
    c = dist.Categorical(logits=tp.tensor([1.0, 1.0]))
    assert c.probs.tolist() == [0.5, 0.5] and c.logits.tolist() == pytest.approx([-math.log(2)] * 2)


def test_a_distribution_of_ones_own():
    class Triangle(dist.Distribution):
        arg_constraints = {"top": constraints.positive}  # noqa: RUF012
        support = constraints.unit_interval
        has_rsample = True

        def __init__(self, top, validate_args=None):
            self.top = top
            super().__init__(top.shape, validate_args=validate_args)

        def rsample(self, sample_shape=(), generator=None):
            return tp.rand(*self._extended_shape(sample_shape), generator=generator) * self.top

    d = Triangle(tp.tensor([0.5, 1.0]))
    assert d.sample((3,)).shape == (3, 2) and d.expand((4, 2)).sample().shape == (4, 2)
    with pytest.raises(NotImplementedError, match="Triangle has no mean"):
        _ = d.mean
    for call in (d.entropy, d.enumerate_support):
        with pytest.raises(NotImplementedError, match="Triangle"):
            call()
    for name in ("log_prob", "cdf", "icdf"):
        with pytest.raises(NotImplementedError, match=f"Triangle has no {name}"):
            getattr(d, name)(tp.zeros(2))


def test_draws_and_scores_can_be_compiled():
    @tp.compile
    def step(loc, x):
        d = dist.Normal(loc, tp.ones(3))
        return d.log_prob(x).sum() + dist.kl_divergence(d, dist.Normal(0.0, 1.0)).sum()

    x, loc = tp.zeros(3), tp.tensor([0.1, 0.2, 0.3])
    expected = step(loc, x)
    for _ in range(2):
        np.testing.assert_allclose(step(loc, x), expected, rtol=1e-6)

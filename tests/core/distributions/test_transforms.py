"""Transforms: inverses, changes of volume against Jacobians, shapes, caches; and the registry."""

import math

import numpy as np
import pytest

import triptych as tp
from triptych import distributions as dist
from triptych.distributions import biject_to, constraints, transform_to
from triptych.distributions import transforms as tf


def t(x):
    return tp.tensor(x, dtype=tp.float64)


VECTOR = [0.3, -1.2, 0.7]
MAPS = {
    "exp": (tf.ExpTransform(), VECTOR),
    "power": (tf.PowerTransform(2.5), [0.3, 1.2, 0.7]),
    "power of a tensor": (tf.PowerTransform(t([2.0, -1.0, 0.5])), [0.3, 1.2, 0.7]),
    "sigmoid": (tf.SigmoidTransform(), VECTOR),
    "softplus": (tf.SoftplusTransform(), VECTOR),
    "tanh": (tf.TanhTransform(), VECTOR),
    "affine": (tf.AffineTransform(1.0, -2.0), VECTOR),
    "affine with tensors": (tf.AffineTransform(t([1.0, 2.0, 3.0]), t([1.0, -2.0, 0.5])), VECTOR),
    "affine over events": (tf.AffineTransform(0.5, t([1.0, -2.0, 0.5]), event_dim=1), VECTOR),
    "stick breaking": (tf.StickBreakingTransform(), VECTOR),
    "correlation": (tf.CorrCholeskyTransform(), VECTOR),
    "distribution function": (
        tf.CumulativeDistributionTransform(dist.Normal(t(0.2), t(1.5))),
        VECTOR,
    ),
    "composed": (
        tf.ComposeTransform([tf.AffineTransform(0.0, 0.5), tf.TanhTransform(), tf.ExpTransform()]),
        VECTOR,
    ),
    "composed over events": (
        tf.ComposeTransform([tf.AffineTransform(0.0, 0.5), tf.StickBreakingTransform()]),
        VECTOR,
    ),
    "independent": (tf.IndependentTransform(tf.ExpTransform(), 1), VECTOR),
    "concatenated": (
        tf.CatTransform([tf.ExpTransform(), tf.TanhTransform()], lengths=[2, 1]),
        VECTOR,
    ),
    "stacked": (
        tf.StackTransform([tf.ExpTransform(), tf.TanhTransform(), tf.identity_transform], -1),
        VECTOR,
    ),
    "inverse": (tf.ExpTransform().inv, [0.3, 1.2, 0.7]),
}


def jacobian(function, x):
    x = x.detach().requires_grad_()
    y = function(x)
    rows = [tp.autograd.grad(v, [x], retain_graph=True)[0].numpy() for v in y.reshape(-1)]
    return np.array(rows)


def free(name, y):
    """The coordinates of y that move freely."""
    if name in ("stick breaking", "composed over events"):
        return y[..., :-1]
    if name == "correlation":
        return tp.stack([y[1, 0], y[2, 0], y[2, 1]])
    return y


@pytest.mark.parametrize("name", MAPS)
def test_inverse_and_change_of_volume(name):
    m, values = MAPS[name]
    x = t(values)
    y = m(x)
    np.testing.assert_allclose(m.inv(y), x, rtol=1e-9, atol=1e-9)
    assert m.codomain.check(y).all() and m.domain.check(x).all() and m.bijective
    assert m.inv.inv is m or m.inv.inv == m
    slopes = jacobian(lambda v: free(name, m(v)), x)
    change = m.log_abs_det_jacobian(x, y)
    if m.domain.event_dim == 0 or name == "stacked":  # a change per slice, as torch gives
        assert np.allclose(slopes, np.diag(np.diag(slopes)))
        np.testing.assert_allclose(change, np.log(np.abs(np.diag(slopes))), rtol=1e-9)
    else:
        assert change.shape == ()
        np.testing.assert_allclose(change, np.linalg.slogdet(slopes)[1], rtol=1e-9)
    np.testing.assert_allclose(m.inv.log_abs_det_jacobian(y, x), -change)
    assert m.forward_shape(x.shape) == y.shape and m.inverse_shape(y.shape) == x.shape


@pytest.mark.parametrize("name", ["exp", "sigmoid", "tanh", "affine", "power", "softplus"])
def test_signs(name):
    m, values = MAPS[name]
    y = m(t(sorted(values)))
    assert float(m.sign) == (1 if y[0] < y[-1] else -1) == float(m.inv.sign)


def test_maps_that_are_not_one_to_one():
    x = t([[0.3, -1.2], [0.7, 0.1]])
    shares = tf.SoftmaxTransform()(x)
    np.testing.assert_allclose(shares.sum(-1), 1)
    np.testing.assert_allclose(tf.SoftmaxTransform()(tf.SoftmaxTransform().inv(shares)), shares)
    assert (tf.AbsTransform()(x) == x.abs()).all() and not tf.AbsTransform().bijective
    for m in (tf.LowerCholeskyTransform(), tf.PositiveDefiniteTransform()):
        y = m(x)
        assert m.codomain.check(y) and not m.bijective
        np.testing.assert_allclose(m(m.inv(y)), y, rtol=1e-12)
        with pytest.raises(NotImplementedError, match="change of volume"):
            m.log_abs_det_jacobian(x, y)


def test_reshaping():
    m = tf.ReshapeTransform((2, 3), (6,))
    x = t(np.arange(12.0).reshape(2, 2, 3))
    assert m(x).shape == (2, 6) and tp.equal(m.inv(m(x)), x)
    assert m.log_abs_det_jacobian(x, m(x)).tolist() == [0, 0]
    with pytest.raises(tp.ShapeError, match="differ in elements"):
        tf.ReshapeTransform((2,), (3,))
    with pytest.raises(tp.ShapeError, match="wanted last dims"):
        m(t([1.0]))


def test_extreme_values_stay_finite():
    x = t([-800.0, -40.0, 40.0, 800.0])
    for m in (tf.SigmoidTransform(), tf.TanhTransform(), tf.SoftplusTransform()):
        assert m.log_abs_det_jacobian(x, m(x)).isfinite().all()
    assert tf.SigmoidTransform().inv(tf.SigmoidTransform()(x)).isfinite().all()
    assert tf.StickBreakingTransform().inv(tf.StickBreakingTransform()(x)).isfinite().all()


def test_a_cache_gives_back_the_very_input():
    for m in (tf.SigmoidTransform(cache_size=1), tf.AffineTransform(0, 2.0).with_cache()):
        x = t([50.0])
        assert m.inv(m(x)) is x and m(x) is m(x)
    assert tf.SigmoidTransform().with_cache(1)._cache_size == 1
    with pytest.raises(tp.DomainError, match="cache_size is 0 or 1"):
        tf.ExpTransform(cache_size=2)


def test_equality_and_representation():
    assert tf.AffineTransform(0.0, 2.0) == tf.AffineTransform(0, 2)
    assert tf.AffineTransform(0.0, 2.0) != tf.AffineTransform(0.0, 3.0)
    assert tf.ExpTransform() == tf.ExpTransform() != tf.TanhTransform()
    assert tf.ExpTransform().inv == tf.ExpTransform().inv
    assert repr(tf.ExpTransform()) == "ExpTransform()"
    assert repr(tf.ComposeTransform([tf.ExpTransform().inv])) == (
        "ComposeTransform([InverseTransform(ExpTransform())])"
    )


def test_transformed_distributions_change_variables():
    base = dist.Normal(t([0.2, -0.5]), t(1.5))
    maps = [tf.AffineTransform(1.0, -2.0), tf.ExpTransform()]
    d = dist.TransformedDistribution(base, maps)
    x = base.sample((5,))
    y = maps[1](maps[0](x))
    slope = 2 * y
    np.testing.assert_allclose(d.log_prob(y), base.log_prob(x) - slope.log())
    np.testing.assert_allclose(d.cdf(y), 1 - base.cdf(x))  # the maps are decreasing together
    np.testing.assert_allclose(d.icdf(d.cdf(y)), y, rtol=1e-9)
    shares = dist.TransformedDistribution(base, tf.StickBreakingTransform())
    assert shares.batch_shape == () and shares.event_shape == (3,)
    score = shares.log_prob(shares.sample((4,)))
    assert score.shape == (4,) and score.isfinite().all()
    wider = dist.TransformedDistribution(
        dist.Normal(t(0.0), t(1.0)), tf.AffineTransform(t([1.0, 2.0]), 1.0)
    )
    assert wider.batch_shape == (2,) and wider.sample((3,)).shape == (3, 2)


CONSTRAINTS = [
    constraints.real,
    constraints.positive,
    constraints.nonnegative,
    constraints.unit_interval,
    constraints.interval(-1.0, 3.0),
    constraints.half_open_interval(2.0, 3.0),
    constraints.greater_than(2.0),
    constraints.greater_than_eq(-2.0),
    constraints.less_than(-1.0),
    constraints.simplex,
    constraints.real_vector,
    constraints.independent(constraints.positive, 1),
    constraints.cat([constraints.positive, constraints.unit_interval], -1, [2, 1]),
    constraints.stack([constraints.positive, constraints.real, constraints.unit_interval], -1),
    constraints.corr_cholesky,
]


@pytest.mark.parametrize("constraint", CONSTRAINTS, ids=repr)
@pytest.mark.parametrize("registry", [biject_to, transform_to])
def test_the_registry_maps_onto_every_constraint(constraint, registry):
    m = registry(constraint)
    x = t(np.random.default_rng(0).normal(size=(4, 3)))
    y = m(x)
    assert constraint.check(y).all()
    np.testing.assert_allclose(m(m.inv(y)), y, rtol=1e-9)
    if registry is biject_to:
        assert m.bijective


@pytest.mark.parametrize("constraint", [constraints.lower_cholesky, constraints.positive_definite])
def test_the_registry_maps_onto_matrices(constraint):
    y = transform_to(constraint)(t(np.random.default_rng(0).normal(size=(4, 3, 3))))
    assert constraint.check(y).all()


def test_registering():
    class Even(constraints.Constraint):
        pass

    with pytest.raises(NotImplementedError, match="no map onto Even"):
        biject_to(Even())
    biject_to.register(Even, lambda c: tf.AffineTransform(0, 2))
    assert biject_to(Even()) == tf.AffineTransform(0, 2)
    with pytest.raises(tp.DTypeError, match="wanted a constraint"):
        biject_to.register(int, lambda c: None)


INSIDE_OUTSIDE = [
    (constraints.boolean, [0.0, 1.0], [0.5, 2.0]),
    (constraints.real, [0.0, math.inf], [math.nan]),
    (constraints.positive, [0.1], [0.0, -1.0, math.nan]),
    (constraints.nonnegative, [0.0], [-1e-9]),
    (constraints.interval(1, 2), [1.0, 2.0], [0.9, 2.1]),
    (constraints.half_open_interval(1, 2), [1.0], [2.0]),
    (constraints.less_than(1), [0.0], [1.0]),
    (constraints.integer_interval(0, 2), [0.0, 2.0], [0.5, 3.0]),
    (constraints.nonnegative_integer, [0.0, 7.0], [-1.0, 0.5]),
    (constraints.positive_integer, [1.0], [0.0]),
]


@pytest.mark.parametrize(("constraint", "inside", "outside"), INSIDE_OUTSIDE, ids=repr)
def test_constraints_of_numbers(constraint, inside, outside):
    assert constraint.check(t(inside)).all() and not constraint.check(t(outside)).any()


MATRICES = {
    "lower": t([[1.0, 0.0], [0.5, -2.0]]),
    "factor": t([[1.0, 0.0], [0.6, 0.8]]),
    "definite": t([[2.0, 0.5], [0.5, 1.0]]),
    "semidefinite": t([[1.0, 1.0], [1.0, 1.0]]),
    "indefinite": t([[1.0, 2.0], [2.0, 1.0]]),
    "skew": t([[1.0, 2.0], [-2.0, 1.0]]),
    "wide": t([[1.0, 2.0, 3.0], [2.0, 1.0, 1.0]]),
}
HOLD = {
    "lower_triangular": {"lower", "factor"},
    "lower_cholesky": {"factor"},
    "corr_cholesky": {"factor"},
    "positive_definite": {"definite"},
    "positive_semidefinite": {"definite", "semidefinite"},
    "symmetric": {"definite", "semidefinite", "indefinite"},
    "square": set(MATRICES) - {"wide"},
}


@pytest.mark.parametrize("name", HOLD)
def test_constraints_of_matrices(name):
    constraint = getattr(constraints, name)
    found = {k for k, m in MATRICES.items() if constraint.check(m).item()}
    assert found == HOLD[name] and constraint.event_dim == 2


def test_constraints_of_vectors():
    assert constraints.simplex.check(t([[0.2, 0.8], [0.5, 0.6]])).tolist() == [True, False]
    assert constraints.one_hot.check(t([[0.0, 1.0], [1.0, 1.0]])).tolist() == [True, False]
    assert constraints.multinomial(3).check(t([[1.0, 2.0], [2.0, 2.0]])).tolist() == [True, False]
    pair = constraints.independent(constraints.positive, 1)
    assert pair.check(t([[1.0, 2.0], [-1.0, 1.0]])).tolist() == [True, False]
    assert pair.event_dim == 1 and not pair.is_discrete
    mixed = constraints.MixtureSameFamilyConstraint(constraints.positive)
    assert mixed.check(t([1.0, -1.0])).tolist() == [True, False]
    assert constraints.is_dependent(constraints.dependent)
    with pytest.raises(ValueError, match="depends on parameters"):
        constraints.dependent.check(t(1.0))

"""`autograd.functional`, `autograd.forward_ad` and batches of gradients."""

import numpy as np
import pytest

import triptych
from triptych import func
from triptych.autograd import forward_ad, functional, grad
from triptych.testing import assert_close


@pytest.fixture
def x():
    return triptych.from_numpy(np.random.default_rng(0).normal(size=(3,)))


@pytest.fixture
def y():
    return triptych.from_numpy(np.random.default_rng(2).normal(size=(3,)))


@pytest.fixture
def w():
    return triptych.from_numpy(np.random.default_rng(1).normal(size=(2, 3)))


WAYS = [
    {},
    {"create_graph": True},
    {"vectorize": True},
    {"vectorize": True, "strategy": "forward-mode"},
]


@pytest.mark.parametrize("options", WAYS)
def test_jacobian(x, y, w, options):
    def fn(a, b):
        return (w @ (a * b)).sin(), a.sum()

    found = functional.jacobian(fn, (x, y), **options)
    expected = func.jacrev(fn, (0, 1))(x, y)
    for i in (0, 1):
        for j in (0, 1):
            assert_close(found[i][j], expected[i][j])
    single = functional.jacobian(lambda a: w @ a, x, **options)
    assert_close(single, w)


@pytest.mark.parametrize(
    "options",
    [{}, {"vectorize": True}, {"vectorize": True, "outer_jacobian_strategy": "forward-mode"}],
)
def test_hessian(x, y, w, options):
    def fn(a, b):
        return (w @ (a * b)).sin().sum()

    found = functional.hessian(fn, (x, y), **options)
    expected = func.hessian(fn, (0, 1))(x, y)
    for i in (0, 1):
        for j in (0, 1):
            assert_close(found[i][j], expected[i][j])
    assert functional.hessian(lambda a: (a**2).sum(), x[None], **options).shape == (1, 3, 1, 3)


def test_products(x, y, w):
    def fn(a):
        return (w @ a).sin()

    jacobian = func.jacrev(fn)(x)
    value, product = functional.vjp(fn, x, w[:, 0])
    assert_close([value, product], [fn(x), jacobian.T @ w[:, 0]])
    value, product = functional.jvp(fn, x, y)
    assert_close([value, product], [fn(x), jacobian @ y])
    matrix = func.hessian(lambda a: fn(a).sum())(x)
    for name in ("hvp", "vhp"):
        value, product = getattr(functional, name)(lambda a: fn(a).sum(), x, y)
        assert_close([value, product], [fn(x).sum(), matrix @ y])


def test_the_vector_may_be_left_out_for_one_element(x):
    assert_close(functional.vjp(lambda a: a.sum(), x)[1], x * 0 + 1)
    assert_close(functional.jvp(lambda a: a * 2, x[:1])[1], x[:1] * 0 + 2)
    with pytest.raises(triptych.ShapeError, match="may be left out"):
        functional.vjp(lambda a: a, x)


def test_history_is_kept_on_request_only(x, w):
    x.requires_grad_()

    def fn(a):
        return (w @ a).sin()

    assert not functional.jacobian(fn, x).requires_grad
    functional.jacobian(fn, x, create_graph=True).sum().backward()
    step = 1e-6
    up = func.jacrev(fn)(x.detach() + step * w[0]).sum()
    down = func.jacrev(fn)(x.detach() - step * w[0]).sum()
    assert_close((x.grad * w[0]).sum(), (up - down) / (2 * step), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: functional.jacobian(lambda a: triptych.ones(2), x, strict=True),
        lambda x: functional.vjp(lambda a: x * 2, x, x, strict=True),
        lambda x: (
            functional.jvp(lambda a, b: b * 2, (x, x), (x, x), strict=True)
            and functional.jvp(lambda a: x * 2, x, x, strict=True)
        ),
        lambda x: functional.hessian(lambda a: a.sum(), x, strict=True),
        lambda x: functional.vhp(lambda a, b: (b**2).sum(), (x, x), (x, x), strict=True),
    ],
)
def test_strict_refuses_what_does_not_depend(x, call):
    with pytest.raises(triptych.GradError, match="strict=True"):
        call(x)


def test_without_strict_it_is_zero(x):
    assert_close(functional.jacobian(lambda a: x * 2, x), triptych.zeros(3, 3).double())
    assert_close(functional.hessian(lambda a: a.sum(), x), triptych.zeros(3, 3).double())
    assert_close(functional.hvp(lambda a: a.sum(), x, x)[1], x * 0)


def test_bad_arguments(x):
    for call, error in (
        (lambda: functional.jacobian(triptych.sin, 2.0), triptych.DTypeError),
        (lambda: functional.jacobian(lambda a: 2.0, x), triptych.DTypeError),
        (lambda: functional.hessian(triptych.sin, x), triptych.ShapeError),
        (lambda: functional.vjp(triptych.sin, x, x[:2]), triptych.ShapeError),
        (lambda: functional.jacobian(triptych.sin, x, strategy="sideways"), triptych.ShapeError),
        (lambda: functional.jacobian(triptych.sin, x, strategy="forward-mode"), triptych.GradError),
        (
            lambda: functional.jacobian(triptych.sin, x, strict=True, vectorize=True),
            triptych.GradError,
        ),
    ):
        with pytest.raises(error):
            call()


# Batches of gradients


def test_a_batch_of_gradients(x, w):
    x.requires_grad_()
    y = (w @ x).sin()
    (found,) = grad(y, x, triptych.eye(2).double(), retain_graph=True, is_grads_batched=True)
    assert_close(found, func.jacrev(lambda a: (w @ a).sin())(x.detach()))
    (again,) = grad(y, x, triptych.eye(2).double(), create_graph=True, is_grads_batched=True)
    assert again.requires_grad
    other = triptych.zeros(1, requires_grad=True)
    found = grad(y, (x, other), w.T, is_grads_batched=True, allow_unused=True)
    assert found[0].shape == (3, 3) and found[1] is None
    with pytest.raises(triptych.GradError, match="grad_outputs"):
        grad(y.sum(), x, is_grads_batched=True)


# Dual tensors


def test_dual_tensors(x, y):
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, y)
        value, change = forward_ad.unpack_dual(dual.sin() * 2)
        assert forward_ad.unpack_dual(x).tangent is None
    assert_close([value, change], [x.sin() * 2, x.cos() * y * 2])
    assert forward_ad.unpack_dual(x).tangent is None
    with pytest.raises(triptych.TransformError, match="after it"):
        dual + 1


def test_levels(x, y):
    with pytest.raises(triptych.GradError, match="no level"):
        forward_ad.make_dual(x, y)
    level = forward_ad.enter_dual_level()
    try:
        with pytest.raises(triptych.GradError, match="nest"):
            forward_ad.enter_dual_level()
        with pytest.raises(triptych.ShapeError, match="tangent"):
            forward_ad.make_dual(x, y[:2])
    finally:
        forward_ad.exit_dual_level(level=level)
    with pytest.raises(triptych.GradError, match="no dual level"):
        forward_ad.exit_dual_level()

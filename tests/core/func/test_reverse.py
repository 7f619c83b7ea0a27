"""`grad`, `grad_and_value`, `vjp` and `linearize`."""

import numpy as np
import pytest

import triptych
from triptych.func import functional_call, grad, grad_and_value, jvp, linearize, vjp, vmap
from triptych.nn import functional as F
from triptych.testing import assert_close


@pytest.fixture
def x():
    return triptych.from_numpy(np.random.default_rng(0).normal(size=(3,)))


@pytest.fixture
def w():
    return triptych.from_numpy(np.random.default_rng(1).normal(size=(3, 3)))


def test_higher_orders():
    at = triptych.tensor(0.3, dtype=triptych.float64)
    expected = [at.sin(), at.cos(), -at.sin(), -at.cos(), at.sin()]
    fn = triptych.sin
    for value in expected:
        found = fn(at)
        assert_close(found, value)
        assert not found.requires_grad
        fn = grad(fn)


def test_one_level_does_not_disturb_another():
    # d/dx x * d/dy (x + y) is 1, and not 2
    one = triptych.tensor(1.0)
    assert float(grad(lambda x: x * grad(lambda y: x + y)(one))(one)) == 1.0
    assert float(grad(lambda x: x * grad(lambda y: x * y)(one))(one)) == 2.0


@pytest.mark.parametrize("argnums", [0, 1, -1, (0,), (1, 0)])
def test_argnums(x, argnums):
    found = grad(lambda a, b: (a * b * b).sum(), argnums)(x, x + 1)
    both = ((x + 1) ** 2, 2 * x * (x + 1))
    expected = tuple(both[n] for n in argnums) if isinstance(argnums, tuple) else both[argnums]
    assert_close(found, expected)


def test_trees_value_and_aux(x):
    tree = {"a": x, "b": [x * 2]}
    found, (value, aux) = grad_and_value(
        lambda t: ((t["a"] * t["b"][0]).sum(), {"twice": t["a"] * 2, "name": "n"}), has_aux=True
    )(tree)
    assert_close(found["a"], x * 2)
    assert_close(found["b"][0], x)
    assert_close(value, (2 * x * x).sum())
    assert_close(aux["twice"], x * 2)
    assert not aux["twice"].requires_grad and not value.requires_grad
    assert aux["name"] == "n"


def test_an_argument_that_is_not_used_has_a_gradient_of_zeros(x):
    assert_close(grad(lambda a, b: b.sum())(x, x), x * 0)


def test_a_history_outside_is_followed(x, w):
    w.requires_grad_()
    found = grad(lambda a: (w @ a).sin().sum())(x)
    assert found.requires_grad
    found.square().sum().backward()
    twin, leaf = w.detach().clone().requires_grad_(), x.clone().requires_grad_()
    y = (twin @ leaf).sin().sum()
    (inner,) = triptych.autograd.grad(y, leaf, create_graph=True)
    inner.square().sum().backward()
    assert_close(w.grad, twin.grad)


def test_the_history_of_an_argument_is_followed(x):
    x.requires_grad_()
    found, value = grad_and_value(lambda a: (a**3).sum())(x)
    (second,) = triptych.autograd.grad(found.sum(), x)
    (first,) = triptych.autograd.grad(value, x)
    assert_close([first, second], [(3 * x**2).detach(), (6 * x).detach()])


def test_no_grad_outside_does_not_matter_and_inside_does(x, w):
    w.requires_grad_()
    with triptych.no_grad():
        assert_close(grad(lambda a: grad(lambda b: (b**3).sum())(a).sum())(x), 6 * x)
        assert not grad(lambda a: (w @ a).sum())(x).requires_grad

    def fn(a):
        with triptych.no_grad():
            b = a * a
        return (a * b).sum()

    assert_close(grad(fn)(x), x * x)


def test_no_grad_holds_for_the_tape_outside_a_batch(x, w):
    w.requires_grad_()
    rows = triptych.stack([x, x])
    with triptych.no_grad():
        assert not vmap(grad(lambda a: (w @ a).sin().sum()))(rows).requires_grad

    def fn(a):
        with triptych.no_grad():
            return grad(lambda b: (w @ b).sin().sum())(a)

    assert not vmap(fn)(rows).requires_grad


@pytest.mark.parametrize(
    ("fn", "text"),
    [
        (lambda a: a, "scalar"),
        (lambda a: 1.0, "scalar"),
        (lambda a: a.sum() > 0, "real floating"),
        (lambda a: a.sum().to(triptych.complex128), "real floating"),
    ],
)
def test_the_result_must_be_a_real_scalar(x, fn, text):
    with pytest.raises(triptych.GradError, match=text):
        grad(fn)(x)


def test_arguments_without_gradients_are_refused(x):
    with pytest.raises(triptych.DTypeError, match="only floating"):
        grad(lambda a: x.sum())(triptych.ones(2, dtype=triptych.int64))
    with pytest.raises(triptych.DTypeError, match="float"):
        grad(lambda a: x.sum())(2.0)
    with pytest.raises(triptych.ShapeError, match="argnums 2"):
        grad(lambda a: x.sum(), argnums=2)(x)
    with pytest.raises(triptych.DTypeError, match="argnums"):
        grad(lambda a: x.sum(), argnums="x")(x)


def test_complex_arguments(x):
    z = triptych.complex(x, x + 1)
    found = grad(lambda a: (a.conj() * a).real.sum())(z)
    assert_close(found, 2 * z)


def test_vjp_gives_the_value_and_a_pullback_to_call_again(x, w):
    value, pull = vjp(lambda a: {"s": (w @ a).sin(), "t": a.sum()}, x)
    assert not value["s"].requires_grad
    seeds = {"s": x, "t": triptych.tensor(2.0, dtype=triptych.float64)}
    expected = w.T @ ((w @ x).cos() * x) + 2
    for _ in range(2):
        (found,) = pull(seeds)
        assert_close(found, expected)


def test_vjp_by_several_arguments_and_aux(x, w):
    value, pull, aux = vjp(lambda a, b: ((b @ a), "side"), x, w, has_aux=True)
    assert aux == "side"
    assert_close(list(pull(x)), [w.T @ x, triptych.outer(x, x)])
    assert_close(value, w @ x)


def test_cotangents_must_fit(x, w):
    _, pull = vjp(lambda a: w @ a, x)
    with pytest.raises(triptych.ShapeError, match="nested"):
        pull((x, x))
    with pytest.raises(triptych.ShapeError, match="cotangent 0"):
        pull(x[:2])
    with pytest.raises(triptych.ShapeError, match="at least one"):
        vjp(lambda: x)


def test_linearize_is_jvp_at_a_point(x, w):
    def fn(a, b):
        return {"y": (w @ (a * b)).sin(), "z": a.sum()}

    calls = []
    value, push = linearize(lambda a, b: (calls.append(1), fn(a, b))[1], x, x + 1)
    for scale in (1.0, -2.0):
        tangents = (x * scale, w[0])
        expected = jvp(fn, (x, x + 1), tangents)
        found = push(*tangents)
        assert_close(
            [value["y"], found["y"], found["z"]], [expected[0]["y"], *expected[1].values()]
        )
    assert calls == [1]
    with pytest.raises(triptych.ShapeError, match="tangent 0"):
        push(x[:2], x)


def test_gradients_per_sample_of_an_image_network():
    triptych.manual_seed(0)
    net = triptych.nn.Sequential(
        triptych.nn.Conv2d(1, 3, 3, stride=2),
        triptych.nn.ReLU(),
        triptych.nn.Conv2d(3, 3, 3, padding=1, groups=3),
        triptych.nn.Flatten(),
        triptych.nn.Linear(27, 4),
    )
    params = {n: p.detach() for n, p in net.named_parameters()}
    images, labels = triptych.randn(5, 1, 8, 8), triptych.tensor([0, 1, 2, 3, 0])

    def loss(p, image, label):
        return F.cross_entropy(functional_call(net, p, (image[None],)), label[None])

    found = vmap(grad(loss), in_dims=(None, 0, 0))(params, images, labels)
    for i in range(5):
        alone = grad(loss)(params, images[i], labels[i])
        assert_close({n: g[i] for n, g in found.items()}, alone, rtol=1e-5, atol=1e-6)


def test_a_recurrent_network_in_a_batch():
    triptych.manual_seed(0)
    net = triptych.nn.LSTM(3, 4).double()
    params = {n: p.detach() for n, p in net.named_parameters()}
    series = triptych.randn(3, 5, 2, 3, dtype=triptych.float64)

    def loss(p, s):
        return functional_call(net, p, (s,))[0].square().sum()

    found = vmap(grad(loss), in_dims=(None, 0))(params, series)
    for i in range(3):
        assert_close({n: g[i] for n, g in found.items()}, grad(loss)(params, series[i]))


def test_inside_compile(x, w):
    step = triptych.compile(lambda a: vmap(grad(lambda b: (w @ b).sin().sum()))(a))
    for k in range(1, 4):
        rows = triptych.stack([x * k, x - k])
        assert_close(step(rows), (rows @ w.T).cos() @ w)

"""`jacrev`, `jacfwd` and `hessian`."""

import numpy as np
import pytest

import triptych
from triptych.func import functional_call, grad, hessian, jacfwd, jacrev, vmap
from triptych.testing import assert_close


@pytest.fixture
def x():
    return triptych.from_numpy(np.random.default_rng(0).normal(size=(3,)))


@pytest.fixture
def w():
    return triptych.from_numpy(np.random.default_rng(1).normal(size=(2, 3)))


@pytest.mark.parametrize("jacobian", [jacrev, jacfwd])
def test_a_matrix(x, w, jacobian):
    found = jacobian(lambda a: (w @ a).sin())(x)
    assert_close(found, (w @ x).cos()[:, None] * w)
    assert not found.requires_grad


@pytest.mark.parametrize("jacobian", [jacrev, jacfwd])
def test_nesting_of_results_and_arguments(x, w, jacobian):
    def fn(tree, b):
        return {"p": (w @ tree["a"]) * b, "q": b.sum() * tree["a"][None]}

    one = jacobian(fn)({"a": x}, w[:, 0])
    assert one["p"]["a"].shape == (2, 3)
    assert one["q"]["a"].shape == (1, 3, 3)
    two = jacobian(fn, (1, 0))({"a": x}, w[:, 0])
    assert_close(two["p"][1]["a"], one["p"]["a"])
    assert_close(two["p"][0], triptych.diag(w @ x))
    assert_close(two["q"][0], x[None, :, None].expand(1, 3, 2))


def test_the_two_modes_agree_in_any_order(x, w):
    def fn(a):
        return (w @ a).sin().square()

    found = [f(g(fn))(x) for f in (jacrev, jacfwd) for g in (jacrev, jacfwd)]
    for other in found[1:]:
        assert_close(other, found[0])


@pytest.mark.parametrize("jacobian", [jacrev, jacfwd])
def test_aux(x, w, jacobian):
    found, aux = jacobian(lambda a: (w @ a, {"y": a * 2, "n": 3}), has_aux=True)(x)
    assert_close(found, w)
    assert_close(aux["y"], x * 2)
    assert aux["n"] == 3


def test_chunks_of_rows(x, w):
    whole = jacrev(lambda a: (w @ a).sin())(x)
    for size in (1, 2, 5):
        assert_close(jacrev(lambda a: (w @ a).sin(), chunk_size=size)(x), whole)


def test_random_numbers_in_forward_mode(x):
    def fn(a):
        return a * triptych.rand(3, dtype=triptych.float64)

    with pytest.raises(triptych.TransformError, match="random"):
        jacfwd(fn)(x)
    found = jacfwd(fn, randomness="same")(x)
    assert_close(found, triptych.diag(found.diagonal()))


def test_hessian_of_a_network():
    triptych.manual_seed(0)
    net = triptych.nn.Sequential(
        triptych.nn.Linear(3, 4), triptych.nn.Tanh(), triptych.nn.Linear(4, 1)
    ).double()
    params = {n: p.detach() for n, p in net.named_parameters()}
    x = triptych.randn(5, 3, dtype=triptych.float64)

    def loss(p):
        return functional_call(net, p, (x,)).square().mean()

    found = hessian(loss)(params)
    step = 1e-6
    moved = {n: t.clone() for n, t in params.items()}
    moved["0.weight"][1, 2] += step
    up = grad(loss)(moved)
    moved["0.weight"][1, 2] -= 2 * step
    down = grad(loss)(moved)
    for n in params:
        numeric = (up[n] - down[n]) / (2 * step)
        assert_close(found[n]["0.weight"][..., 1, 2], numeric, rtol=1e-6, atol=1e-8)
        assert_close(found["0.weight"][n][1, 2], found[n]["0.weight"][..., 1, 2])


def test_by_two_arguments_and_in_a_batch(x, w):
    def fn(a, b):
        return (w @ (a * b)).sin().sum()

    rows = triptych.stack([x, x + 1])
    found = vmap(hessian(fn, (0, 1)), in_dims=(0, None))(rows, x)
    for i, row in enumerate(rows):
        alone = hessian(fn, (0, 1))(row, x)
        for j in (0, 1):
            for k in (0, 1):
                assert_close(found[j][k][i], alone[j][k])


def test_inside_compile(x, w):
    step = triptych.compile(hessian(lambda a: (w @ a).sin().sum()))
    expected = hessian(lambda a: (w @ a).sin().sum())(x)
    for _ in range(3):
        assert_close(step(x), expected)


def test_a_jacobian_can_be_differentiated(x, w):
    w.requires_grad_()
    jacrev(lambda a: (w @ a).sin())(x).sum().backward()
    first = w.grad
    w.grad = None
    jacfwd(lambda a: (w @ a).sin())(x).sum().backward()
    assert_close(w.grad, first)
    twin = w.detach().clone().requires_grad_()
    ((twin @ x).cos()[:, None] * twin).sum().backward()
    assert_close(first, twin.grad)

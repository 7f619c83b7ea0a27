"""`vmap`: arguments and results, randomness, writes, and what it refuses."""

import gc
from collections import namedtuple

import numpy as np
import pytest

import triptych
from triptych.func import functional_call, grad, vmap
from triptych.nn import functional as F
from triptych.testing import assert_close

Pair = namedtuple("Pair", "a b")


@pytest.fixture
def x():
    return triptych.from_numpy(np.random.default_rng(0).normal(size=(4, 3)))


@pytest.fixture
def w():
    return triptych.from_numpy(np.random.default_rng(1).normal(size=(3, 3)))


# Arguments and results


def test_it_is_also_at_the_top(x):
    assert triptych.vmap is vmap
    assert_close(vmap(triptych.sum)(x), x.sum(1))


def test_a_constant_argument(x, w):
    assert_close(vmap(lambda a, m: m @ a, in_dims=(0, None))(x, w), x @ w.T)


@pytest.mark.parametrize("dim", [0, 1, 2, -1])
def test_any_dim_of_the_argument(dim):
    y = triptych.arange(24.0).reshape(2, 3, 4)
    found = vmap(lambda a: a * 2, in_dims=dim, out_dims=dim)(y)
    assert_close(found, y * 2)
    rows = [y.select(dim, i).sum() for i in range(y.shape[dim])]
    assert_close(vmap(triptych.sum, in_dims=dim)(y), triptych.stack(rows))


def test_nested_arguments_and_results(x):
    def fn(tree, z):
        return {"sum": tree["p"].a + tree["q"][0], "z": [z * 1]}

    tree = {"p": Pair(x, 5), "q": [x]}
    found = vmap(fn, in_dims=({"p": Pair(0, None), "q": 0}, None), out_dims={"sum": 1, "z": 0})(
        tree, x[0]
    )
    assert_close(found["sum"], (x + x).T)
    assert_close(found["z"][0], x[0].expand(4, 3))


def test_keyword_arguments_are_constant(x):
    assert_close(vmap(lambda a, *, scale: a * scale)(x, scale=x[0]), x * x[0])


def test_a_constant_result(x, w):
    total, plain = vmap(lambda a: (a.sum(), w * 2), out_dims=(0, None))(x)
    assert_close(total, x.sum(1))
    assert_close(plain, w * 2)


def test_nested(x, w):
    outer = vmap(vmap(lambda a, b: a * b, in_dims=(None, 0)), in_dims=(0, None))
    assert_close(outer(x[0], w[0]), x[0][:, None] * w[0])


def test_a_batch_of_length_zero(w):
    assert vmap(lambda a: w @ a)(triptych.zeros(0, 3, dtype=triptych.float64)).shape == (0, 3)


def test_chunks(x, w):
    whole = vmap(lambda a: (w @ a, a.sum()), out_dims=(1, 0))
    parts = vmap(lambda a: (w @ a, a.sum()), out_dims=(1, 0), chunk_size=3)
    assert_close(list(parts(x)), list(whole(x)))


def test_names_of_the_other_dims_stay(x):
    seen = []

    def fn(a):
        seen.append(a.names)
        return a * 2

    found = vmap(fn, in_dims=1)(x.refine_names("n", "t"))
    assert seen == [("n",)]
    assert found.names == (None, "n")


def test_the_gradient_flows_through(x, w):
    w.requires_grad_()
    x.requires_grad_()
    vmap(lambda a: (w @ a).sin())(x).sum().backward()
    plain = [t.detach().clone().requires_grad_() for t in (w, x)]
    (plain[1] @ plain[0].T).sin().sum().backward()
    assert_close([w.grad, x.grad], [t.grad for t in plain])


def test_a_number_that_is_the_same_for_all_samples_may_be_read(x, w):
    found = vmap(lambda a: a * 2 if w.sum().item() > -100 else a)(x)
    assert_close(found, x * 2)


def test_indexing_by_batched_indices(x):
    places = triptych.tensor([0, 2, 1, 1])
    found = vmap(lambda a, i: a[i])(x, places)
    assert_close(found, x.gather(1, places[:, None])[:, 0])


def test_an_image_network_equals_the_loop():
    triptych.manual_seed(0)
    net = triptych.nn.Sequential(
        triptych.nn.Conv2d(2, 3, 3, padding=1),
        triptych.nn.GELU(),
        triptych.nn.MaxPool2d(2),
        triptych.nn.Flatten(0),
        triptych.nn.Linear(12, 4),
        triptych.nn.LayerNorm(4),
        triptych.nn.LogSoftmax(-1),
    )
    images = triptych.randn(5, 2, 4, 4)
    with triptych.no_grad():
        alone = triptych.stack([net(i) for i in images])
        assert_close(vmap(net)(images), alone, rtol=1e-5, atol=1e-6)


# Random numbers


def draw(a):
    return triptych.rand(3) + a * 0


def test_random_numbers_are_refused_by_default(x):
    with pytest.raises(triptych.TransformError, match="randomness='different'"):
        vmap(draw)(x)


def test_random_numbers_are_different(x):
    found = vmap(draw, randomness="different")(x)
    assert len({tuple(row) for row in found.tolist()}) == 4


@pytest.mark.parametrize("chunk_size", [None, 3])
def test_random_numbers_are_the_same(x, chunk_size):
    found = vmap(draw, randomness="same", chunk_size=chunk_size)(x)
    assert_close(found, found[:1].expand(4, 3))


def test_dropout_draws_for_each_sample():
    found = vmap(lambda a: F.dropout(a, 0.5), randomness="different")(triptych.ones(8, 64))
    assert len({tuple(row) for row in found.tolist()}) == 8


# Writes


def test_writes_into_what_is_made_inside(x):
    def fn(a):
        y = triptych.zeros(3, dtype=triptych.float64)
        part = y[1:]
        y[0] = a[0]
        part.add_(a[1:] * 2)
        y.mul_(10)
        return y, part

    whole, part = vmap(fn)(x)
    scale = triptych.tensor([10.0, 20.0, 20.0], dtype=triptych.float64)
    assert_close(whole, x * scale)
    assert_close(part, (x * scale)[:, 1:])


def test_a_write_into_an_argument_reaches_the_caller(x):
    before = x.clone()
    vmap(lambda a: a.mul_(2), in_dims=1)(x)
    assert_close(x, before * 2)


def test_the_gradient_of_a_write(x):
    def fn(a):
        y = a * 1
        y[0] = y[1] * 3
        return (y * y).sum()

    found = vmap(grad(fn))(x)
    expected = triptych.stack([x[:, 0] * 0, x[:, 1] * 20, x[:, 2] * 2], 1)
    assert_close(found, expected)


def test_a_constant_may_be_written_outside(x, w):
    before = w.clone()

    def fn(a):
        w.add_(1)
        w[0] = 7.0
        return a

    vmap(fn)(x)
    assert_close(w[0], triptych.full((3,), 7.0, dtype=triptych.float64))
    assert_close(w[1:], before[1:] + 1)


@pytest.mark.parametrize("write", [lambda w, a: w[0].copy_(a), lambda w, a: w.__setitem__(1, a)])
def test_what_varies_cannot_be_written_outside(x, w, write):
    before = w.clone()
    with pytest.raises(triptych.TransformError, match="tensor from outside"):
        vmap(lambda a: (write(w, a), a)[1])(x)
    assert_close(w, before)


def test_batch_norm_in_training_is_refused_with_advice():
    norm = triptych.nn.BatchNorm1d(3)
    batch = triptych.randn(2, 5, 3)
    with pytest.raises(triptych.TransformError, match="track_running_stats"):
        vmap(norm)(batch)
    triptych.func.replace_all_batch_norm_modules_(norm)
    assert_close(vmap(norm)(batch)[1], norm(batch[1]), rtol=1e-5, atol=1e-6)


# What it refuses


@pytest.mark.parametrize(
    ("fn", "text"),
    [
        (lambda a: a.sum().item(), "item.*where"),
        (lambda a: a if a.sum() > 0 else -a, "bool"),
        (lambda a: a.numpy(), "numpy"),
        (lambda a: a[a > 0], "boolean mask"),
        (lambda a: a.nonzero(), "nonzero"),
    ],
)
def test_values_of_samples_cannot_be_looked_at(x, fn, text):
    with pytest.raises(triptych.TransformError, match=text):
        vmap(fn)(x)


def test_shape_errors_speak_of_one_sample(x):
    with pytest.raises(triptych.ShapeError, match=r"\(1, 3\) @ \(2, 2\)"):
        vmap(lambda a: a[None] @ triptych.ones(2, 2, dtype=triptych.float64))(x)


@pytest.mark.parametrize(
    ("options", "args", "text"),
    [
        ({"in_dims": (0,)}, 2, "in_dims"),
        ({"in_dims": None}, 1, "in_dims"),
        ({"in_dims": (None, None)}, 2, "no argument to map over"),
        ({"in_dims": 5}, 1, "out of range"),
        ({"in_dims": (0, 1)}, 2, "different lengths"),
        ({"out_dims": (0, 1)}, 1, "out_dims"),
        ({"out_dims": 4}, 1, "out of range"),
        ({"out_dims": None}, 1, "out_dims=None"),
    ],
)
def test_dims_that_do_not_fit(x, options, args, text):
    with pytest.raises(triptych.TriptychError, match=text):
        vmap(lambda *a: a[0] * 1, **options)(*[x] * args)


@pytest.mark.parametrize("options", [{"randomness": "some"}, {"chunk_size": 0}])
def test_bad_options(options):
    with pytest.raises(triptych.ShapeError):
        vmap(triptych.sin, **options)


def test_only_tensors_have_dims(x):
    with pytest.raises(triptych.DTypeError, match="float"):
        vmap(lambda a, b: a * b)(x, 2.0)
    with pytest.raises(triptych.DTypeError, match="must return tensors"):
        vmap(lambda a: 1.0)(x)


def test_values_that_escape(x):
    kept = []
    vmap(lambda a: (kept.append(a), a)[1])(x)
    for use in (
        lambda t: t + 1,
        lambda t: t.sum(),
        lambda t: t.tolist(),
        lambda t: vmap(lambda b: b * t)(x),
    ):
        with pytest.raises(triptych.TransformError, match="inside vmap was used after it"):
            use(kept[0])


def test_backward_cannot_fill_grads_outside(x, w):
    w.requires_grad_()
    y = (w @ x[0]).sin()
    with pytest.raises(triptych.TransformError, match=r"autograd\.grad"):
        vmap(lambda g: (y.backward(g, retain_graph=True), g)[1])(x)
    assert w.grad is None


def test_the_trace_ends_when_the_function_raises(x):
    with pytest.raises(ZeroDivisionError):
        vmap(lambda a: 1 / 0)(x)
    assert float(triptych.ones(1) + 1) == 2.0


def test_no_reference_cycles(x, w):
    net = triptych.nn.Linear(3, 2).double()
    params = {n: p.detach() for n, p in net.named_parameters()}

    def loss(p, a):
        return functional_call(net, p, (a,)).square().sum()

    vmap(grad(loss), in_dims=(None, 0))(params, x)
    gc.collect()
    gc.disable()
    try:
        vmap(grad(loss), in_dims=(None, 0))(params, x)
        assert gc.collect() == 0
    finally:
        gc.enable()
